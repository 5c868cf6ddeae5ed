"""The table of observables: one function of candidates each, with unit and alias."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import jax
import jax.numpy as jnp

from darksector.detectors.objects import Candidates
from darksector.kinematics import (
    Momentum,
    azimuth_opening,
    boost,
    cos_angle,
    modulus,
    polar,
    select,
    squared,
    to_rest_frame,
    total,
    transverse,
)


@final
@dataclass(frozen=True)
class Observable:
    """One number per candidate.

    Parameters
    ----------
    compute
        Candidates to the values, ``(n,)``.
    unit
        Unit in mathtext; empty for none.
    label
        Symbol in mathtext.
    basf2
        Name of the same quantity in Belle II's software; empty if there is none.
    """

    compute: Callable[[Candidates], jax.Array]
    unit: str
    label: str
    basf2: str = ""


def p_recoil(c: Candidates) -> Momentum:
    """Return the four-momentum that recoils against the tracks, laboratory, GeV."""
    return c.p_beams - total(c.p_tracks)


def recoil_mass2(c: Candidates) -> jax.Array:
    """Return the squared recoil mass, GeV²; negative values are kept."""
    return squared(p_recoil(c))


def theta_recoil_lab(c: Candidates) -> jax.Array:
    """Return the polar angle of the recoil in the laboratory, rad."""
    return polar(p_recoil(c))


def pt_dimuon_cms(c: Candidates) -> jax.Array:
    """Return the momentum of the track pair transverse to the beams in the cms, GeV."""
    return transverse(to_rest_frame(total(c.p_tracks), c.p_beams))


def track_opening_lab(c: Candidates) -> jax.Array:
    """Return the azimuth between the two tracks in the laboratory, rad."""
    return azimuth_opening(*c.p_tracks)


def theta_track_min_lab(c: Candidates) -> jax.Array:
    """Return the smallest polar angle of a track in the laboratory, rad."""
    return jnp.minimum(*(polar(p) for p in c.p_tracks))


def theta_track_max_lab(c: Candidates) -> jax.Array:
    """Return the largest polar angle of a track in the laboratory, rad."""
    return jnp.maximum(*(polar(p) for p in c.p_tracks))


def pt_recoil_lmax_cms(c: Candidates) -> jax.Array:
    """Return the recoil momentum transverse to the faster track in the cms, GeV."""
    return _transverse_to(c, fast=True)


def pt_recoil_lmin_cms(c: Candidates) -> jax.Array:
    """Return the recoil momentum transverse to the slower track in the cms, GeV."""
    return _transverse_to(c, fast=False)


def photon_energy_sum(c: Candidates) -> jax.Array:
    """Return the energy of all clusters in the laboratory, GeV."""
    return sum((p.e for p in c.p_clusters), jnp.zeros_like(c.weights))


def e_photon_near_recoil_lab(c: Candidates) -> jax.Array:
    """Return the largest cluster energy within 15 degrees of the recoil, GeV."""
    recoil = p_recoil(c)
    cone = jnp.cos(jnp.deg2rad(15.0))
    energies = [jnp.where(cos_angle(p, recoil) > cone, p.e, 0.0) for p in c.p_clusters]
    return jnp.max(jnp.stack([jnp.zeros_like(c.weights), *energies]), axis=0)


def dimuon_mass(c: Candidates) -> jax.Array:
    """Return the mass of the track pair, GeV."""
    return jnp.sqrt(jnp.maximum(squared(total(c.p_tracks)), 0.0))


def e_photon_cms(c: Candidates) -> jax.Array:
    """Return the energy of the most energetic cluster in the cms, GeV."""
    return _hardest(c, lambda p: p.e)


def theta_photon_lab(c: Candidates) -> jax.Array:
    """Return the polar angle of the most energetic cluster in the laboratory, rad."""
    return _hardest(c, lambda p: polar(boost(p, c.p_beams)))


def photon_recoil_mass2(c: Candidates) -> jax.Array:
    """Return the squared mass that recoils against all clusters, GeV²."""
    return squared(c.p_beams - total(c.p_clusters))


def photon_mass(c: Candidates) -> jax.Array:
    """Return the mass of all clusters together, GeV."""
    return jnp.sqrt(jnp.maximum(squared(total(c.p_clusters)), 0.0))


def e_photon_min_lab(c: Candidates) -> jax.Array:
    """Return the smallest energy of a cluster in the laboratory, GeV."""
    return jnp.min(jnp.stack([p.e for p in c.p_clusters]), axis=0)


def theta_photon_min_lab(c: Candidates) -> jax.Array:
    """Return the smallest polar angle of a cluster in the laboratory, rad."""
    return jnp.min(jnp.stack([polar(p) for p in c.p_clusters]), axis=0)


def theta_photon_max_lab(c: Candidates) -> jax.Array:
    """Return the largest polar angle of a cluster in the laboratory, rad."""
    return jnp.max(jnp.stack([polar(p) for p in c.p_clusters]), axis=0)


def diphoton_mass2_low(c: Candidates) -> jax.Array:
    """Return the squared mass of three clusters without the hardest one, GeV²."""
    return _by_energy(c, _pair_mass2)[0]


def diphoton_mass2_mid(c: Candidates) -> jax.Array:
    """Return the squared mass of three clusters without the middle one, GeV²."""
    return _by_energy(c, _pair_mass2)[1]


def diphoton_mass2_high(c: Candidates) -> jax.Array:
    """Return the squared mass of three clusters without the softest one, GeV²."""
    return _by_energy(c, _pair_mass2)[2]


def diphoton_recoil_mass2_low(c: Candidates) -> jax.Array:
    """Return the squared mass that recoils against the hardest of three clusters, GeV²."""
    return _by_energy(c, _pair_recoil_mass2)[0]


def diphoton_recoil_mass2_mid(c: Candidates) -> jax.Array:
    """Return the squared mass that recoils against the middle of three clusters, GeV²."""
    return _by_energy(c, _pair_recoil_mass2)[1]


def diphoton_recoil_mass2_high(c: Candidates) -> jax.Array:
    """Return the squared mass that recoils against the softest of three clusters, GeV²."""
    return _by_energy(c, _pair_recoil_mass2)[2]


def _by_energy(
    c: Candidates, compute: Callable[[Candidates, int], jax.Array]
) -> jax.Array:
    """Return a quantity of each of three clusters, falling energy in the cms, (3, n)."""
    energies = jnp.stack([to_rest_frame(p, c.p_beams).e for p in c.p_clusters])
    values = jnp.stack([compute(c, i) for i in range(3)])
    return jnp.take_along_axis(values, jnp.argsort(-energies, axis=0), axis=0)


def _pair_mass2(c: Candidates, left_out: int) -> jax.Array:
    return squared(total(p for i, p in enumerate(c.p_clusters) if i != left_out))


def _pair_recoil_mass2(c: Candidates, left_out: int) -> jax.Array:
    return squared(c.p_beams - c.p_clusters[left_out])


def _hardest(c: Candidates, compute: Callable[[Momentum], jax.Array]) -> jax.Array:
    """Return a quantity of the cluster with the largest energy in the cms."""
    hardest, *others = (to_rest_frame(p, c.p_beams) for p in c.p_clusters)
    for photon in others:
        hardest = select(photon.e > hardest.e, photon, hardest)
    return compute(hardest)


def _transverse_to(c: Candidates, *, fast: bool) -> jax.Array:
    first, second = (to_rest_frame(p, c.p_beams) for p in c.p_tracks)
    recoil = to_rest_frame(p_recoil(c), c.p_beams)
    axis = select((modulus(first) > modulus(second)) == fast, first, second)
    sine2 = 1 - cos_angle(recoil, axis) ** 2
    return modulus(recoil) * jnp.sqrt(jnp.maximum(sine2, 0.0))


OBSERVABLES: Mapping[str, Observable] = MappingProxyType(
    {
        "recoil_mass2": Observable(
            recoil_mass2, r"\mathrm{GeV}^2/c^4", r"M^2_\mathrm{rec}", "m2Recoil"
        ),
        "theta_recoil_lab": Observable(
            theta_recoil_lab, "rad", r"\theta_\mathrm{rec}", "pRecoilTheta"
        ),
        "pt_dimuon_cms": Observable(
            pt_dimuon_cms, r"\mathrm{GeV}/c", r"p^{T*}_{\mu\mu}", "useCMSFrame(pt)"
        ),
        "track_opening_lab": Observable(track_opening_lab, "rad", r"\Delta\phi"),
        "theta_track_min_lab": Observable(
            theta_track_min_lab, "rad", r"\theta_\mathrm{min}"
        ),
        "theta_track_max_lab": Observable(
            theta_track_max_lab, "rad", r"\theta_\mathrm{max}"
        ),
        "pt_recoil_lmax_cms": Observable(
            pt_recoil_lmax_cms, r"\mathrm{GeV}/c", r"p^{T,l_\mathrm{max}}_\mathrm{rec}"
        ),
        "pt_recoil_lmin_cms": Observable(
            pt_recoil_lmin_cms, r"\mathrm{GeV}/c", r"p^{T,l_\mathrm{min}}_\mathrm{rec}"
        ),
        "photon_energy_sum": Observable(
            photon_energy_sum,
            r"\mathrm{GeV}",
            r"E_\gamma^\mathrm{sum}",
            "totalPhotonsEnergyOfEvent",
        ),
        "e_photon_near_recoil_lab": Observable(
            e_photon_near_recoil_lab, r"\mathrm{GeV}", r"E_\gamma^\mathrm{near}"
        ),
        "dimuon_mass": Observable(dimuon_mass, r"\mathrm{GeV}/c^2", r"m_{\mu\mu}", "M"),
        "e_photon_cms": Observable(
            e_photon_cms, r"\mathrm{GeV}", r"E^*_\gamma", "useCMSFrame(clusterE)"
        ),
        "theta_photon_lab": Observable(
            theta_photon_lab, "rad", r"\theta_\gamma", "clusterTheta"
        ),
        "photon_recoil_mass2": Observable(
            photon_recoil_mass2, r"\mathrm{GeV}^2/c^4", r"M^2_\mathrm{rec}", "m2Recoil"
        ),
        "photon_mass": Observable(
            photon_mass, r"\mathrm{GeV}/c^2", r"m_\mathrm{photons}", "M"
        ),
        "e_photon_min_lab": Observable(
            e_photon_min_lab, r"\mathrm{GeV}", r"E_\gamma^\mathrm{min}"
        ),
        "theta_photon_min_lab": Observable(
            theta_photon_min_lab, "rad", r"\theta_\gamma^\mathrm{min}"
        ),
        "theta_photon_max_lab": Observable(
            theta_photon_max_lab, "rad", r"\theta_\gamma^\mathrm{max}"
        ),
        **{
            compute.__name__: Observable(
                compute, r"\mathrm{GeV}^2/c^4", rf"M^2_\mathrm{{{symbol}}}"
            )
            for symbol, triple in (
                (
                    r"\gamma\gamma",
                    (diphoton_mass2_low, diphoton_mass2_mid, diphoton_mass2_high),
                ),
                (
                    r"rec",
                    (
                        diphoton_recoil_mass2_low,
                        diphoton_recoil_mass2_mid,
                        diphoton_recoil_mass2_high,
                    ),
                ),
            )
            for compute in triple
        },
    }
)
