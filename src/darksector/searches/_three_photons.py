"""The three pairs of three photons: masses, recoils, and which of both is sharper.

Nobody knows which photon recoils against the others, so every pair enters a spectrum at
its own mass: three entries per event.  Entries of one event share a bin only where two of
its pairs have the same mass within the resolution.  Elsewhere the bins of a spectrum are
Poisson counts, and no choice among pairs shapes the background.  The wrong pairs of a
signal are part of its shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from darksector.searches._samples import Numbers, Survivors
from darksector.statistics.spectrum import half_width

DIPHOTON = "diphoton mass"
RECOIL = "recoil mass"
_ORDER = ("low", "mid", "high")  # against the hardest, the middle, the softest photon
MASSES = tuple(f"diphoton_mass2_{name}" for name in _ORDER)
RECOILS = tuple(f"diphoton_recoil_mass2_{name}" for name in _ORDER)
VARIABLES = (*MASSES[1:], *RECOILS, "e_photon_min_lab")  # beside that of the search


@final
@dataclass(frozen=True)
class Entries:
    """The entries of a spectrum, ready to be filled into any bins.

    Parameters
    ----------
    value
        Squared masses, GeV², increasing, ``(e,)``.
    sums, squares
        Sums of weights, fb, and of their squares, fb², below each, ``(e + 1,)``.
    """

    value: Numbers
    sums: Numbers
    squares: Numbers

    def fill(self, edges: Numbers) -> tuple[Numbers, Numbers]:
        """Return Σw and Σw² of each bin, fb and fb²."""
        places = np.searchsorted(self.value, edges)
        return np.diff(self.sums[places]), np.diff(self.squares[places])

    @property
    def typical(self) -> float:
        """Mean weight of an entry, fb; 0 if there is none."""
        return float(self.sums[-1]) / self.value.size if self.value.size else 0.0


@final
@dataclass(frozen=True)
class Pairs:
    """The pairs of the candidates of a sample.

    Parameters
    ----------
    weight
        Per candidate, fb, ``(n,)``.
    mass2
        `DIPHOTON` and `RECOIL` to the squared mass of each pair, GeV², ``(3, n)``: of its
        photons, and as the third photon says.
    """

    weight: Numbers
    mass2: Mapping[str, Numbers]

    @classmethod
    def of(cls, sample: Survivors, *, energy_min: float) -> Pairs:
        """Return the pairs of candidates whose softest photon has an energy, GeV."""
        chosen = sample[sample.variables[-1] > energy_min]
        masses = np.vstack([chosen.value, chosen.variables[:2]])
        recoils = chosen.variables[2:5]
        return cls(chosen.weight, {DIPHOTON: masses, RECOIL: recoils})

    def entries(self, kind: str) -> Entries:
        """Return the entries of all pairs in one observable, increasing."""
        value, weight = self.mass2[kind].ravel(), np.tile(self.weight, 3)
        order = np.argsort(value, kind="stable")
        sums = np.cumsum(np.insert(weight[order], 0, 0.0))
        squares = np.cumsum(np.insert(weight[order] ** 2, 0, 0.0))
        return Entries(value[order], sums, squares)

    def resolution(self, kind: str, mass: float) -> float:
        """Return half of the central 68.3 % interval of the right pair, GeV².

        The right pair is the one that the other observable puts closest to the mass, so
        that the choice does not sharpen what is measured.
        """
        other = {DIPHOTON: RECOIL, RECOIL: DIPHOTON}[kind]
        right = np.argmin(np.abs(self.mass2[other] - mass**2), axis=0)
        values = np.take_along_axis(self.mass2[kind], right[None], axis=0)[0]
        return half_width(values, self.weight) if self.weight.size else 0.0

    def resolutions(self, mass: float) -> dict[str, float]:
        """Return both resolutions, GeV²."""
        return {kind: self.resolution(kind, mass) for kind in (DIPHOTON, RECOIL)}


def sharper(resolutions: Mapping[str, float]) -> str:
    """Return which observable measures the squared mass better."""
    return min(resolutions, key=lambda kind: resolutions[kind])


def crossing(
    masses: Sequence[float], resolutions: Sequence[Mapping[str, float]]
) -> float | None:
    """Return the mass above which the recoil is sharper, GeV; None if there is none.

    Parameters
    ----------
    masses
        Increasing, GeV.
    resolutions
        Those of each mass.

    Notes
    -----
    The logarithm of the ratio is linear between masses; the last crossing counts.
    """
    ratio = np.log([each[DIPHOTON] / each[RECOIL] for each in resolutions])
    rises = np.flatnonzero((ratio[:-1] < 0) & (ratio[1:] >= 0))
    if not rises.size:
        return None
    i = int(rises[-1])
    return float(np.interp(0.0, ratio[i : i + 2], np.asarray(masses)[i : i + 2]))


def threshold(mass: float, steps: Sequence[tuple[float, float]]) -> float:
    """Return the smallest photon energy for a mass hypothesis, GeV.

    Parameters
    ----------
    steps
        Largest mass, GeV, and the smallest energy up to it; the last is for all others.
    """
    return next((energy for top, energy in steps if mass <= top), steps[-1][1])


def one_row_per_pair(sample: Survivors) -> Survivors:
    """Return a sample with one row per pair, its value the squared mass of the pair."""
    value = np.concatenate([sample.value, *sample.variables[:2]])
    order = np.argsort(value, kind="stable")
    return Survivors(
        cutflow=sample.cutflow,
        weight=np.tile(sample.weight, 3)[order],
        value=value[order],
        residual=np.tile(sample.residual, 3)[order],
        variables=np.tile(sample.variables, 3)[:, order],
        origins=np.tile(sample.origins, 3)[:, order],
    )
