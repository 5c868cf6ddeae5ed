"""One-dimensional importance maps; each returns a value and 1/density."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Draw(NamedTuple):
    """A mapped number and the inverse of the density it was drawn with."""

    value: jax.Array
    inverse_density: jax.Array


Bound = jax.Array | float


def flat(u: jax.Array, low: Bound, high: Bound) -> Draw:
    """Draw from a constant density on [low, high]."""
    return Draw(low + (high - low) * u, (high - low) * jnp.ones_like(u))


def logarithmic(u: jax.Array, low: Bound, high: Bound) -> Draw:
    """Draw with density ∝ 1/x on [low, high], 0 < low."""
    span = jnp.log(high / low)
    value = low * jnp.exp(span * u)
    return Draw(value, value * span)


def logit(u: jax.Array, low: Bound, high: Bound) -> Draw:
    """Draw with density ∝ 1/(x(1-x)) on [low, high] inside (0, 1)."""
    bottom = jnp.log(low / (1 - low))
    span = jnp.log(high / (1 - high)) - bottom
    value = jax.nn.sigmoid(bottom + span * u)
    return Draw(value, value * (1 - value) * span)


def two_peaks(u: jax.Array, steepness: Bound, *, limit: Bound = 1.0) -> Draw:
    """Draw a cosine with density ∝ 1/(1-b²c²), |c| < limit: peaks at both ends.

    b = `steepness`; b * limit must stay below 1.
    """
    span = jnp.arctanh(steepness * limit)
    tanh = jnp.tanh(span * (2 * u - 1))
    return Draw(tanh / steepness, 2 * span / steepness * (1 - tanh**2))


def two_peaks_density(
    cosine: jax.Array, steepness: Bound, *, limit: Bound = 1.0
) -> jax.Array:
    """Return the density of `two_peaks` at a cosine; it integrates to one."""
    span = jnp.arctanh(steepness * limit)
    return steepness / (2 * span * (1 - (steepness * cosine) ** 2))
