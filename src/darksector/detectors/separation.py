r"""How far apart two kinds of track lie in each detector, standard deviations.

A detector whose likelihood ratio is normal for both kinds, with unit width and means d
apart, is a detector of separation d; independent ones add in quadrature.  Resolutions
are Gaussian, so each system has a largest separation D that stands for the tails:

.. math:: d \to d / (1 + d^4/D^4)^{1/4}

The instrumented iron is not part of it: see `punch_through.muon_separation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import final

import jax
import jax.numpy as jnp

from darksector.detectors import cherenkov
from darksector.detectors.edges import rise, window
from darksector.detectors.ionisation import restricted_loss
from darksector.detectors.punch_through import MASSES
from darksector.kinematics import Momentum, modulus, polar, transverse

_SLOWEST = 0.01  # GeV
_TINY = 1e-12  # keeps the derivative of a square root finite


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Identification:
    """Numbers of the particle identification; degrees, GeV, cm and ns.

    Parameters
    ----------
    electron_efficiency, muon_efficiency, pion_efficiency, kaon_efficiency
        Working points: efficiency of each selection where its detectors see the track.
    muon_from_klm, muon_from_ecl
        Share of muon identification by the iron, and of the rest by the calorimeter.
    ecl_muon_theta, ecl_muon_theta_width, ecl_muon_p_min, ecl_muon_p_width
        Where the calorimeter identifies muons.
    ecl_theta
        Ranges ``(regions, 2)`` in which the calorimeter measures E/p.
    theta_width, pt_width
        Spread of the edges of all systems.
    ep_electron
        Width of E/p of electrons: the constant and the coefficient of p^(-1/2).
    ep_mip, ep_hadron
        Mean and width of the energy of a minimum-ionising particle, GeV, and of E/p of
        a hadron that interacts.
    ep_lengths
        Interaction lengths of the calorimeter.
    dedx_theta, dedx_resolution, dedx_excitation, dedx_cut, dedx_density
        Ionisation in the drift chamber: relative resolution, and `ionisation`; eV.
    top_theta, top_pt_min, top_index, top_radius, top_propagation, top_photons
        Time of propagation: `cherenkov.arrival_difference`; photons at 90 degrees.
    top_time, top_start, top_background, top_max
        Resolution per photon and per track; background photons; largest separation.
    ring_theta, ring_pt_min, ring_index, ring_photons
        Cherenkov angle (ARICH, DIRC); of several radiators in focus, the mean index.
    ring_angle, ring_track_angle, ring_background, ring_max
        Resolution per photon and per track, rad; the rest as for the time.
    separation_max
        Largest separation of all systems together.
    """

    electron_efficiency: jax.Array
    muon_efficiency: jax.Array
    pion_efficiency: jax.Array
    kaon_efficiency: jax.Array
    muon_from_klm: jax.Array
    muon_from_ecl: jax.Array
    ecl_muon_theta: jax.Array
    ecl_muon_theta_width: jax.Array
    ecl_muon_p_min: jax.Array
    ecl_muon_p_width: jax.Array
    ecl_theta: jax.Array
    theta_width: jax.Array
    pt_width: jax.Array
    ep_electron: jax.Array
    ep_mip: jax.Array
    ep_hadron: jax.Array
    ep_lengths: jax.Array
    dedx_theta: jax.Array
    dedx_resolution: jax.Array
    dedx_excitation: jax.Array
    dedx_cut: jax.Array
    dedx_density: jax.Array
    top_theta: jax.Array
    top_pt_min: jax.Array
    top_index: jax.Array
    top_radius: jax.Array
    top_propagation: jax.Array
    top_photons: jax.Array
    top_time: jax.Array
    top_start: jax.Array
    top_background: jax.Array
    top_max: jax.Array
    ring_theta: jax.Array
    ring_pt_min: jax.Array
    ring_index: jax.Array
    ring_photons: jax.Array
    ring_angle: jax.Array
    ring_track_angle: jax.Array
    ring_background: jax.Array
    ring_max: jax.Array
    separation_max: jax.Array


@final
@dataclass(frozen=True)
class Direction:
    """A track as the detectors see it: momenta, GeV, and polar angle, degrees."""

    p: jax.Array
    pt: jax.Array
    theta: jax.Array


def direction(p: Momentum) -> Direction:
    """Return momentum, transverse momentum, GeV, and polar angle, degrees.

    A momentum below that of any track is taken for `_SLOWEST`: formulas stay finite.
    """
    momentum = jnp.maximum(modulus(p), _SLOWEST)
    return Direction(momentum, transverse(p), jnp.rad2deg(polar(p)))


def separation(
    identification: Identification, track: Direction, pair: tuple[str, str]
) -> jax.Array:
    """Return the separation of two of e, mu, pi, K, standard deviations."""
    squares = (
        calorimeter2(identification, track, pair)
        + ionisation2(identification, track, pair)
        + time2(identification, track, pair)
        + ring2(identification, track, pair)
    )
    return jnp.sqrt(_limited(squares, identification.separation_max) + _TINY)


def calorimeter2(
    identification: Identification, track: Direction, pair: tuple[str, str]
) -> jax.Array:
    """Return the squared separation by E/p, from means and the rms of both widths."""
    (first, width), (second, other) = (
        energy_over_momentum(identification, track.p, species) for species in pair
    )
    seen = in_calorimeter(identification, track.theta)
    return seen * 2 * (first - second) ** 2 / (width**2 + other**2)


def in_calorimeter(identification: Identification, theta: jax.Array) -> jax.Array:
    """Return 1 where the calorimeter measures E/p, 0 in its gaps; theta in degrees."""
    regions = identification.ecl_theta
    return reduce(add, (window(theta, r, identification.theta_width) for r in regions))


def energy_over_momentum(
    identification: Identification, p: jax.Array, species: str
) -> tuple[jax.Array, jax.Array]:
    """Return mean and width of E/p, dimensionless.

    Hadrons cross the calorimeter as minimum-ionising particles or interact; mean and
    width are those of the mixture.
    """
    if species == "e":
        constant, slope = identification.ep_electron
        return jnp.ones_like(p), jnp.sqrt(constant**2 + slope**2 / p)
    # a slow particle cannot leave more than its kinetic energy
    mass = MASSES[species]
    kinetic = jnp.sqrt(p**2 + mass**2) - mass
    deposit, spread_of_deposit = identification.ep_mip
    mip, mip_width = jnp.minimum(deposit, kinetic) / p, spread_of_deposit / p
    if species == "mu":
        return mip, mip_width
    through = jnp.exp(-identification.ep_lengths)
    hadron, hadron_width = identification.ep_hadron
    mean = through * mip + (1 - through) * hadron
    spread = through * (1 - through) * (mip - hadron) ** 2
    inside = through * mip_width**2 + (1 - through) * hadron_width**2
    return mean, jnp.sqrt(inside + spread)


def ionisation2(
    identification: Identification, track: Direction, pair: tuple[str, str]
) -> jax.Array:
    """Return the squared separation by dE/dx, relative to the mean of both."""
    first, second = (
        restricted_loss(
            track.p / MASSES[species],
            excitation=identification.dedx_excitation,
            cut=identification.dedx_cut,
            density=identification.dedx_density,
        )
        for species in pair
    )
    difference = 2 * (first - second) / (first + second)
    seen = window(track.theta, identification.dedx_theta, identification.theta_width)
    return seen * (difference / identification.dedx_resolution) ** 2


def time2(
    identification: Identification, track: Direction, pair: tuple[str, str]
) -> jax.Array:
    """Return the squared separation by the times of Cherenkov photons, and their number.

    Both the path in the bar and the flight to it grow as 1/sin θ.
    """
    i = identification
    sin = jnp.maximum(track.pt / track.p, 0.1)  # far outside the acceptance
    first, second = (
        cherenkov.light(track.p, MASSES[species], i.top_index, i.top_photons / sin)
        for species in pair
    )
    late = cherenkov.arrival_difference(
        first,
        second,
        flight=i.top_radius / sin,
        propagation=i.top_propagation,
        index=i.top_index,
    )
    shared = cherenkov.shared_photons(first, second)
    squares = cherenkov.mean2(late, shared, i.top_time, i.top_start)
    squares += cherenkov.counting2(first, second, i.top_background)
    seen = window(track.theta, i.top_theta, i.theta_width)
    seen *= rise(track.pt, i.top_pt_min, i.pt_width)
    return seen * _limited(squares, i.top_max)


def ring2(
    identification: Identification, track: Direction, pair: tuple[str, str]
) -> jax.Array:
    """Return the squared separation by Cherenkov angles and numbers of photons."""
    i = identification
    first, second = (
        cherenkov.light(track.p, MASSES[species], i.ring_index.mean(), i.ring_photons)
        for species in pair
    )
    difference = cherenkov.angle_difference(first, second)
    shared = cherenkov.shared_photons(first, second)
    squares = cherenkov.mean2(difference, shared, i.ring_angle, i.ring_track_angle)
    squares += cherenkov.counting2(first, second, i.ring_background)
    seen = window(track.theta, i.ring_theta, i.theta_width)
    seen *= rise(track.pt, i.ring_pt_min, i.pt_width)
    return seen * _limited(squares, i.ring_max)


def _limited(squares: jax.Array, largest: jax.Array) -> jax.Array:
    return squares / jnp.sqrt(1 + (squares / largest**2) ** 2)
