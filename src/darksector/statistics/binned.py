"""Poisson likelihoods of binned spectra with one signal yield."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from darksector.statistics.fit import Evaluation
from darksector.statistics.profile import ProfileLikelihood
from darksector.statistics.rates import Rates

_TINY = 1e-300  # the logarithm of an empty bin, times its count of 0, is 0


@final
@dataclass(frozen=True)
class BinnedLikelihood(ProfileLikelihood):
    r"""Independent Poisson counts in bins, as half of their deviance.

    .. math:: -\ln L = \sum_b \big[n_b \ln(n_b / \nu_b) - n_b + \nu_b\big]

    Parameters
    ----------
    observed
        Counts, shape ``(n, b)``; 1 in padded bins, where the rate is 1 as well.
    rates
        Expected counts as functions of the parameters.
    names, start, lower, upper, size
        As of `Likelihood`.
    poi
        Index of the signal yield.

    Notes
    -----
    The deviance differs from -ln L by a constant of the data (Baker and Cousins, Nucl.
    Instrum. Meth. 221 (1984) 437, eq. 13), is zero for a perfect fit and keeps its
    digits at any number of events.  Points with a rate <= 0 are refused.
    """

    observed: NDArray[np.float64]
    rates: Rates
    names: tuple[str, ...]
    start: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    size: int
    poi: int = 0

    def evaluate(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Evaluation:
        """Return deviance, gradient and Fisher's information of `rows`."""
        expected, observed = self.rates.counts(theta, rows), self.observed[rows]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            weight = 1 / expected
            ratio = observed * weight
            score, information = self.rates.contract(theta, rows, 1 - ratio, weight)
        return Evaluation(_half_deviance(observed, expected, ratio), score, information)

    def nll(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, " r"]:
        """Return half of the deviances of `rows`."""
        expected, observed = self.rates.counts(theta, rows), self.observed[rows]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = observed / expected
        return _half_deviance(observed, expected, ratio)

    def asimov(self, theta: Float[np.ndarray, "n p"]) -> BinnedLikelihood:
        """Return the likelihood of the counts that `theta` expects."""
        return replace(self, observed=self.rates.counts(theta, np.arange(self.size)))

    def bounded(self, lowest: float) -> BinnedLikelihood:
        """Return the likelihood with no signal yield below `lowest`, events."""
        signal = np.arange(len(self.names)) == self.poi
        return replace(self, lower=np.where(signal, lowest, self.lower))


def _half_deviance(
    observed: NDArray[np.float64],
    expected: NDArray[np.float64],
    ratio: NDArray[np.float64],
) -> NDArray[np.float64]:
    terms = np.log(np.maximum(ratio, _TINY))
    terms *= observed
    terms += expected
    terms -= observed
    allowed = expected.min(axis=1) > 0
    return np.where(allowed, terms.sum(axis=1), np.inf)
