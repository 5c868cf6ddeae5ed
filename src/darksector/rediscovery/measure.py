"""What the detector makes of single particles: the only place that asks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from darksector.detectors.card import load
from darksector.detectors.clusters import measure_cluster, merging_probability
from darksector.detectors.crystals import impact
from darksector.detectors.losses import cluster_probability, conversion_probability
from darksector.detectors.objects import NORMALS, Candidates
from darksector.detectors.outcomes import detect
from darksector.detectors.response import Response, particle, respond
from darksector.detectors.topology import Topology
from darksector.detectors.tracking import track_probability
from darksector.detectors.trigger import Seen
from darksector.detectors.trigger_lines import LINES
from darksector.errors import OutOfDomain
from darksector.events import Events
from darksector.kinematics import Momentum, to_rest_frame
from darksector.particles import PDG

__all__ = ["NORMALS", "Response"]

_WORDS = {PDG["mu"]: "mu", PDG["e"]: "e"}  # what each lepton is identified as
_TWO_MUONS = Topology(tracks=("mu", "mu"), trigger="two_track", clusters=1)


@final
@dataclass(frozen=True)
class Lepton:
    """A lepton seen as what it is; components ``(n,)``.

    Parameters
    ----------
    chance
        That it leaves a track and is identified.
    p
        Measured four-momentum, GeV.
    deposit
        What it leaves in the calorimeter, GeV.
    in_klm
        Chance that the muon detector shows it.
    """

    chance: jax.Array
    p: Momentum
    deposit: Momentum
    in_klm: jax.Array


def response_of(detector: str) -> Response:
    """Return the response of a packaged detector card, or of a file ending in .toml."""
    return respond(load(detector))


def found(response: Response, code: int, p: Momentum) -> jax.Array:
    """Return the chance that a particle leaves tracks, ``(n,)``; photons by conversion."""
    card = response.detector
    if code == PDG["gamma"]:
        spot = impact(card.calorimeter, p, None)
        return conversion_probability(card.calorimeter, spot)
    return track_probability(card.tracking, p, None, code=abs(code))


def lepton(response: Response, code: int, p: Momentum, z: jax.Array) -> Lepton:
    """Return a lepton as it is seen when it is identified as what it is."""
    each, word = particle(response, code, p, None, z), _WORDS[abs(code)]
    if each.charged is None:
        msg = f"PDG code {code} leaves no track; leptons are 11 and 13."
        raise OutOfDomain(msg)
    return Lepton(
        chance=each.chances[word],
        p=each.charged.seen_as(word).p,
        deposit=each.charged.deposit,
        in_klm=each.charged.in_klm,
    )


def photon_chance(response: Response, p: Momentum) -> jax.Array:
    """Return the chance that a photon makes a cluster, ``(n,)``."""
    card = response.detector.calorimeter
    spot = impact(card, p, None)
    intact = 1 - conversion_probability(card, spot)
    return intact * cluster_probability(card, p.e, spot)


def cluster(response: Response, p: Momentum, z: jax.Array) -> Momentum:
    """Return the cluster that a photon makes, GeV."""
    card = response.detector.calorimeter
    return measure_cluster(card, p.e, impact(card, p, None), z).p


def apart(response: Response, first: Momentum, second: Momentum) -> jax.Array:
    """Return the chance that the clusters of two photons do not merge."""
    card = response.detector.calorimeter
    pair = [(impact(card, p, None), p.e) for p in (first, second)]
    return 1 - merging_probability(card, *pair)


def two_track(
    response: Response,
    tracks: tuple[Momentum, ...],
    leptons: tuple[Lepton, ...],
    p_beams: jax.Array,
) -> jax.Array:
    """Return the chance that the line of two tracks fires.

    Parameters
    ----------
    response
        The detector.
    tracks
        True momenta, GeV; zero where there is none.
    leptons
        What the calorimeter and the muon detector show of them; may be empty.
    p_beams
        Total four-momentum of the beams, ``(4,)``, GeV.
    """
    size = tracks[0].e.size
    seen = Seen(
        tracks=tracks,
        deposits=tuple(each.deposit for each in leptons),
        p_beams=Momentum(*jnp.broadcast_to(p_beams[:, None], (4, size))),
        muons_in_klm=tuple(each.in_klm for each in leptons),
    )
    return LINES["two_track"](response.detector.trigger, seen)


def dimuons(
    response: Response, events: Events, z: jax.Array, p_beams: jax.Array
) -> Candidates:
    """Return candidates of two muon tracks and one cluster, nothing else."""
    return detect(events, z, p_beams, response, topology=_TWO_MUONS)


def photon_energy_cms(found: Candidates) -> jax.Array:
    """Return the energy of the cluster in the centre-of-mass frame, GeV."""
    return to_rest_frame(found.clusters[0].p, found.p_beams).e
