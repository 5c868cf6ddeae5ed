"""One-dimensional importance maps: from a uniform number to a variable, and the density.

A map of an invariant mass squared is one of the small classes below; a channel asks it
for values and for the density at given values (GeV^-2, integrating to one).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp

Bound = jax.Array | float


class MassMap(Protocol):
    """A distribution of an invariant mass squared between two bounds."""

    def draw(self, u: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return values for uniform numbers."""
        ...

    def density(self, value: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return the density of `draw` at values; zero outside the bounds."""
        ...


class Pole(NamedTuple):
    """Density ∝ 1/(x - at)^power, power 0, 1 or 2, at below the lower bound."""

    at: Bound = 0.0
    power: int = 1

    def draw(self, u: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return values for uniform numbers."""
        return self.at + power_draw(u, low - self.at, high - self.at, self.power)

    def density(self, value: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return the density of `draw` at values; zero outside the bounds."""
        inside = (value >= low * (1 - _SLACK)) & (value <= high * (1 + _SLACK))
        shifted = (value - self.at, low - self.at, high - self.at)
        return jnp.where(inside, power_density(*shifted, self.power), 0.0)


class Resonance(NamedTuple):
    """Breit-Wigner density ∝ 1/((x - mass²)² + mass² width²)."""

    mass: Bound
    width: Bound

    def draw(self, u: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return values for uniform numbers."""
        start, span = self._angles(low, high)
        scale = self.mass * self.width
        return jnp.clip(self.mass**2 + scale * jnp.tan(start + span * u), low, high)

    def density(self, value: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return the density of `draw` at values; zero outside the bounds."""
        _, span = self._angles(low, high)
        scale = self.mass * self.width
        inside = (value >= low) & (value <= high)
        shape = scale / ((value - self.mass**2) ** 2 + scale**2) / span
        return jnp.where(inside, shape, 0.0)

    def _angles(self, low: Bound, high: Bound) -> tuple[jax.Array, jax.Array]:
        scale = self.mass * self.width
        start = jnp.arctan((low - self.mass**2) / scale)
        return start, jnp.arctan((high - self.mass**2) / scale) - start


class Emission(NamedTuple):
    """Mass left after the other side took a share v of high: density ∝ 1/(v(1-v)).

    Soft emission, v → `least`, and return to a small mass, v → 1.
    """

    least: Bound

    def draw(self, u: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return values for uniform numbers."""
        bottom, span = self._odds(low, high)
        return high * jax.nn.sigmoid(-(bottom + span * u))

    def density(self, value: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return the density of `draw` at values; zero outside the bounds."""
        _, span = self._odds(low, high)
        left = value / high
        inside = (left <= (1 - self.least) * (1 + _SLACK)) & (left < 1)
        lost = jnp.where(inside, 1 - left, 0.5)
        return jnp.where(inside, 1 / (high * left * lost * span), 0.0)

    def _odds(self, low: Bound, high: Bound) -> tuple[jax.Array, jax.Array]:
        bottom = jnp.log(self.least / (1 - self.least))
        return bottom, jnp.log((high - low) / low) - bottom


def power_draw(u: jax.Array, low: Bound, high: Bound, power: int) -> jax.Array:
    """Return numbers with density ∝ x^-power on [low, high]; power 0, 1 or 2."""
    if power == 0:
        return low + (high - low) * u
    if power == 1:
        return low * jnp.exp(jnp.log(high / low) * u)
    return 1 / (1 / low + (1 / high - 1 / low) * u)


def power_density(x: jax.Array, low: Bound, high: Bound, power: int) -> jax.Array:
    """Return the density of `power_draw` at x, without regard to the bounds."""
    if power == 0:
        return jnp.ones_like(x) / (high - low)
    if power == 1:
        return 1 / (x * jnp.log(high / low))
    return low * high / (x**2 * (high - low))


_SLACK = 1e-9  # an invariant computed from momenta may miss its own bound by rounding
