"""What a search declares."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from darksector.detectors.losses import ORIGINS
from darksector.detectors.topology import Topology
from darksector.errors import InvalidCard, UnknownName
from darksector.generators.decay import Mode
from darksector.limits.published import CouplingBand
from darksector.models.base import Model
from darksector.phasespace.cuts import GeneratorCut
from darksector.results import SearchResult
from darksector.selection import Cut
from darksector.statistics.systematics import Systematic, Uncertainty

if TYPE_CHECKING:
    from darksector.searches._plan import Plan
    from darksector.searches._samples import Inference, Samples, Survivors


@final
@dataclass(frozen=True)
class Part:
    """What of a simulated background is a component, and what it is called.

    Parameters
    ----------
    name
        Name of the component; parts of several samples with the same name add up.
    legend
        Its entry in figures, mathtext.
    origins
        Names of `losses.Losses`: what is lost for these reasons; none for everything.
    uncertainty
        Of its yield, beyond that of the simulation.

    Raises
    ------
    UnknownName
        If there is no such origin.
    """

    name: str
    legend: str
    origins: tuple[str, ...] = ()
    uncertainty: Uncertainty | None = None

    def __post_init__(self) -> None:
        for origin in self.origins:
            if origin not in ORIGINS:
                kind = "origin of losses"
                raise UnknownName(kind, origin, ORIGINS)


@final
@dataclass(frozen=True)
class Background:
    """One simulated background: a process, how its particles decay, how much of it.

    Parameters
    ----------
    process
        Name of the process.
    legend
        Its entry in figures, mathtext.
    chunks
        Number of chunks of 65536 trials to simulate.
    tau_decays
        Whether the final state is a τ pair whose members decay to muons.
    name
        Name of the sample; that of the process by default.
    options
        Options of the process.
    cuts
        Cuts on the generated particles.
    decays
        Name of a particle and how it decays, in this order; of several alike, the first.
    parts
        The components that it makes; by default one with the name of the sample.  What
        no part names is dropped: another sample has it.
    uncertainty
        Of the yield of that one component; parts have their own.

    Raises
    ------
    InvalidCard
        If there are fewer than two chunks, or parts share an origin.
    """

    process: str
    legend: str
    chunks: int
    tau_decays: bool = False
    name: str = ""
    options: tuple[tuple[str, Any], ...] = ()
    cuts: tuple[GeneratorCut, ...] = ()
    decays: tuple[tuple[str, Mode], ...] = ()
    parts: tuple[Part, ...] = ()
    uncertainty: Uncertainty | None = None

    def __post_init__(self) -> None:
        if self.chunks < 2:
            msg = (
                f"background {self.sample!r} has {self.chunks} chunks; choices are made on "
                "one half and judged on the other: give 2 or more."
            )
            raise InvalidCard(msg)
        origins = [origin for part in self.parts for origin in part.origins or ORIGINS]
        if len(set(origins)) < len(origins):
            msg = (
                f"parts of background {self.sample!r} share an origin of losses: "
                f"{sorted(origins)}; each may be in one part."
            )
            raise InvalidCard(msg)

    @property
    def sample(self) -> str:
        """Name of the sample."""
        return self.name or self.process

    @property
    def components(self) -> tuple[Part, ...]:
        """The components that it makes."""
        whole = Part(self.sample, self.legend, (), self.uncertainty)
        return self.parts or (whole,)


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
    unit
        Unit of the coupling.
    """

    quantity: str
    label: str
    fraction: Callable[[Model], float]
    unit: str = "1"


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


class Strategy(abc.ABC):
    """How the candidates of a search become limits."""

    @property
    @abc.abstractmethod
    def variables(self) -> tuple[str, ...]:
        """Names of the observables that it needs besides the one of the search."""

    @property
    @abc.abstractmethod
    def labels(self) -> tuple[str, ...]:
        """Labels of what it chooses per mass."""

    def check(self, search: Search) -> None:
        """Raise a DarksectorError if the strategy does not fit the cards of a search."""
        del search

    def quantities(self, search: Search) -> Mapping[str, str]:
        """Return the limits beyond those that the search assumes, and axis labels."""
        del search
        return {}

    @abc.abstractmethod
    def infer(self, plan: Plan, samples: Samples) -> Inference:
        """Return what the samples of a run say."""

    def entries(self, sample: Survivors) -> Survivors:
        """Return what enters the spectrum of a sample: by default the candidates."""
        return sample


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
        Number of chunks of 65536 signal trials per mass.
    signal_cuts, signal_decays, model_options
        Cuts on the generated particles, decays and options, as those of backgrounds.
    backgrounds, topology, selection
        What is simulated, and what is kept of it.
    strategy
        How candidates become limits.
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
        If two cuts share a label, or two backgrounds the name of their sample.
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
    strategy: Strategy
    observable: str
    axis: tuple[float, float, int]
    systematics: tuple[Systematic, ...]
    confidence_level: float
    sigma_label: str
    assumptions: tuple[Assumption, ...]
    signal_cuts: tuple[GeneratorCut, ...] = ()
    signal_decays: tuple[tuple[str, Mode], ...] = ()
    model_options: tuple[tuple[str, Any], ...] = ()
    published: tuple[str, ...] = ()
    bands: Callable[[NDArray[np.float64]], Sequence[CouplingBand]] = no_bands

    def __post_init__(self) -> None:
        names = [background.sample for background in self.backgrounds]
        for name in names:
            if names.count(name) > 1:
                msg = (
                    f"search {self.title!r} has the sample {name!r} twice; rename one."
                )
                raise InvalidCard(msg)
        labels = [cut.label for cut in self.selection]
        labels += self.strategy.labels
        for label in labels:
            if labels.count(label) > 1:
                msg = (
                    f"search {self.title!r} uses the cut label {label!r} twice; labels "
                    "head the rows of the cutflow and must differ."
                )
                raise InvalidCard(msg)

    def uncertainties(self) -> dict[str, Uncertainty]:
        """Return component to the uncertainty of its yield, where one is declared."""
        return {
            part.name: part.uncertainty
            for background in self.backgrounds
            for part in background.components
            if part.uncertainty is not None
        }

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
