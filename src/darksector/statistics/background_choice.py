"""Degree of the background that the data ask for, mass by mass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from scipy.special import chdtrc

from darksector.errors import OutOfDomain
from darksector.statistics.backgrounds import Background
from darksector.statistics.bumphunt import BumpHunt, check_counts
from darksector.statistics.bumphunt_search import whole_status
from darksector.statistics.fit import OK, fit


@final
@dataclass(frozen=True)
class DegreeChoice:
    """The degree of the background that the data ask for at each mass.

    Parameters
    ----------
    index
        Index of the chosen background among those compared, shape ``(m,)``.
    p_values
        Of the likelihood ratio of each background and the next, shape ``(m, k - 1)``.
    status
        `OK` or why a mass could not be compared: it has the first background.
    """

    index: NDArray[np.int64]
    p_values: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]


def choose_degree(
    hunt: BumpHunt,
    counts: Float[np.ndarray, " bins"],
    *,
    candidates: Sequence[Background],
    threshold: float = 0.05,
) -> DegreeChoice:
    r"""Choose the first background that the next one does not improve significantly.

    .. math:: p = P(\chi^2_{\Delta k} > 2 \ln L_{k+1} - 2 \ln L_k)

    Parameters
    ----------
    hunt
        Windows and signal; its own backgrounds are not used.
    counts
        Events per bin of the whole spectrum.
    candidates
        Nested backgrounds of one family, of increasing degree; two or more.
    threshold
        The next background must have a smaller p-value to be taken.

    Raises
    ------
    OutOfDomain
        If there are fewer than two candidates or their degrees do not increase, or
        the counts do not fit the edges or are negative.

    Notes
    -----
    Likelihood ratio of nested models: Wilks, Ann. Math. Statist. 9 (1938) 60.  The
    signal is free in all fits, so that a peak does not ask for a higher degree.
    The last candidate is chosen where every step is significant.
    """
    check_counts(hunt, counts)
    degrees = np.array([candidate.degree for candidate in candidates])
    if degrees.size < 2 or not np.all(np.diff(degrees) > 0):
        msg = f"candidates need two or more increasing degrees, got {degrees}."
        raise OutOfDomain(msg)
    richest = replace(hunt, backgrounds=(candidates[-1],))
    chosen = np.flatnonzero(richest.status == OK)
    fits = [
        fit(replace(hunt, backgrounds=(c,)).likelihood(counts, masses=chosen))
        for c in candidates
    ]
    gain = -2 * np.diff([f.nll for f in fits], axis=0)
    p_values = np.ones((hunt.windows.masses.size, degrees.size - 1))
    p_values[chosen] = chdtrc(np.diff(degrees)[:, None], np.maximum(gain, 0.0)).T
    status = whole_status(richest.status, chosen, fits)
    good = status == OK
    stop = np.column_stack([p_values >= threshold, np.ones(good.size, dtype=bool)])
    index = np.where(good, np.argmax(stop, axis=1), 0)
    absent = np.broadcast_to(~good[:, None], p_values.shape)
    return DegreeChoice(index, np.ma.MaskedArray(p_values, mask=absent), status)
