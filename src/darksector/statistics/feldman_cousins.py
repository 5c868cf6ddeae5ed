"""Unified intervals for Poisson counts with a known background, exact in the signal.

Reference: G. J. Feldman and R. D. Cousins, Phys. Rev. D 57 (1998) 3873,
arXiv:physics/9711021, section IV.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincc, gammaln, ndtr

from darksector.errors import OutOfDomain
from darksector.statistics.likelihood import CountingModel, predictive_quantiles
from darksector.statistics.limits import SIGMAS

_BISECTIONS = 60  # halve any bracket down to rounding
_TINY = 1e-200  # stands for a mean of zero in logarithms that cancel
_NEIGHBOURS = range(-2, 5)  # orderings whose next step may top the present end


@final
@dataclass(frozen=True)
class FeldmanCousinsInterval:
    """Unified intervals for the signal, one per window; arrays are ``(m,)``.

    Parameters
    ----------
    lower
        Lower ends; 0 where the interval is an upper limit.
    upper
        Upper ends, in the unit of `lower`; masked, as `lower`, where there is none.
    confidence_level
        Least coverage of the intervals.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    confidence_level: float


def feldman_cousins_interval(
    observed: Int[np.ndarray, " m"],
    background: Float[np.ndarray, " m"],
    *,
    confidence_level: float,
) -> FeldmanCousinsInterval:
    r"""Unified intervals for a signal over a known background, events, ``(m,)``.

    A count joins the acceptance region of :math:`\mu` in decreasing order of

    .. math:: R(n) = \frac{P(n \mid \mu + b)}{P(n \mid \max(n, b))}

    until the region holds at least the confidence level (eq. 4.1 and table I there).

    Parameters
    ----------
    observed
        Observed events.
    background
        Expected background, events.
    confidence_level
        Least coverage of the intervals, between 0 and 1.

    Raises
    ------
    OutOfDomain
        If a count or a background is negative or not finite, the shapes differ, or
        the level is not in (0, 1).

    Notes
    -----
    :math:`R` has one maximum in :math:`n`, so the counts preferred to the observed one
    are its neighbours up to the count of equal :math:`R`; with the mean
    :math:`\mu + b` they change where two counts tie, known in closed form
    (`_tie`).  Between two ties their probability rises, then falls.  Each end is
    therefore a tie or the one root between two ties; no grid in the signal is needed.

    As in section IV.B of the paper, the outermost ends are taken where the accepted
    signals are not connected, and the upper end is lengthened so that it never rises
    with the background: it is the largest over all backgrounds from the given one on.

    Examples
    --------
    >>> interval = feldman_cousins_interval(
    ...     np.array([0, 4]), np.array([3.0, 3.0]), confidence_level=0.9
    ... )
    >>> print(np.round(interval.upper, 2))  # table IV
    [1.08 5.6 ]
    """
    _check(observed, background, confidence_level)
    n, b = observed[:, None], background[:, None]
    return FeldmanCousinsInterval(
        _lower(n, b, 1 - confidence_level)[:, 0],
        _upper(n, b, 1 - confidence_level)[:, 0],
        confidence_level,
    )


def feldman_cousins_band(
    background: Float[np.ndarray, " m"], *, confidence_level: float
) -> Float[np.ndarray, "m 5"]:
    """Quantiles of the upper end without signal, events, columns `SIGMAS`.

    The upper end rises with the count, so each of its quantiles is the upper end at
    that quantile of the count; no toys are thrown.

    Parameters
    ----------
    background
        Expected background, events.
    confidence_level
        Least coverage of the intervals, between 0 and 1.

    Raises
    ------
    OutOfDomain
        If a background is negative or not finite, or the level is not in (0, 1).
    """
    known = CountingModel(
        np.ones_like(background), background, np.zeros_like(background), systematics=()
    )
    counts = predictive_quantiles(known, ndtr(np.array(SIGMAS, dtype=np.float64)))
    return feldman_cousins_interval(
        counts.ravel(),
        np.repeat(background, len(SIGMAS)),
        confidence_level=confidence_level,
    ).upper.reshape(counts.shape)


def _upper(
    n: Int[np.ndarray, "m 1"], b: Float[np.ndarray, "m 1"], alpha: float
) -> Float[np.ndarray, "m 1"]:
    """Return the upper ends, lengthened; `alpha` may lie outside the acceptance region.

    R(n) is Chernoff's bound on both tails, so an accepted n has R(n) > alpha / 2; that
    ends the list of orderings K: the counts n + 1 ... K are preferred to n.
    """
    start = np.maximum(n, np.floor(b).astype(n.dtype))
    reach = np.log(2 / alpha)
    mean = np.maximum(n, b)
    mean = mean + 2 * reach / 3 + np.sqrt(4 * reach**2 / 9 + 2 * mean * reach)
    stop = mean + reach / 3 + np.sqrt(reach**2 / 9 + 2 * mean * reach)
    last = start + np.arange(int(np.max(stop - start, initial=0)) + 2)
    ties = _tie(n, np.concatenate([last, last[:, -1:] + 1], axis=1), b)
    low, high = ties[:, :-1], ties[:, 1:]
    at_high = _outside(n + 1, last, high) > alpha
    accepted = at_high | (_outside(n + 1, last, low) > alpha)
    best = last.shape[1] - 1 - np.argmax(accepted[:, ::-1], axis=1)[:, None]
    low, high, at_high, last = (
        np.take_along_axis(x, best, axis=1) for x in (low, high, at_high, last)
    )
    root = _bisect(lambda m: _outside(n + 1, last, m) <= alpha, low, high)
    upper = np.where(at_high, high, root) - b
    for offset in _NEIGHBOURS:
        ordering = np.maximum(last + offset, start + 1)
        upper = np.maximum(upper, _next_step(n, ordering, b, alpha))
    return upper


