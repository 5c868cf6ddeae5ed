"""Densities from simulated histograms, smooth between bins and between masses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from darksector.errors import OutOfDomain
from darksector.statistics.unbinned.backgrounds import (
    Chebyshev,
    chebyshev_sum,
    check_degree,
    scaled,
)
from darksector.statistics.unbinned.shapes import Parameters, Shape


@final
@dataclass(frozen=True)
class MassTemplates(Shape):
    r"""Signal between simulated masses, its mean and width interpolated linearly.

    .. math:: f(x|m) = \sum_{i} c_i(m)\, f_i(x_i)\, \frac{s_i}{s(m)},\qquad
              x_i = \mu_i + \frac{s_i}{s(m)} (x - \mu(m))

    over the two neighbours of m, with linear :math:`c_i`.

    Parameters
    ----------
    masses
        Simulated masses in ascending order, at least two, GeV.
    edges
        Bin edges, the same for all masses, unit of the observable.
    contents
        Weight in each bin at each mass; none is negative.

    Raises
    ------
    OutOfDomain
        If masses or edges do not ascend, or the contents do not fit or have no weight.

    Notes
    -----
    Moment morphing, M. Baak et al., NIM A 771 (2015) 39 (arXiv:1410.7388), eqs. 3-12,
    with two neighbours, for which every density stays positive.  The parameter
    ``mass`` is bounded by the simulated masses: nothing is extrapolated.  Within a
    histogram the cumulative distribution is a monotone cubic through all bin edges, so
    that each bin keeps its content; outside its edges the density is zero.
    """

    masses: tuple[float, ...]
    edges: tuple[float, ...]
    contents: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        _check_ascending("masses", self.masses)
        _check_ascending("edges", self.edges)
        if len(self.contents) != len(self.masses):
            msg = (
                f"{len(self.masses)} masses have {len(self.contents)} histograms: "
                "give one for each mass."
            )
            raise OutOfDomain(msg)
        for contents in self.contents:
            _check_contents(self.edges, contents)

    @property
    def names(self) -> tuple[str, ...]:
        """Mass, GeV."""
        return ("mass",)

    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window, GeV."""
        low, high = self.masses[0], self.masses[-1]
        one = np.ones((len(windows), 1))
        return Parameters((low + high) / 2 * one, low * one, high * one)

    def height(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],  # noqa: ARG002
    ) -> Float[Array, " e"]:
        """Return the density of the whole histogram."""
        return self._mixed(x, theta[0], derivative=True)

    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],  # noqa: ARG002
    ) -> Float[Array, " e"]:
        """Return the cumulative distribution of the histogram at `x`."""
        return self._mixed(x, theta[0], derivative=False)

    def landmarks(
        self,
        theta: Float[Array, " p"],  # noqa: ARG002
        window: Float[Array, " 2"],
    ) -> Float[Array, " k"]:
        """Return the edges of the histogram within the window."""
        return jnp.clip(jnp.asarray(self.edges), window[0], window[1])

    def _mixed(
        self, x: Float[Array, " e"], mass: Float[Array, ""], *, derivative: bool
    ) -> Float[Array, " e"]:
        edges = np.array(self.edges)
        cubics = jnp.asarray([cumulative(self.edges, c) for c in self.contents])
        mean, width = jnp.asarray([_moments(edges, c) for c in self.contents]).T
        masses = jnp.asarray(self.masses)
        last = len(self.masses) - 2
        i = jnp.clip(jnp.searchsorted(masses, mass, side="right") - 1, 0, last)
        share = (mass - masses[i]) / (masses[i + 1] - masses[i])
        mean_here = (1 - share) * mean[i] + share * mean[i + 1]
        width_here = (1 - share) * width[i] + share * width[i + 1]
        total = jnp.zeros_like(x)
        for j, part in ((i, 1 - share), (i + 1, share)):
            stretch = width[j] / width_here
            there = mean[j] + stretch * (x - mean_here)
            scale = part * stretch if derivative else part
            total += scale * evaluate(edges, cubics[j], there, derivative=derivative)
        return total


