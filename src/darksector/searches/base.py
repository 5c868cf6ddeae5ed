"""What a search declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.detectors.topology import Topology
from darksector.errors import InvalidCard
from darksector.limits.published import CouplingBand
from darksector.models.base import Model
from darksector.results import SearchResult
from darksector.selection import Cut, OptimisedCut
from darksector.statistics.systematics import Systematic


@final
@dataclass(frozen=True)
class Background:
    """One background: a process, how its taus decay, and how much of it to simulate.

    Parameters
    ----------
    process
        Name of the process.
    legend
        Its entry in figures, mathtext.
    chunks
        Number of chunks of 65536 events to simulate.
    tau_decays
        Whether the final state is a τ pair whose members decay to muons.
    """

    process: str
    legend: str
    chunks: int
    tau_decays: bool = False


@final
@dataclass(frozen=True)
class Assumption:
    """How a limit on the cross-section becomes one on the coupling.

    Parameters
    ----------
    quantity
        Name of the limit, for instance ``gprime``.
    label
        Axis label, mathtext.
    fraction
        Model to the branching fraction into the searched final state.
    """

    quantity: str
    label: str
    fraction: Callable[[Model], float]


@final
@dataclass(frozen=True)
class Inputs:
    """Real input that replaces simulation.

    Parameters
    ----------
    events
        LHE files, each the signal sample of one mass.
    observed
        CSV file with the columns ``mass_gev,observed``: counts in every window.
    invisible
        PDG code of the invisible particle in the LHE files; None to recognise it.
    """

    events: tuple[Path, ...] = ()
    observed: Path | None = None
    invisible: int | None = None


@final
@dataclass(frozen=True)
class Execution:
    """How to run; none of it changes a number.

    Parameters
    ----------
    workers
        Number of processes; None for one per core.
    checkpoint
        Folder that keeps finished chunks, to resume from; None to keep nothing.
    progress
        Called with the numbers of finished and of all chunks.
    """

    workers: int | None = None
    checkpoint: Path | None = None
    progress: Callable[[int, int], None] | None = None


def no_bands(masses: NDArray[np.float64]) -> tuple[CouplingBand, ...]:
    """Return nothing: the default of `Search.bands`."""
    del masses
    return ()


@final
@dataclass(frozen=True)
class Search:
    """One analysis, declared.

    Parameters
    ----------
    name
        The name of its file.
    title, references
        For people and for citations.
    dataset, mass_grid
        Luminosity and masses of the published search, as the command line takes them.
    machine, detector, model, signal
        Names of the cards, the model and the signal process; the model is scanned in mass.
    signal_chunks
        Number of chunks of 65536 signal events per mass.
    backgrounds, topology, selection
        What is simulated, and what is kept of it.
    optimised
        Cuts whose thresholds minimise the Punzi sensitivity per mass.
    observable
        Name of the observable in which the signal peaks at the squared mass.
    axis
        Bin edges of its spectrum in figures: start, stop, number of bins.
    systematics
        Relative uncertainties with their sources.
    confidence_level
        Credibility of the limits.
    sigma_label
        Axis label of the limit on the cross-section, mathtext.
    assumptions
        Limits on the coupling to derive.
    published
        Keys of published limits to draw beside ours.
    bands
        Masses, ``(m,)`` GeV, to favoured or excluded ranges of the coupling.

    Raises
    ------
    InvalidCard
        If two cuts share a label.
    """

    name: str
    title: str
    references: tuple[str, ...]
    dataset: str
    mass_grid: str
    machine: str
    detector: str
    model: str
    signal: str
    signal_chunks: int
    backgrounds: tuple[Background, ...]
    topology: Topology
    selection: tuple[Cut, ...]
    optimised: tuple[OptimisedCut, ...]
    observable: str
    axis: tuple[float, float, int]
    systematics: tuple[Systematic, ...]
    confidence_level: float
    sigma_label: str
    assumptions: tuple[Assumption, ...]
    published: tuple[str, ...] = ()
    bands: Callable[[NDArray[np.float64]], Sequence[CouplingBand]] = no_bands

    def __post_init__(self) -> None:
        labels = [cut.label for cut in self.selection]
        labels += [cut.label for cut in self.optimised]
        for label in labels:
            if labels.count(label) > 1:
                msg = (
                    f"search {self.title!r} uses the cut label {label!r} twice; labels "
                    "head the rows of the cutflow and must differ."
                )
                raise InvalidCard(msg)

    def run(
        self,
        *,
        luminosity: str,
        masses: Sequence[float] | str,
        seed: int,
        inputs: Inputs = Inputs(),
        execution: Execution = Execution(),
    ) -> SearchResult:
        """Simulate, select, count and set limits.

        Parameters
        ----------
        luminosity
            Integrated luminosity with its unit, for instance ``276/pb``.
        masses
            Mass hypotheses, GeV, or a grid like ``0.5:7:0.5``.
        seed
            The one seed of the run.
        inputs
            Files that replace simulated signal or give observed counts.
        execution
            Workers, checkpoints and progress.

        Raises
        ------
        InvalidConfig
            If the luminosity has no unit, or masses repeat.
        OutOfDomain
            If a mass is above threshold or not positive.
        InvalidFile
            If an input file is damaged or does not fit the machine or the masses.
        """
        from darksector.searches import pipeline

        plan = pipeline.plan(
            self, luminosity=luminosity, masses=masses, seed=seed, inputs=inputs
        )
        return pipeline.run(plan, execution)
