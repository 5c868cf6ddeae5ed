"""First-level trigger lines: the chance that each fires.

A line is a product of independent conditions, each smeared on its own, times the
plateau of its efficiency.  Names in brackets are those of Belle II.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations, product
from types import MappingProxyType

import jax
import jax.numpy as jnp

from darksector.detectors.trigger import Seen, Trigger
from darksector.detectors.trigger_chances import (
    above,
    above_cms,
    any_of,
    at_least,
    ecl_bhabha,
    energy_width,
    fast_track,
    full_track,
    in_cells,
    passes,
    wide_open,
)
from darksector.errors import UnknownName

Line = Callable[[Trigger, Seen], jax.Array]
_SMALL = 1e-24  # GeV²; a sum of nothing has a derivative


def two_track(trigger: Trigger, seen: Seen) -> jax.Array:
    """Two full tracks open by more than 90 degrees, no Bhabha (ffo)."""
    full = [full_track(trigger, p) for p in seen.tracks]
    pairs = [
        full[i] * full[j] * wide_open(trigger, seen.tracks[i], seen.tracks[j])
        for i, j in combinations(range(len(full)), 2)
    ]
    fires = any_of(pairs, _one(seen)) * _no_bhabha(trigger, seen)
    return trigger.two_track_efficiency * fires


def single_photon_2gev(trigger: Trigger, seen: Seen) -> jax.Array:
    """A cluster with E* > 2 GeV and ThetaId 4 to 14 (lml1)."""
    threshold = trigger.single_photon_2gev_min
    photons = [
        in_cells(trigger, p, 4, 14) * above_cms(trigger, seen, p, threshold)
        for p in seen.deposits
    ]
    return trigger.single_photon_2gev_efficiency * any_of(photons, _one(seen))


def single_photon_1gev(trigger: Trigger, seen: Seen) -> jax.Array:
    """E* > 1 GeV and ThetaId 4 to 15; no other above 0.3 GeV (lml6)."""
    inside = [in_cells(trigger, p, 4, 15) for p in seen.deposits]
    fires = _alone(trigger, seen, inside, trigger.single_photon_1gev_min)
    return trigger.single_photon_1gev_efficiency * fires


def single_photon_1gev_endcap(trigger: Trigger, seen: Seen) -> jax.Array:
    """E* > 1 GeV and ThetaId 2, 3 or 16; no other above 0.3 GeV (lml7)."""
    inside = [
        in_cells(trigger, p, 2, 3) + in_cells(trigger, p, 16, 16) for p in seen.deposits
    ]
    fires = _alone(trigger, seen, inside, trigger.single_photon_1gev_min)
    return trigger.single_photon_1gev_endcap_efficiency * fires


def single_photon_05gev(trigger: Trigger, seen: Seen) -> jax.Array:
    """E* > 0.5 GeV and ThetaId 6 to 11; no other above 0.3 GeV (lml13)."""
    inside = [in_cells(trigger, p, 6, 11) for p in seen.deposits]
    fires = _alone(trigger, seen, inside, trigger.single_photon_05gev_min)
    return trigger.single_photon_05gev_efficiency * fires


def total_energy(trigger: Trigger, seen: Seen) -> jax.Array:
    """Sum of the deposits with ThetaId 2 to 15 above 1 GeV, no Bhabha (hie)."""
    inside = [in_cells(trigger, p, 2, 15) for p in seen.deposits]
    fires = jnp.zeros_like(_one(seen))
    # a deposit on an edge is in or out, not half in: add all combinations
    for counted in product((False, True), repeat=len(inside)):
        chance, energy, variance = _one(seen), 0.0 * _one(seen), _SMALL * _one(seen)
        for p, chance_in, counts in zip(seen.deposits, inside, counted, strict=True):
            chance = chance * (chance_in if counts else 1 - chance_in)
            if counts:
                energy = energy + p.e
                variance = variance + energy_width(trigger, p) ** 2
        above_sum = passes(energy, trigger.total_energy_min, jnp.sqrt(variance))
        fires = fires + chance * above_sum
    fires = jnp.minimum(fires, 1.0) * _no_bhabha(trigger, seen)
    return trigger.total_energy_efficiency * fires


def many_clusters(trigger: Trigger, seen: Seen) -> jax.Array:
    """More than three clusters, no Bhabha (c4)."""
    clusters = [above(trigger, p, trigger.cluster_min) for p in seen.deposits]
    fires = at_least(4, clusters, [1 - p for p in clusters], _one(seen))
    return trigger.many_clusters_efficiency * fires * _no_bhabha(trigger, seen)


def three_clusters(trigger: Trigger, seen: Seen) -> jax.Array:
    """Three clusters with ThetaId 2 to 16, one above 0.5 GeV, no Bhabha (lml12)."""
    clusters, soft = [], []
    for p in seen.deposits:
        inside = in_cells(trigger, p, 2, 16)
        cluster = above(trigger, p, trigger.cluster_min)
        hard = jnp.minimum(above(trigger, p, trigger.three_clusters_min), cluster)
        clusters.append(inside * cluster)
        soft.append(inside * (cluster - hard))
    absent = [1 - p for p in clusters]
    three = at_least(3, clusters, absent, _one(seen))
    all_soft = at_least(3, soft, absent, _one(seen))
    fires = jnp.maximum(three - all_soft, 0.0) * _no_bhabha(trigger, seen)
    return trigger.three_clusters_efficiency * fires


def single_track(trigger: Trigger, seen: Seen) -> jax.Array:
    """A full track with p > 0.7 GeV, no Bhabha (stt)."""
    tracks = [full_track(trigger, p) * fast_track(trigger, p) for p in seen.tracks]
    fires = any_of(tracks, _one(seen)) * _no_bhabha(trigger, seen)
    return trigger.single_track_efficiency * fires


def track_cluster(trigger: Trigger, seen: Seen) -> jax.Array:
    """A full track and a cluster opposite to it, no Bhabha (not a public definition)."""
    full = [full_track(trigger, p) for p in seen.tracks]
    # tracks within clusters: one cluster's energy is one draw for all its tracks
    clusters = []
    for p in seen.deposits:
        opposite = [
            is_full * wide_open(trigger, track, p)
            for is_full, track in zip(full, seen.tracks, strict=True)
        ]
        hard = above(trigger, p, trigger.track_cluster_min)
        clusters.append(hard * any_of(opposite, _one(seen)))
    fires = any_of(clusters, _one(seen)) * _no_bhabha(trigger, seen)
    return trigger.track_cluster_efficiency * fires


def cdc_klm(trigger: Trigger, seen: Seen) -> jax.Array:
    """A full track that the muon detector sees, no Bhabha (cdcklm)."""
    tracks = [
        full_track(trigger, p) * seen_in_klm
        for p, seen_in_klm in zip(seen.tracks, seen.muons_in_klm, strict=True)
    ]
    fires = any_of(tracks, _one(seen)) * _no_bhabha(trigger, seen)
    return trigger.cdc_klm_efficiency * fires


def none(_: Trigger, seen: Seen) -> jax.Array:
    """No trigger: every event is kept."""
    return _one(seen)


LINES: Mapping[str, Line] = MappingProxyType(
    {
        line.__name__: line
        for line in (
            two_track,
            single_photon_2gev,
            single_photon_1gev,
            single_photon_1gev_endcap,
            single_photon_05gev,
            total_energy,
            many_clusters,
            three_clusters,
            single_track,
            track_cluster,
            cdc_klm,
            none,
        )
    }
)


def existing_lines(trigger: Trigger) -> tuple[str, ...]:
    """Return the names of the lines that exist in the period of this trigger."""
    return tuple(
        line for line in LINES if line == "none" or _plateau(trigger, line) > 0
    )


def check_line(trigger: Trigger, name: str) -> None:
    """Raise UnknownName unless the line exists in the period of this trigger."""
    existing = existing_lines(trigger)
    if name not in existing:
        kind = "trigger line of this period"
        raise UnknownName(kind, name, existing)


def _plateau(trigger: Trigger, name: str) -> float:
    return float(getattr(trigger, f"{name}_efficiency"))


def _one(seen: Seen) -> jax.Array:
    return jnp.ones_like(seen.p_beams.e)


def _no_bhabha(trigger: Trigger, seen: Seen) -> jax.Array:
    return 1 - ecl_bhabha(trigger, seen)


def _alone(
    trigger: Trigger, seen: Seen, inside: list[jax.Array], threshold: jax.Array
) -> jax.Array:
    """Return the chance of exactly one photon and no other cluster above 0.3 GeV."""
    others = [above(trigger, p, trigger.other_cluster_max) for p in seen.deposits]
    fires = jnp.zeros_like(_one(seen))
    for i, p in enumerate(seen.deposits):
        # the photon itself is the one cluster above 0.3 GeV
        photon = jnp.minimum(above_cms(trigger, seen, p, threshold), others[i])
        for j in range(len(others)):
            if j != i:
                photon = photon * (1 - others[j])
        fires = fires + inside[i] * photon
    return jnp.minimum(fires, 1.0)
