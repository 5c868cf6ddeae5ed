"""Ends of the signals that accept a count, when likelihood ratios order the counts.

A count n joins the acceptance region of a mean m = signal + b in decreasing order of
R(n) = P(n | m) / P(n | max(n, b)).  R has one maximum in n, so the counts preferred to
n are its neighbours, up to the one of equal R.  They change where two counts tie, at
means known in closed form, and between two ties their probability rises, then falls.
Each end is therefore a tie or the one root between two ties.

Reference: arXiv:physics/9711021 (Feldman, Cousins), section IV.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import gammainc, gammaincc, gammaln

_BISECTIONS = 60  # halve any bracket down to rounding
_TINY = 1e-200  # stands for a mean of zero in logarithms that cancel
_NEIGHBOURS = range(-2, 5)  # orderings whose next step may top the present end


def upper_end(
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
    accepted[:, 0] = True  # with no signal, all n <= b tie: nothing is preferred
    best = last.shape[1] - 1 - np.argmax(accepted[:, ::-1], axis=1)[:, None]
    low, high, at_high, last = (
        np.take_along_axis(x, best, axis=1) for x in (low, high, at_high, last)
    )
    root = _bisect(lambda m: _outside(n + 1, last, m) <= alpha, low, high)
    upper = np.where(at_high, high, root) - b
    for offset in _NEIGHBOURS:
        ordering = np.maximum(np.maximum(last + offset, start), n + 1)
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


def lower_end(
    n: Int[np.ndarray, "m 1"], b: Float[np.ndarray, "m 1"], alpha: float
) -> Float[np.ndarray, "m 1"]:
    """Return the lower ends; the counts k ... n - 1 are preferred to n.

    An accepted n has R(n) > alpha / 2, which gives the least mean.  Counts more than
    ten standard deviations below it have no weight, and share the lowest stretch.
    """
    mean = np.maximum(b, n - np.sqrt(2 * n * np.log(2 / alpha)))
    start = np.maximum(np.floor(mean - 10 * np.sqrt(mean)), 0).astype(n.dtype)
    start = np.minimum(start, n)
    first = np.minimum(start + np.arange(int(np.max(n - start, initial=0)) + 1), n)
    high = np.maximum(np.where(first < n, _tie(first, n, b), n), mean)
    low = np.concatenate([mean, high[:, :-1]], axis=1)
    at_low = _outside(first, n - 1, low) > alpha
    accepted = at_low | (_outside(first, n - 1, high) > alpha)
    best = np.argmax(accepted, axis=1)[:, None]
    low, high, at_low, first = (
        np.take_along_axis(x, best, axis=1) for x in (low, high, at_low, first)
    )
    root = _bisect(lambda m: _outside(first, n - 1, m) > alpha, low, high)
    return np.where(n > b, np.where(at_low, low, root) - b, 0.0)


def _tie(
    n: Int[np.ndarray, "#m #k"],
    k: Int[np.ndarray, "#m #k"],
    b: Float[np.ndarray, "m 1"],
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
    first: Int[np.ndarray, "#m #k"],
    last: Int[np.ndarray, "#m #k"],
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
