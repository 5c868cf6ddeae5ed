"""One density with the derivatives that sums over events need."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from darksector.statistics.unbinned.shapes import Shape


class Moments(NamedTuple):
    """Sums over events with weights one over the total density, of one component."""

    density: Float[Array, ""]
    slope: Float[Array, " k"]
    bend: Float[Array, "k k"]


class Component(NamedTuple):
    """One density in one window: the integral of its height with derivatives."""

    shape: Shape
    theta: Float[Array, " p"]
    window: Float[Array, " 2"]
    basis: Float[Array, "k p"]
    integral: Float[Array, ""]
    slope: Float[Array, " k"]
    bend: Float[Array, "k k"]

    def density(
        self, x: Float[Array, " e"]
    ) -> tuple[Float[Array, " e"], Float[Array, "k e"]]:
        """Return density and derivatives, the parameter axis first."""
        height, push = jax.linearize(
            lambda t: self.shape.height(x, t, self.window), self.theta
        )
        slopes = jnp.zeros((0, x.size))
        if len(self.basis):
            slopes = jax.vmap(push)(self.basis)
        density = height / self.integral
        return density, (slopes - density * self.slope[:, None]) / self.integral

    def moments(self, x: Float[Array, " e"], weight: Float[Array, " e"]) -> Moments:
        """Return sums of density and derivatives; the second are those of the height."""
        density, slopes = self.density(x)

        def height(step: Float[Array, " k"]) -> Float[Array, ""]:
            theta = self.theta + step @ self.basis
            return weight @ self.shape.height(x, theta, self.window)

        bend = jax.hessian(height)(jnp.zeros(len(self.basis)))
        return Moments(weight @ density, slopes @ weight, bend)

    def bent(self, sums: Moments) -> Float[Array, "k k"]:
        """Return the sum of second derivatives of the density, by the quotient rule."""
        mixed = sums.slope[:, None] * self.slope
        rest = mixed + mixed.T + sums.density * self.bend
        return (sums.bend - rest) / self.integral


def component(
    shape: Shape, theta: Float[Array, " p"], window: Float[Array, " 2"], free: list[int]
) -> Component:
    """Return a density in a window; `free` are its parameters with derivatives."""
    basis = jnp.eye(theta.size)[np.array(free, dtype=int)]

    def integral(step: Float[Array, " k"]) -> Float[Array, ""]:
        return shape.integral(theta + step @ basis, window)

    here = jnp.zeros(len(free))
    return Component(
        shape, theta, window, basis, integral(here),
        jax.jacfwd(integral)(here), jax.jacfwd(jax.jacfwd(integral))(here),
    )  # fmt: skip
