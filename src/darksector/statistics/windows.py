"""Fit windows on a spectrum that follow the resolution from mass to mass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray

from darksector.errors import OutOfDomain
from darksector.statistics.fit import OK

OUTSIDE = "the mass lies outside the spectrum"
ONE_SIDED = "less than two resolutions of the spectrum on one side of the mass"
NARROW = "the window has fewer than eight bins"

_FEWEST = 8  # bins: a signal and a cubic background leave three degrees of freedom
_SIDEBAND = 2.0  # resolutions: closer to an end, signal and background look alike


@final
@dataclass(frozen=True)
class Windows:
    """The bins that are fitted for each mass.

    Parameters
    ----------
    masses
        Mass hypotheses in the unit of the edges, shape ``(m,)``.
    edges
        Edges of the whole spectrum, shape ``(bins + 1,)``.
    first, stop
        First bin of each window and the one after its last, shape ``(m,)``.
    status
        `OK` or why a mass cannot be tested, shape ``(m,)``.
    """

    masses: NDArray[np.float64]
    edges: NDArray[np.float64]
    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    status: Shaped[np.ndarray, "*n"]

    @property
    def usable(self) -> NDArray[np.int64]:
        """Indices of the masses that can be tested."""
        return np.flatnonzero(self.status == OK)

    @property
    def width(self) -> int:
        """Number of bins to which all windows are padded."""
        return int((self.stop - self.first).max(initial=1))

    @property
    def bins(self) -> NDArray[np.int64]:
        """Bin of each place of each window, shape ``(m, b)``; padding repeats bins."""
        places = self.first[:, None] + np.arange(self.width)
        return np.minimum(places, self.edges.size - 2)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which places of `bins` belong to the window, shape ``(m, b)``."""
        return np.arange(self.width) < (self.stop - self.first)[:, None]

    def slice(self, mass: int) -> slice:
        """Return the bins of the window of one mass, given its index."""
        return slice(int(self.first[mass]), int(self.stop[mass]))


def windows(
    masses: Float[np.ndarray, " m"],
    resolution: Float[np.ndarray, " m"],
    edges: Float[np.ndarray, " e"],
    *,
    halfwidth: float,
) -> Windows:
    """Return windows of mass ± halfwidth × resolution, clipped to the spectrum.

    Parameters
    ----------
    masses, resolution
        Mass hypotheses and the resolution at each, in the unit of `edges`.
    edges
        Bin edges of the spectrum, increasing.
    halfwidth
        Half of a window's width, in resolutions.

    Raises
    ------
    OutOfDomain
        If the edges do not increase, or a resolution or the half-width is not > 0.

    Notes
    -----
    Windows end at bin edges: every bin that overlaps the range belongs to it.  A mass
    that cannot be tested says so in its status and leaves the others alone.

    Examples
    --------
    >>> found = windows(np.array([1.0, 9.0]), np.full(2, 0.1), np.linspace(0, 5, 101),
    ...                 halfwidth=5.0)
    >>> found.first[0], found.stop[0], found.status[1]
    (np.int64(10), np.int64(30), np.str_('the mass lies outside the spectrum'))
    """
    if edges.size < 2 or not np.all(np.diff(edges) > 0):
        msg = f"edges must be two or more increasing numbers, got {edges}; sort them."
        raise OutOfDomain(msg)
    if not (np.all(resolution > 0) and np.all(np.isfinite(resolution))):
        worst = resolution.min(initial=np.inf)
        msg = f"resolution must be finite and > 0 at every mass, got {worst} at least."
        raise OutOfDomain(msg)
    if not _SIDEBAND <= halfwidth < np.inf:
        msg = (
            f"halfwidth must be at least {_SIDEBAND} resolutions, got {halfwidth}: "
            "sidebands fix the background; 10 is usual."
        )
        raise OutOfDomain(msg)
    nearest = 1e-9 * np.diff(edges).min()  # an edge that is met up to rounding
    reach = halfwidth * resolution
    first = np.searchsorted(edges, masses - reach + nearest, side="right") - 1
    stop = np.searchsorted(edges, masses + reach - nearest, side="left")
    first, stop = np.clip(first, 0, edges.size - 2), np.clip(stop, 1, edges.size - 1)
    room = np.minimum(masses - edges[0], edges[-1] - masses)
    conditions = [
        ~(room >= 0),
        room < _SIDEBAND * resolution,
        stop - first < _FEWEST,
    ]
    status = np.select(conditions, [OUTSIDE, ONE_SIDED, NARROW], OK)
    usable = status == OK
    return Windows(
        masses, edges, np.where(usable, first, 0), np.where(usable, stop, 1), status
    )
