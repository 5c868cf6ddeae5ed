"""What a run shows beside its limits: cutflow, spectra, labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from darksector.cardfile import Origin
from darksector.detectors.card import load as load_detector
from darksector.machines import load as load_machine
from darksector.observables import OBSERVABLES
from darksector.registry import MODELS
from darksector.results import CutflowRow, Labels
from darksector.searches._plan import Plan
from darksector.searches._samples import Survivors
from darksector.searches._simulation import background_process, signal_process
from darksector.searches.base import Search
from darksector.statistics.limits import LimitCurve
from darksector.statistics.spectrum import Spectrum


def cutflow(
    plan: Plan, signals: Sequence[Survivors], backgrounds: Mapping[str, Survivors]
) -> tuple[CutflowRow, ...]:
    """Return the expected events after each step; signals at unit coupling."""
    search = plan.search
    steps = [
        ("generated", "Every generated event."),
        (
            "topology and trigger",
            search.topology.description.capitalize(),
        ),
        *((cut.label, cut.description) for cut in search.selection),
    ]
    samples = {
        **backgrounds,
        **{
            f"signal {mass:g} GeV": sample
            for mass, sample in zip(plan.masses, signals, strict=True)
        },
    }
    return tuple(
        CutflowRow(
            name,
            label,
            words,
            total * plan.luminosity,
            float(np.sqrt(square)) * plan.luminosity,
        )
        for name, sample in samples.items()
        for (label, words), (total, square) in zip(steps, sample.cutflow, strict=True)
    )


def spectrum(search: Search, sample: Survivors) -> Spectrum:
    """Return the spectrum of a sample after the fixed cuts, fb."""
    start, stop, bins = search.axis
    edges = np.linspace(start, stop, bins + 1)
    filled = search.strategy.entries(sample)
    return Spectrum.fill(
        search.observable, edges, values=filled.value, weights=filled.weight
    )


def signal_spectra(
    plan: Plan, signals: Sequence[Survivors], limits: LimitCurve
) -> dict[float, Spectrum]:
    """Return up to three signals, scaled to the median expected limit."""
    usable = [i for i, word in enumerate(limits.status) if word == "ok"]
    shown = sorted(
        {usable[round(q * (len(usable) - 1))] for q in (0.1, 0.5, 0.9)}
        if usable
        else ()
    )
    return {
        plan.masses[i]: spectrum(plan.search, signals[i]).scaled(
            float(limits.expected["sigma"][i]) / signals[i].sigma * plan.luminosity
        )
        for i in shown
    }


def labels(plan: Plan) -> Labels:
    """Return the words and units for people."""
    search = plan.search
    observable = OBSERVABLES[search.observable]
    signal = signal_process(search, plan.masses[0])
    conventions = {"signal": signal.conventions()} | {
        b.sample: background_process(b).conventions() for b in search.backgrounds
    }
    for mass in plan.external:
        conventions[f"signal at {mass:g} GeV"] = {
            "events": "of another generator, as they are",
            "initial-state radiation": "none, nor in the cross-section at this mass",
        }
    return Labels(
        title=search.title,
        machine=load_machine(search.machine).title,
        detector=load_detector(search.detector).title,
        observable=rf"${observable.label}$ [${observable.unit}$]",
        model=MODELS.load(search.model).title,
        components={
            part.name: part.legend
            for background in search.backgrounds
            for part in background.components
        },
        quantities={
            "sigma": search.sigma_label,
            **{a.quantity: a.label for a in search.assumptions},
            **search.strategy.quantities(search),
        },
        conventions={
            name: "; ".join(f"{k}: {v}" for k, v in entries.items())
            for name, entries in conventions.items()
        },
    )


def origins(search: Search) -> dict[str, Origin]:
    """Return where each number of the machine and of the detector comes from."""
    machine = load_machine(search.machine).origins
    found = {f"machine.{name}": origin for name, origin in sorted(machine.items())}
    return found | dict(load_detector(search.detector).origins)
