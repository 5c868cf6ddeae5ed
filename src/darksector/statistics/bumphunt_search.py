"""Fit a spectrum at every mass of a bump hunt and set limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from scipy.special import chdtrc

from darksector.statistics.bumphunt import BumpHunt, check_counts
from darksector.statistics.fit import OK, STATUS, Fit
from darksector.statistics.profile import Discovery, discovery
from darksector.statistics.profile_limits import UpperLimits, cls_upper_limits


@final
@dataclass(frozen=True)
class BumpHuntResult:
    """Signal yields, significances and limits; masked where `status` says why.

    Parameters
    ----------
    masses
        Mass hypotheses, shape ``(m,)``.
    signal, error
        Fitted signal events and their standard error, shape ``(m,)``.
    q0
        Discovery test statistic, arXiv:1007.1727 eq. 12, shape ``(m,)``.
    local_significance
        Its root, with the sign of the signal, σ, shape ``(m,)``.
    p_value
        Local p-value, above 0.5 for a deficit, shape ``(m,)``.
    goodness
        p-value of the deviance of the fit with signal: χ² with bins minus parameters
        degrees of freedom, which needs some ten events per bin; shape ``(m,)``.
    limits
        CLs upper limits on the signal events.
    status
        `OK` or why a mass has no fit, shape ``(m,)``; the limits have their own.
    """

    masses: NDArray[np.float64]
    signal: np.ma.MaskedArray
    error: np.ma.MaskedArray
    q0: np.ma.MaskedArray
    local_significance: np.ma.MaskedArray
    p_value: np.ma.MaskedArray
    goodness: np.ma.MaskedArray
    limits: UpperLimits
    status: Shaped[np.ndarray, "*n"]


def search(
    hunt: BumpHunt, counts: Float[np.ndarray, " bins"], *, confidence_level: float
) -> BumpHuntResult:
    """Fit a spectrum at every mass and set limits on the signal events.

    Parameters
    ----------
    hunt
        What is fitted.
    counts
        Events per bin of the whole spectrum, >= 0.
    confidence_level
        Of the limits, between 0 and 1.

    Raises
    ------
    OutOfDomain
        If the counts do not fit the edges or are negative, or the level is not in
        (0, 1).

    Notes
    -----
    The yield may be negative as long as all rates are positive; a deficit that would
    go further ends at that edge and is not `OK`.  Limits use yields >= 0 only, and
    exist there too.
    """
    check_counts(hunt, counts)
    likelihood = hunt.likelihood(counts)
    test = discovery(likelihood)
    limits = cls_upper_limits(
        likelihood.bounded(0.0), confidence_level=confidence_level
    )
    chosen = np.flatnonzero(hunt.status == OK)
    status = hunt.status.astype(STATUS)
    status[chosen] = test.status
    limit_status = hunt.status.astype(STATUS)
    limit_status[chosen] = limits.status
    good = status == OK

    def fitted(values: NDArray[np.float64]) -> np.ma.MaskedArray:
        return spread(values, chosen, good)

    limited = limit_status == OK
    return BumpHuntResult(
        hunt.windows.masses,
        fitted(test.poi),
        fitted(test.error),
        fitted(test.q0),
        fitted(test.local_significance),
        fitted(test.p_value),
        fitted(goodness_of_fit(hunt, test)),
        UpperLimits(
            spread(limits.observed.filled(0.0), chosen, limited),
            spread(limits.expected.filled(0.0), chosen, limited),
            limit_status,
        ),
        status,
    )


def goodness_of_fit(hunt: BumpHunt, test: Discovery) -> NDArray[np.float64]:
    """Return p-values of the deviance of the usable masses (Baker, Cousins 1984)."""
    chosen = hunt.status == OK
    bins = (hunt.windows.stop - hunt.windows.first)[chosen]
    return chdtrc(bins - hunt.degrees[chosen] - 2.0, 2 * test.free.nll)


def spread(
    values: NDArray[np.float64], chosen: NDArray[np.int64], good: NDArray[np.bool_]
) -> np.ma.MaskedArray:
    """Return values of the chosen masses at their places, masked where not good."""
    whole = np.zeros((good.size, *values.shape[1:]))
    whole[chosen] = values
    absent = np.broadcast_to(~good, whole.T.shape).T
    return np.ma.MaskedArray(np.where(absent, 0.0, whole), mask=absent)


def whole_status(
    status: Shaped[np.ndarray, "*n"], chosen: NDArray[np.int64], fits: Sequence[Fit]
) -> Shaped[np.ndarray, "*n"]:
    """Return the status of all masses: of the windows, then of the first failed fit."""
    whole = status.astype(STATUS)
    for one in fits:
        whole[chosen] = np.where(whole[chosen] == OK, one.status, whole[chosen])
    return whole
