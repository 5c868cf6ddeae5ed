r"""Helices in a field along z, by their five parameters at the perigee.

The perigee is the point nearest to the z axis in the transverse plane.  Parameters are
:math:`d_0` (positive where the track turns around the axis counter-clockwise),
:math:`\phi_0`, :math:`\omega = q B c / p_T`, :math:`z_0` and :math:`\cot\theta`, as those
of basf2 (framework/dataobjects/Helix.h).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, transverse

CURVATURE = 2.99792458e-3  # ω p_T = CURVATURE B; 1/cm, GeV, T: the velocity of light

SLOWEST = 1e-6  # tracks along the axis are bent like those of this p_T, GeV


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Helix:
    """Helices; components ``(n,)``: cm, rad, 1/cm, cm and 1."""

    d0: jax.Array
    phi: jax.Array
    omega: jax.Array
    z0: jax.Array
    cot: jax.Array


def helix(
    p: Momentum, vertex: Momentum | None, *, charge: int, field: jax.Array
) -> Helix:
    r"""Return the helix of a particle made with momentum p, GeV, at a vertex, cm.

    With the centre of the circle at :math:`C`, :math:`\omega C = \omega v +
    (\sin\phi, -\cos\phi)` points along :math:`(\sin\phi_0, -\cos\phi_0)` and has the
    length :math:`1 + \omega d_0`.
    """
    pt = jnp.maximum(transverse(p), SLOWEST)
    omega = charge * CURVATURE * field / pt
    sin, cos, cot = p.y / pt, p.x / pt, p.z / pt
    if vertex is None:
        zero = jnp.zeros_like(pt)
        return Helix(zero, jnp.arctan2(sin, cos), omega, zero, cot)
    x, y = omega * vertex.x + sin, omega * vertex.y - cos
    across = vertex.x * sin - vertex.y * cos
    d0 = (omega * (vertex.x**2 + vertex.y**2) + 2 * across) / (jnp.hypot(x, y) + 1)
    turned = jnp.arctan2(x * cos + y * sin, x * sin - y * cos)  # from perigee to vertex
    phi = jnp.arctan2(x, -y)
    return Helix(d0, phi, omega, vertex.z - cot * turned / omega, cot)


def momentum_at_perigee(track: Helix, *, mass: float, field: jax.Array) -> Momentum:
    """Return the momentum where the helix is nearest to the axis, GeV."""
    pt = CURVATURE * field / jnp.maximum(jnp.abs(track.omega), 1e-9)
    energy = jnp.sqrt(mass**2 + pt**2 * (1 + track.cot**2))
    return Momentum(
        energy, pt * jnp.cos(track.phi), pt * jnp.sin(track.phi), pt * track.cot
    )


def crossing(track: Helix, radius: jax.Array) -> tuple[Momentum, jax.Array]:
    """Return where the helix first reaches a radius, cm, and whether it does.

    The point's `e` is the length of arc from the perigee in the transverse plane.
    """
    reach = (radius**2 - track.d0**2) / (1 + track.omega * track.d0)
    sine2 = track.omega**2 * reach / 4
    crosses = (sine2 < 1) & (reach > 0)
    chord = jnp.sqrt(jnp.where(crosses, reach, 1.0))
    half = jnp.arcsin(track.omega * jnp.where(crosses, chord, 0.0) / 2)
    arc = 2 * half / track.omega
    point = Momentum(
        arc,
        track.d0 * jnp.sin(track.phi) + chord * jnp.cos(track.phi - half),
        -track.d0 * jnp.cos(track.phi) + chord * jnp.sin(track.phi - half),
        track.z0 + arc * track.cot,
    )
    return point, crosses
