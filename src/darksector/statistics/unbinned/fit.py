"""What unbinned fits find: parameters, errors, intervals and significances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from scipy.optimize import elementwise

from darksector.errors import OutOfDomain
from darksector.statistics.fit import OK, fit
from darksector.statistics.unbinned._curvature import inverse
from darksector.statistics.unbinned.likelihood import UnbinnedLikelihood

NO_EVENTS = "there are no events in the window"
SADDLE = "the likelihood is flat or falls along some direction where the fit ended"
NO_CROSSING = "the profile likelihood does not reach the end of the interval"

_TOLERANCES = {"xatol": 0.0, "xrtol": 1e-9, "fatol": 1e-4, "frtol": 0.0}  # deviations
_SIGNAL = 0  # the column of n_s


@final
@dataclass(frozen=True)
class UnbinnedFit:
    """Minima of unbinned likelihoods; n rows and q parameters, fixed ones among them.

    Parameters
    ----------
    names
        Names of the parameters; the yields ``n_s`` and ``n_b`` are the first two.
    theta
        Parameters at the minimum, shape ``(n, q)``.
    covariance
        Inverse of the second derivatives there, shape ``(n, q, q)``.
    nll
        Negative log-likelihood there, shape ``(n,)``.
    status
        ``ok`` or why a row has no result, shape ``(n,)``.

    Notes
    -----
    A parameter that is fixed, or ends at a bound, has no variance, and the errors of
    the others are those for its value.
    """

    names: tuple[str, ...]
    theta: NDArray[np.float64]
    covariance: NDArray[np.float64]
    nll: NDArray[np.float64]
    status: Shaped[np.ndarray, " n"]

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Which rows have a result, shape ``(n,)``."""
        return self.status == OK

    @property
    def errors(self) -> np.ma.MaskedArray:
        """Standard deviations, shape ``(n, q)``, masked in rows without a result."""
        variance = np.einsum("npp->np", self.covariance)
        missing = np.broadcast_to(~self.converged[:, None], variance.shape)
        return np.ma.masked_array(np.sqrt(np.where(missing, 0.0, variance)), missing)

    @property
    def values(self) -> np.ma.MaskedArray:
        """Parameters, shape ``(n, q)``, masked in rows without a result."""
        missing = np.broadcast_to(~self.converged[:, None], self.theta.shape)
        return np.ma.masked_array(self.theta, missing)


@final
@dataclass(frozen=True)
class Intervals:
    """Ranges of the signal yield, masked where `status` says why, shape ``(n,)``.

    Parameters
    ----------
    low, high
        Ends of each interval, events.
    status
        ``ok`` or why an interval has no ends.
    """

    low: np.ma.MaskedArray
    high: np.ma.MaskedArray
    status: Shaped[np.ndarray, " n"]


def fit_unbinned(likelihood: UnbinnedLikelihood) -> UnbinnedFit:
    """Return the minimum of every row, with errors from second derivatives.

    Examples
    --------
    >>> from darksector.statistics.unbinned.backgrounds import Exponential
    >>> from darksector.statistics.unbinned.samples import separate
    >>> from darksector.statistics.unbinned.settings import fixed
    >>> from darksector.statistics.unbinned.shapes import Gaussian
    >>> from darksector.statistics.unbinned.likelihood import unbinned_likelihood
    >>> events = np.linspace(0.005, 0.995, 100)
    >>> likelihood = unbinned_likelihood(
    ...     separate([events], np.array([[0.0, 1.0]])),
    ...     signal=Gaussian(),
    ...     background=Exponential(),
    ...     settings={"signal.mean": fixed(0.5), "signal.sigma": fixed(0.1)},
    ... )
    >>> fit_unbinned(likelihood).values[0, 1].round(1)
    np.float64(100.0)
    """
    found = fit(likelihood)
    rows = np.arange(likelihood.size)
    hessian = likelihood.hessian(found.theta, rows)
    at_bound = (found.theta <= likelihood.lower) | (found.theta >= likelihood.upper)
    covariance, definite = inverse(hessian, likelihood.varies & ~at_bound)
    status = found.status.copy()
    status[(status == OK) & ~definite] = SADDLE
    status[likelihood.samples.count == 0] = NO_EVENTS
    return UnbinnedFit(likelihood.names, found.theta, covariance, found.nll, status)


