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
from darksector.detectors.objects import NORMALS, Candidates
from darksector.detectors.outcomes import detect
from darksector.detectors.response import Response, respond
from darksector.events import Events
from darksector.execution import Arrays, stream
from darksector.generators import tau
from darksector.io import lhe
from darksector.machines import Machine
from darksector.machines import load as load_machine
from darksector.observables import OBSERVABLES
from darksector.particles import ZPRIME
from darksector.processes.base import CHUNK, Process
from darksector.registry import MODELS, PROCESSES
from darksector.searches.base import Search


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
        ``signal`` or the name of a background process.
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
    ``residual`` of it, and one row per optimised cut in ``variables``.
    """
    search = sample.search
    machine, response = load_machine(search.machine), _response(search.detector)
    events = (
        _read(sample.external, machine)
        if sample.external
        else _generate(sample, machine)
    )
    z = stream(sample.seed, "detect", *_labels(sample)).standard_normal(
        (*events.momenta.shape[:2], NORMALS)
    )
    columns = _evaluate(
        search, events, jnp.asarray(z), jnp.asarray(machine.p_beams), response
    )
    return _survivors(np.asarray(events.weights), jax.tree.map(np.asarray, columns))


def signal_process(search: Search, mass: float, *, isr: bool = True) -> Process:
    """Return the signal process of one mass, GeV, at unit coupling, with a running α."""
    kind = MODELS.load(search.model)
    model = kind(**{"mass": mass, kind.coupling: 1.0})
    signal = PROCESSES.load(search.signal)
    process: Process = signal(model=model, isr=isr, running_alpha=True)
    return process


def background_process(name: str) -> Process:
    """Return a background process with a running α where it has one."""
    kind = PROCESSES.load(name)
    running = any(f.name == "running_alpha" for f in fields(kind))
    process: Process = kind(running_alpha=True) if running else kind()
    return process


def _labels(sample: Sample) -> tuple[str | int, ...]:
    return (sample.component, repr(sample.mass), sample.chunk)


def _generate(sample: Sample, machine: Machine) -> Events:
    search = sample.search
    if sample.component == "signal":
        process = signal_process(search, sample.mass)
    else:
        process = background_process(sample.component)
    random = stream(sample.seed, "generate", *_labels(sample))
    events = process.events_from(
        random.random((CHUNK, process.dimension(machine))), machine
    )
    if machine.luminous_region is not None:
        made = machine.luminous_region.vertices(random.random((CHUNK, 4)))
        everywhere = np.broadcast_to(made[:, None], events.momenta.shape)
        events = replace(events, vertices=jnp.asarray(everywhere))
    decays = {b.process for b in search.backgrounds if b.tau_decays}
    if sample.component in decays:
        events = tau.decay(random.random((CHUNK, tau.DIMENSION)), events, machine)
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
    search: Search, events: Events, z: jax.Array, p_beams: jax.Array, response: Response
) -> dict[str, Any]:
    def columns(found: Candidates) -> dict[str, Any]:
        value = OBSERVABLES[search.observable].compute(found)
        return {
            "weight": found.weights,
            "value": value,
            "residual": value - found.recoil_mass2_gen,
            "masks": [cut.passes(found, response.detector) for cut in search.selection],
            "variables": [
                OBSERVABLES[c.observable].compute(found) for c in search.optimised
            ],
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
        "variables": np.array([v[keep] for v in columns["variables"]]).reshape(
            len(columns["variables"]), keep.sum()
        ),
    }
