"""One chunk of a run: generate, detect, select. Pure, and sent to workers by name."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np

from darksector.cardfile import DETECTORS
from darksector.detectors.card import load as load_detector
from darksector.detectors.losses import ORIGINS
from darksector.detectors.objects import NORMALS, Candidates
from darksector.detectors.outcomes import detect
from darksector.detectors.response import Response, respond
from darksector.events import Events
from darksector.execution import Arrays, stream
from darksector.generators import tau
from darksector.generators.decay import Mode, decay
from darksector.io import lhe
from darksector.machines import Machine
from darksector.machines import load as load_machine
from darksector.observables import OBSERVABLES
from darksector.particles import PDG, ZPRIME
from darksector.phasespace.cuts import GeneratorCut
from darksector.processes.base import CHUNK, Process
from darksector.registry import MODELS, PROCESSES
from darksector.searches.base import Background, Search


@final
@dataclass(frozen=True)
class External:
    """A signal sample of another generator.

    Parameters
    ----------
    file
        Path of the LHE file.
    invisible
        PDG code of the invisible particle in it.
    sigma
        Cross-section of the same process at unit coupling, fb: ours, without radiation,
        as the file has none (its momenta balance without photons).
    """

    file: str
    invisible: int
    sigma: float


@final
@dataclass(frozen=True)
class Sample:
    """Which chunk of which sample: all that a worker needs to know.

    Parameters
    ----------
    search
        The search, sent as it is: its cuts must be importable where there are workers.
    component
        ``signal`` or the name of a background sample.
    mass
        Mass hypothesis of a signal, GeV; 0 for backgrounds.
    seed, chunk
        Which random numbers.
    external
        What replaces generation, or None.
    """

    search: Search
    component: str
    mass: float
    seed: int
    chunk: int
    external: External | None = None


def simulate(sample: Sample) -> Arrays:
    """Return what one chunk leaves: cutflow sums and the surviving candidates.

    The arrays are ``cutflow`` ``(2 + cuts, 2)`` with the sums of weights and of squared
    weights, fb times events, first generated, then topology and trigger, then each cut;
    ``count`` of generated events; per survivor ``weight``, ``value`` of the observable,
    ``residual`` of it, one row per further observable in ``variables`` and, where the
    background is divided, one per origin of losses in ``origins``.
    """
    ready = prepared(sample)
    columns = _evaluate(
        (sample.search, _origins(sample)),
        ready.events,
        ready.z,
        ready.p_beams,
        ready.response,
    )
    generated = np.asarray(ready.events.weights)
    return _survivors(generated, jax.tree.map(np.asarray, columns))


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Prepared:
    """The arguments of `detect` for one chunk."""

    events: Events
    z: jax.Array
    p_beams: jax.Array
    response: Response


def prepared(sample: Sample) -> Prepared:
    """Return the events of a chunk in front of the detector of its search."""
    machine = load_machine(sample.search.machine)
    response = _response(sample.search.detector)
    events = (
        _read(sample.external, machine)
        if sample.external
        else _generate(sample, machine)
    )
    z = stream(sample.seed, "detect", *_labels(sample)).standard_normal(
        (*events.momenta.shape[:2], NORMALS)
    )
    return Prepared(events, jnp.asarray(z), jnp.asarray(machine.p_beams), response)


def _origins(sample: Sample) -> tuple[str, ...]:
    """Return the origins of losses that a sample is divided by."""
    parts = [
        part
        for background in sample.search.backgrounds
        if background.sample == sample.component
        for part in background.parts
    ]
    return ORIGINS if any(part.origins for part in parts) else ()


def signal_process(search: Search, mass: float, *, isr: bool = True) -> Process:
    """Return the signal process of one mass, GeV, at unit coupling."""
    kind = MODELS.load(search.model)
    options = dict(search.model_options)
    model = kind(**{"mass": mass, kind.coupling: 1.0}, **options)
    return _process(search.signal, {"model": model, "isr": isr})


def background_process(background: Background) -> Process:
    """Return a background process."""
    return _process(background.process, dict(background.options))


def _process(name: str, options: dict[str, Any]) -> Process:
    """Return a process, with a running α where it has one."""
    kind = PROCESSES.load(name)
    running = {"running_alpha": True} if "running_alpha" in _fields(kind) else {}
    process: Process = kind(**running, **options)
    return process


def _fields(kind: Any) -> set[str]:
    return {field.name for field in fields(kind)}


def _labels(sample: Sample) -> tuple[str | int, ...]:
    return (sample.component, repr(sample.mass), sample.chunk)


@final
@dataclass(frozen=True)
class _Recipe:
    """How the events of a sample are made."""

    process: Process
    cuts: tuple[GeneratorCut, ...]
    decays: tuple[tuple[str, Mode], ...]
    tau_decays: bool = False


def _recipe(sample: Sample) -> _Recipe:
    search = sample.search
    if sample.component == "signal":
        process = signal_process(search, sample.mass)
        return _Recipe(process, search.signal_cuts, search.signal_decays)
    named = {b.sample: b for b in search.backgrounds}
    found = named[sample.component]
    return _Recipe(
        background_process(found), found.cuts, found.decays, found.tau_decays
    )


def _generate(sample: Sample, machine: Machine) -> Events:
    recipe = _recipe(sample)
    generation = recipe.process.generation(machine, cuts=recipe.cuts)
    random = stream(sample.seed, "generate", *_labels(sample))
    u = random.random((CHUNK, generation.dimension))
    events = recipe.process.events_from(u, machine, cuts=recipe.cuts)
    if machine.luminous_region is not None:
        made = machine.luminous_region.vertices(random.random((CHUNK, 4)))
        everywhere = np.broadcast_to(made[:, None], events.momenta.shape)
        events = replace(events, vertices=jnp.asarray(everywhere))
    if recipe.tau_decays:
        return tau.decay(random.random((CHUNK, tau.DIMENSION)), events, machine)
    for name, mode in recipe.decays:
        slot = events.pdg.index(PDG[name])
        events = decay(random.random((CHUNK, mode.dimension)), events, slot, mode)
    return events


def _read(external: External, machine: Machine) -> Events:
    """Return the events of an LHE file, the invisible particle under the code of a Z'."""
    sample = lhe.read(Path(external.file))
    found = lhe.to_lab(sample, machine.p_her, machine.p_ler)
    codes = tuple(ZPRIME if c == external.invisible else c for c in found.pdgs)
    order = np.argsort([abs(c) == ZPRIME for c in codes], kind="stable")
    beams = np.tile(found.beams.sum(axis=0), (len(found.weights), 1))
    return Events(
        momenta=jnp.asarray(found.momenta[:, order]),
        weights=jnp.asarray(found.weights * external.sigma / found.weights.mean()),
        p_beams=jnp.asarray(beams),
        pdg=tuple(codes[i] for i in order),
    )


