"""One photon and nothing else: regions of E* and θ, windows in the recoil mass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from darksector.detectors.card import load as load_detector
from darksector.errors import InvalidCard
from darksector.machines import load as load_machine
from darksector.results import RegionYield
from darksector.searches import _boundary
from darksector.searches._counting import counting_model, limit_curve, sensitivity
from darksector.searches._photon_limits import (
    ESCAPING,
    FURTHER,
    escaping_limits,
    further_limits,
)
from darksector.searches._plan import Plan
from darksector.searches._regions import Region
from darksector.searches._samples import Halves, Inference, Samples, Survivors
from darksector.searches._spectrum_fit import fitted_band
from darksector.searches._windows import HALF_WIDTH, Window, tabulated, window
from darksector.searches.base import Search, Strategy

FLAT = "cosmics_and_beam"
_CELLS = 600, 720  # of the flat background, in E* and cos θ
_HIGHEST = 6.0  # GeV, beyond any beam energy


@final
@dataclass(frozen=True)
class SinglePhoton(Strategy):
    """Count in the recoil mass squared, in the region that promises most.

    Parameters
    ----------
    regions
        Declared areas of the plane; each mass takes the one with the best sensitivity.
    openings
        Angles, degrees, around gaps and cracks that have samples of their own.
    escaping
        Whether the particle also counts that decays to photons behind the detector.

    Notes
    -----
    The boundary that suits luminosity and detector best, `_boundary.best_windows`, is
    found beside the declared ones.
    """

    regions: tuple[Region, ...]
    openings: tuple[tuple[float, float], ...] = ()
    escaping: bool = False

    def check(self, search: Search) -> None:
        """Raise InvalidCard if a gap or a crack lies outside of the openings."""
        calorimeter = load_detector(search.detector).calorimeter
        holes = np.concatenate((calorimeter.gaps, calorimeter.cracks))
        for low, high in holes[holes[:, 1] > holes[:, 0]]:
            if not any(start < low and high < end for start, end in self.openings):
                msg = (
                    f"detector {search.detector!r} has an opening at {low:g} to {high:g} "
                    f"degrees, but {search.name} has samples of particles lost at "
                    f"{self.openings} degrees only; declare a search with others."
                )
                raise InvalidCard(msg)

    @property
    def variables(self) -> tuple[str, ...]:
        """Energy and angle of the photon."""
        return ("e_photon_cms", "theta_photon_lab")

    @property
    def labels(self) -> tuple[str, ...]:
        """The region is chosen per mass."""
        return ("region",)

    def quantities(self, search: Search) -> Mapping[str, str]:
        """Return the principal coupling in other ways, and by a fit of the spectrum."""
        principal = search.assumptions[0]
        return {
            f"{principal.quantity}_{suffix}": f"{principal.label}, {words}"
            for suffix, words in (FURTHER | (ESCAPING if self.escaping else {})).items()
        }

    def infer(self, plan: Plan, samples: Samples) -> Inference:
        """Return windows, likelihood, limits, and the plane of energy and angle."""
        samples = with_flat(plan, samples)
        inside = [(region, _within(region, samples)) for region in self.regions]
        found, chosen = zip(*_windows(plan, inside), strict=True)
        names = [region.name for region in chosen]
        choice = {"region": np.array(names)}
        windows = tabulated(plan, samples, found, choice)
        counting = counting_model(plan, windows)
        limits = limit_curve(plan, windows, counting)
        best = _boundary.best_windows(plan, samples)
        optimal = tabulated(plan, samples, [b.window for b in best], {})
        fit = fitted_band(
            plan,
            samples,
            chosen,
            confidence_level=plan.search.confidence_level,
            simulation_error=False,
        )
        both = counting, counting_model(plan, optimal)
        limits = further_limits(plan, limits, windows, both, fit)
        if self.escaping:
            limits = escaping_limits(plan, limits, windows)
        plane = _boundary.plane(plan, samples, self.regions, best)
        yields = tuple(_yields(plan, samples, inside))
        return Inference(windows, counting, limits, (plane,), yields)


_Inside = Sequence[tuple[Region, Samples]]  # regions and what lies in them


def _yields(plan: Plan, samples: Samples, inside: _Inside) -> Iterator[RegionYield]:
    """Yield what is left of each background in the windows of each region's masses."""
    for region, part in inside:
        low, high = _span(plan, samples, region)
        for name, sample in part.backgrounds.items():
            total, square = sample.between(low, high).sums()
            yield RegionYield(
                region.name,
                name,
                total * plan.luminosity,
                float(np.sqrt(square)) * plan.luminosity,
            )


