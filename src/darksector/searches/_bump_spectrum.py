"""The spectrum of photon pairs around one mass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from darksector.searches._samples import Numbers
from darksector.searches._three_photons import Entries
from darksector.statistics.backgrounds import Bernstein
from darksector.statistics.bumphunt import BumpHunt as Hunt
from darksector.statistics.fit import OK
from darksector.statistics.windows import Windows

BIN = 0.5  # resolutions
CORE = 2.0  # resolutions to either side: the counting window
_EMPTY = 1e-3  # of the fullest bin: the spectrum ends where it is less


@final
@dataclass(frozen=True)
class Local:
    """The spectrum around one mass; yields in fb, before the luminosity.

    Parameters
    ----------
    kind
        Which observable.
    mass2, resolution
        Squared mass and its resolution, GeV².
    edges
        Of the bins, GeV².
    shares
        Entries of the signal per bin and signal event.
    smooth, peaking
        Component to its entries per bin.
    equivalent
        Luminosity that the simulation of the smooth components is worth, fb⁻¹.
    """

    kind: str
    mass2: float
    resolution: float
    edges: Numbers
    shares: Numbers
    smooth: Mapping[str, Numbers]
    peaking: Mapping[str, Numbers]
    equivalent: float

    @property
    def core(self) -> slice:
        """The bins of the counting window."""
        distance = np.abs((self.edges[:-1] + self.edges[1:]) / 2 - self.mass2)
        inside = np.flatnonzero(distance < CORE * self.resolution)
        return slice(int(inside[0]), int(inside[-1]) + 1)

    @property
    def continuum(self) -> Numbers:
        """All smooth components together."""
        return np.sum(list(self.smooth.values()), axis=0)

    def hunt(self, degree: int) -> Hunt:
        """Return the fit of this spectrum without nuisances."""
        bins = np.array([len(self.edges) - 1])
        window = Windows(
            np.array([self.mass2]), self.edges, np.array([0]), bins, np.array([OK])
        )
        return Hunt(window, self.shares[None], (Bernstein(degree),))


@final
@dataclass(frozen=True)
class Signal:
    """The signal of one mass.

    Parameters
    ----------
    kind
        The observable of its entries.
    mass2, resolution
        Squared mass and its resolution, GeV².
    entries
        Those of all its pairs.
    sigma
        Cross-section before any cut, fb.
    """

    kind: str
    mass2: float
    resolution: float
    entries: Entries
    sigma: float


def local(
    signal: Signal,
    backgrounds: Mapping[str, Entries],
    *,
    peaking: Collection[str],
    reach: tuple[float, float],
) -> Local:
    """Return the spectrum around a mass, clipped to where the smooth components end.

    Parameters
    ----------
    backgrounds
        Component to its entries in the same observable.
    peaking
        Components that are not smooth.
    reach
        How far the window reaches below and above the mass, resolutions.
    """
    below, above = reach
    steps = np.arange(-below, above + BIN / 2, BIN)
    edges = signal.mass2 + signal.resolution * steps
    filled = {name: part.fill(edges) for name, part in backgrounds.items()}
    smooth = [filled[name] for name in filled if name not in peaking]
    contents, squares = np.sum(smooth, axis=0)
    used = np.flatnonzero(contents > _EMPTY * contents.max())
    bins = slice(int(used[0]), int(used[-1]) + 1)
    return Local(
        kind=signal.kind,
        mass2=signal.mass2,
        resolution=signal.resolution,
        edges=edges[bins.start : bins.stop + 1],
        shares=signal.entries.fill(edges)[0][bins] / signal.sigma,
        smooth={n: w[bins] for n, (w, _) in filled.items() if n not in peaking},
        peaking={n: w[bins] for n, (w, _) in filled.items() if n in peaking},
        equivalent=float(contents[bins].sum() / squares[bins].sum()),
    )
