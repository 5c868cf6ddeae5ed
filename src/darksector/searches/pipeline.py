"""generate -> detect -> select -> fill -> infer: runs one search."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby

from darksector.execution import Arrays, Task
from darksector.execution import run as run_tasks
from darksector.report.writer import write_folder
from darksector.results import SearchResult
from darksector.searches import _tables
from darksector.searches._plan import Plan, plan
from darksector.searches._samples import Samples, Survivors
from darksector.searches._simulation import Sample, simulate
from darksector.searches.base import Execution

__all__ = ["Plan", "plan", "run"]


def run(plan: Plan, execution: Execution) -> SearchResult:
    """Run a checked plan."""
    samples = _tasks(plan)
    arrays = run_tasks(
        [Task(plan.key(s), simulate, (s,)) for s in samples],
        workers=execution.workers or cores(),
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


def cores() -> int:
    """Return the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every platform
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _tasks(plan: Plan) -> list[Sample]:
    search, samples = plan.search, []
    for background in search.backgrounds:
        samples += [
            Sample(search, background.sample, 0.0, plan.seed, chunk)
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
    samples = Samples.of(signals, search.backgrounds, chunks)
    found = search.strategy.infer(plan, samples)
    return SearchResult(
        name=search.name,
        labels=_tables.labels(plan),
        luminosity=plan.luminosity,
        windows=found.windows,
        limits=found.limits,
        cutflow=_tables.cutflow(
            plan,
            signals,
            {name: Survivors.merge(parts) for name, parts in chunks.items()},
        ),
        spectra={
            name: _tables.spectrum(search, sample).scaled(plan.luminosity)
            for name, sample in samples.backgrounds.items()
        },
        signal_spectra=_tables.signal_spectra(plan, signals, found.limits),
        counting=found.counting,
        observed=plan.observed,
        published=search.published,
        config=plan.config,
        provenance=plan.provenance,
        origins=_tables.origins(search),
        writer=partial(write_folder, bands=search.bands(found.windows.mass)),
        planes=found.planes,
        regions=found.regions,
        uncertainties=search.uncertainties(),
    )