def _windows(plan: Plan, inside: _Inside) -> Iterator[tuple[Window, Region]]:
    """Yield the window of each mass and its region, chosen on the choosing half."""
    for i, mass in enumerate(plan.masses):
        measures = [
            _sensitivity(
                plan, _window(plan, mass, part.signals[i], _choosing(part.halves))
            )
            for _, part in inside
        ]
        region, part = inside[int(np.argmin(measures))]
        yield _window(plan, mass, part.signals[i], part.halves), region


def with_flat(plan: Plan, samples: Samples) -> Samples:
    """Return the samples with the flat background of the detector's card."""
    rate = float(load_detector(plan.search.detector).cosmics.single_photon_rate)
    flat = {FLAT: _flat(plan, rate)} if rate > 0 else {}
    halves = samples.halves
    return Samples(
        samples.signals,
        {**samples.backgrounds, **flat},
        Halves({**halves.choose, **flat}, {**halves.judge, **flat}),
    )


def _flat(plan: Plan, rate: float) -> Survivors:
    """Return a grid of photons, flat in E* and cos θ; it has no statistical error."""
    machine = load_machine(plan.search.machine)
    n, k = _CELLS
    energy = _HIGHEST * (np.arange(n) + 0.5) / n
    cosine = 2 * (np.arange(k) + 0.5) / k - 1
    energies, cosines = (a.ravel() for a in np.meshgrid(energy, cosine))
    value = machine.s - 2 * machine.sqrt_s * energies
    order = np.argsort(value, kind="stable")
    weight = rate * _HIGHEST * 2 / (n * k)
    return Survivors(
        cutflow=np.zeros((2 + len(plan.search.selection), 2)),
        weight=np.full(n * k, weight),
        value=value[order],
        residual=np.zeros(n * k),
        variables=np.array([energies, np.arccos(cosines)])[:, order],
        origins=np.zeros((0, n * k)),
    )


def _within(region: Region, samples: Samples) -> Samples:
    def inside(sample: Survivors) -> Survivors:
        return sample[region.contains(*sample.variables)]

    def each(parts: Mapping[str, Survivors]) -> dict[str, Survivors]:
        return {name: inside(part) for name, part in parts.items()}

    halves = Halves(each(samples.halves.choose), each(samples.halves.judge))
    signals = tuple(inside(signal) for signal in samples.signals)
    return Samples(signals, each(samples.backgrounds), halves)


def _span(plan: Plan, samples: Samples, region: Region) -> tuple[float, float]:
    """Return the recoil masses squared, GeV², of the windows of a region's masses."""
    low, high = (
        mass**2 + sign * HALF_WIDTH * samples.signals[_next(plan, mass)].resolution()
        for sign, mass in zip((-1, 1), region.masses, strict=True)
    )
    return (low if region.masses[0] > 0 else -np.inf), high


def _next(plan: Plan, mass: float) -> int:
    """Return which mass of the run is next to a mass."""
    return int(np.argmin(np.abs(np.array(plan.masses) - mass)))


def _window(plan: Plan, mass: float, signal: Survivors, halves: Halves) -> Window:
    return window(mass, signal, halves, [], luminosity=plan.luminosity)


def _choosing(halves: Halves) -> Halves:
    return Halves(halves.choose, halves.choose)


def _sensitivity(plan: Plan, found: Window) -> float:
    """Return the sensitivity of a window, fb; smaller is better."""
    events, error = (
        {name: np.array([value]) for name, value in part.items()}
        for part in (found.background, found.background_error)
    )
    return float(sensitivity(plan, np.array([found.efficiency]), events, error)[0])
