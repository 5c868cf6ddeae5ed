"""generate -> detect -> select -> fill -> fluctuate -> fit: runs the rediscoveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector import provenance, units
from darksector.cardfile import DETECTORS, MACHINES
from darksector.detectors.card import load as load_detector
from darksector.execution import stream
from darksector.machines import Machine
from darksector.machines import load as load_machine
from darksector.rediscovery import NAME, fits, measure, numbers
from darksector.rediscovery.channels import CHANNELS
from darksector.rediscovery.sample import Sample, Setup
from darksector.statistics.spectrum import Spectrum, half_width

# luminosity and detector card of the samples of the talk, KAON 2019
DATASETS = (("500/pb", "belle2_phase2"), ("2.62/fb", "belle2_early_phase3"))
MACHINE = "superkekb"
_PROCESSES = (
    "dimuon_gamma",
    "two_photon_dimuon",
    "bhabha_gamma",
    "two_photon_dielectron",
    "ditau",
)


@final
@dataclass(frozen=True)
class Dataset:
    """One period: luminosity, fb⁻¹, name of the detector card, and its title."""

    luminosity: float
    detector: str
    title: str


@final
@dataclass(frozen=True)
class Plan:
    """A run whose inputs have been checked."""

    datasets: tuple[Dataset, ...]
    machine: str
    seed: int
    config: Mapping[str, Any]


@final
@dataclass(frozen=True)
class Measured:
    """One spectrum of one data set.

    Parameters
    ----------
    channel
        Key of `CHANNELS`.
    dataset
        The period.
    expected
        Component to the simulated expectation at the luminosity.
    counts
        Pseudo-data: a Poisson fluctuation of the sum of all components, ``(bins,)``.
    resolution
        Half of the central 68 % interval of measured minus true, unit of the observable;
        0 where the channel has no peak.
    fit
        What was fitted to the pseudo-data; None where the channel has no peak.
    """

    channel: str
    dataset: Dataset
    expected: Mapping[str, Spectrum]
    counts: NDArray[np.int64]
    resolution: float = 0.0
    fit: fits.Fit | None = None


@final
@dataclass(frozen=True)
class Result:
    """Everything of one run."""

    plan: Plan
    measured: tuple[Measured, ...]
    provenance: provenance.Provenance


def plan(
    *,
    luminosity: str | None = None,
    detector: str | None = None,
    machine: str = MACHINE,
    seed: int = 1,
) -> Plan:
    """Check the inputs of a run; nothing is simulated.

    Without luminosity and detector, the two samples of the talk; with one of them,
    one sample, for which the other is that of the first sample of the talk.

    Raises
    ------
    InvalidConfig
        If the luminosity is not understood.
    UnknownName, InvalidCard
        If there is no such card, or it makes no sense.
    """
    config: dict[str, Any] = {"search": NAME, "machine": machine, "seed": seed}
    chosen: tuple[tuple[str, str], ...] = DATASETS
    if luminosity is not None or detector is not None:
        first = DATASETS[0]
        chosen = ((luminosity or first[0], detector or first[1]),)
        config |= {"luminosity": chosen[0][0], "detector": chosen[0][1]}
    load_machine(machine)
    sets = tuple(
        Dataset(units.luminosity(text), card, load_detector(card).title)
        for text, card in chosen
    )
    return Plan(sets, machine, seed, config)


def run(
    plan: Plan,
    *,
    channels: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run a checked plan, all channels unless some are named."""
    names = tuple(CHANNELS) if channels is None else channels
    machine = load_machine(plan.machine)
    setups = {
        dataset.detector: Setup(
            measure.response_of(dataset.detector),
            jnp.asarray(machine.p_beams),
            plan.seed,
        )
        for dataset in plan.datasets
    }
    measured: list[Measured] = []
    for i, (name, events) in enumerate(_generated(names, machine, plan.seed)):
        if progress is not None:
            progress(i, len(names))
        looks = {card: CHANNELS[name].look(events, s) for card, s in setups.items()}
        measured += [
            _measure(name, dataset, looks[dataset.detector], plan.seed)
            for dataset in plan.datasets
        ]
    if progress is not None:
        progress(len(names), len(names))
    return Result(plan, tuple(measured), _provenance(plan))


def _generated(
    channels: Sequence[str], machine: Machine, seed: int
) -> Iterator[tuple[str, Any]]:
    """Yield each channel with its events, generated once for all that share them."""
    made: dict[Any, Any] = {}
    for name in channels:
        generate = CHANNELS[name].generate
        if generate not in made:
            made = {generate: generate(machine, seed)}
        yield name, made[generate]


def _measure(
    name: str, dataset: Dataset, samples: Mapping[str, Sample], seed: int
) -> Measured:
    channel = CHANNELS[name]
    edges = channel.edges
    expected = {
        component: Spectrum.fill(
            name, edges, values=sample.values, weights=sample.weights
        ).scaled(dataset.luminosity)
        for component, sample in samples.items()
    }
    for component in set(expected) & channel.smooth:
        expected[component] = straight(expected[component])
    if channel.flat:
        density = 1e3 * numbers.value(channel.flat) * dataset.luminosity
        flat = density * np.diff(edges)
        expected["assumed"] = Spectrum(name, edges, flat, np.zeros_like(flat))
    total = np.sum([each.contents for each in expected.values()], axis=0)
    random = stream(
        seed, NAME, "pseudo-data", name, dataset.detector, repr(dataset.luminosity)
    )
    counts = random.poisson(total)
    if channel.peak is None:
        return Measured(name, dataset, expected, counts)
    template = fits.fit_template(expected["signal"])
    degree = channel.peak.degree
    fitted = fits.fit(edges, counts.astype(float), template=template, degree=degree)
    signal = samples["signal"]
    width = half_width(signal.values - signal.truth, signal.weights)
    return Measured(name, dataset, expected, counts, width, fitted)


def straight(spectrum: Spectrum) -> Spectrum:
    """Return a straight line with the same sum and mean, nowhere negative."""
    x = np.linspace(-1, 1, len(spectrum.contents) + 1)
    x = (x[1:] + x[:-1]) / 2
    slope = float((spectrum.contents * x).sum() / (x**2).sum())
    level = spectrum.total() / len(x)
    line = level + np.clip(slope, -level, level) * x
    error2 = spectrum.variances.sum() / len(x) ** 2
    return Spectrum(
        spectrum.observable, spectrum.edges, line, np.full_like(line, error2)
    )


def _provenance(plan: Plan) -> provenance.Provenance:
    from darksector.registry import PROCESSES

    cards = [(MACHINES, plan.machine), (numbers.SAMPLES, numbers.CARD)]
    cards += [(DETECTORS, d.detector) for d in plan.datasets]
    cited = [*numbers.references(), *load_machine(plan.machine).references]
    for name in _PROCESSES:
        cited += PROCESSES.load(name)().cited()
    for dataset in plan.datasets:
        cited += load_detector(dataset.detector).references
    return provenance.Provenance(
        seed=plan.seed,
        versions=provenance.versions(),
        inputs={
            f"{folder.folder}/{Path(name).stem}.toml": provenance.sha256(
                folder.whole_text(name).encode()
            )
            for folder, name in cards
        },
        references=tuple(dict.fromkeys(cited)),
    )
