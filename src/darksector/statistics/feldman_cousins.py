"""Unified intervals for Poisson counts with a known background, exact in the signal.

Reference: G. J. Feldman and R. D. Cousins, Phys. Rev. D 57 (1998) 3873,
arXiv:physics/9711021, section IV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.special import ndtr

from darksector.errors import OutOfDomain
from darksector.statistics.acceptance import lower_end, upper_end
from darksector.statistics.likelihood import CountingModel, predictive_quantiles
from darksector.statistics.limits import SIGMAS
from darksector.statistics.significance import check_level


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
    The ends are ties of two counts or roots between them, exact to rounding; there is
    no grid in the signal (`darksector.statistics.acceptance`).

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
        lower_end(n, b, 1 - confidence_level)[:, 0],
        upper_end(n, b, 1 - confidence_level)[:, 0],
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
    check_level(confidence_level)
