"""Counting in windows around the squared mass, with thresholds chosen per mass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import final

import numpy as np

from darksector.results import Windows
from darksector.searches._counting import counting_model, limit_curve
from darksector.searches._plan import Plan
from darksector.searches._samples import Halves, Inference, Samples, Survivors
from darksector.searches.base import Strategy
from darksector.selection import OptimisedCut
from darksector.statistics.punzi import punzi_sensitivity

HALF_WIDTH = 2.0  # windows reach this many resolutions to either side


@final
@dataclass(frozen=True)
class CountingWindows(Strategy):
    """Count within two resolutions of the squared mass.

    Parameters
    ----------
    optimised
        Cuts whose thresholds minimise the Punzi sensitivity per mass.
    """

    optimised: tuple[OptimisedCut, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """Observables of the optimised cuts."""
        return tuple(cut.observable for cut in self.optimised)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the optimised cuts."""
        return tuple(cut.label for cut in self.optimised)

    def infer(self, plan: Plan, samples: Samples) -> Inference:
        """Return windows, likelihood and limits."""
        found = [
            window(
                mass,
                signal,
                samples.halves,
                [cut.grid for cut in self.optimised],
                luminosity=plan.luminosity,
            )
            for mass, signal in zip(plan.masses, samples.signals, strict=True)
        ]
        choices = {
            label: np.array([w.thresholds[i] for w in found])
            for i, label in enumerate(self.labels)
        }
        windows = tabulated(plan, samples, found, choices)
        counting = counting_model(plan, windows)
        return Inference(windows, counting, limit_curve(plan, windows, counting))


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
            name: float(np.sqrt(square))
            or backgrounds.judge[name].typical_weight(mass**2)
            for name, (_, square) in yields.items()
        },
    )


def tabulated(
    plan: Plan,
    samples: Samples,
    found: Sequence[Window],
    choices: Mapping[str, np.ndarray],
) -> Windows:
    """Return the windows of all masses, yields at the luminosity of the run.

    Parameters
    ----------
    choices
        Label to what was chosen per mass.
    """
    names, lumi = list(samples.backgrounds), plan.luminosity
    return Windows(
        mass=np.array(plan.masses),
        low=np.array([w.low for w in found]),
        high=np.array([w.high for w in found]),
        resolution=np.array([w.resolution for w in found]),
        efficiency=np.array([w.efficiency for w in found]),
        efficiency_error=np.array([w.efficiency_error for w in found]),
        signal_sigma=np.array([signal.sigma for signal in samples.signals]),
        background={
            n: np.array([w.background[n] for w in found]) * lumi for n in names
        },
        background_error={
            n: np.array([w.background_error[n] for w in found]) * lumi for n in names
        },
        choices=choices,
    )
