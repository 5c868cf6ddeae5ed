"""A run before it runs: all inputs checked, nothing simulated, nothing written."""

from __future__ import annotations

import csv
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from darksector import provenance, units
from darksector.cardfile import DETECTORS, MACHINES
from darksector.detectors.card import load as load_detector
from darksector.detectors.trigger_lines import check_line
from darksector.errors import InvalidConfig, InvalidFile
from darksector.io import lhe
from darksector.limits import published
from darksector.machines import load as load_machine
from darksector.registry import MODELS
from darksector.searches._simulation import (
    External,
    Sample,
    background_process,
    signal_process,
)
from darksector.searches.base import Background, Inputs, Search
from darksector.selection import Cut

_SAME_MASS = 1e-3  # relative: a file or a count stands for a mass hypothesis this close


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
    external
        Mass to the sample of another generator that replaces our own.
    observed
        Observed counts per mass, or None.
    config
        What `run.toml` records.
    provenance
        Versions, hashes of every input, references.
    code
        Hash of the code that makes the samples.
    """

    search: Search
    luminosity: float
    masses: tuple[float, ...]
    seed: int
    external: Mapping[float, External]
    observed: NDArray[np.int64] | None
    config: Mapping[str, Any]
    provenance: provenance.Provenance
    code: str

    def key(self, sample: Sample) -> str:
        """Return the hash of everything that a chunk depends on."""
        search = self.search
        content = {
            "sample": (sample.component, sample.mass, sample.seed, sample.chunk),
            "external": str(sample.external),
            "inputs": dict(self.provenance.inputs),
            "versions": dict(self.provenance.versions),
            "code": self.code,
            "search": [search.model, search.signal, search.observable],
            "signal": repr(
                (search.model_options, search.signal_cuts, search.signal_decays)
            ),
            "topology": str(search.topology),
            "variables": search.strategy.variables,
            "background": repr([b for b in search.backgrounds if _is(b, sample)]),
        }
        return provenance.sha256(json.dumps(content, sort_keys=True).encode())


def _is(background: Background, sample: Sample) -> bool:
    return background.sample == sample.component


def plan(
    search: Search,
    *,
    luminosity: str,
    masses: Sequence[float] | str,
    seed: int,
    inputs: Inputs,
) -> Plan:
    """Check all inputs before anything is simulated; errors as in `Search.run`."""
    machine = load_machine(search.machine)
    check_line(load_detector(search.detector).trigger, search.topology.trigger)
    wanted = units.grid(masses) if isinstance(masses, str) else masses
    search.strategy.check(search)
    external = _externals(search, inputs, wanted)
    grid = _grid(wanted, external)
    for mass in grid:
        signal_process(search, mass).check_energy(machine)
    config: dict[str, Any] = {
        "search": search.name,
        "luminosity": luminosity,
        "masses": list(grid),
        "seed": seed,
        "machine": search.machine,
        "detector": search.detector,
        "events": [str(path.resolve()) for path in inputs.events],
    }
    config |= {"observed": str(inputs.observed.resolve())} if inputs.observed else {}
    config |= {"invisible": inputs.invisible} if inputs.invisible else {}
    return Plan(
        search=search,
        luminosity=units.luminosity(luminosity),
        masses=grid,
        seed=seed,
        external=external,
        observed=_counts(inputs.observed, grid) if inputs.observed else None,
        config=config,
        provenance=_provenance(search, seed, dict(_hashes(search, inputs))),
        code=_code(search),
    )


def _hashes(search: Search, inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Yield the name and the hash of every file that the run depends on."""
    for folder, name in ((MACHINES, search.machine), (DETECTORS, search.detector)):
        yield (
            f"{folder.folder}/{Path(name).stem}.toml",
            provenance.sha256(folder.whole_text(name).encode()),
        )
    for i, path in enumerate(inputs.events):
        yield f"events/{i}/{path.name}", provenance.sha256(path.read_bytes())
    if inputs.observed:
        content = inputs.observed.read_bytes()
        yield f"observed/{inputs.observed.name}", provenance.sha256(content)


def _code(search: Search) -> str:
    """Return the hash of this package's code and of the cuts of the search.

    A stopped run must not resume with chunks of other code.
    """
    sources = sorted(
        (str(path), path.read_bytes()) for path in _modules(files("darksector"))
    )
    cuts = [(cut.label, _source(cut)) for cut in search.selection]
    return provenance.sha256(repr((sources, cuts)).encode())


