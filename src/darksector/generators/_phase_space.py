"""Products of two- and three-body decays that fill phase space evenly."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import NamedTuple

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, boost, breakup_velocity, squared
from darksector.phasespace.two_body import at_rest, two_body

_BINS = 64  # of the proposal density of the mass of a pair


class Products(NamedTuple):
    """Daughters of a decay in the frame of the mother, with a weight of mean one."""

    momenta: tuple[Momentum, ...]
    weight: jax.Array


class _Sampled(NamedTuple):
    value: jax.Array
    weight: jax.Array


def two_products(
    u: jax.Array, mother: Momentum, masses2: Sequence[jax.Array]
) -> Products:
    """Return two products, isotropic in the rest frame of the mother.

    Parameters
    ----------
    u
        Uniform numbers; the first two columns are used.
    mother
        Four-momentum, GeV.
    masses2
        Squared masses of the products, GeV².
    """
    angles = 2 * u[:, 0] - 1, 2 * pi * u[:, 1]
    pair = two_body(mother, (masses2[0], masses2[1]), *angles)
    return Products(tuple(pair), jnp.ones_like(mother.e))


def three_products(
    u: jax.Array, mother: Momentum, masses2: Sequence[jax.Array]
) -> Products:
    r"""Return three products, even in :math:`dm_{12}^2\,dm_{23}^2`.

    This is eq. (49.22) of the Review of Particle Physics (doi:10.1093/ptep/ptac097),
    as a decay to the pair 12, which decays, and 3.

    Parameters
    ----------
    u
        Uniform numbers; the first five columns are used.
    mother, masses2
        As in `two_products`.
    """
    s = squared(mother)
    rest = at_rest(s)
    s12 = _pair_mass2(u[:, 0], s, masses2)
    pair, third = two_body(
        rest, (s12.value, masses2[2]), 2 * u[:, 1] - 1, 2 * pi * u[:, 2]
    )
    first, second = two_products(u[:, 3:], pair, masses2).momenta
    products = tuple(boost(p, mother) for p in (first, second, third))
    return Products(products, s12.weight)


def _pair_mass2(u: jax.Array, s: jax.Array, masses2: Sequence[jax.Array]) -> _Sampled:
    r"""Return :math:`m_{12}^2`, GeV², with its density in three-body phase space.

    The mass is :math:`m_{12} = a + (b - a) \sin^2\theta` between its limits, in which
    the density vanishes smoothly at both ends: the midpoint rule integrates it with
    errors that fall faster than any power, and is the proposal density too.
    """
    m1, m2, m3 = (jnp.sqrt(mass2) for mass2 in masses2)
    low, high = m1 + m2, jnp.sqrt(s) - m3

    def density(theta: jax.Array, low: jax.Array, high: jax.Array) -> _Sampled:
        mass = low + (high - low) * jnp.sin(theta) ** 2
        outer = breakup_velocity((high + m3) ** 2, mass**2, masses2[2])
        inner = breakup_velocity(mass**2, masses2[0], masses2[1])
        return _Sampled(mass**2, outer * inner * mass * jnp.sin(2 * theta))

    width = pi / 2 / _BINS
    centres = width * (jnp.arange(_BINS) + 0.5)
    heights = density(centres, low, high[:, None]).weight
    edges = jnp.cumsum(heights, axis=1)
    goal = u * edges[:, -1]
    index = jnp.minimum(jnp.sum(edges <= goal[:, None], axis=1), _BINS - 1)
    height = jnp.take_along_axis(heights, index[:, None], axis=1)[:, 0]
    above = jnp.take_along_axis(edges, index[:, None], axis=1)[:, 0]
    theta = width * (index + jnp.clip(1 - (above - goal) / height, 0.0, 1.0))
    point = density(theta, low, high)
    return _Sampled(point.value, point.weight / height)
