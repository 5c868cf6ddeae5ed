"""Charged tracks: chance to be found, and what is measured of them."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr, ndtr, ndtri

from darksector.detectors.bremsstrahlung import hardest_photon
from darksector.detectors.helix import (
    SLOWEST,
    Helix,
    crossing,
    helix,
    momentum_at_perigee,
)
from darksector.detectors.objects import Track
from darksector.detectors.resolution import (
    TrackTable,
    class_of,
    look_up,
    sector_of,
    tabulate,
)
from darksector.detectors.tracker import Tracking, check
from darksector.kinematics import Momentum, modulus, transverse
from darksector.particles import CTAU, MASS, PDG, mass_of, name_of

__all__ = [
    "TrackTable",
    "Tracking",
    "check",
    "measure_track",
    "tabulate",
    "track_probability",
    "under_hypothesis",
]

_TAIL_STEP = 0.1  # in normal numbers: makes the share of the tail differentiable
_LEPTONS = frozenset({PDG["e"], PDG["mu"], PDG["tau"]})


def track_probability(
    tracking: Tracking, p: Momentum, vertex: Momentum | None, code: int
) -> jax.Array:
    """Return the chance that a charged particle gives a track, ``(n,)``.

    Parameters
    ----------
    tracking
        The tracking system.
    p
        Momenta at the vertex, GeV.
    vertex
        Where the particles were made, (ct, x, y, z), cm; None for the origin.
    code
        PDG code; a pion or kaon may decay before it is seen.

    Notes
    -----
    Edges are error functions, so that the mean over events has a derivative in them.
    The polar angle is that under which the origin sees the track enter the drift
    chamber, or pass as much of it when made inside.
    """
    pt = jnp.maximum(transverse(p), SLOWEST)
    chance = tracking.efficiency * ndtr((pt - tracking.pt_min) / tracking.pt_width)
    made, cot = jnp.zeros_like(pt), p.z / pt
    if vertex is not None:
        made = _radius(vertex)
        inside = (tracking.displaced_radius - made) / tracking.displaced_width
        chance = chance * ndtr(inside)
        cot = _seen_under(
            tracking,
            helix(p, vertex, charge=charge_of(code), field=tracking.field),
            made,
        )
    theta = jnp.rad2deg(jnp.arctan2(1.0, cot))
    for inwards in (theta - tracking.theta_min, tracking.theta_max - theta):
        chance = chance * ndtr(inwards / tracking.theta_width)
    name = name_of(abs(code))
    if name in CTAU:
        way = jnp.maximum(tracking.survival_radius - made, 0.0) * modulus(p) / pt
        chance = chance * jnp.exp(-way * mass_of(abs(code)) / (modulus(p) * CTAU[name]))
    return chance


def _seen_under(tracking: Tracking, track: Helix, made: jax.Array) -> jax.Array:
    """Return cot θ of the line from the origin to a track in the drift chamber."""
    radius = tracking.wire_radius[0] + made
    point, crosses = crossing(track, radius)
    arc = jnp.where(crosses, point.e, radius)
    return track.cot + track.z0 / arc


def measure_track(
    tracking: Tracking,
    table: TrackTable,
    p: Momentum,
    *,
    vertex: Momentum | None,
    z: jax.Array,
    code: int,
) -> Track:
    """Return the reconstructed track; its energy is that of the particle's own mass.

    Parameters
    ----------
    tracking, table
        The tracking system and `tabulate` of it.
    p
        Momenta at the vertex, GeV.
    vertex
        Where the particles were made, (ct, x, y, z), cm; None for the origin.
    z
        Normal numbers ``(n, 7)``: five parameters, tail, bremsstrahlung.
    code
        PDG code with its sign, which gives the charge.
    """
    charge, mass = charge_of(code), mass_of(abs(code))
    true = helix(p, vertex, charge=charge, field=tracking.field)
    made = None if vertex is None else _radius(vertex)
    crossed = _crossed(tracking, table, true, made)
    # scattering goes with 1/(β p_T); the table is that of muons
    pt = jnp.maximum(transverse(p), SLOWEST)
    slower = jnp.sqrt((pt**2 + p.z**2 + MASS["mu"] ** 2) / (pt**2 + p.z**2 + mass**2))
    rows = look_up(table, class_of(crossed, made, tracking), pt * slower, true.cot)
    wider = _tail(tracking, z[:, 5])
    d0, phi, omega, z0, cot = (
        wider * sum(f * z[:, j] for j, f in enumerate(row, i))
        for i, row in enumerate(rows)
    )
    if abs(code) == PDG["e"]:
        path = _thickness(tracking, crossed) * modulus(p) / pt
        lost = hardest_photon(path, log_ndtr(z[:, 6])) * (1 - tracking.photon_recovery)
        true = replace(true, omega=true.omega / (1 - lost))
    # the table is that of positive charge; the other is its mirror image
    measured = Helix(
        true.d0 + charge * d0,
        true.phi + charge * phi,
        true.omega + charge * omega,
        true.z0 + z0,
        true.cot + cot,
    )
    momentum = momentum_at_perigee(measured, mass=mass, field=tracking.field)
    return Track(momentum, measured.d0, measured.z0)


def under_hypothesis(track: Track, mass: float) -> Track:
    """Return the track with the energy of another mass, GeV."""
    energy = jnp.sqrt(modulus(track.p) ** 2 + mass**2)
    return replace(track, p=replace(track.p, e=energy))


def charge_of(code: int) -> int:
    """Return the sign of the charge of a charged particle: leptons count the other way."""
    sign = 1 if code > 0 else -1
    return -sign if abs(code) in _LEPTONS else sign


def _radius(vertex: Momentum) -> jax.Array:
    return jnp.sqrt(vertex.x**2 + vertex.y**2 + 1e-30)


def _tail(tracking: Tracking, z: jax.Array) -> jax.Array:
    """Return by what the errors are wider: `tail_width` for a share of the tracks.

    The step in z is an error function of finite width that keeps the share.
    """
    start = -ndtri(tracking.tail_fraction) * sqrt(1 + _TAIL_STEP**2)
    return 1 + (tracking.tail_width - 1) * ndtr((z - start) / _TAIL_STEP)


def _crossed(
    tracking: Tracking, table: TrackTable, track: Helix, made: jax.Array | None
) -> jax.Array:
    """Return whether beam pipe and silicon layers are met, ``(1 + layers, n)``."""
    made = jnp.zeros_like(track.phi) if made is None else made
    met = [made < tracking.pipe[:, :2].mean()]
    for layer, covered in enumerate(table.covered):
        radius = tracking.silicon_radius[layer]
        point, crosses = crossing(track, radius)
        along = (point.z > tracking.silicon_z_min[layer]) & (
            point.z < tracking.silicon_z_max[layer]
        )
        sector = covered[sector_of(jnp.arctan2(point.y, point.x))]
        met.append(crosses & (made < radius) & sector & along)
    return jnp.stack(met)


def _thickness(tracking: Tracking, crossed: jax.Array) -> jax.Array:
    """Return x/X0 up to the middle of the drift chamber, at normal incidence."""
    inner = jnp.concatenate(
        [
            tracking.pipe[:, 2].sum(keepdims=True),
            tracking.silicon_scale * tracking.silicon_x0,
        ]
    )
    gas = (tracking.wire_radius[-1] - tracking.wall[0, 0]) / tracking.gas_x0
    return (inner[:, None] * crossed).sum(axis=0) + tracking.wall[0, 1] + gas / 2