def _source(cut: Cut) -> str:
    try:
        return inspect.getsource(cut.passes)
    except (OSError, TypeError):
        msg = (
            f"the source of the cut {cut.label!r} cannot be read; define it in a file."
        )
        raise InvalidConfig(msg) from None


def _modules(folder: Any) -> Iterator[Any]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith(".py"):
            yield entry


def _provenance(
    search: Search, seed: int, inputs: Mapping[str, str]
) -> provenance.Provenance:
    sources: list[Iterable[str]] = [
        search.references,
        load_machine(search.machine).references,
        load_detector(search.detector).references,
        MODELS.load(search.model).references,
        signal_process(search, 1.0).cited(),
        *(background_process(b).cited() for b in search.backgrounds),
        [published.load(key).reference for key in search.published],
    ]
    references = tuple(sorted({key for keys in sources for key in keys}))
    provenance.bibtex(references)  # a reference of the wrong form: now, not at the end
    return provenance.Provenance(seed, provenance.versions(), inputs, references)


def _externals(
    search: Search, inputs: Inputs, masses: Sequence[float]
) -> dict[float, External]:
    found: dict[float, External] = {}
    for path in inputs.events:
        mass, external = _external(path, search, inputs, masses)
        if mass in found:
            msg = (
                f"{Path(found[mass].file).name} and {path.name} are both samples of "
                f"{mass:g} GeV; give one file per mass."
            )
            raise InvalidFile(msg)
        found[mass] = external
    return found


def _external(
    path: Path, search: Search, inputs: Inputs, masses: Sequence[float]
) -> tuple[float, External]:
    """Return the mass hypothesis of an LHE file, GeV, and what replaces our sample."""
    machine = load_machine(search.machine)
    sample = lhe.to_lab(lhe.read(path), machine.p_her, machine.p_ler)
    code = lhe.invisible_id(sample, given=inputs.invisible)
    process = signal_process(search, 1.0)
    visible = sorted(abs(c) for c in sample.pdgs if c != code)
    wanted = sorted(abs(c) for c in process.final_state[:-1])
    if visible != wanted or sample.pdgs.count(code) != 1:
        msg = (
            f"{path}: the final state is {sample.pdgs}, but {search.signal} has "
            f"{wanted} and one invisible particle; give a sample of that process."
        )
        raise InvalidFile(msg)
    if not (sample.weights > 0).all():
        msg = f"{path}: weights must be greater than zero; unweight the sample."
        raise InvalidFile(msg)
    energy, *p = sample.momenta[:, sample.pdgs.index(code)].T
    mass2 = float(np.mean(energy**2 - sum(q**2 for q in p)))
    found = round(float(np.sqrt(max(mass2, 0.0))), 6)
    near = [m for m in masses if abs(m - found) <= _SAME_MASS * found]
    mass = float(near[0]) if len(near) == 1 else found
    bare = signal_process(search, mass, isr=False)
    bare.check_energy(machine)
    sigma = bare.cross_section(machine, precision=2e-3).value_fb
    return mass, External(str(path.resolve()), code, sigma)


def _grid(
    masses: Sequence[float], external: Mapping[float, External]
) -> tuple[float, ...]:
    """Return the masses, those of external samples among them, increasing."""
    grid = sorted([*masses, *(m for m in external if m not in masses)])
    if not grid:
        msg = "a run needs at least one mass; give for instance --masses 0.5:7:0.5."
        raise InvalidConfig(msg)
    repeated = [a for a, b in pairwise(grid) if a == b]
    if repeated:
        msg = f"mass {repeated[0]:g} GeV is given twice; list every mass once."
        raise InvalidConfig(msg)
    return tuple(float(m) for m in grid)


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
    nearest = [_nearest(masses, at) for at, _ in counts]
    return np.array(
        [
            _count(
                path,
                mass,
                [c for c, m in zip(counts, nearest, strict=True) if m == mass],
            )
            for mass in masses
        ],
        dtype=np.int64,
    )


def _nearest(masses: Sequence[float], at: float) -> float:
    return min(masses, key=lambda mass: abs(mass - at))


def _count(path: Path, mass: float, found: Sequence[tuple[float, int]]) -> int:
    """Return the one count of a window out of those nearest to its mass."""
    here = [n for at, n in found if abs(at - mass) <= _SAME_MASS * mass]
    if len(here) != 1 or here[0] < 0:
        msg = (
            f"{path}: the window at {mass:g} GeV has the counts {here}; every mass of "
            "the run needs exactly one count >= 0."
        )
        raise InvalidFile(msg)
    return here[0]
