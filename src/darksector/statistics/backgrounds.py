"""Smooth backgrounds of a fit window, integrated over its bins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.polynomial import chebyshev, legendre
from numpy.typing import NDArray
from scipy.special import betainc

from darksector.errors import OutOfDomain
from darksector.statistics.rates import Exponential, Rates, RowLinear, SharedLinear

_NODES = 3  # Gauss-Legendre points per bin, exact to the fifth power of its width


class Background(ABC):
    """A family of curves with ``degree + 1`` parameters.

    Parameters
    ----------
    degree
        Of the polynomial, >= 0.
    """

    degree: int

    @abstractmethod
    def basis(
        self, edges: Float[np.ndarray, " e"], first: int
    ) -> Float[np.ndarray, "b g k"]:
        """Return the curves of a window at the `g` points of each bin.

        The last column is the weight of the point.  The window begins at bin `first`
        of the spectrum; `edges` are its own.
        """

    @abstractmethod
    def rates(
        self, signal: Float[np.ndarray, "n b"], basis: Float[np.ndarray, "n b g k"]
    ) -> Rates:
        """Return the rates for shares of the signal and padded `basis` of each row."""

    @abstractmethod
    def start(self, total: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        """Return parameters of an even background with `total` events per window."""

    @abstractmethod
    def lower(self) -> Float[np.ndarray, " k"]:
        """Return the lower bounds of the parameters."""


class _ChebyshevSum(Background):
    """Linear in all parameters, of which only the first is known to be events."""

    def rates(
        self, signal: Float[np.ndarray, "n b"], basis: Float[np.ndarray, "n b g k"]
    ) -> Rates:
        """Return rates that are linear in all parameters."""
        return _linear(signal, basis)

    def start(self, total: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        """Return the first curve alone."""
        return total[:, None] * (np.arange(self.degree + 1) == 0)

    def lower(self) -> Float[np.ndarray, " k"]:
        """Return no bounds."""
        return np.full(self.degree + 1, -np.inf)


@final
@dataclass(frozen=True)
class Chebyshev(_ChebyshevSum):
    """Sum of Chebyshev polynomials; the first parameter is the number of events.

    The rates must be positive, the parameters need not: below some five events per bin
    the best curve may touch zero, and such a fit is slow and not `OK`.  `Bernstein`
    polynomials are the remedy.
    """

    degree: int

    def __post_init__(self) -> None:
        _check(self.degree)

    def basis(
        self, edges: Float[np.ndarray, " e"], first: int
    ) -> Float[np.ndarray, "b g k"]:
        """Return half the integrals of the polynomials over the bins."""
        del first
        return _weighted(_integrals(edges, self.degree))


@final
@dataclass(frozen=True)
class Bernstein(Background):
    """Sum of Bernstein polynomials with coefficients >= 0, each a number of events."""

    degree: int

    def __post_init__(self) -> None:
        _check(self.degree)

    def basis(
        self, edges: Float[np.ndarray, " e"], first: int
    ) -> Float[np.ndarray, "b g k"]:
        """Differences of the beta distribution: the integral of a Bernstein polynomial."""
        del first
        t = (edges - edges[0]) / (edges[-1] - edges[0])
        k = np.arange(self.degree + 1.0)
        return _weighted(np.diff(betainc(k + 1, self.degree - k + 1, t[:, None]), axis=0))  # fmt: skip

    def rates(
        self, signal: Float[np.ndarray, "n b"], basis: Float[np.ndarray, "n b g k"]
    ) -> Rates:
        """Return rates that are linear in all parameters."""
        return _linear(signal, basis)

    def start(self, total: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        """Return an even spectrum: equal coefficients."""
        return np.repeat(total[:, None] / (self.degree + 1), self.degree + 1, axis=1)

    def lower(self) -> Float[np.ndarray, " k"]:
        """Return zeros."""
        return np.zeros(self.degree + 1)


@final
@dataclass(frozen=True)
class Template(_ChebyshevSum):
    """A known spectrum times a Chebyshev polynomial, its first parameter in events.

    Parameters
    ----------
    contents
        The known spectrum, one number > 0 per bin of the whole spectrum; even
        within a bin.
    degree
        Of the polynomial.
    """

    contents: tuple[float, ...]
    degree: int

    def __post_init__(self) -> None:
        _check(self.degree)
        if not 0 < min(self.contents, default=0.0) <= max(self.contents) < np.inf:
            msg = (
                "a template needs finite contents > 0 in every bin, got a minimum of "
                f"{min(self.contents, default=0.0)}; smooth it or merge its bins."
            )
            raise OutOfDomain(msg)

    def basis(
        self, edges: Float[np.ndarray, " e"], first: int
    ) -> Float[np.ndarray, "b g k"]:
        """Return the spectrum times the means of the polynomials in the bins."""
        content = np.array(self.contents[first : first + edges.size - 1])
        if content.size != edges.size - 1:
            msg = (
                f"the template has {len(self.contents)} bins, the window needs bin "
                f"{first + edges.size - 2}; give it the bins of the spectrum."
            )
            raise OutOfDomain(msg)
        integrals = _integrals(edges, self.degree)
        mean = integrals / integrals[:, :1]
        return _weighted(mean * (content / content.sum())[:, None])


@final
@dataclass(frozen=True)
class ExpPolynomial(Background):
    """Exponential of a Chebyshev sum, whose first term is the log of the events."""

    degree: int

    def __post_init__(self) -> None:
        _check(self.degree)

    def basis(
        self, edges: Float[np.ndarray, " e"], first: int
    ) -> Float[np.ndarray, "b g k"]:
        """Gauss-Legendre points: the integral of the exponential has no closed form."""
        del first
        x, weights = legendre.leggauss(_NODES)
        low, high = _scaled(edges)[:-1, None], _scaled(edges)[1:, None]
        points = (low + high) / 2 + (high - low) / 2 * x
        values = chebyshev.chebvander(points, self.degree)
        share = (high - low) / 4 * weights  # of the window
        return np.concatenate([values, share[:, :, None]], axis=2)

    def rates(
        self, signal: Float[np.ndarray, "n b"], basis: Float[np.ndarray, "n b g k"]
    ) -> Rates:
        """Return rates that are exponential in the background parameters."""
        return Exponential(signal, basis[..., :-1], basis[..., -1])

    def start(self, total: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        """Return an even spectrum."""
        return np.log(total)[:, None] * (np.arange(self.degree + 1) == 0)

    def lower(self) -> Float[np.ndarray, " k"]:
        """Return no bounds."""
        return np.full(self.degree + 1, -np.inf)


def _check(degree: int) -> None:
    if not 0 <= degree <= 9:
        msg = f"degree must lie between 0 and 9, got {degree}; 1 to 4 is usual."
        raise OutOfDomain(msg)


def _scaled(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2 * (edges - edges[0]) / (edges[-1] - edges[0]) - 1


def _integrals(edges: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Return half the integrals of T_0 to T_degree over the bins, shape ``(b, k)``."""
    anti = chebyshev.chebint(np.eye(degree + 1), axis=0)
    return np.diff(chebyshev.chebval(_scaled(edges), anti), axis=1).T / 2


def _weighted(integrals: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.insert(integrals, integrals.shape[1], 1.0, axis=1)[:, None, :]


def _linear(signal: NDArray[np.float64], basis: NDArray[np.float64]) -> Rates:
    design = np.concatenate([signal[:, :, None], basis[:, :, 0, :-1]], axis=2)
    padding = 1.0 - basis[:, :, 0, -1]
    if len(design) == 1:
        return SharedLinear.of(design[0])
    return RowLinear(design, padding)
