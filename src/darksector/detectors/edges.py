"""Edges of an acceptance that are smooth, so that they have derivatives."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import erf


def normal_cdf(x: jax.Array) -> jax.Array:
    """Return the Gaussian integral up to x; cheaper than that of the library."""
    return 0.5 * (1 + erf(x * 0.5**0.5))


def rise(x: jax.Array, edge: jax.Array | float, width: jax.Array | float) -> jax.Array:
    r"""Return a step from 0 to 1 at `edge`, spread over `width`, dimensionless.

    .. math:: t^3 (6 t^2 - 15 t + 10), \qquad t = 1/2 + (x - x_0)/w \in [0, 1]

    Notes
    -----
    Exactly 0 and 1 outside, with two continuous derivatives: nothing leaks beyond the
    width, as the tails of an error function would, and no exponential is needed.
    """
    t = jnp.clip(0.5 + (x - edge) / width, 0.0, 1.0)
    return t * t * t * (t * (6 * t - 15) + 10)


def window(x: jax.Array, ends: jax.Array, width: jax.Array | float) -> jax.Array:
    """Return 1 between the two `ends`, 0 outside, dimensionless; edges as in `rise`.

    The edges must not overlap: one step in the distance to the middle makes both.
    """
    low, high = ends
    return rise((high - low) / 2 - jnp.abs(x - (high + low) / 2), 0.0, width)