@final
@dataclass(frozen=True)
class TemplateTimesPolynomial(Shape):
    r"""Simulated background times :math:`1 + \sum_{k=1}^d c_k T_k(u)`.

    Parameters
    ----------
    edges
        Bin edges, unit of the observable.
    contents
        Weight in each bin; none is negative.
    degree
        Degree d of the polynomial, at least 1.

    Raises
    ------
    OutOfDomain
        If edges do not ascend, contents do not fit or have no weight, or the degree
        is below one.

    Notes
    -----
    u runs from -1 to 1 in the window, not in the histogram.  The histogram is smoothed
    as in `MassTemplates`; the integral is exact, a Gauss sum for each bin.
    """

    edges: tuple[float, ...]
    contents: tuple[float, ...]
    degree: int

    def __post_init__(self) -> None:
        check_degree("TemplateTimesPolynomial", self.degree)
        _check_ascending("edges", self.edges)
        _check_contents(self.edges, self.contents)

    @property
    def names(self) -> tuple[str, ...]:
        """Coefficients, dimensionless."""
        return Chebyshev(self.degree).names

    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window: the histogram itself."""
        return Chebyshev(self.degree).parameters(windows)

    def height(
        self,
        x: Float[Array, "*e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, "*e"]:
        """Return the product."""
        cubics = jnp.asarray(cumulative(self.edges, self.contents))
        template = evaluate(np.array(self.edges), cubics, x, derivative=True)
        return template * chebyshev_sum(scaled(x, window), theta)

    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],
    ) -> Float[Array, " e"]:
        """Return the integral from the first edge to `x`."""
        nodes, weights = np.polynomial.legendre.leggauss((self.degree + 4) // 2)
        edges = jnp.asarray(self.edges)
        reach = jnp.minimum(edges[1:], x[:, None]) - edges[:-1]
        half = jnp.maximum(reach, 0.0)[..., None] / 2
        at = edges[:-1, None] + half * (1 + nodes)
        return (half * self.height(at, theta, window) * weights).sum(axis=(1, 2))

    def landmarks(
        self,
        theta: Float[Array, " p"],  # noqa: ARG002
        window: Float[Array, " 2"],
    ) -> Float[Array, " k"]:
        """Return the edges of the histogram within the window."""
        return jnp.clip(jnp.asarray(self.edges), window[0], window[1])


def cumulative(
    edges: tuple[float, ...], contents: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return the cubic of each bin for its cumulative share, shape ``(k, 4)``.

    Notes
    -----
    Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300: the slopes at the
    edges keep the curve monotone, so the density is continuous and not negative.
    Powers ascend and count from the lower edge of the bin.
    """
    steps = np.concatenate([[0.0], np.cumsum(contents)]) / np.sum(contents)
    return np.ascontiguousarray(PchipInterpolator(edges, steps).c[::-1].T)


def evaluate(
    edges: NDArray[np.float64],
    cubics: Float[Array, "k 4"],
    x: Float[Array, "*e"],
    *,
    derivative: bool,
) -> Float[Array, "*e"]:
    """Return the cumulative share at `x`, or its derivative, the density."""
    knots = jnp.asarray(edges)
    inside = (x >= knots[0]) & (x <= knots[-1])
    i = jnp.clip(jnp.searchsorted(knots, x, side="right") - 1, 0, edges.size - 2)
    d = jnp.clip(x, knots[0], knots[-1]) - knots[i]
    a, b, c, e = jnp.moveaxis(cubics[i], -1, 0)
    if derivative:
        return jnp.where(inside, b + d * (2 * c + d * 3 * e), 0.0)
    return a + d * (b + d * (c + d * e))


def _moments(
    edges: NDArray[np.float64], contents: tuple[float, ...]
) -> tuple[float, float]:
    """Return mean and standard deviation of a histogram, unit of the observable."""
    centre, weight = (edges[1:] + edges[:-1]) / 2, np.array(contents)
    mean = np.average(centre, weights=weight)
    spread = np.average((centre - mean) ** 2, weights=weight)
    within = np.average(np.diff(edges) ** 2 / 12, weights=weight)
    return float(mean), float(np.sqrt(spread + within))


def _check_ascending(name: str, values: tuple[float, ...]) -> None:
    if len(values) < 2 or not (np.diff(values) > 0).all():
        msg = f"{name} must ascend, got {values}: give at least two, the lowest first."
        raise OutOfDomain(msg)


def _check_contents(edges: tuple[float, ...], contents: tuple[float, ...]) -> None:
    bins = len(edges) - 1
    finite = np.isfinite(contents).all() and min(contents, default=-1.0) >= 0
    if len(contents) != bins or not finite or sum(contents) == 0:
        msg = (
            f"a histogram of {bins} bins needs as many finite weights, none negative "
            f"and not all zero, got {contents}: merge bins or simulate more events."
        )
        raise OutOfDomain(msg)
