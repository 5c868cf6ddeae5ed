"""From surviving candidates to the counting experiment of every mass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.execution import Arrays
from darksector.statistics.punzi import punzi_sensitivity
from darksector.statistics.spectrum import half_width

Numbers = NDArray[np.float64]

HALF_WIDTH = 2.0  # windows reach this many resolutions to either side


@final
@dataclass(frozen=True)
class Survivors:
    """The candidates of one sample after the fixed cuts.

    Parameters
    ----------
    cutflow
        Sums of weights, fb, and of squared weights, fb², after each step.
    weight, value, residual
        Per candidate, sorted by `value`; weights in fb.
    variables
        Per optimised cut and candidate, ``(cuts, n)``.
    """

    cutflow: Numbers
    weight: Numbers
    value: Numbers
    residual: Numbers
    variables: Numbers

    @classmethod
    def merge(cls, chunks: Sequence[Arrays]) -> Survivors:
        """Join the chunks of one sample; their mean is the sample."""
        count = sum(int(c["count"]) for c in chunks)
        value = np.concatenate([c["value"] for c in chunks])
        order = np.argsort(value, kind="stable")
        cutflow = np.sum([c["cutflow"] for c in chunks], axis=0)
        return cls(
            cutflow=cutflow / np.array([count, count**2]),
            weight=np.concatenate([c["weight"] for c in chunks])[order] / count,
            value=value[order],
            residual=np.concatenate([c["residual"] for c in chunks])[order],
            variables=np.concatenate([c["variables"] for c in chunks], axis=1)[
                :, order
            ],
        )

    @property
    def sigma(self) -> float:
        """Cross-section before any cut, fb."""
        return float(self.cutflow[0, 0])

    def between(self, low: float, high: float) -> Survivors:
        """Return the candidates with a value in [low, high)."""
        first, last = np.searchsorted(self.value, [low, high])
        return Survivors(
            self.cutflow,
            self.weight[first:last],
            self.value[first:last],
            self.residual[first:last],
            self.variables[:, first:last],
        )

    def typical_weight(self) -> float:
        """Return the mean weight of a candidate, fb; 0 if there is none."""
        return float(self.weight.mean()) if self.weight.size else 0.0

    def resolution(self) -> float:
        """Return half of the central 68.3 % interval of the residual; 0 if none is left."""
        return half_width(self.residual, self.weight) if self.weight.size else 0.0

    def sums(self, thresholds: Sequence[float]) -> tuple[float, float]:
        """Return Σw and Σw², fb and fb², of what passes all thresholds."""
        keep = np.ones(self.weight.size, dtype=bool)
        for variable, threshold in zip(self.variables, thresholds, strict=True):
            keep &= variable > threshold
        weight = self.weight[keep]
        return float(weight.sum()), float((weight**2).sum())


@final
@dataclass(frozen=True)
class Halves:
    """The backgrounds, to choose thresholds and to judge them, per component."""

    choose: Mapping[str, Survivors]
    judge: Mapping[str, Survivors]


@final
@dataclass(frozen=True)
class Window:
    """The counting experiment of one mass; yields in fb, before the luminosity."""

    low: float
    high: float
    resolution: float
    thresholds: tuple[float, ...]
    efficiency: float
    efficiency_error: float
    background: Mapping[str, float]
    background_error: Mapping[str, float]


def window(
    mass: float,
    signal: Survivors,
    backgrounds: Halves,
    grids: Sequence[Sequence[float]],
    *,
    luminosity: float,
) -> Window:
    """Return the window of one mass, its thresholds the best by Punzi's measure.

    Parameters
    ----------
    mass
        Mass hypothesis, GeV.
    signal, backgrounds
        Candidates after the fixed cuts.
    grids
        Thresholds to try for each optimised cut.
    luminosity
        Integrated luminosity of the search, fb⁻¹.
    """
    resolution = signal.resolution()
    low, high = (mass**2 + sign * HALF_WIDTH * resolution for sign in (-1, 1))
    peak = signal.between(low, high)
    choose = [part.between(low, high) for part in backgrounds.choose.values()]
    choices = list(product(*grids))
    efficiency = np.array([peak.sums(c)[0] for c in choices]) / signal.sigma
    expected = np.array([sum(p.sums(c)[0] for p in choose) for c in choices])
    measure = punzi_sensitivity(
        np.clip(efficiency, 0.0, 1.0), expected * luminosity, luminosity=luminosity
    )
    best = choices[int(np.argmin(measure))]
    kept, kept2 = peak.sums(best)
    judge = backgrounds.judge.items()
    yields = {name: part.between(low, high).sums(best) for name, part in judge}
    return Window(
        low=low,
        high=high,
        resolution=resolution,
        thresholds=best,
        efficiency=kept / signal.sigma,
        efficiency_error=float(np.sqrt(kept2)) / signal.sigma,
        background={name: w for name, (w, _) in yields.items()},
        background_error={
            # none of the simulated events passes: the error is that of one event
            name: float(np.sqrt(square)) or backgrounds.judge[name].typical_weight()
            for name, (_, square) in yields.items()
        },
    )