def _next_step(
    n: Int[np.ndarray, "m 1"],
    last: Int[np.ndarray, "m 1"],
    b: Float[np.ndarray, "m 1"],
    alpha: float,
) -> Float[np.ndarray, "m 1"]:
    """Return where the upper end jumps to at the next background, or 0 if it does not.

    With the background, the tie of n and K + 1 moves up, slower than the background
    itself: every end falls, except that ordering K comes back into acceptance, all of
    it, once the tie reaches the mean at which n + 1 ... K hold no more than 1 - alpha.
    """
    mode = np.exp((gammaln(last + 1.0) - gammaln(n + 1.0)) / (last - n))
    far = last + 5 * np.sqrt(last) + 30.0
    mean = _bisect(lambda m: _outside(n + 1, last, m) > alpha, mode, far)
    first = np.maximum(n, b)
    top = last + 1.0  # the tie is the background itself from here on
    step = _bisect(lambda x: _tie(n, last + 1, x) >= mean, first, top)
    ahead = _outside(n + 1, last, mode) <= alpha
    ahead &= (_tie(n, last + 1, first) < mean) & (mean < top) & (first < top)
    return np.where(ahead, mean - step, 0.0)


def _lower(
    n: Int[np.ndarray, "m 1"], b: Float[np.ndarray, "m 1"], alpha: float
) -> Float[np.ndarray, "m 1"]:
    """Return the lower ends; the counts k ... n - 1 are preferred to n.

    Counts more than ten standard deviations below the least mean have no weight, and
    share the lowest stretch of means.
    """
    mean = np.maximum(b, n - np.sqrt(2 * n * np.log(2 / alpha)))
    start = np.maximum(np.floor(mean - 10 * np.sqrt(mean)), 0).astype(n.dtype)
    start = np.minimum(start, n)
    first = np.minimum(start + np.arange(int(np.max(n - start, initial=0)) + 1), n)
    high = np.where(first < n, _tie(first, n, b), np.maximum(n, b))
    low = np.concatenate([b, high[:, :-1]], axis=1)
    at_low = _outside(first, n - 1, low) > alpha
    accepted = at_low | (_outside(first, n - 1, high) > alpha)
    best = np.argmax(accepted, axis=1)[:, None]
    low, high, at_low, first = (
        np.take_along_axis(x, best, axis=1) for x in (low, high, at_low, first)
    )
    root = _bisect(lambda m: _outside(first, n - 1, m) > alpha, low, high)
    return np.where(n > b, np.where(at_low, low, root) - b, 0.0)


def _tie(
    n: Int[np.ndarray, "m #k"], k: Int[np.ndarray, "m #k"], b: Float[np.ndarray, "m 1"]
) -> Float[np.ndarray, "m k"]:
    r"""Return the mean at which counts n <= k have the same R, events.

    .. math:: m^{k-n} = \hat k^k e^{-\hat k} / (\hat n^n e^{-\hat n}), \quad
              \hat n = \max(n, b)

    written around the smaller mean, so that large numbers do not cancel.
    """
    near = np.maximum(np.maximum(n, b), _TINY)
    excess = np.maximum(np.maximum(k, b) - near, 0.0)
    slope = (k * np.log1p(excess / near) - excess) / np.maximum(k - n, 1)
    return near * np.exp(slope)


def _outside(
    first: Int[np.ndarray, "m #k"],
    last: Int[np.ndarray, "m #k"],
    mean: Float[np.ndarray, "m k"],
) -> Float[np.ndarray, "m k"]:
    """Return the probability of a count below `first` or above `last`."""
    below = np.where(first > 0, gammaincc(np.maximum(first, 1), mean), 0.0)
    above = np.where(last >= 0, gammainc(np.maximum(last, 0) + 1.0, mean), 1.0)
    return below + above


def _bisect(
    beyond: Callable[[Float[np.ndarray, "m 1"]], Bool[np.ndarray, "m 1"]],
    low: Float[np.ndarray, "m 1"],
    high: Float[np.ndarray, "m 1"],
) -> Float[np.ndarray, "m 1"]:
    """Return where `beyond` turns true between `low` and `high`."""
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = beyond(middle)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def _check(
    observed: Int[np.ndarray, " m"],
    background: Float[np.ndarray, " k"],
    confidence_level: float,
) -> None:
    if observed.shape != background.shape:
        msg = (
            f"observed holds {observed.size} counts, background {background.size} "
            "expectations; give one of each per window."
        )
        raise OutOfDomain(msg)
    if np.any(observed < 0):
        msg = f"observed holds {observed.min()}; counts of events are >= 0."
        raise OutOfDomain(msg)
    bad = ~((background >= 0) & np.isfinite(background))
    if bad.any():
        first = int(np.argmax(bad))
        msg = (
            f"background of window {first} is {background[first]}; "
            "it must be finite and >= 0."
        )
        raise OutOfDomain(msg)
    if not 0 < confidence_level < 1:
        msg = (
            f"confidence_level must lie between 0 and 1, got {confidence_level}; "
            "90 % is 0.9."
        )
        raise OutOfDomain(msg)
