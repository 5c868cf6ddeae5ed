"""Densities on a window, with exact derivatives: the interface and peaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from math import pi, sqrt
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jaxtyping import Array, Float
from numpy.typing import NDArray

from darksector import compilation  # noqa: F401 - float64 before the first kernel
from darksector.errors import OutOfDomain

_ROOT_HALF_PI = sqrt(pi / 2)


@final
@dataclass(frozen=True)
class Parameters:
    """First guess and range of each parameter of a shape in each window.

    Parameters
    ----------
    start, lower, upper
        First guess and bounds, shape ``(n, p)``, units of the parameters.
    """

    start: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


class Shape(ABC):
    """A density in one observable, known up to its integral over the window.

    Shapes are hashable: each compiles once, whatever the parameters and windows.
    """

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, ``p`` of them."""

    @abstractmethod
    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window."""

    @abstractmethod
    def height(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return a multiple of the density at `x`, the same multiple everywhere."""

    @abstractmethod
    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return an antiderivative of `height` at `x`."""

    @abstractmethod
    def landmarks(
        self, theta: Float[Array, " p"], window: Float[Array, " 2"]
    ) -> Float[Array, " k"]:
        """Return points that show where a narrow density is large, if it is."""

    def integral(
        self, theta: Float[Array, " p"], window: Float[Array, " 2"]
    ) -> Float[Array, ""]:
        """Return the integral of `height` over the window, unit of the observable."""
        low, high = self.primitive(window, theta, window)
        return high - low

    def density(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return the density at `x`, whose integral over the window is one, 1/unit."""
        return self.height(x, theta, window) / self.integral(theta, window)

    def shares(
        self, edges: Float[Array, " k"], theta: Float[Array, " p"]
    ) -> Float[Array, " k-1"]:
        """Return the probability of each bin of the window from first to last edge."""
        primitive = self.primitive(edges, theta, jnp.stack([edges[0], edges[-1]]))
        return jnp.diff(primitive) / (primitive[-1] - primitive[0])


def bin_fractions(
    shape: Shape, edges: Float[np.ndarray, " k"], theta: Float[np.ndarray, " p"]
) -> Float[np.ndarray, " k-1"]:
    """Return the share of each bin in a window, dimensionless; their sum is one.

    Parameters
    ----------
    shape
        What to integrate.
    edges
        Bin edges in ascending order; the first and last are the window.
    theta
        Parameters in the order of ``shape.names``.

    Raises
    ------
    OutOfDomain
        If the edges do not ascend, or a parameter is outside its range, for instance
        a mass outside the simulated ones.

    Examples
    --------
    >>> bin_fractions(Gaussian(), np.array([-1.0, 0.0, 1.0]), np.array([0.0, 0.1]))
    array([0.5, 0.5])
    """
    if edges.size < 2 or not (np.diff(edges) > 0).all():
        msg = f"edges must ascend, got {edges}: give at least two, the lowest first."
        raise OutOfDomain(msg)
    ranges = shape.parameters(np.array([[edges[0], edges[-1]]]))
    check_range(shape.names, theta[None], ranges)
    return np.asarray(_shares(shape, jnp.asarray(edges), jnp.asarray(theta)))


@partial(jax.jit, static_argnums=0)
def _shares(
    shape: Shape, edges: Float[Array, " k"], theta: Float[Array, " p"]
) -> Float[Array, " k-1"]:
    return shape.shares(edges, theta)


def check_range(
    names: tuple[str, ...], theta: Float[np.ndarray, "n p"], ranges: Parameters
) -> None:
    """Refuse parameters that are outside the range of their shape.

    Raises
    ------
    OutOfDomain
        Names the first such parameter, its value and its range.
    """
    inside = (theta >= ranges.lower) & (theta <= ranges.upper)
    for row, column in np.argwhere(~inside)[:1]:
        msg = (
            f"{names[column]} = {theta[row, column]} is outside "
            f"[{ranges.lower[row, column]}, {ranges.upper[row, column]}], where its "
            "shape is defined; change the value or the shape."
        )
        raise OutOfDomain(msg)


def peak_parameters(
    windows: Float[np.ndarray, "n 2"], *shape: tuple[float, float, float]
) -> Parameters:
    """Return position, width and shape parameters of a peak in each window.

    Parameters
    ----------
    windows
        Low and high end of each window.
    shape
        First guess, lower and upper bound of each further parameter, dimensionless.

    Notes
    -----
    Peaks start in the middle with a twentieth of the window as their width.
    """
    low, high = windows.T
    width = high - low
    columns = [
        np.stack([(low + high) / 2, low - width, high + width]),
        np.stack([width / 20, width / 10_000, width]),
        *(np.tile(np.array([s]).T, low.size) for s in shape),
    ]
    start, lower, upper = np.stack(columns, axis=-1)
    return Parameters(start, lower, upper)


def around(
    mean: Float[Array, ""], sigma: Float[Array, ""], window: Float[Array, " 2"]
) -> Float[Array, " k"]:
    """Return points within three widths of a peak and within the window."""
    return jnp.clip(mean + sigma * jnp.linspace(-3, 3, 13), window[0], window[1])


@final
@dataclass(frozen=True)
class Gaussian(Shape):
    r"""Normal density :math:`\propto e^{-z^2/2}` with :math:`z = (x-\mu)/\sigma`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Position and width, unit of the observable."""
        return ("mean", "sigma")

    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window."""
        return peak_parameters(windows)

    def height(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],  # noqa: ARG002
    ) -> Float[Array, " e"]:
        """Return the density relative to its maximum."""
        mean, sigma = theta
        return jnp.exp(-0.5 * ((x - mean) / sigma) ** 2)

    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],  # noqa: ARG002
    ) -> Float[Array, " e"]:
        """Return the integral from the mean to `x`, unit of the observable."""
        mean, sigma = theta
        return sigma * core_integral((x - mean) / sigma)

    def landmarks(
        self, theta: Float[Array, " p"], window: Float[Array, " 2"]
    ) -> Float[Array, " k"]:
        """Return points around the peak."""
        return around(theta[0], theta[1], window)


def core_integral(z: Float[Array, " e"]) -> Float[Array, " e"]:
    r"""Return :math:`\int_0^z e^{-t^2/2} dt`, dimensionless."""
    return _ROOT_HALF_PI * erf(z / sqrt(2))
