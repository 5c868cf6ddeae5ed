"""The spectrum of photon pairs at every mass at once: what an excess is worth.

The range falls into regions with one observable and one threshold of the photon energy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import final

import numpy as np
from scipy.signal import savgol_filter
from scipy.special import ndtr, ndtri

from darksector.errors import OutOfDomain
from darksector.searches._bump_hunt import BumpHunt, spectrum
from darksector.searches._bump_shapes import Shapes, steps
from darksector.searches._samples import Numbers, Survivors
from darksector.searches._three_photons import (
    DIPHOTON,
    RECOIL,
    Entries,
    Pairs,
    crossing,
    threshold,
)
from darksector.statistics.backgrounds import Bernstein
from darksector.statistics.bias import spurious_signal
from darksector.statistics.bumphunt import BumpHunt as Hunt
from darksector.statistics.bumphunt_search import search
from darksector.statistics.bumphunt_toys import LookElsewhere
from darksector.statistics.windows import windows

REACH = (10.0, 15.0)  # resolutions below and above each mass
DEGREES = (2, 3, 4, 5)  # of the polynomials to choose from, at each mass
_SMOOTH = 21  # bins, of half a resolution
_THINNEST = 1e-3  # of the largest density: the spectrum ends where it is less


@final
@dataclass(frozen=True)
class Region:
    """One observable between two masses, in steps of half of the resolution.

    Parameters
    ----------
    kind
        Which observable.
    energy_min
        Smallest photon energy, GeV.
    masses
        Mass hypotheses, GeV.
    hunt
        What is fitted at each.
    expected
        Entries per bin without signal.
    """

    kind: str
    energy_min: float
    masses: Numbers
    hunt: Hunt
    expected: Numbers


@final
@dataclass(frozen=True)
class Excess:
    """The largest excess of a scan.

    Parameters
    ----------
    mass
        Where it is, GeV.
    local_significance, local_p_value
        There.
    global_p_value
        Chance of one as large at any mass of any region.
    """

    mass: float
    local_significance: float
    local_p_value: float
    global_p_value: float

    @property
    def global_significance(self) -> float:
        """Global p-value as a one-sided number of standard deviations, σ."""
        return float(-ndtri(self.global_p_value))

    @property
    def trials(self) -> float:
        """Ratio of both p-values: the effective number of independent masses."""
        return self.global_p_value / self.local_p_value


def regions(
    strategy: BumpHunt,
    signals: Mapping[float, Survivors],
    backgrounds: Mapping[str, Survivors],
    *,
    luminosity: float,
) -> tuple[Region, ...]:
    """Return the regions of a scan from the smallest to the largest simulated mass.

    Parameters
    ----------
    signals
        Mass, GeV, to its sample; resolutions and shapes in between are interpolated.
    backgrounds
        Component to its sample; those that peak are left out.
    luminosity
        Integrated luminosity, fb⁻¹.

    Raises
    ------
    OutOfDomain
        If there are fewer than two masses.
    """
    masses = sorted(signals)
    if len(masses) < 2:
        msg = f"a scan interpolates between masses, got {masses}; give two or more."
        raise OutOfDomain(msg)
    found = []
    for low, high in pairwise(_ends(strategy, signals)):
        middle = (low + high) / 2
        energy = threshold(middle, strategy.energies)
        pairs = {m: Pairs.of(signals[m], energy_min=energy) for m in masses}
        resolutions = {m: pairs[m].resolutions(m) for m in masses}
        cross = crossing(masses, list(resolutions.values()))
        kind = DIPHOTON if cross is None or middle < cross else RECOIL
        shapes = Shapes.of(kind, pairs, [signals[m].sigma for m in masses])
        parts = {n: s for n, s in backgrounds.items() if n not in strategy.peaking}
        smooth = spectrum(parts, energy, kind)
        found.append(
            _region((low, high), energy, shapes, list(smooth.values()), luminosity)
        )
    return tuple(found)


def excess(
    scanned: Sequence[Region],
    counts: Sequence[Numbers],
    elsewhere: Sequence[LookElsewhere],
) -> Excess:
    """Return the largest excess of a data set and its look-elsewhere effect.

    Parameters
    ----------
    counts
        Entries per bin of each region.
    elsewhere
        `look_elsewhere` of each region, of its `hunt` and `expected`.

    Notes
    -----
    Regions count as independent.  They share events, but no masses.
    """
    best, mass = -np.inf, 0.0
    for region, observed in zip(scanned, counts, strict=True):
        found = search(region.hunt, observed, confidence_level=0.95)
        significance = found.local_significance.filled(-np.inf)
        at = int(np.argmax(significance))
        if significance[at] > best:
            best, mass = float(significance[at]), float(region.masses[at])
    return Excess(mass, best, float(ndtr(-best)), combined(elsewhere, best))


def combined(elsewhere: Sequence[LookElsewhere], local_significance: float) -> float:
    """Return the chance of an excess this large in any region, without signal."""
    none = [1 - each.global_p_value(local_significance) for each in elsewhere]
    return float(1 - np.prod(none))


def _ends(strategy: BumpHunt, signals: Mapping[float, Survivors]) -> list[float]:
    """Return the masses that divide the range: of the thresholds and of the crossing."""
    masses = sorted(signals)
    resolutions = [
        Pairs.of(
            signals[mass], energy_min=threshold(mass, strategy.energies)
        ).resolutions(mass)
        for mass in masses
    ]
    cross = crossing(masses, resolutions)
    tops = [top for top, _ in strategy.energies] + ([] if cross is None else [cross])
    inside = [mass for mass in tops if masses[0] < mass < masses[-1]]
    return [masses[0], *sorted(inside), masses[-1]]


def _region(
    ends: tuple[float, float],
    energy_min: float,
    shapes: Shapes,
    smooth: Sequence[Entries],
    luminosity: float,
) -> Region:
    low, high = (end**2 for end in ends)
    below, above = REACH
    width_low, width_high = shapes.at(np.array([low, high]))
    edges = steps(shapes, low - below * width_low, high + above * width_high)
    contents = np.sum([each.fill(edges)[0] for each in smooth], axis=0)
    density = contents / np.diff(edges)
    used = np.flatnonzero(density > _THINNEST * density.max())
    bins = slice(int(used[0]), int(used[-1]) + 1)
    edges = edges[bins.start : bins.stop + 1]
    mass2 = steps(shapes, low, high)[:-1]
    resolution = shapes.at(mass2)
    shifted = windows(
        mass2 + (above - below) / 2 * resolution,
        resolution,
        edges,
        halfwidth=(above + below) / 2,
    )
    found = replace(shifted, masses=mass2)
    shares = np.zeros((mass2.size, found.width))
    for row, i in zip(shares, range(mass2.size), strict=True):
        inside = found.slice(i)
        row[: inside.stop - inside.start] = shapes.shares(
            float(mass2[i]), edges[inside.start : inside.stop + 1]
        )
    expected = _smoothed(contents[bins]) * luminosity
    hunt = _described(Hunt(found, shares, (Bernstein(DEGREES[0]),)), expected)
    return Region(shapes.kind, energy_min, np.sqrt(mass2), hunt, expected)


def _smoothed(contents: Numbers) -> Numbers:
    """Return contents without what varies faster than a few resolutions.

    Toys of a fluctuation of the simulation would find it, every time.
    """
    width = min(_SMOOTH, contents.size - 1 + contents.size % 2)
    return np.maximum(savgol_filter(contents, width, polyorder=3), 0.0)


def _described(hunt: Hunt, expected: Numbers) -> Hunt:
    """Return the fit with the polynomials of the smallest error, bias included."""
    errors = []
    for degree in DEGREES:
        found = spurious_signal(
            replace(hunt, backgrounds=(Bernstein(degree),)), expected
        )
        errors.append(np.ma.hypot(found.error, found.signal).filled(np.inf))
    best = np.argmin(errors, axis=0)
    return replace(hunt, backgrounds=tuple(Bernstein(DEGREES[i]) for i in best))
