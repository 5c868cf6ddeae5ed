r"""Which number of a detector is worth improving: derivatives of the expected limit.

.. math:: \frac{\mathrm{d}\ln g}{\mathrm{d}\ln x} = \frac12 \left(
          \frac{\mathrm{d}\ln s_\mathrm{up}}{\mathrm{d}\ln x} -
          \frac{\mathrm{d}\ln s}{\mathrm{d}\ln x}\right)

g is the coupling, s the signal and s_up the limit on it, both in events.  Windows and
regions stay where the detector of the card has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from darksector.detectors.card import load as load_detector
from darksector.errors import InvalidConfig
from darksector.execution import Arrays, Task
from darksector.execution import run as run_tasks
from darksector.provenance import sha256
from darksector.registry import SEARCHES
from darksector.searches._derivatives import check_number, differentiated
from darksector.searches._plan import Plan
from darksector.searches._regions import Region
from darksector.searches._samples import Survivors
from darksector.searches._simulation import Sample, simulate
from darksector.searches._single_photon import SinglePhoton
from darksector.searches._slopes import coupling_slopes
from darksector.searches._soft_windows import SoftWindows, soft_windows
from darksector.searches._yields import Chunks, best_windows, flat_yields, yields
from darksector.searches.base import Execution
from darksector.searches.pipeline import cores

LUMINOSITY = "luminosity"
NUMBERS = (
    "calorimeter.gaps",
    "calorimeter.crack_leakage",
    "klm.photon_inefficiency",
    "calorimeter.energy_resolution",
    "trigger.single_photon_1gev_min",
    LUMINOSITY,
)
_PART = 2  # one of so many chunks of the backgrounds is enough
_LEAST = 4  # chunks of each, for the errors


@final
@dataclass(frozen=True)
class Sensitivities:
    """Derivatives of the expected limit on the coupling by numbers of the experiment.

    Parameters
    ----------
    masses
        Mass hypotheses, GeV.
    regions
        Region that the detector of the card prefers, per mass.
    names
        ``system.number`` of the card, or ``luminosity``.
    slopes
        d ln(limit) / d ln(number), ``(m, k)``; NaN where there is no limit.
    errors
        Standard deviations from the simulated samples, ``(m, k)``.
    """

    masses: tuple[float, ...]
    regions: tuple[str, ...]
    names: tuple[str, ...]
    slopes: Float[np.ndarray, "m k"]
    errors: Float[np.ndarray, "m k"]


def sensitivities(
    plan: Plan, *, numbers: Sequence[str] = NUMBERS, execution: Execution
) -> Sensitivities:
    """Differentiate the expected limit of a search with a single photon.

    Parameters
    ----------
    numbers
        ``system.number`` of the calorimeter, the muon detector or the trigger, one at
        least; also ``luminosity``.
    execution
        Workers, checkpoints and progress.

    Raises
    ------
    InvalidConfig
        If the search does not count in windows of the recoil mass of one photon, or no
        number of the detector is given.
    UnknownName
        If the detector has no such number.

    Notes
    -----
    Windows and regions have soft edges (`SoftWindows`), for what crosses a hard one has
    no derivative event by event.  The cuts of the selection stay hard: a window that
    reaches one of them lacks what crosses it.  Windows do not follow the resolution, and
    regions no number: a new optimum would gain in the second order only, but a window of
    two resolutions is not at its optimum.
    """
    regions = _check(plan, numbers)
    names = tuple(name for name in numbers if name != LUMINOSITY)
    windows = soft_windows(plan, _signals(plan, execution), regions)
    chunks = _differentiated(plan, windows, names, execution)
    flat = flat_yields(plan, windows)
    whole = yields(plan, chunks, flat)
    chosen = best_windows(plan, whole)
    variants = [(n, yields(plan, left, flat)) for n, left in _without_one(chunks)]
    found = coupling_slopes(
        plan, [each.at(chosen) for each in (whole, *(y for _, y in variants))]
    )
    order = [(*names, LUMINOSITY).index(name) for name in numbers]
    # jackknife: the samples are independent, so their variances add up
    factors = np.array([(n - 1) / n for n, _ in variants])[:, None, None]
    variance = (factors * (found[1:] - found[0]) ** 2).sum(axis=0)
    return Sensitivities(
        masses=plan.masses,
        regions=tuple(regions[i % len(regions)].name for i in chosen),
        names=tuple(numbers),
        slopes=found[0][:, order],
        errors=np.sqrt(variance)[:, order],
    )


def _check(plan: Plan, numbers: Sequence[str]) -> tuple[Region, ...]:
    strategy = plan.search.strategy
    if not isinstance(strategy, SinglePhoton):
        allowed = [
            name
            for name in SEARCHES.names()
            if isinstance(SEARCHES.load(name).strategy, SinglePhoton)
        ]
        msg = (
            f"{plan.search.name} does not count in windows of the recoil mass of a "
            f"single photon; sensitivities are known for {', '.join(allowed)}."
        )
        raise InvalidConfig(msg)
    if not set(numbers) - {LUMINOSITY}:
        msg = (
            f"no number of the detector is given, only {list(numbers)}; give one at "
            f"least, for instance {NUMBERS[0]}."
        )
        raise InvalidConfig(msg)
    detector = load_detector(plan.search.detector)
    for name in numbers:
        if name != LUMINOSITY:
            check_number(detector, name)
    return strategy.regions


def samples(plan: Plan) -> list[Sample]:
    """Return the chunks that are enough."""
    search = plan.search
    found = [
        Sample(search, background.sample, 0.0, plan.seed, chunk)
        for background in search.backgrounds
        for chunk in range(max(_LEAST, -(-background.chunks // _PART)))
    ]
    return found + _signal_samples(plan)


def _signal_samples(plan: Plan) -> list[Sample]:
    return [
        Sample(plan.search, "signal", mass, plan.seed, chunk, plan.external.get(mass))
        for mass in plan.masses
        for chunk in range(1 if mass in plan.external else plan.search.signal_chunks)
    ]


def _signals(plan: Plan, execution: Execution) -> list[Survivors]:
    """Return the signal of each mass, from which the windows follow."""
    wanted = _signal_samples(plan)
    arrays = run_tasks(
        [Task(plan.key(s), simulate, (s,)) for s in wanted],
        workers=execution.workers or cores(),
        checkpoint=execution.checkpoint,
        progress=None,
    )
    grouped = _grouped(wanted, arrays)
    return [Survivors.merge(grouped["signal", mass]) for mass in plan.masses]


def _differentiated(
    plan: Plan, windows: SoftWindows, names: tuple[str, ...], execution: Execution
) -> Chunks:
    wanted = samples(plan)
    where = repr((names, [np.asarray(x).tolist() for x in vars(windows).values()]))
    keys = [sha256(f"{plan.key(s)} {where}".encode()) for s in wanted]
    arrays = run_tasks(
        [
            Task(key, differentiated, (s, windows, names))
            for key, s in zip(keys, wanted, strict=True)
        ],
        workers=execution.workers or cores(),
        checkpoint=execution.checkpoint,
        progress=execution.progress,
    )
    return _grouped(wanted, arrays)


def _grouped(
    wanted: Sequence[Sample], arrays: Sequence[Arrays]
) -> dict[tuple[str, float], list[Arrays]]:
    found: dict[tuple[str, float], list[Arrays]] = {}
    for sample, chunk in zip(wanted, arrays, strict=True):
        found.setdefault((sample.component, sample.mass), []).append(chunk)
    return found


def _without_one(chunks: Chunks) -> Iterator[tuple[int, Chunks]]:
    """Yield the number of chunks of a sample, and all chunks but one of them."""
    for name, parts in chunks.items():
        for i in range(len(parts) if len(parts) > 1 else 0):
            yield len(parts), {**chunks, name: [*parts[:i], *parts[i + 1 :]]}
