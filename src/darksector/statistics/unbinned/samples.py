"""Events of many data sets, stored one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from darksector.errors import OutOfDomain


@final
@dataclass(frozen=True)
class Samples:
    """One observable of the events of many data sets, each with its window.

    Parameters
    ----------
    events
        Values of the observable, shape ``(e,)``.
    first, count
        Row i holds ``events[first[i] : first[i] + count[i]]``, shape ``(n,)``; rows
        may share events.
    windows
        Low and high end of each row, shape ``(n, 2)``, unit of the observable.
    """

    events: NDArray[np.float64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    windows: NDArray[np.float64]


def separate(
    sets: Sequence[Float[np.ndarray, " _"]], windows: Float[np.ndarray, "#n 2"]
) -> Samples:
    """Return data sets of their own, for instance pseudo-experiments.

    Parameters
    ----------
    sets
        Values of each data set; they may differ in number.
    windows
        Low and high end of each data set, or one pair for all.

    Raises
    ------
    OutOfDomain
        If a window is empty, there is not one for each set, or an event is outside.
    """
    if len(windows) not in {1, len(sets)}:
        msg = (
            f"{len(sets)} data sets have {len(windows)} windows: give one, or as many."
        )
        raise OutOfDomain(msg)
    windows = np.array(np.broadcast_to(windows, (len(sets), 2)))
    _check_windows(windows)
    for events, (low, high) in zip(sets, windows, strict=True):
        outside = ~((events >= low) & (events <= high))
        if outside.any():
            msg = (
                f"event {events[outside][0]} is outside its window [{low}, {high}]: "
                "select events before the fit."
            )
            raise OutOfDomain(msg)
    count = np.array([events.size for events in sets], dtype=np.int64)
    return Samples(
        np.concatenate([np.zeros(0), *sets]), np.cumsum(count) - count, count, windows
    )


def sliding(
    events: Float[np.ndarray, " e"], windows: Float[np.ndarray, "n 2"]
) -> Samples:
    """Return one data set seen through many windows, which may overlap.

    Parameters
    ----------
    events
        Values in any order; those outside all windows are ignored.
    windows
        Low and high end of each window, unit of the observable; both ends belong to it.

    Raises
    ------
    OutOfDomain
        If a window is empty or an event is not finite.

    Examples
    --------
    >>> sliding(np.array([3.0, 1.0, 2.0]), np.array([[0.0, 2.5], [1.5, 4.0]])).count
    array([2, 2])
    """
    _check_windows(windows)
    if not np.isfinite(events).all():
        value = events[~np.isfinite(events)][0]
        msg = f"event {value} is not finite: leave out events without the observable."
        raise OutOfDomain(msg)
    ordered = np.sort(events)
    first = np.searchsorted(ordered, windows[:, 0], side="left")
    last = np.searchsorted(ordered, windows[:, 1], side="right")
    return Samples(ordered, first, last - first, windows)


def _check_windows(windows: NDArray[np.float64]) -> None:
    for low, high in windows:
        if not -np.inf < low < high < np.inf:
            msg = f"window [{low}, {high}] is empty or unbounded: give low < high."
            raise OutOfDomain(msg)
