"""Where particles meet the front faces of the crystals, and the rings of crystals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
import numpy as np

from darksector.detectors.calorimeter import Calorimeter
from darksector.kinematics import Momentum, modulus

_C = 29.9792458  # speed of light, cm/ns (exact)
_TINY = 1e-12  # keeps directions along the axis, and vertices outside, finite


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Impact:
    """Where straight flights meet the front faces; components ``(n,)``.

    Parameters
    ----------
    theta, phi, distance
        The point as seen from the origin, rad and cm.
    sin_flight
        Sine of the polar angle of the flight.
    slant
        Cosine of the angle between the flight and the line from the origin.
    delay
        Arrival after a photon that came straight from the origin, ns.
    start
        Distance of the vertex from the z axis, cm.
    inside
        1 if the vertex lies in front of the crystals, else 0.
    """

    theta: jax.Array
    phi: jax.Array
    distance: jax.Array
    sin_flight: jax.Array
    slant: jax.Array
    delay: jax.Array
    start: jax.Array
    inside: jax.Array


def impact(
    calorimeter: Calorimeter, p: Momentum, vertex: Momentum | None = None
) -> Impact:
    """Return where particles that fly straight from `vertex` meet the front faces.

    Parameters
    ----------
    p
        Momenta ``(n,)``; only their directions matter.
    vertex
        (ct, x, y, z) of the production, cm; the origin if left out.

    Notes
    -----
    The barrel is a cylinder, the endcaps are planes.  A flight through a gap is followed to
    the plane of the endcap.  Magnetic bending is left out, and so is the mass in `delay`.
    """
    zero = jnp.zeros_like(p.e)
    v = Momentum(zero, zero, zero, zero) if vertex is None else vertex
    n = p.scaled(1 / jnp.maximum(modulus(p), _TINY))
    flight = _flight(calorimeter, n, v)
    x, y, z = v.x + flight * n.x, v.y + flight * n.y, v.z + flight * n.z
    rho2 = x * x + y * y
    rho = jnp.sqrt(jnp.maximum(rho2, _TINY))
    distance = jnp.sqrt(jnp.maximum(rho2 + z * z, _TINY))
    start = jnp.sqrt(v.x * v.x + v.y * v.y)
    inside = (
        (start < calorimeter.barrel_radius)
        & (v.z < calorimeter.endcap_forward)
        & (v.z > calorimeter.endcap_backward)
    )
    return Impact(
        theta=jnp.arctan2(rho, z),
        phi=jnp.arctan2(y, x),
        distance=distance,
        sin_flight=jnp.sqrt(jnp.maximum(n.x * n.x + n.y * n.y, _TINY)),
        slant=(x * n.x + y * n.y + z * n.z) / distance,
        delay=(v.e + flight - distance) / _C,
        start=start,
        inside=inside.astype(p.e.dtype),
    )


def _flight(calorimeter: Calorimeter, n: Momentum, v: Momentum) -> jax.Array:
    """Return the path from v along the unit vector n to the front faces, cm."""
    radius = calorimeter.barrel_radius
    across = jnp.maximum(n.x * n.x + n.y * n.y, _TINY)
    outwards = v.x * n.x + v.y * n.y
    room = radius * radius - v.x * v.x - v.y * v.y
    root = jnp.sqrt(jnp.maximum(outwards * outwards + across * room, _TINY))
    to_barrel = (root - outwards) / across
    z = v.z + to_barrel * n.z
    low, high = (
        radius / jnp.tan(jnp.deg2rad(edge))
        for edge in (calorimeter.barrel_max, calorimeter.barrel_min)
    )
    forward = n.z > 0
    plane = jnp.where(forward, calorimeter.endcap_forward, calorimeter.endcap_backward)
    along = jnp.where(forward, jnp.maximum(n.z, _TINY), jnp.minimum(n.z, -_TINY))
    return jnp.where((z > low) & (z < high), to_barrel, (plane - v.z) / along)


@final
@dataclass(frozen=True)
class Region:
    """The rings of one part of the calorimeter: how many, and their polar edges, deg."""

    crystals: int
    rings: int
    low: float
    high: float


def regions(calorimeter: Calorimeter) -> tuple[Region, ...]:
    """Return the parts of the calorimeter, in the order of the polar angle.

    Examples
    --------
    >>> from darksector.detectors.card import load
    >>> regions(load("belle2").calorimeter)[0]
    Region(crystals=1152, rings=13, low=12.3876, high=31.4298)
    """
    rings = np.asarray(calorimeter.rings)
    parts = (rings[rings[:, 1] == number] for number in np.unique(rings[:, 1]))
    return tuple(
        Region(
            crystals=int(part[:, 0].sum()),
            rings=len(part),
            low=float(part[:, 2].min()),
            high=float(part[:, 3].max()),
        )
        for part in parts
    )
