"""generate -> detect -> select -> fill -> infer: runs one search."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from darksector import provenance, units
from darksector.cardfile import DETECTORS, MACHINES
from darksector.detectors.card import load as load_detector
from darksector.errors import InvalidConfig, InvalidFile
from darksector.execution import Task
from darksector.execution import run as run_tasks
from darksector.io import lhe
from darksector.limits import published
from darksector.machines import load as load_machine
from darksector.observables import OBSERVABLES
from darksector.registry import MODELS
from darksector.report.writer import write_folder
from darksector.results import CutflowRow, Labels, SearchResult, Windows
from darksector.searches._simulation import (
    Sample,
    background_process,
    signal_process,
    simulate,
)
from darksector.searches._windows import Survivors, Window, window
from darksector.searches.base import Execution, Inputs, Search
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import (
    LimitCurve,
    bayesian_upper_limit,
    expected_band,
    status,
)
from darksector.statistics.spectrum import Spectrum

METHOD = (
    "Bayesian, flat prior in the cross-section, Poisson counts, log-normal nuisances"
)
_SAME_MASS = 1e-3  # relative: an LHE sample stands for a mass hypothesis this close


@final
@dataclass(frozen=True)
class Plan:
    """A run whose inputs have been checked.

    Parameters
    ----------
    search
        What to run.
    luminosity
        Integrated luminosity, fb⁻¹.
    masses
        Mass hypotheses, GeV, increasing.
    seed
        The one seed.
    files
        Mass to the LHE file of its signal sample and the code of the invisible particle.
    observed
        Observed counts per mass, or None.
    config, inputs
        What `run.toml` records, and the hash of every input file.
    """

    search: Search
    luminosity: float
    masses: tuple[float, ...]
    seed: int
    files: Mapping[float, tuple[str, int]]
    observed: NDArray[np.int64] | None
    config: Mapping[str, Any]
    inputs: Mapping[str, str]


def plan(
    search: Search,
    *,
    luminosity: str,
    masses: Sequence[float],
    seed: int,
    inputs: Inputs,
) -> Plan:
    """Check all inputs before anything is computed; errors as in `Search.run`."""
    machine = load_machine(search.machine)
    files = _files(search, inputs)
    grid = _grid(masses, files)
    for mass in grid:
        signal_process(search, mass).check_energy(machine)
    observed = _counts(inputs.observed, grid) if inputs.observed else None
    hashes = {
        f"machines/{search.machine}.toml": MACHINES.path(search.machine).read_bytes(),
        f"detectors/{search.detector}.toml": DETECTORS.path(
            search.detector
        ).read_bytes(),
    }
    used = [*inputs.events, *([inputs.observed] if inputs.observed else [])]
    hashes |= {path.name: path.read_bytes() for path in used}
    config: dict[str, Any] = {
        "search": search.name,
        "luminosity": luminosity,
        "masses": list(grid),
        "seed": seed,
        "events": [str(path) for path in inputs.events],
    }
    config |= {"observed": str(inputs.observed)} if inputs.observed else {}
    config |= {"invisible": inputs.invisible} if inputs.invisible else {}
    return Plan(
        search=search,
        luminosity=units.luminosity(luminosity),
        masses=grid,
        seed=seed,
        files=files,
        observed=observed,
        config=config,
        inputs={name: provenance.sha256(content) for name, content in hashes.items()},
    )


def run(plan: Plan, execution: Execution) -> SearchResult:
    """Run a checked plan."""
    samples = _samples(plan)
    arrays = run_tasks(
        [Task(_key(plan, s), simulate, (s,)) for s in samples],
        workers=execution.workers or os.cpu_count() or 1,
        checkpoint=execution.checkpoint,
        progress=execution.progress,
    )
    paired = zip(samples, arrays, strict=True)
    merged = {
        name: Survivors.merge([chunk for _, chunk in group])
        for name, group in groupby(paired, key=lambda pair: _name(pair[0]))
    }
    signals = [merged.pop(("signal", mass)) for mass in plan.masses]
    backgrounds = {name: survivors for (name, _), survivors in merged.items()}
    return _result(plan, signals, backgrounds)


def _name(sample: Sample) -> tuple[str, float]:
    return sample.component, sample.mass


def _samples(plan: Plan) -> list[Sample]:
    search, samples = plan.search, []
    for background in search.backgrounds:
        samples += [
            Sample(search.name, background.process, 0.0, plan.seed, chunk)
            for chunk in range(background.chunks)
        ]
    for mass in plan.masses:
        file, invisible = plan.files.get(mass, ("", 0))
        samples += [
            Sample(search.name, "signal", mass, plan.seed, chunk, file, invisible)
            for chunk in range(1 if file else search.signal_chunks)
        ]
    return samples


def _key(plan: Plan, sample: Sample) -> str:
    """Return the hash of everything that a chunk depends on."""
    content = {
        "sample": asdict(sample),
        "inputs": dict(plan.inputs),
        "versions": provenance.versions(),
    }
    return provenance.sha256(json.dumps(content, sort_keys=True).encode())


def _result(
    plan: Plan, signals: Sequence[Survivors], backgrounds: Mapping[str, Survivors]
) -> SearchResult:
    search = plan.search
    found = [
        window(
            mass,
            signal,
            backgrounds,
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
        labels=_labels(search, plan),
        luminosity=plan.luminosity,
        windows=windows,
        limits=limits,
        cutflow=_cutflow(plan, signals, backgrounds),
        spectra={
            name: _spectrum(search, sample).scaled(plan.luminosity)
            for name, sample in backgrounds.items()
        },
        signal_spectra=_signal_spectra(plan, signals, limits),
        counting=counting,
        observed=plan.observed,
        published=search.published,
        config=plan.config,
        provenance=_provenance(plan),
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
        signal_sigma=np.array(
            [
                _unit_sigma(plan, *pair)
                for pair in zip(plan.masses, signals, strict=True)
            ]
        ),
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


def _unit_sigma(plan: Plan, mass: float, signal: Survivors) -> float:
    """Return the cross-section at unit coupling, fb; our own also for external events."""
    if mass not in plan.files:
        return signal.sigma
    machine = load_machine(plan.search.machine)
    process = signal_process(plan.search, mass)
    return process.cross_section(machine, precision=2e-3, seed=plan.seed).value_fb


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


def _cutflow(
    plan: Plan, signals: Sequence[Survivors], backgrounds: Mapping[str, Survivors]
) -> tuple[CutflowRow, ...]:
    """Return the expected events after each step; signals at unit coupling."""
    search = plan.search
    steps = [
        ("generated", "Every generated event."),
        (
            "topology and trigger",
            (
                "Two identified tracks of opposite charge and no other "
                f"({', '.join(search.topology.tracks)}), trigger line "
                f"{search.topology.trigger}."
            ),
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


def _spectrum(search: Search, sample: Survivors) -> Spectrum:
    start, stop, bins = search.axis
    edges = np.linspace(start, stop, bins + 1)
    return Spectrum.fill(
        search.observable, edges, values=sample.value, weights=sample.weight
    )


def _signal_spectra(
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
        plan.masses[i]: _spectrum(plan.search, signals[i]).scaled(
            float(limits.expected["sigma"][i]) / signals[i].sigma * plan.luminosity
        )
        for i in shown
    }


def _labels(search: Search, plan: Plan) -> Labels:
    observable = OBSERVABLES[search.observable]
    signal = signal_process(search, plan.masses[0])
    conventions = {"signal": signal.conventions()} | {
        b.process: background_process(b.process).conventions()
        for b in search.backgrounds
    }
    return Labels(
        title=search.title,
        machine=load_machine(search.machine).title,
        detector=load_detector(search.detector).title,
        observable=rf"${observable.label}$ [${observable.unit}$]",
        model=MODELS.load(search.model).title,
        components={b.process: b.legend for b in search.backgrounds},
        quantities={
            "sigma": r"$\sigma(e^+e^-\to\mu^+\mu^-Z') \times \mathrm{BR(inv)}$",
            **{a.quantity: a.label for a in search.assumptions},
        },
        conventions={
            name: "; ".join(f"{k}: {v}" for k, v in entries.items())
            for name, entries in conventions.items()
        },
    )


def _provenance(plan: Plan) -> provenance.Provenance:
    search = plan.search
    sources = [
        search.references,
        load_machine(search.machine).references,
        load_detector(search.detector).references,
        MODELS.load(search.model).references,
        signal_process(search, plan.masses[0]).references,
        *(background_process(b.process).references for b in search.backgrounds),
        *((published.load(key).reference,) for key in search.published),
    ]
    return provenance.Provenance(
        seed=plan.seed,
        versions=provenance.versions(),
        inputs=plan.inputs,
        references=tuple(sorted({key for keys in sources for key in keys})),
    )


def _grid(
    masses: Sequence[float], files: Mapping[float, tuple[str, int]]
) -> tuple[float, ...]:
    """Return the masses, those of external samples among them, increasing."""
    own = [m for m in masses if all(abs(m - f) > _SAME_MASS * f for f in files)]
    grid = sorted([*own, *files])
    if not grid:
        msg = "a run needs at least one mass; give for instance --masses 0.5:7:0.5."
        raise InvalidConfig(msg)
    repeated = [a for a, b in pairwise(grid) if a == b]
    if repeated:
        msg = f"mass {repeated[0]:g} GeV is given twice; list every mass once."
        raise InvalidConfig(msg)
    return tuple(float(m) for m in grid)


def _files(search: Search, inputs: Inputs) -> dict[float, tuple[str, int]]:
    """Return the LHE file of each mass, and the code of the invisible particle."""
    files: dict[float, tuple[str, int]] = {}
    for path in inputs.events:
        mass, file = _lhe_file(path, search, inputs.invisible)
        if mass in files:
            msg = (
                f"{files[mass][0]} and {path} are both samples of {mass:g} GeV; "
                "give one file per mass."
            )
            raise InvalidFile(msg)
        files[mass] = file
    return files


def _lhe_file(
    path: Path, search: Search, invisible: int | None
) -> tuple[float, tuple[str, int]]:
    """Return the mass of the invisible particle of a file, the path and its code."""
    machine = load_machine(search.machine)
    sample = lhe.to_lab(lhe.read(path), machine.p_her, machine.p_ler)
    code = lhe.invisible_id(sample, given=invisible)
    visible = sorted(abs(c) for c in sample.pdgs if c != code)
    wanted = sorted(abs(c) for c in signal_process(search, 1.0).final_state[:-1])
    if visible != wanted:
        msg = (
            f"{path}: the visible particles are {visible}, but {search.signal} has "
            f"{wanted}; give a sample of that process."
        )
        raise InvalidFile(msg)
    energy, *p = sample.momenta[:, sample.pdgs.index(code)].T
    mass2 = float(np.mean(energy**2 - sum(q**2 for q in p)))
    return round(float(np.sqrt(max(mass2, 0.0))), 6), (str(path), code)


def _counts(path: Path, masses: Sequence[float]) -> NDArray[np.int64]:
    """Return the observed counts, one per mass.

    Raises
    ------
    InvalidFile
        If the file lacks a column or a window, has one twice, or a count is not a whole
        number >= 0.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        counts = [(float(r["mass_gev"]), int(r["observed"])) for r in rows]
    except OSError as error:
        msg = (
            f"the file {str(path)!r} of observed counts cannot be read "
            f"({error.strerror}); check --observed."
        )
        raise InvalidFile(msg) from None
    except (KeyError, TypeError, ValueError) as error:
        msg = (
            f"{path}: observed counts need the columns mass_gev,observed with a number "
            f"and a whole number in each row; {type(error).__name__}: {error}."
        )
        raise InvalidFile(msg) from None
    return np.array([_count(path, counts, mass) for mass in masses], dtype=np.int64)


def _count(path: Path, counts: Sequence[tuple[float, int]], mass: float) -> int:
    here = [n for m, n in counts if abs(m - mass) <= _SAME_MASS * mass]
    if len(here) != 1 or here[0] < 0:
        msg = (
            f"{path}: the window at {mass:g} GeV has the counts {here}; every mass of "
            "the run needs exactly one count >= 0."
        )
        raise InvalidFile(msg)
    return here[0]
