"""Smooth densities under a peak: polynomials and the exponential."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from darksector.errors import OutOfDomain
from darksector.statistics.unbinned.shapes import Parameters, Shape

_STEEPEST = 300.0  # exponent at the ends of the window: e^300 is still a number
_LARGEST = 1e3  # of a coefficient; beyond it a larger one would leave the shape alone


@final
@dataclass(frozen=True)
class Chebyshev(Shape):
    r"""Polynomial :math:`1 + \sum_{k=1}^d c_k T_k(u)`, u from -1 to 1 in the window.

    Parameters
    ----------
    degree
        Degree d, at least 1; there are as many coefficients.

    Notes
    -----
    Where it turns negative the likelihood is not finite, and a fit keeps away.
    """

    degree: int

    def __post_init__(self) -> None:
        check_degree("Chebyshev", self.degree)

    @property
    def names(self) -> tuple[str, ...]:
        """Coefficients, dimensionless."""
        return tuple(f"c{k}" for k in range(1, self.degree + 1))

    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window: a constant."""
        start = np.zeros((len(windows), self.degree))
        return Parameters(start, start - _LARGEST, start + _LARGEST)

    def height(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return the polynomial."""
        return chebyshev_sum(scaled(x, window), theta)

    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return the integral up to a constant, unit of the observable."""
        u = scaled(x, window)
        t = chebyshev_polynomials(u, self.degree + 1)
        total = u + theta[0] * u**2 / 2
        for k in range(2, self.degree + 1):
            # DLMF 18.9.9 integrated: T_(k+1)/2(k+1) - T_(k-1)/2(k-1)
            total += theta[k - 1] * (t[k + 1] / (k + 1) - t[k - 1] / (k - 1)) / 2
        return total * (window[1] - window[0]) / 2

    def landmarks(
        self,
        theta: Float[Array, " p"],  # noqa: ARG002
        window: Float[Array, " 2"],
    ) -> Float[Array, " k"]:
        """Return the ends of the window: nothing is narrow."""
        return window


@final
@dataclass(frozen=True)
class Bernstein(Shape):
    r"""Polynomial :math:`\sum_k b_k \binom{d}{k} v^k (1-v)^{d-k}`, v from 0 to 1.

    Parameters
    ----------
    degree
        Degree d, at least 1.
    reference
        Which coefficient is one, as only ratios matter: 0 for that of the low end of
        the window, `degree` for that of the high end.  Take one that is not zero.

    Notes
    -----
    No coefficient is negative, so neither is the density.
    """

    degree: int
    reference: int = 0

    def __post_init__(self) -> None:
        check_degree("Bernstein", self.degree)
        if not 0 <= self.reference <= self.degree:
            msg = (
                f"reference must be one of 0..{self.degree}, the coefficients of the "
                f"polynomial, got {self.reference}."
            )
            raise OutOfDomain(msg)

    @property
    def names(self) -> tuple[str, ...]:
        """Coefficients without that of reference, dimensionless."""
        return tuple(f"b{k}" for k in range(self.degree + 1) if k != self.reference)

    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window: a constant."""
        start = np.ones((len(windows), self.degree))
        return Parameters(start, 0 * start, _LARGEST * start)

    def height(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return the polynomial."""
        return _bernstein_sum(self._fractions(x, window), self._coefficients(theta))

    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return the integral from the low end of the window, unit of the observable."""
        sums = jnp.cumsum(self._coefficients(theta)) / (self.degree + 1)
        raised = jnp.concatenate([jnp.zeros(1), sums])
        v = self._fractions(x, window)
        return _bernstein_sum(v, raised) * (window[1] - window[0])

    def landmarks(
        self,
        theta: Float[Array, " p"],  # noqa: ARG002
        window: Float[Array, " 2"],
    ) -> Float[Array, " k"]:
        """Return the ends of the window: nothing is narrow."""
        return window

    def _coefficients(self, theta: Float[Array, " p"]) -> Float[Array, " p+1"]:
        low, high = theta[: self.reference], theta[self.reference :]
        return jnp.concatenate([low, jnp.ones(1), high])

    def _fractions(
        self, x: Float[Array, " e"], window: Float[Array, " 2"]
    ) -> Float[Array, " e"]:
        return (x - window[0]) / (window[1] - window[0])


@final
@dataclass(frozen=True)
class Exponential(Shape):
    r"""Density :math:`\propto e^{a x}`; a negative slope a falls."""

    @property
    def names(self) -> tuple[str, ...]:
        """Slope of the exponent, one over the unit of the observable."""
        return ("slope",)

    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window: a constant."""
        most = 2 * _STEEPEST / (windows[:, 1:] - windows[:, :1])
        return Parameters(np.zeros_like(most), -most, most)

    def height(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return the density relative to that in the middle of the window."""
        return jnp.exp(theta[0] * (x - window.mean()))

    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return the integral from the middle to `x`, unit of the observable."""
        distance = x - window.mean()
        return distance * _mean_exponential(theta[0] * distance)

    def landmarks(
        self,
        theta: Float[Array, " p"],  # noqa: ARG002
        window: Float[Array, " 2"],
    ) -> Float[Array, " k"]:
        """Return the ends of the window: nothing is narrow."""
        return window


def _mean_exponential(y: Float[Array, " e"]) -> Float[Array, " e"]:
    """Return (e^y - 1)/y, the mean of e^t for t in 0..y, also at zero."""
    small = jnp.abs(y) < 0.5
    away = jnp.where(small, 1.0, y)
    series = jnp.ones_like(y)
    for k in range(16, 1, -1):  # the first term left out is below 1e-19
        series = 1 + y / k * series
    return jnp.where(small, series, jnp.expm1(away) / away)


def check_degree(name: str, degree: int) -> None:
    """Refuse polynomials without a coefficient.

    Raises
    ------
    OutOfDomain
        If the degree is below one.
    """
    if degree < 1:
        msg = f"{name} needs a degree of at least 1, got {degree}: take 1 for a line."
        raise OutOfDomain(msg)


def scaled(x: Float[Array, "*e"], window: Float[Array, " 2"]) -> Float[Array, "*e"]:
    """Return the place in the window, -1 at its low and 1 at its high end."""
    low, high = window
    return (2 * x - low - high) / (high - low)


def chebyshev_polynomials(
    u: Float[Array, "*e"], degree: int
) -> list[Float[Array, "*e"]]:
    """Return T_0 ... T_degree at `u` by their recurrence (DLMF 18.9.1)."""
    found = [jnp.ones_like(u), u]
    for _ in range(degree - 1):
        found.append(2 * u * found[-1] - found[-2])
    return found


def chebyshev_sum(
    u: Float[Array, "*e"], coefficients: Float[Array, " p"]
) -> Float[Array, "*e"]:
    """Return 1 + Σ c_k T_k(u), dimensionless."""
    polynomials = chebyshev_polynomials(u, coefficients.size)
    total = polynomials[0]
    for coefficient, polynomial in zip(coefficients, polynomials[1:], strict=True):
        total = total + coefficient * polynomial
    return total


def _bernstein_sum(
    v: Float[Array, " e"], coefficients: Float[Array, " k"]
) -> Float[Array, " e"]:
    degree = coefficients.size - 1
    total = jnp.zeros_like(v)
    for k, coefficient in enumerate(coefficients):
        total = total + coefficient * comb(degree, k) * v**k * (1 - v) ** (degree - k)
    return total
