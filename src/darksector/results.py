"""What running a search returns: windows, cutflow, spectra, limits, provenance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from darksector.cardfile import Origin
from darksector.provenance import Provenance
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import LimitCurve
from darksector.statistics.spectrum import Spectrum
from darksector.statistics.systematics import Uncertainty


@final
@dataclass(frozen=True)
class CutflowRow:
    """Expected events of one component after one cut, and all cuts before it."""

    component: str
    cut: str
    description: str
    events: float
    error: float


@final
@dataclass(frozen=True)
class RegionYield:
    """Expected events of one component in one region, and their simulation error."""

    region: str
    component: str
    events: float
    error: float


@final
@dataclass(frozen=True)
class Windows:
    """The window of every mass hypothesis; arrays are shaped ``(m,)``.

    Parameters
    ----------
    mass, low, high
        Mass, GeV, and the edges of the window in the search's observable.
    resolution
        Half of the central 68 % interval of the observable, from detector and beams
        only (initial-state radiation is in the efficiency instead).
    efficiency, efficiency_error
        Fraction of all signal events that end in the window; its statistical error.
    signal_sigma
        Signal cross-section at unit coupling before any branching fraction, fb.
    background, background_error
        Component to expected events and their simulation error, each ``(m,)``.
    choices
        Label to what was chosen per mass: the threshold of an optimised cut, a region.
    """

    mass: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    resolution: NDArray[np.float64]
    efficiency: NDArray[np.float64]
    efficiency_error: NDArray[np.float64]
    signal_sigma: NDArray[np.float64]
    background: Mapping[str, NDArray[np.float64]]
    background_error: Mapping[str, NDArray[np.float64]]
    choices: Mapping[str, NDArray[Any]]

    def total_background(self) -> NDArray[np.float64]:
        """Return the expected background of all components, events, ``(m,)``."""
        return np.sum(list(self.background.values()), axis=0)


@final
@dataclass(frozen=True)
class Plane:
    """Events in two observables, and lines that divide them.

    Parameters
    ----------
    name, title
        Stem of its file, and what it shows.
    x_label, y_label
        Axis labels with units, mathtext.
    x_edges, y_edges
        Bin edges, ``(nx + 1,)`` and ``(ny + 1,)``.
    contents
        Component to its events per bin, each ``(nx, ny)``.
    lines
        Legend entry to the vertices of its lines, each ``(k, 2)``.
    cells
        Legend entry to a mask of bins, ``(nx, ny)``.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    contents: Mapping[str, NDArray[np.float64]]
    lines: Mapping[str, tuple[NDArray[np.float64], ...]]
    cells: Mapping[str, NDArray[np.bool_]]


@final
@dataclass(frozen=True)
class Labels:
    """The words and units with which a result is shown to people."""

    title: str
    machine: str
    detector: str
    observable: str  # axis label with unit, in mathtext
    model: str
    components: Mapping[str, str]  # component to legend entry, in mathtext
    quantities: Mapping[str, str]  # limit quantity to axis label, in mathtext
    conventions: Mapping[str, str]  # coupling scheme, radiation, ... of the run


@final
@dataclass(frozen=True)
class SearchResult:
    """Everything one run of a search produced; `save` writes its folder.

    Parameters
    ----------
    name
        Registry name of the search.
    luminosity
        Integrated luminosity, fb⁻¹.
    windows, limits, cutflow
        The counting experiments, the limits they give, and how the yields came about.
    spectra
        Component to its spectrum after the full preselection, events at `luminosity`.
    signal_spectra
        Mass hypothesis, GeV, to the signal spectrum at the median expected limit.
    counting
        The likelihood of all windows, as the limits used it.
    observed
        Observed counts per window, ``(m,)``, or None for an expected-only run.
    published
        Keys of the published limits to draw beside ours.
    config
        The run configuration, as `run.toml` records it.
    origins
        Number of the machine or detector card to its source and status.
    writer
        How `save` writes the folder.
    planes
        Pictures of the candidates in two observables.
    regions
        What each background component leaves in each region.
    uncertainties
        Component to the uncertainty of its yield, where one is declared.
    """

    name: str
    labels: Labels
    luminosity: float
    windows: Windows
    limits: LimitCurve
    cutflow: tuple[CutflowRow, ...]
    spectra: Mapping[str, Spectrum]
    signal_spectra: Mapping[float, Spectrum]
    counting: CountingModel
    observed: NDArray[np.int64] | None
    published: tuple[str, ...]
    config: Mapping[str, Any]
    provenance: Provenance
    origins: Mapping[str, Origin]
    writer: Callable[[SearchResult, Path], None]
    planes: tuple[Plane, ...] = ()
    regions: tuple[RegionYield, ...] = ()
    uncertainties: Mapping[str, Uncertainty] = field(default_factory=dict)

    def save(self, folder: str | Path) -> Path:
        """Write the output folder (every file whole or not at all); return its path.

        Raises
        ------
        OutputError
            If the folder cannot be written, or holds the results of another run.
        """
        path = Path(folder)
        self.writer(self, path)
        return path
