"""Speed beside a peer or a limit, measured in one run; writes benchmarks/results.md.

Every line is a ratio of two things timed here and now, so that the machine drops out.
"""

from __future__ import annotations

import dataclasses
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import darksector as ds
from darksector.detectors.objects import NORMALS
from darksector.detectors.outcomes import detect
from darksector.detectors.response import respond
from darksector.processes.base import CHUNK
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import bayesian_upper_limit, expected_band

HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Line:
    """One row of the report."""

    what: str
    ours: str
    peer: str
    ratio: float


def cpu(task: Callable[[], object]) -> float:
    """Return the CPU seconds of the second call; the first may compile."""
    task()
    before = time.process_time()
    task()
    return time.process_time() - before


def wall(command: list[str]) -> float:
    """Return the wall seconds of a command, the best of three."""
    times = []
    for _ in range(3):
        before = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - before)
    return min(times)


def start_up() -> list[Line]:
    """Time what a user feels first, beside the import of NumPy alone."""
    numpy = wall([sys.executable, "-c", "import numpy"])
    ours = {
        "import darksector": [sys.executable, "-c", "import darksector"],
        "darksector --help": [sys.executable, "-m", "darksector.cli", "--help"],
    }
    return [
        Line(
            name,
            f"{(t := wall(command)):.2f} s",
            f"import numpy {numpy:.2f} s",
            t / numpy,
        )
        for name, command in ours.items()
    ]


def enumeration() -> list[Line]:
    """Compare the variance of enumerated outcomes with that of drawn ones.

    An event of weight w that passes with probability p contributes (w p)² to the
    variance of the yield when p is a weight, and w² p when passing is drawn.
    """
    search, machine = ds.search("zprime_invisible"), ds.machine("superkekb")
    detector, lines = ds.detector("belle2_phase2"), []
    response = respond(detector)
    for name in ("dimuon_gamma", "two_photon_dimuon"):
        process = ds.process(name)
        events = process.chunk(machine, 1, 0)
        z = np.random.default_rng(1).standard_normal(
            (*events.momenta.shape[:2], NORMALS)
        )
        found = detect(events, z, machine.p_beams, response, topology=search.topology)
        passed = np.logical_and.reduce(
            [np.asarray(cut.passes(found, detector)) for cut in search.selection]
        )
        enumerated = np.where(passed, np.asarray(found.weights), 0.0)
        copies = enumerated.size // CHUNK
        generated = np.tile(np.asarray(events.weights), copies)
        gain = np.sum(enumerated * generated) / np.sum(enumerated**2)
        size = np.sum(enumerated) ** 2 / np.sum(enumerated**2)
        lines.append(
            Line(
                f"{process.title}: effective events after the selection",
                f"{size:.0f} of {CHUNK} generated",
                f"accept/reject {size / gain:.0f}",
                gain,
            )
        )
    return lines


def limits() -> list[Line]:
    """Time Bayesian limits, observed and five expected, beside pyhf's asymptotic CLs."""
    import pyhf

    masses = 500
    search = ds.search("zprime_invisible")
    rng = np.random.default_rng(1)
    background = rng.uniform(0.5, 30.0, masses)
    model = CountingModel(
        np.full(masses, 0.03), background, np.full(masses, 0.05), search.systematics
    )
    counts = rng.poisson(background)

    def ours() -> None:
        bayesian_upper_limit(model, counts, confidence_level=0.9)
        expected_band(model, confidence_level=0.9)

    simple = pyhf.simplemodels.uncorrelated_background([1.0], [10.0], [2.2])
    data = [10.0, *simple.config.auxdata]
    scan = np.linspace(0.1, 10.0, 20)

    def peer() -> None:
        for mu in scan:
            pyhf.infer.hypotest(mu, data, simple, return_expected_set=True)

    each, other = cpu(ours) / masses, cpu(peer)
    return [
        Line(
            "limit with bands, one mass",
            f"{1e3 * each:.2f} CPU-ms (Bayesian, 7 nuisances)",
            f"pyhf CLs, 20 points, 1 nuisance: {1e3 * other:.0f} CPU-ms",
            each / other,
        )
    ]


def main() -> None:
    """Run all benchmarks and write the table."""
    lines = [*start_up(), *enumeration(), *limits()]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    processor = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        )
        if Path("/proc/cpuinfo").exists()
        else iter(()),
        platform.processor(),
    )
    rows = [f"| {x.what} | {x.ours} | {x.peer} | {x.ratio:.2g} |" for x in lines]
    text = "\n".join(
        [
            "# Benchmarks",
            "",
            f"{processor}, Python {platform.python_version()}; peak memory {memory:.0f} MB.",
            "Written by `make bench`; the last column is ours over the peer's, same run.",
            "",
            "| what | ours | peer | ratio |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )
    (HERE / "results.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
