"""Areas of the plane of energy and angle of a single photon."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.errors import InvalidCard

Numbers = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Region:
    """What lies between two curves in the plane of E* and θ of the photon.

    Parameters
    ----------
    name
        Name in tables and figures.
    lower, upper
        Angle of the two edges in the laboratory, degrees: coefficients of powers of E*,
        GeV, the highest power first.
    masses
        Hypotheses for which it was published, GeV.
    source
        Where the numbers come from, and how sure they are.

    Raises
    ------
    InvalidCard
        If an edge has no coefficient, or the masses are in disorder.
    """

    name: str
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    masses: tuple[float, float]
    source: str

    def __post_init__(self) -> None:
        low, high = self.masses
        if not self.lower or not self.upper or not 0 <= low < high < inf:
            msg = (
                f"region {self.name!r} has the edges {self.lower} and {self.upper} and "
                f"the masses {self.masses}; give coefficients, and masses in order."
            )
            raise InvalidCard(msg)

    def contains(self, energy: Numbers, theta: Numbers) -> NDArray[np.bool_]:
        """Return which photons of E*, GeV, and θ, rad, lie inside, ``(n,)``."""
        angle = np.rad2deg(theta)
        below = angle < np.polyval(self.upper, energy)
        inside: NDArray[np.bool_] = below & (angle > np.polyval(self.lower, energy))
        return inside

    def edges(self, energy: Numbers) -> tuple[Numbers, Numbers]:
        """Return the lower and the upper edge, degrees, at energies, GeV, where open."""
        low, high = np.polyval(self.lower, energy), np.polyval(self.upper, energy)
        shut = low >= high
        return np.where(shut, np.nan, low), np.where(shut, np.nan, high)