def significance(
    likelihood: UnbinnedLikelihood, found: UnbinnedFit
) -> np.ma.MaskedArray:
    r"""Return the local significance of each signal, standard deviations.

    .. math:: Z = \mathrm{sign}(\hat n_s)\,
              \sqrt{2\,(-\ln L(n_s = 0) + \ln L(\hat n_s))}

    Parameters
    ----------
    likelihood
        What was fitted.
    found
        Its minima, from `fit_unbinned`.

    Raises
    ------
    OutOfDomain
        If the signal yield is fixed.

    Notes
    -----
    Wilks, Ann. Math. Stat. 9 (1938) 60.  The sign makes deficits negative.  Where the
    position of the signal is free, Z is not that of a normal deviate.
    """
    _needs_signal(likelihood)
    rows = np.flatnonzero(found.converged)
    profile = _profile(likelihood, found, np.zeros(rows.size), rows)
    excess = np.full(found.nll.shape, np.nan)
    excess[rows] = np.maximum(2 * (profile - found.nll[rows]), 0.0)
    return np.ma.masked_invalid(np.sign(found.theta[:, _SIGNAL]) * np.sqrt(excess))


def profile_intervals(
    likelihood: UnbinnedLikelihood, found: UnbinnedFit, *, deviations: float = 1.0
) -> Intervals:
    r"""Return where twice the profile likelihood rises by the square of `deviations`.

    Parameters
    ----------
    likelihood
        What was fitted.
    found
        Its minima, from `fit_unbinned`.
    deviations
        Half width of the interval in standard deviations.

    Raises
    ------
    OutOfDomain
        If the signal yield is fixed or `deviations` is not positive.

    Notes
    -----
    These are the errors of MINOS (F. James and M. Roos, Comput. Phys. Commun. 10 (1975)
    343).  All ends are searched at once, with Chandrupatla's method (Adv. Eng. Softw.
    28 (1997) 145) on the signed root of the rise, which is almost a straight line.
    """
    _needs_signal(likelihood)
    if not 0 < deviations < np.inf:
        msg = f"deviations must be positive, got {deviations}: take 1 for 68.3 %."
        raise OutOfDomain(msg)
    rows = np.flatnonzero(found.converged & (found.covariance[:, _SIGNAL, _SIGNAL] > 0))
    ends = np.full((likelihood.size, 2), np.nan)
    if rows.size:
        side = np.tile([-deviations, deviations], rows.size)
        found_ends = _ends(likelihood, found, np.repeat(rows, 2), side)
        ends[rows] = found_ends.reshape(-1, 2)
    status = found.status.copy()
    status[(status == OK) & ~np.isfinite(ends).all(axis=1)] = NO_CROSSING
    low, high = np.ma.masked_invalid(ends).T
    return Intervals(low, high, status)


def _ends(
    likelihood: UnbinnedLikelihood,
    found: UnbinnedFit,
    index: NDArray[np.int64],
    side: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the yields of rows whose signed root of the rise is `side`, or NaN."""

    def rise(
        n_s: NDArray[np.float64], row: NDArray[np.int64], target: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        flat = row.ravel().astype(np.int64)
        nll = _profile(likelihood, found, n_s.ravel(), flat)
        root = np.sqrt(np.maximum(2 * (nll - found.nll[flat]), 0.0))
        above = np.sign(n_s.ravel() - found.theta[flat, _SIGNAL])
        return (above * root).reshape(n_s.shape) - target

    best = found.theta[index, _SIGNAL]
    reach = side * np.sqrt(found.covariance[index, _SIGNAL, _SIGNAL])
    guess = np.sort([best + 0.8 * reach, best + 1.2 * reach], axis=0)
    bracket = elementwise.bracket_root(rise, *guess, args=(index, side), maxiter=20)
    search = elementwise.find_root(
        rise, bracket.bracket, args=(index, side), tolerances=_TOLERANCES
    )
    return np.where(search.success, search.x, np.nan)


def _needs_signal(likelihood: UnbinnedLikelihood) -> None:
    if not likelihood.varies[_SIGNAL]:
        msg = (
            f"n_s is fixed to {likelihood.start[0, _SIGNAL]}: leave it free in the fit "
            "whose significance or interval you want."
        )
        raise OutOfDomain(msg)


def _profile(
    likelihood: UnbinnedLikelihood,
    found: UnbinnedFit,
    n_s: Float[np.ndarray, " r"],
    rows: NDArray[np.int64],
) -> Float[np.ndarray, " r"]:
    """Return the smallest negative log-likelihoods with given signals, else not finite.

    Each fit starts where the covariance expects it; if the likelihood is not finite
    there, at the other parameters of the minimum.
    """
    variance = found.covariance[rows, _SIGNAL, _SIGNAL]
    move = (n_s - found.theta[rows, _SIGNAL]) / np.where(variance > 0, variance, 1.0)
    start = found.theta[rows] + move[:, None] * found.covariance[rows, :, _SIGNAL]
    held = np.arange(len(likelihood.names)) == _SIGNAL
    nll = np.full(rows.size, np.nan)
    for first_guess in (start, found.theta[rows]):
        again = np.flatnonzero(~np.isfinite(nll))
        guess = first_guess[again]
        guess[:, _SIGNAL] = n_s[again]
        profile = fit(likelihood, start=guess, fixed=held, rows=rows[again])
        nll[again] = np.where(profile.converged, profile.nll, np.nan)
    return nll
