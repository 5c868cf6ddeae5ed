"""generate -> detect -> select -> fill -> infer: runs one search."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby

import numpy as np

from darksector.execution import Arrays, Task
from darksector.execution import run as run_tasks
from darksector.registry import MODELS
from darksector.report.writer import write_folder
from darksector.results import SearchResult, Windows
from darksector.searches import _tables
from darksector.searches._plan import Plan, plan
from darksector.searches._simulation import Sample, simulate
from darksector.searches._windows import Halves, Survivors, Window, window
from darksector.searches.base import Execution
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import (
    LimitCurve,
    bayesian_upper_limit,
    expected_band,
    status,
)

__all__ = ["Plan", "plan", "run"]

METHOD = (
    "Bayesian, flat prior in the cross-section, Poisson counts, log-normal nuisances"
)


def run(plan: Plan, execution: Execution) -> SearchResult:
    """Run a checked plan."""
    samples = _samples(plan)
    arrays = run_tasks(
        [Task(plan.key(s), simulate, (s,)) for s in samples],
        workers=execution.workers or _cores(),
        checkpoint=execution.checkpoint,
        progress=execution.progress,
    )
    chunks = {
        name: [chunk for _, chunk in group]
        for name, group in groupby(
            zip(samples, arrays, strict=True),
            key=lambda pair: (pair[0].component, pair[0].mass),
        )
    }
    signals = [Survivors.merge(chunks.pop(("signal", m))) for m in plan.masses]
    return _result(plan, signals, {name: parts for (name, _), parts in chunks.items()})


def _cores() -> int:
    """Return the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every platform
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _samples(plan: Plan) -> list[Sample]:
    search, samples = plan.search, []
    for background in search.backgrounds:
        samples += [
            Sample(search, background.process, 0.0, plan.seed, chunk)
            for chunk in range(background.chunks)
        ]
    for mass in plan.masses:
        external = plan.external.get(mass)
        samples += [
            Sample(search, "signal", mass, plan.seed, chunk, external)
            for chunk in range(1 if external else search.signal_chunks)
        ]
    return samples


def _result(
    plan: Plan, signals: Sequence[Survivors], chunks: Mapping[str, Sequence[Arrays]]
) -> SearchResult:
    search = plan.search
    backgrounds = {name: Survivors.merge(parts) for name, parts in chunks.items()}
    # thresholds are chosen on one half and judged on the other: else they would pick
    # the downward fluctuations of the simulation
    halves = Halves(
        choose={name: Survivors.merge(parts[::2]) for name, parts in chunks.items()},
        judge={name: Survivors.merge(parts[1::2]) for name, parts in chunks.items()},
    )
    found = [
        window(
            mass,
            signal,
            halves,
            [cut.grid for cut in search.optimised],
            luminosity=plan.luminosity,
        )
        for mass, signal in zip(plan.masses, signals, strict=True)
    ]
    windows = _windows(plan, signals, found)
    counting = _counting(plan, windows)
    limits = _limits(plan, windows, counting)
    return SearchResult(
        name=search.name,
        labels=_tables.labels(plan),
        luminosity=plan.luminosity,
        windows=windows,
        limits=limits,
        cutflow=_tables.cutflow(plan, signals, backgrounds),
        spectra={
            name: _tables.spectrum(search, sample).scaled(plan.luminosity)
            for name, sample in backgrounds.items()
        },
        signal_spectra=_tables.signal_spectra(plan, signals, limits),
        counting=counting,
        observed=plan.observed,
        published=search.published,
        config=plan.config,
        provenance=plan.provenance,
        origins=_tables.origins(search),
        writer=partial(write_folder, bands=search.bands(windows.mass)),
    )


def _windows(
    plan: Plan, signals: Sequence[Survivors], found: Sequence[Window]
) -> Windows:
    names = [background.process for background in plan.search.backgrounds]
    lumi = plan.luminosity
    return Windows(
        mass=np.array(plan.masses),
        low=np.array([w.low for w in found]),
        high=np.array([w.high for w in found]),
        resolution=np.array([w.resolution for w in found]),
        efficiency=np.array([w.efficiency for w in found]),
        efficiency_error=np.array([w.efficiency_error for w in found]),
        signal_sigma=np.array([signal.sigma for signal in signals]),
        background={
            n: np.array([w.background[n] for w in found]) * lumi for n in names
        },
        background_error={
            n: np.array([w.background_error[n] for w in found]) * lumi for n in names
        },
        thresholds={
            cut.label: np.array([w.thresholds[i] for w in found])
            for i, cut in enumerate(plan.search.optimised)
        },
    )


def _counting(plan: Plan, windows: Windows) -> CountingModel:
    background = windows.total_background()
    error = np.sqrt(np.sum([e**2 for e in windows.background_error.values()], axis=0))
    return CountingModel(
        signal=windows.efficiency * plan.luminosity,
        background=background,
        background_error=np.divide(
            error, background, out=np.zeros_like(error), where=background > 0
        ),
        systematics=plan.search.systematics,
    )


def _limits(plan: Plan, windows: Windows, counting: CountingModel) -> LimitCurve:
    search = plan.search
    level = search.confidence_level
    band = {"sigma": expected_band(counting, confidence_level=level)}
    observed = {}
    if plan.observed is not None:
        observed["sigma"] = bayesian_upper_limit(
            counting, plan.observed, confidence_level=level
        )
    kind = MODELS.load(search.model)
    models = [kind(**{"mass": m, kind.coupling: 1.0}) for m in plan.masses]
    for assumption in search.assumptions:
        fraction = np.array([assumption.fraction(model) for model in models])
        reach = windows.signal_sigma * fraction
        band[assumption.quantity] = np.ma.sqrt(band["sigma"] / reach[:, None])
        if observed:
            observed[assumption.quantity] = np.ma.sqrt(observed["sigma"] / reach)
    return LimitCurve(
        mass=windows.mass,
        units={"sigma": "fb"} | {a.quantity: "1" for a in search.assumptions},
        expected_band=band,
        observed=observed,
        status=status(counting, band["sigma"]),
        confidence_level=level,
        method=METHOD,
    )
