"""Speed of the event engine beside peers, in one run; writes benchmarks/engine.md.

Throughput is that of the whole pass: uniform numbers, mapping, cuts, squared amplitude,
boost to the laboratory.  Runs unchanged where JAX finds an accelerator.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import radians
from pathlib import Path

import jax
import numpy as np
import vegas

import darksector as ds
from darksector.generators import tau
from darksector.machines import symmetric
from darksector.phasespace.cuts import GeneratorCut
from darksector.processes import _grids
from darksector.processes._generation import CHUNK, threads
from darksector.processes.base import Process

HERE = Path(__file__).parent
MACHINE = symmetric(10.58)
SECONDS = 6.0  # of each throughput
# what the first line of a new process costs a user, and the same again
COLD = """
import time; start = time.perf_counter()
import darksector as ds
from darksector.machines import symmetric
import sys; sys.path.insert(0, {here!r})
from engine import CASES
name, process, cuts, precision = CASES[{index}]
process().cross_section(symmetric(10.58), precision=precision, cuts=cuts)
print(time.perf_counter() - start)
"""


def _lost(*names: str) -> list[GeneratorCut]:
    return [GeneratorCut("theta_beam_cms", (n,), high=radians(10)) for n in names]


def _signal(name: str, model: str, coupling: str) -> Callable[[], Process]:
    return lambda: ds.process(
        name, ds.model(model, mass=1.0, **{coupling: 1.0}), isr=False
    )


def _background(name: str, **options: float) -> Callable[[], Process]:
    return lambda: ds.process(name, isr=False, **options)


_PHOTON = [GeneratorCut("e_cms", ("gamma",), low=1.0)]
CASES = (
    ("gamma A'", _signal("gamma_aprime", "dark_photon", "epsilon"), [], 1e-3),
    ("gamma a", _signal("gamma_alp", "alp", "g_agg"), [], 1e-3),
    ("mu mu Z'", _signal("dimuon_zprime", "lmu_ltau", "gprime"), [], 1e-3),
    ("gamma gamma gamma", _background("triphoton"), [], 1e-2),
    (
        "e e gamma, e e lost within 10 deg",
        _background("bhabha_gamma", photon_energy_min=0.1, photon_angle_min=0.01),
        [*_PHOTON, *_lost("e-", "e+")],
        1e-2,
    ),
    ("e e mu mu, W > 0.5 GeV", _background("two_photon_dimuon"), [], 1e-2),
)


@dataclass(frozen=True)
class Rate:
    """Trials and accepted events per second, wall and CPU."""

    trials: float
    accepted: float
    per_cpu: float


def throughput(process: Process, cuts: list[GeneratorCut]) -> Rate:
    """Return the rate of the whole generator pass on all cores, after compilation."""
    chunks = process.generation(MACHINE, cuts=cuts).chunks(1, "benchmark")
    for _ in range(2 * threads() + 1):
        next(chunks)  # compiles, and fills the queue
    return _rate((CHUNK, len(chunk.trial)) for chunk in chunks)


def _rate(counts: Iterator[tuple[int, int]]) -> Rate:
    wall, cpu, trials, accepted = time.perf_counter(), time.process_time(), 0, 0
    for tried, kept in counts:
        trials, accepted = trials + tried, accepted + kept
        if time.perf_counter() - wall > SECONDS:
            break
    seconds = time.perf_counter() - wall
    return Rate(
        trials / seconds, accepted / seconds, trials / (time.process_time() - cpu)
    )


def tau_pairs(modes: tuple[str, str]) -> Rate:
    """Return the rate of τ pairs, produced and decayed with spin correlation."""
    process = ds.process("ditau", isr=False)
    rng = np.random.default_rng(1)
    dimension, size = process.dimension(MACHINE), tau.dimension(modes)

    def pairs() -> Iterator[tuple[int, int]]:
        while True:
            events = process.events_from(rng.random((CHUNK, dimension)), MACHINE)
            done = tau.decay(rng.random((CHUNK, size)), events, MACHINE, modes)
            done.weights.block_until_ready()
            yield CHUNK, CHUNK

    counts = pairs()
    next(counts)
    return _rate(counts)


def starts(index: int) -> tuple[float, float]:
    """Return wall seconds to a first cross-section, cold and with warm caches."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"XDG_CACHE_HOME": folder}
        environment.pop("JAX_COMPILATION_CACHE_DIR", None)
        code = COLD.format(here=str(HERE), index=index)
        cold, warm = (
            float(
                subprocess.run(
                    [sys.executable, "-c", code],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(2)
        )
    return cold, warm


def scan() -> tuple[float, float]:
    """Return CPU seconds: 1e5 unweighted μμZ' events, and one more mass to 1e-3."""
    _, process, _, _ = CASES[2]
    generation = process().generation(MACHINE)
    highest = _grids.highest(generation)
    generation.events(1000, 1, highest=highest)
    before = time.process_time()
    generation.events(100_000, 2, highest=highest)
    events = time.process_time() - before
    mass = 2 + time.time() % 1  # one that no cache knows
    other = ds.process(
        "dimuon_zprime", ds.model("lmu_ltau", mass=mass, gprime=1.0), isr=False
    )
    before = time.process_time()
    other.cross_section(MACHINE, precision=1e-3)
    return events, time.process_time() - before


def pythia(n: int, *settings: str) -> float:
    """Return Pythia's events per CPU second."""
    import pythia8mc

    generator = pythia8mc.Pythia("", False)  # no banner
    for setting in (
        *("Print:quiet = on", "Beams:idA = 11", "Beams:idB = -11", "Beams:eCM = 10.58"),
        *("PDF:lepton = off", "PartonLevel:ISR = off", "PartonLevel:FSR = off"),
        *("WeakSingleBoson:ffbar2ffbar(s:gm) = on", "23:onMode = off", *settings),
    ):
        generator.readString(setting)
    generator.init()
    before = time.process_time()
    for _ in range(n):
        generator.next()
    return n / (time.process_time() - before)


def vegas_twin(precision: float) -> tuple[float, float]:
    """Return CPU seconds to a precision for μμZ': ours, and vegas on our integrand."""
    _, process, _, _ = CASES[2]
    flat = process()._flat(MACHINE)

    @vegas.batchintegrand
    def integrand(u: np.ndarray) -> np.ndarray:
        found = np.zeros(len(u))
        for start in range(0, len(u), CHUNK):
            part = u[start : start + CHUNK]
            padded = np.resize(part, (CHUNK, part.shape[1]))
            survivors = flat.survivors(padded)
            weight = np.zeros(CHUNK)
            weight[survivors.trial] = survivors.weight
            found[start : start + CHUNK] = weight[: len(part)]
        return found

    integrator = vegas.Integrator([[0.0, 1.0]] * flat.dimension)
    integrand(np.random.default_rng(1).random((CHUNK, flat.dimension)))
    before = time.process_time()
    integrator(integrand, nitn=5, neval=CHUNK)
    for size in (2, 4, 8, 16, 32):
        result = integrator(integrand, nitn=5, neval=size * CHUNK // 2)
        if result.sdev < precision * result.mean:
            break
    peer = time.process_time() - before
    other = ds.process(
        "dimuon_zprime",
        ds.model("lmu_ltau", mass=1 + 1e-9 * time.time() % 1e-3, gprime=1.0),
        isr=False,
    )
    before = time.process_time()
    other.cross_section(MACHINE, precision=precision)
    return time.process_time() - before, peer


def main() -> None:
    """Run all benchmarks and write the table."""
    rows = [
        "| what | trials/s | accepted/s | trials/CPU-s | cold start | warm start |",
        "|---|---|---|---|---|---|",
    ]
    for index, (name, process, cuts, _) in enumerate(CASES):
        cold, warm = starts(index)
        rate = throughput(process(), cuts)
        rows.append(
            f"| {name} | {rate.trials:.3g} | {rate.accepted:.3g} | {rate.per_cpu:.3g} | "
            f"{cold:.1f} s | {warm:.1f} s |"
        )
    for modes in (("mu", "mu"), ("pi", "rho")):
        rate = tau_pairs(modes)
        rows.append(
            f"| tau tau -> {modes[0]}, {modes[1]} | {rate.trials:.3g} | {rate.accepted:.3g} | {rate.per_cpu:.3g} | | |"
        )
    events, mass = scan()
    ours, peer = vegas_twin(1e-3)
    muons = pythia(20_000, "23:onIfAny = 13")
    taus = pythia(2_000, "23:onIfAny = 15")
    dimuon = throughput(ds.process("dimuon", isr=False), [])
    pairs = tau_pairs(("mu", "mu"))
    device = jax.devices()[0]
    text = "\n".join(
        [
            "# Benchmarks of the event engine",
            "",
            (
                f"{processor()}, {threads()} threads, JAX device {device.device_kind}; Python "
                f"{platform.python_version()}, JAX {jax.__version__}.  Written by `make bench`."
            ),
            "",
            *rows,
            "",
            "| what | ours | peer | ratio |",
            "|---|---|---|---|",
            (
                f"| 1e5 unweighted mu mu Z' events | {events:.2f} CPU-s | a public matrix-element "
                f"generator, quoted: 74 CPU-s | {74 / events:.0f} |"
            ),
            (
                f"| mu mu Z', one more mass to 1e-3 | {mass:.2f} CPU-s | the same, quoted: 5 to 14 "
                f"CPU-s | {5 / mass:.0f} to {14 / mass:.0f} |"
            ),
            (
                f"| mu mu Z' to 1e-3 | {ours:.2f} CPU-s | vegas on the same integrand {peer:.2f} "
                f"CPU-s | {peer / ours:.1f} |"
            ),
            (
                f"| mu mu events per CPU-s | {dimuon.per_cpu:.3g} | Pythia 8 {muons:.3g} | "
                f"{dimuon.per_cpu / muons:.0f} |"
            ),
            (
                f"| tau tau events, decayed, per CPU-s | {pairs.per_cpu:.3g} | Pythia 8 {taus:.3g} | "
                f"{pairs.per_cpu / taus:.0f} |"
            ),
            "",
        ]
    )
    (HERE / "engine.md").write_text(text, encoding="utf-8")
    print(text)


def processor() -> str:
    """Return the name of the processor."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [
        line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
    ]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
