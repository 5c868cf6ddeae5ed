"""Spectra of the squared recoil mass in a region, in bins that a fit can take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.searches._plan import Plan
from darksector.searches._regions import Region
from darksector.searches._samples import Samples, Survivors

Numbers = NDArray[np.float64]

_FEWEST = 1.0  # events expected in a bin
_ROUGHEST = 0.3  # relative error of the simulation in a bin


@final
@dataclass(frozen=True)
class Spectra:
    """Events per bin of a region.

    Parameters
    ----------
    edges
        Of the bins in the squared recoil mass, GeV², ``(bins + 1,)``.
    signal
        For a cross-section of 1 fb, ``(m, bins)``.
    backgrounds
        Component to its events, ``(bins,)``; none that is absent in the whole region.
    errors
        Component to the error of its simulation, ``(bins,)``.
    """

    edges: Numbers
    signal: Numbers
    backgrounds: dict[str, Numbers]
    errors: dict[str, Numbers]

    @property
    def total(self) -> Numbers:
        """All backgrounds, ``(bins,)``."""
        return sum(self.backgrounds.values(), np.zeros(len(self.edges) - 1))


def fill(
    plan: Plan, samples: Samples, region: Region, masses: NDArray[np.int64]
) -> Spectra:
    """Return the spectra of a region for some masses, given by their places in the plan.

    Bins are as wide as the resolution at the masses, and joined where too little is
    expected or simulated.
    """
    signals = [_inside(samples.signals[i], region) for i in masses]
    parts = {name: _inside(p, region) for name, p in samples.backgrounds.items()}
    edges = _steps([plan.masses[i] ** 2 for i in masses], signals, parts.values())
    fine = [_counts(part, edges) for part in parts.values()]
    edges = edges[_joined(sum(fine, np.zeros((2, len(edges) - 1))), plan.luminosity)]
    counts = {name: _counts(part, edges) for name, part in parts.items()}
    counts = {name: pair for name, pair in counts.items() if pair[0].any()}
    lumi = plan.luminosity
    return Spectra(
        edges,
        np.array([_counts(x, edges)[0] / x.sigma for x in signals]) * lumi,
        {name: events * lumi for name, (events, _) in counts.items()},
        {name: np.sqrt(square) * lumi for name, (_, square) in counts.items()},
    )


def _inside(sample: Survivors, region: Region) -> Survivors:
    return sample[region.contains(*sample.variables)]


def _counts(sample: Survivors, edges: Numbers) -> Numbers:
    """Return Σw and Σw² per bin, fb and fb²; the outer bins have no end."""
    at = np.searchsorted(edges[1:-1], sample.value, side="right")
    size = len(edges) - 1
    sums = [np.bincount(at, sample.weight**k, minlength=size) for k in (1, 2)]
    return np.array(sums, dtype=np.float64)  # sums over no candidates are integers


def _steps(
    at: Sequence[float], signals: Sequence[Survivors], parts: Iterable[Survivors]
) -> Numbers:
    """Return edges at steps of the resolution, which the signals tell, GeV²."""
    pairs = zip(at, (signal.resolution() for signal in signals), strict=True)
    known = np.array([pair for pair in pairs if pair[1] > 0]).T
    if not known.size:
        return np.array([-np.inf, np.inf])
    values = np.concatenate([x.value for x in (*signals, *parts)])
    edges = [float(values.min())]
    while len(edges) < 2 or edges[-1] <= values.max():
        edges.append(edges[-1] + float(np.interp(edges[-1], *known)))
    return np.array(edges)


def _joined(sums: Numbers, luminosity: float) -> list[int]:
    """Return which edges remain, so that every bin expects and simulates enough."""
    edges, count = [0], sums.shape[1]
    for end in range(1, count + 1):
        found, error2 = sums[:, edges[-1] : end].sum(axis=1)
        if found * luminosity >= _FEWEST and error2 <= (_ROUGHEST * found) ** 2:
            edges.append(end)
    # what is left at the end belongs to the last bin
    return [*edges[: max(len(edges) - 1, 1)], count]
