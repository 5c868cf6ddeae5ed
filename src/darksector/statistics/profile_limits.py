"""CLs upper limits of any likelihood, by asymptotic formulae."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from scipy.optimize import elementwise
from scipy.special import log_ndtr, ndtr, ndtri

from darksector.errors import OutOfDomain
from darksector.statistics.fit import OK, Fit
from darksector.statistics.limits import SIGMAS
from darksector.statistics.profile import ProfileLikelihood, discovery, fit_at, tangent

INSENSITIVE = "the likelihood does not depend on the parameter of interest"
NO_LIMIT = "the root search for the limit did not converge"

_PRECISION = 1e-7  # of a limit, relative


@final
@dataclass(frozen=True)
class UpperLimits:
    """Upper limits on the parameter of interest, its unit.

    Parameters
    ----------
    observed
        Of the data, shape ``(n,)``, masked where there is none.
    expected
        Without signal, at `SIGMAS` (-2 to +2 σ), shape ``(n, 5)``, masked likewise.
    status
        `OK` or why a limit is absent, shape ``(n,)``.
    """

    observed: np.ma.MaskedArray
    expected: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]


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


def cls_upper_limits(
    likelihood: ProfileLikelihood, *, confidence_level: float
) -> UpperLimits:
    r"""CLs upper limits with the test statistic q̃_μ, unit of the parameter.

    The observed one solves CLs(μ) = 1 - CL, those without signal

    .. math:: \sqrt{q_A(\mu_N)} = \Phi^{-1}(1 - (1 - CL)\,\Phi(N)) + N

    Parameters
    ----------
    likelihood
        Data sets whose parameter of interest is >= 0 for a physical signal; if its
        bounds admit less, such a minimum is replaced by that at zero.
    confidence_level
        Of the limits, between 0 and 1.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1).

    Notes
    -----
    arXiv:1007.1727, eqs. 16, 65, 66 and 89; CLs as J. Phys. G 28 (2002) 2693.
    The Asimov data have the nuisances of the fit to the data without signal.
    """
    if not 0 < confidence_level < 1:
        msg = (
            f"confidence_level must lie between 0 and 1, got {confidence_level}; "
            "90 % is 0.9."
        )
        raise OutOfDomain(msg)
    test = _Test.of(likelihood)
    good = np.flatnonzero(test.status == OK)
    expected = np.full((likelihood.size, len(SIGMAS)), np.nan)
    observed = np.full(likelihood.size, np.nan)
    if good.size:
        expected[good] = test.expected(good, 1 - confidence_level)
        observed[good] = test.observed(good, 1 - confidence_level)
    found = np.isfinite(expected).all(axis=1) & np.isfinite(observed)
    status = np.where((test.status == OK) & ~found, NO_LIMIT, test.status)
    return UpperLimits(
        np.ma.masked_invalid(observed), np.ma.masked_invalid(expected), status
    )


@final
@dataclass(frozen=True)
class _Path:
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
        at = fit_at(self.likelihood, start[:, self.likelihood.poi], start=start, rows=rows)  # fmt: skip
        q = np.where(at.converged, 2 * np.maximum(at.nll - self.nll[rows], 0.0), np.nan)
        return np.where(ahead > 0, q, 0.0)


@final
@dataclass(frozen=True)
class _Test:
    """The profiles of the data and of their Asimov data."""

    data: _Path
    asimov: _Path
    error: NDArray[np.float64]
    status: Shaped[np.ndarray, "*n"]

    @classmethod
    def of(cls, likelihood: ProfileLikelihood) -> _Test:
        result = discovery(likelihood)
        signal = result.poi > 0
        best = _choose(signal, result.free, result.null)
        asimov = likelihood.asimov(result.null.theta)
        rows = np.arange(likelihood.size)
        there = asimov.evaluate(result.null.theta, rows)
        expected = Fit(
            result.null.theta, there.nll, there.information, result.null.status
        )
        change, error = tangent(asimov, expected)
        status = np.where(np.isfinite(error), result.status, INSENSITIVE)
        return cls(
            _Path(likelihood, best.theta, best.nll, tangent(likelihood, best)[0]),
            _Path(asimov, expected.theta, expected.nll, change),
            error,
            np.where(result.status == OK, status, result.status),
        )

    def expected(self, rows: NDArray[np.int64], alpha: float) -> NDArray[np.float64]:
        sigmas = np.array(SIGMAS, dtype=np.float64)
        targets = ndtri(1 - alpha * ndtr(sigmas)) + sigmas
        index, target = np.repeat(rows, sigmas.size), np.tile(targets, rows.size)

        def excess(
            mu: NDArray[np.float64],
            row: NDArray[np.int64],
            root: NDArray[np.float64],
        ) -> NDArray[np.float64]:
            return np.sqrt(self.asimov.q(mu, row)) - root

        guess = target * self.error[index]
        return _root(excess, guess, (index, target)).reshape(rows.size, -1)

    def observed(self, rows: NDArray[np.int64], alpha: float) -> NDArray[np.float64]:
        def excess(
            mu: NDArray[np.float64], row: NDArray[np.int64]
        ) -> NDArray[np.float64]:
            cls = log_cls(self.data.q(mu, row), self.asimov.q(mu, row))
            return cls - np.log(alpha)

        best = self.data.theta[rows, self.data.likelihood.poi]
        guess = best + ndtri(1 - alpha / 2) * self.error[rows]
        return _root(excess, guess, (rows,))


def _root(
    function: Callable[..., NDArray[np.float64]],
    guess: NDArray[np.float64],
    args: tuple[NDArray[Any], ...],
) -> NDArray[np.float64]:
    """Return where rising or falling functions vanish above 0, NaN where not found."""
    bracket = elementwise.bracket_root(
        function, 0.8 * guess, xr0=1.2 * guess, xmin=0.0, args=args, maxiter=60
    )
    low, high = bracket.bracket
    both = np.where(bracket.success, (low, high), guess)
    found = elementwise.find_root(
        function, tuple(both), args=args, tolerances={"xrtol": _PRECISION}
    )
    return np.where(bracket.success & found.success, found.x, np.nan)


def _choose(mask: NDArray[np.bool_], one: Fit, other: Fit) -> Fit:
    return Fit(
        np.where(mask[:, None], one.theta, other.theta),
        np.where(mask, one.nll, other.nll),
        np.where(mask[:, None, None], one.information, other.information),
        np.where(mask, one.status, other.status),
    )