@partial(jax.jit, static_argnums=0)
def _evaluate(
    wanted: tuple[Search, tuple[str, ...]],
    events: Events,
    z: jax.Array,
    p_beams: jax.Array,
    response: Response,
) -> dict[str, Any]:
    search, origins = wanted

    def columns(found: Candidates) -> dict[str, Any]:
        value = OBSERVABLES[search.observable].compute(found)
        return {
            "weight": found.weights,
            "value": value,
            "residual": value - found.recoil_mass2_gen,
            "masks": [cut.passes(found, response.detector) for cut in search.selection],
            "variables": [
                OBSERVABLES[name].compute(found) for name in search.strategy.variables
            ],
            "origins": [found.origins[name] for name in origins],
        }

    found: dict[str, Any] = detect(
        events, z, p_beams, response, topology=search.topology, evaluate=columns
    )
    return found


def _response(name: str) -> Response:
    """Return the response of a card as it is now: its file may change between runs."""
    return _tabulated(name, DETECTORS.whole_text(name))


@lru_cache(maxsize=2)
def _tabulated(name: str, text: str) -> Response:
    """Return a response: half a second that chunks share while the card is the same."""
    del text
    return respond(load_detector(name))


def _survivors(generated: np.ndarray, columns: dict[str, Any]) -> Arrays:
    weight = columns["weight"]
    keep = weight > 0
    steps = [generated, np.where(keep, weight, 0.0)]
    for mask in columns["masks"]:
        keep = keep & mask
        steps.append(np.where(keep, weight, 0.0))
    return {
        "cutflow": np.array([(step.sum(), (step**2).sum()) for step in steps]),
        "count": np.array(generated.size),
        "weight": weight[keep],
        "value": columns["value"][keep],
        "residual": columns["residual"][keep],
        "variables": _rows(columns["variables"], keep),
        "origins": _rows(columns["origins"], keep),
    }


def _rows(columns: list[np.ndarray], keep: np.ndarray) -> np.ndarray:
    """Return what is kept of some columns, ``(columns, kept)``, also of none."""
    found = [column[keep] for column in columns]
    return np.array(found).reshape(len(columns), keep.sum())
