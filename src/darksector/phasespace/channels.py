"""Two-body decays: the blocks of which every phase-space channel is made."""

from __future__ import annotations

from math import pi
from typing import NamedTuple

import jax
import jax.numpy as jnp

from darksector.kinematics import (
    Momentum,
    boost,
    breakup_velocity,
    rotate_z_to,
    squared,
)


class Pair(NamedTuple):
    """The products of a two-body decay."""

    first: Momentum
    second: Momentum


def direction(cosine: jax.Array, phi: jax.Array, length: jax.Array) -> Momentum:
    """Return a momentum of given length, GeV, and zero energy component."""
    sine = jnp.sqrt(jnp.maximum(1 - cosine**2, 0.0))
    return Momentum(
        jnp.zeros_like(length),
        length * sine * jnp.cos(phi),
        length * sine * jnp.sin(phi),
        length * cosine,
    )


def at_rest(s: jax.Array | float) -> Momentum:
    """Return the four-momentum (√s, 0, 0, 0), GeV."""
    zero = jnp.zeros_like(s)
    return Momentum(jnp.sqrt(s), zero, zero, zero)


def two_body(
    parent: Momentum,
    masses2: tuple[jax.Array | float, jax.Array | float],
    cosine: jax.Array,
    phi: jax.Array,
    axis: Momentum | None = None,
) -> Pair:
    """Return the products of a decay, angles in the parent's rest frame.

    `axis` (a vector in the rest frame) is the polar axis; z when absent.
    """
    s = squared(parent)
    m1, m2 = masses2
    length = breakup_velocity(s, m1, m2) * jnp.sqrt(s) / 2
    p = direction(cosine, phi, length)
    if axis is not None:
        p = rotate_z_to(p, axis)
    first = Momentum(jnp.sqrt(length**2 + m1), p.x, p.y, p.z)
    second = Momentum(jnp.sqrt(length**2 + m2), -p.x, -p.y, -p.z)
    return Pair(boost(first, parent), boost(second, parent))


def two_body_volume(
    s: jax.Array, m1: jax.Array | float, m2: jax.Array | float
) -> jax.Array:
    r"""Return :math:`\int d\Phi_2 = \lambda^{1/2}/(8\pi s)`, including :math:`(2\pi)^4`."""
    return breakup_velocity(s, m1, m2) / (8 * pi)
