"""Two-body decays: the blocks of which every phase-space channel is made."""

from __future__ import annotations

from math import pi
from typing import NamedTuple

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, boost, breakup_velocity, modulus, squared
from darksector.particles import MASS
from darksector.phasespace.mappings import Bound

_ME = MASS["e"]


class Pair(NamedTuple):
    """The products of a two-body decay."""

    first: Momentum
    second: Momentum


class Angles(NamedTuple):
    """Direction of a product; sine apart, as 1 - cosine may be tiny."""

    cosine: jax.Array
    sine: jax.Array
    phi: jax.Array


def at_rest(s: jax.Array | float) -> Momentum:
    """Return the four-momentum (√s, 0, 0, 0), GeV."""
    zero = jnp.zeros_like(s)
    return Momentum(jnp.sqrt(s), zero, zero, zero)


def colliding(s: jax.Array) -> Pair:
    """Return the beams e-, e+ in their rest frame, e- along +z."""
    energy, zero = jnp.sqrt(s) / 2, jnp.zeros_like(s)
    p = jnp.sqrt(jnp.maximum(energy**2 - _ME**2, 0.0))
    return Pair(Momentum(energy, zero, zero, p), Momentum(energy, zero, zero, -p))


def two_body(
    parent: Momentum,
    masses2: tuple[Bound, Bound],
    cosine: jax.Array,
    phi: jax.Array,
    axis: Momentum | None = None,
) -> Pair:
    """Return the products of a decay, angles in the parent's rest frame.

    `axis` (a vector in the rest frame) is the polar axis; z when absent.
    """
    sine = jnp.sqrt(jnp.maximum(1 - cosine**2, 0.0))
    products = back_to_back(squared(parent), masses2, Angles(cosine, sine, phi), axis)
    return Pair(*(boost(p, parent) for p in products))


def two_body_volume(s: jax.Array, m1: Bound, m2: Bound) -> jax.Array:
    r"""Return :math:`\int d\Phi_2 = \lambda^{1/2}/(8\pi s)`, including :math:`(2\pi)^4`."""
    return breakup_velocity(s, m1, m2) / (8 * pi)


def angles_of(versine: jax.Array, phi: jax.Array) -> Angles:
    """Return the direction for 1 - cosθ and an azimuth."""
    sine = jnp.sqrt(jnp.maximum(versine * (2 - versine), 0.0))
    return Angles(1 - versine, sine, phi)


def back_to_back(
    s: jax.Array, masses2: tuple[Bound, Bound], angles: Angles, axis: Momentum | None
) -> Pair:
    """Return the products in the rest frame of the parent."""
    m1, m2 = masses2
    length = breakup_velocity(s, m1, m2) * jnp.sqrt(s) / 2
    x = length * angles.sine * jnp.cos(angles.phi)
    y = length * angles.sine * jnp.sin(angles.phi)
    z = length * angles.cosine
    if axis is not None:
        x, y, z = _along(axis, x, y, z)
    energies = (jnp.sqrt(length**2 + m1), jnp.sqrt(length**2 + m2))
    return Pair(Momentum(energies[0], x, y, z), Momentum(energies[1], -x, -y, -z))


def _along(
    axis: Momentum, x: jax.Array, y: jax.Array, z: jax.Array
) -> tuple[jax.Array, ...]:
    """Return a vector given in a right-handed frame whose third axis is `axis`.

    Source of the frame without singular direction: Duff et al., JCGT 6 (2017) 1.
    """
    norm = modulus(axis)
    nx, ny, nz = axis.x / norm, axis.y / norm, axis.z / norm
    sign = jnp.where(nz >= 0, 1.0, -1.0)
    a = -1.0 / (sign + nz)
    b = nx * ny * a
    return (
        x * (1 + sign * nx * nx * a) + y * b + z * nx,
        x * sign * b + y * (sign + ny * ny * a) + z * ny,
        -x * sign * nx - y * ny + z * nz,
    )
