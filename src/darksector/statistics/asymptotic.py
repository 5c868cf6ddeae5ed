"""The test statistic q̃_μ along a parameter of interest, and its asymptotic CLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from scipy.special import log_ndtr

from darksector.statistics.fit import OK, Fit
from darksector.statistics.profile import (
    ProfileLikelihood,
    choose,
    discovery,
    fit_at,
    lower_of,
    tangent,
)

INSENSITIVE = "the likelihood does not depend on the parameter of interest"


def log_cls(
    q_mu: Float[np.ndarray, "*n"], q_asimov: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n"]:
    r"""Logarithm of CLs from q̃_μ of the data and of the background's Asimov data.

    Parameters
    ----------
    q_mu, q_asimov
        Test statistics of arXiv:1007.1727 eq. 16, >= 0; the second equals (μ/σ)².

    Notes
    -----
    arXiv:1007.1727 eqs. 65 and 66: distributions of q̃_μ for data with the signal μ
    and without; its branch q̃_μ > (μ/σ)² is that of a fit at the bound.
    """
    root, reach = np.sqrt(q_mu), np.sqrt(q_asimov)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle, half = q_mu / (2 * reach), reach / 2
    usual = q_mu <= q_asimov
    with_signal = np.where(usual, root, middle + half)
    without = np.where(usual, root - reach, middle - half)
    return log_ndtr(-with_signal) - log_ndtr(-without)


@final
@dataclass(frozen=True)
class Path:
    """Minima of a likelihood along its parameter of interest, to first order."""

    likelihood: ProfileLikelihood
    theta: NDArray[np.float64]
    nll: NDArray[np.float64]
    change: NDArray[np.float64]

    def q(self, mu: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:  # fmt: skip
        """Return q̃_μ (arXiv:1007.1727 eq. 16), NaN where the fit failed."""
        best = self.theta[rows]
        ahead = np.maximum(mu - best[:, self.likelihood.poi], 0.0)
        start = best + ahead[:, None] * self.change[rows]
        tested = start[:, self.likelihood.poi]
        nominal = np.broadcast_to(self.likelihood.start, self.theta.shape)[rows]
        at = lower_of(
            fit_at(self.likelihood, tested, start=start, rows=rows),
            fit_at(self.likelihood, tested, start=nominal, rows=rows),
        )
        q = np.where(at.converged, 2 * np.maximum(at.nll - self.nll[rows], 0.0), np.nan)
        return np.where(ahead > 0, q, 0.0)


@final
@dataclass(frozen=True)
class Profiles:
    """The profiles of the data and of their Asimov data."""

    data: Path
    asimov: Path
    error: NDArray[np.float64]
    status: Shaped[np.ndarray, "*n"]

    @classmethod
    def of(cls, likelihood: ProfileLikelihood) -> Profiles:
        """Fit the data of a likelihood and build their Asimov data."""
        result = discovery(likelihood)
        signal = result.poi > 0
        best = choose(signal, result.free, result.null)
        asimov = likelihood.asimov(result.null.theta)
        rows = np.arange(likelihood.size)
        there = asimov.evaluate(result.null.theta, rows)
        expected = Fit(
            result.null.theta, there.nll, there.information, result.null.status
        )
        change, error = tangent(asimov, expected)
        status = np.where(np.isfinite(error), result.status, INSENSITIVE)
        return cls(
            Path(likelihood, best.theta, best.nll, tangent(likelihood, best)[0]),
            Path(asimov, expected.theta, expected.nll, change),
            error,
            np.where(result.status == OK, status, result.status),
        )
