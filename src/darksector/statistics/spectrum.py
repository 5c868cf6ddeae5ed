"""Filled histograms: contents and sums of squared weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray


def half_width(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return half of the central 68.3 % interval of weighted values, in their unit."""
    order = np.argsort(values)
    share = np.cumsum(weights[order])
    low, high = np.interp([0.158655, 0.841345], share / share[-1], values[order])
    return float(high - low) / 2


@final
@dataclass(frozen=True)
class Spectrum:
    """A weighted one-dimensional histogram.

    Parameters
    ----------
    observable
        Name of the observable on the axis.
    edges
        Bin edges, shape ``(bins + 1,)``, in the unit of the observable.
    contents
        Sums of weights, shape ``(bins,)``, events.
    variances
        Sums of squared weights, shape ``(bins,)``.
    """

    observable: str
    edges: NDArray[np.float64]
    contents: NDArray[np.float64]
    variances: NDArray[np.float64]

    @classmethod
    def fill(
        cls, observable: str, edges: ArrayLike, *, values: ArrayLike, weights: ArrayLike
    ) -> Spectrum:
        """Return the histogram of weighted values; what lies outside the edges is left out."""
        bins = np.asarray(edges, dtype=np.float64)
        w = np.asarray(weights, dtype=np.float64)
        contents, _ = np.histogram(values, bins, weights=w)
        variances, _ = np.histogram(values, bins, weights=w * w)
        return cls(observable, bins, contents, variances)

    def scaled(self, factor: float) -> Spectrum:
        """Return the spectrum with every weight multiplied by `factor`."""
        return Spectrum(
            self.observable,
            self.edges,
            self.contents * factor,
            self.variances * factor**2,
        )

    def total(self) -> float:
        """Return the sum of the contents, events."""
        return float(self.contents.sum())
