"""The boundary in energy and angle of a single photon that suits a search best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from darksector.machines import load as load_machine
from darksector.results import Plane
from darksector.searches._counting import sensitivity
from darksector.searches._plan import Plan
from darksector.searches._regions import Region
from darksector.searches._samples import Halves, Samples, Survivors
from darksector.searches._windows import HALF_WIDTH, Window, window

Numbers = NDArray[np.float64]

ANGLES = np.linspace(12.0, 156.0, 289)  # degrees: bins of half a degree
ENERGIES = np.linspace(1.0, 6.0, 101)  # GeV
_SMOOTH = 1.5  # bins of angle over which densities are smoothed


@final
@dataclass(frozen=True)
class Best:
    """The best angles of one mass: bins of `ANGLES`, and the window that they give."""

    chosen: NDArray[np.bool_]
    window: Window


def best_windows(plan: Plan, samples: Samples) -> list[Best]:
    """Return the best angles of every mass.

    In the window of the recoil mass, bins of angle are taken in the order of signal over
    background (Neyman and Pearson) as long as the sensitivity of Punzi, with the
    uncertainties of the backgrounds, gets better.
    Densities are smoothed; the angles are chosen on one half of the simulated background
    and judged on the other.
    """
    return [
        _best(plan, mass, signal, samples.halves)
        for mass, signal in zip(plan.masses, samples.signals, strict=True)
    ]


def _best(plan: Plan, mass: float, signal: Survivors, halves: Halves) -> Best:
    resolution = signal.resolution()
    low, high = (mass**2 + sign * HALF_WIDTH * resolution for sign in (-1, 1))
    wanted, _ = _density(signal.between(low, high))
    others = {
        name: _density(part.between(low, high)) for name, part in halves.choose.items()
    }
    chosen = _chosen(plan, wanted / signal.sigma, others)
    around = 2 * low - high, 2 * high - low  # neighbours tell the weight of one event
    inside = [_inside(part, chosen, around) for part in (halves.choose, halves.judge)]
    found = window(
        mass,
        _only(signal, chosen),
        Halves(*inside),
        [],
        luminosity=plan.luminosity,
    )
    return Best(chosen, found)


def _density(sample: Survivors) -> tuple[Numbers, Numbers]:
    """Return the smoothed sums of weights and of squared weights, fb and fb² per bin."""
    theta = np.rad2deg(sample.variables[1])
    counts, squares = (
        np.histogram(theta, ANGLES, weights=sample.weight**power)[0] for power in (1, 2)
    )
    return (
        gaussian_filter1d(counts, _SMOOTH, mode="constant"),
        gaussian_filter1d(squares, _SMOOTH, mode="constant"),
    )


def _chosen(
    plan: Plan, efficiency: Numbers, others: Mapping[str, tuple[Numbers, Numbers]]
) -> NDArray[np.bool_]:
    """Return the bins that together have the best sensitivity."""
    total = np.sum([counts for counts, _ in others.values()], axis=0)
    floor = total.max(initial=0.0) * 1e-9 + 1e-300
    order = np.argsort(-efficiency / np.maximum(total, floor), kind="stable")
    measure = sensitivity(
        plan,
        np.cumsum(efficiency[order]),
        {name: np.cumsum(counts[order]) for name, (counts, _) in others.items()},
        {
            name: np.sqrt(np.cumsum(squares[order]))
            for name, (_, squares) in others.items()
        },
    )
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[: int(np.argmin(measure)) + 1]] = True
    return chosen & (efficiency > 0)


def _only(sample: Survivors, chosen: NDArray[np.bool_]) -> Survivors:
    bins = np.digitize(np.rad2deg(sample.variables[1]), ANGLES) - 1
    within = (bins >= 0) & (bins < len(chosen))
    return sample[within & chosen[np.clip(bins, 0, len(chosen) - 1)]]


def _inside(
    parts: Mapping[str, Survivors],
    chosen: NDArray[np.bool_],
    around: tuple[float, float],
) -> dict[str, Survivors]:
    return {name: _only(part.between(*around), chosen) for name, part in parts.items()}


def plane(
    plan: Plan, samples: Samples, regions: Sequence[Region], best: Sequence[Best]
) -> Plane:
    """Return the backgrounds in the plane, with the declared and the best boundaries."""
    return Plane(
        name="energy_angle_plane",
        title="single photons",
        x_label=r"$E^*_\gamma$ [GeV]",
        y_label=r"$\theta_\gamma$ (laboratory) [degrees]",
        x_edges=ENERGIES,
        y_edges=ANGLES[::2],
        contents={
            name: _histogram(sample) * plan.luminosity
            for name, sample in samples.backgrounds.items()
        },
        lines={region.name: _outline(region) for region in regions},
        cells={"best boundary": _cells(plan, best)},
    )


def _histogram(sample: Survivors) -> Numbers:
    energy, theta = sample.variables
    counts, _, _ = np.histogram2d(
        energy, np.rad2deg(theta), [ENERGIES, ANGLES[::2]], weights=sample.weight
    )
    return counts


def _outline(region: Region) -> tuple[Numbers, ...]:
    energy = np.linspace(ENERGIES[0], ENERGIES[-1], 501)
    low, high = region.edges(energy)
    return tuple(np.column_stack([energy, edge]) for edge in (low, high))


def _cells(plan: Plan, best: Sequence[Best]) -> NDArray[np.bool_]:
    """Return the best angles at each energy: those of the mass next to it."""
    machine = load_machine(plan.search.machine)
    masses = np.array(plan.masses)
    at = (machine.s - masses**2) / (2 * machine.sqrt_s)
    middle = (ENERGIES[1:] + ENERGIES[:-1]) / 2
    nearest = np.abs(at[:, None] - middle).argmin(axis=0)
    reach = np.abs(at[nearest] - middle) <= _widest(at)
    halves = np.array([b.chosen for b in best])[nearest]
    whole: NDArray[np.bool_] = halves[:, ::2] | halves[:, 1::2]
    return whole & reach[:, None]


def _widest(at: Numbers) -> float:
    """Return half of the largest distance between the energies of two masses, GeV."""
    return float(np.abs(np.diff(np.sort(at))).max(initial=0.2)) / 2 + 0.05
