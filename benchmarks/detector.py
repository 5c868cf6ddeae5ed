"""Speed of detector, outcomes and observables; writes benchmarks/detector.md.

The limit beside each figure is NumPy drawing the normal numbers that the smearing needs:
no simulation that smears with them can be faster.  Runs unchanged on an accelerator.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from engine import processor

import darksector as ds
from darksector.detectors.objects import NORMALS, Candidates
from darksector.detectors.outcomes import Topology, detect
from darksector.detectors.response import respond
from darksector.observables import OBSERVABLES
from darksector.processes._generation import CHUNK, threads

MACHINE = ds.machine("superkekb")
SECONDS = 6.0
TWO_MUONS = Topology(("mu", "mu"), "two_track")
CASES = (
    ("two tracks", "dimuon", TWO_MUONS, ("recoil_mass2", "dimuon_mass"), 5e5),
    (
        "three photons",
        "triphoton",
        Topology((), "total_energy", clusters=3),
        ("photon_mass", "photon_recoil_mass2", "e_photon_cms"),
        1e6,
    ),
    (
        "one photon, two lost",
        "triphoton",
        Topology((), "single_photon_1gev", clusters=1, vetoes=("klm",)),
        ("e_photon_cms", "theta_photon_lab"),
        None,
    ),
)


@dataclass(frozen=True)
class Rate:
    """Generated events per second of wall time and of CPU time."""

    wall: float
    cpu: float


def rate(step: Callable[[np.random.Generator], object]) -> Rate:
    """Return how many events a step of one chunk handles on all cores, compiled."""
    generators = [np.random.default_rng(i) for i in range(threads())]
    jax.block_until_ready(step(generators[0]))
    chunks = 0
    with ThreadPoolExecutor(len(generators)) as pool:
        wall, cpu = time.perf_counter(), time.process_time()
        while time.perf_counter() - wall < SECONDS:
            chunks += len(list(pool.map(step, generators)))
        events = chunks * CHUNK
        return Rate(
            events / (time.perf_counter() - wall), events / (time.process_time() - cpu)
        )


def simulation(
    name: str, topology: Topology, observables: tuple[str, ...]
) -> tuple[Rate, Rate]:
    """Return the rate of the chain, and that of drawing its normal numbers alone."""
    response = respond(ds.detector("belle2"))
    events = ds.process(name, isr=False).chunk(MACHINE, 1, 0)
    shape = (CHUNK, len(events.pdg), NORMALS)
    p_beams = jnp.asarray(MACHINE.p_beams)

    def columns(found: Candidates) -> tuple[jax.Array, ...]:
        values = (OBSERVABLES[name].compute(found) for name in observables)
        return found.weights, *values

    def numbers(rng: np.random.Generator) -> jax.Array:
        return jax.block_until_ready(jnp.asarray(rng.standard_normal(shape)))

    def chain(rng: np.random.Generator) -> object:
        z = numbers(rng)
        seen = detect(events, z, p_beams, response, topology=topology, evaluate=columns)
        return jax.block_until_ready(seen)

    return rate(chain), rate(numbers)


def main() -> None:
    """Measure every case and write the page beside this file."""
    rows = []
    for label, name, topology, observables, target in CASES:
        whole, limit = simulation(name, topology, observables)
        asked = "" if target is None else f"{target:.0e}"
        rows.append(
            f"| {label} | {whole.wall:.2e} | {whole.cpu:.2e} | {asked} | "
            f"{limit.wall:.2e} | {whole.wall / limit.wall:.2f} |"
        )
        print(rows[-1], flush=True)
    head = f"""# Benchmarks of the detector

{processor()}, JAX device {jax.devices()[0].platform}; Python {platform.python_version()},
JAX {jax.__version__}.  Written by `make bench`.  Card `belle2`, chunks of {CHUNK}.

| what | events/s | events/CPU-s | asked | normal numbers alone, events/s | ratio |
|---|---|---|---|---|---|
"""
    Path(__file__).with_name("detector.md").write_text(
        head + "\n".join(rows) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
