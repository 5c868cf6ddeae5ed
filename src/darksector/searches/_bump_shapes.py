"""Resolution and shape of the signal at every mass, from those that are simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from darksector.searches._bump_spectrum import BIN
from darksector.searches._samples import Numbers
from darksector.searches._three_photons import Pairs

_TAILS = np.arange(-20.0, 25.0, BIN / 4)  # resolutions; where signals are tabulated


@final
@dataclass(frozen=True)
class Shapes:
    """Resolution and shape of the signal at the simulated masses.

    Parameters
    ----------
    kind
        Which observable.
    mass2, resolution
        GeV², ``(k,)``.
    below
        Entries per signal event below each of `_TAILS`, ``(k, t)``.
    """

    kind: str
    mass2: Numbers
    resolution: Numbers
    below: Numbers

    @classmethod
    def of(
        cls, kind: str, pairs: Mapping[float, Pairs], sigmas: Sequence[float]
    ) -> Shapes:
        """Return those of some pairs, by mass, GeV, with their cross-sections, fb."""
        mass2 = np.array(list(pairs)) ** 2
        resolution = np.array([p.resolution(kind, m) for m, p in pairs.items()])
        below = [
            np.cumsum(np.insert(each.entries(kind).fill(m2 + r * _TAILS)[0], 0, 0.0))
            / s
            for each, m2, r, s in zip(
                pairs.values(), mass2, resolution, sigmas, strict=True
            )
        ]
        return cls(kind, mass2, resolution, np.array(below))

    def at(self, mass2: Numbers) -> Numbers:
        """Return resolutions, GeV²."""
        return np.interp(mass2, self.mass2, self.resolution)

    def shares(self, mass2: float, edges: Numbers) -> Numbers:
        """Return the entries per signal event in each bin."""
        below = [np.interp(mass2, self.mass2, column) for column in self.below.T]
        distance = (edges - mass2) / self.at(np.array([mass2]))[0]
        return np.diff(np.interp(distance, _TAILS, np.array(below)))


def steps(shapes: Shapes, low: float, high: float) -> Numbers:
    """Return squared masses in steps of half of the resolution."""
    found = [low]
    while found[-1] < high:
        found.append(found[-1] + BIN * float(shapes.at(np.array(found[-1:]))[0]))
    return np.array(found)
