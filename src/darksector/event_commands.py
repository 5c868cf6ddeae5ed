"""The commands `generate` and `xsec`: events and cross-sections of a process."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from darksector.errors import DarksectorError, OutOfDomain
from darksector.event_settings import (
    cut_of,
    decays_of,
    machine_of,
    process_of,
    reweighted,
    select,
)
from darksector.terminal import as_json, print_rows, progress_bar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from darksector.event_settings import Decays
    from darksector.events import Events
    from darksector.io.event_file import SampleInfo
    from darksector.machines import Machine
    from darksector.phasespace.cuts import GeneratorCut
    from darksector.processes._generation import Drawn, Generation
    from darksector.processes.base import Process

Progress = Callable[[int, int], None] | None

_BYTES = 8 * 4  # a four-momentum
_COPIES = 3  # of all momenta that are in memory at once
_FEW = 1000  # events that tell how large a file will be
_PILOT = 10_000  # events that tell the maximum weight of decays
_MEMORY = Path("/proc/meminfo")
_MARGIN = 1.1  # maximum weight of decays over the largest one seen
_EQUAL = 1e-9  # relative difference of weights that are the same

_shared = (
    click.option("--coupling", type=float, help="Coupling of the mediator [default: 1]."),
    click.option("--model", "model_settings", multiple=True, metavar="KEY=VALUE",
                 help="Another parameter of the model."),
    click.option("--option", "options", multiple=True, metavar="KEY=VALUE",
                 help="An option of the process, e.g. isr=false."),
    click.option("--machine", default="superkekb", show_default=True,
                 help="Machine card, or a collision energy in GeV."),
    click.option("--cut", "cuts", multiple=True, metavar="QUANTITY:PARTICLES:LOW:HIGH",
                 help="Generator cut, e.g. theta_lab:gamma:17deg:150deg."),
    click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True),
)  # fmt: skip


def _with_shared(command: Any) -> Any:
    for option in reversed(_shared):
        command = option(command)
    return command


@click.command()
@click.argument("process")
@click.option("--mass", type=float, help="Mass of the mediator, GeV.")
@click.option("--events", type=click.IntRange(min=1), required=True)
@click.option("--weighted", is_flag=True, help="Keep weights; default: unweighted.")
@click.option("--decay", "decays", multiple=True, metavar="PARTICLE:PRODUCTS[:BRANCHING]",
              help="e.g. \"A':mu+,mu-\"; rate and lifetime from the model.")  # fmt: skip
@click.option("--tau-decays", metavar="MODE,MODE",
              help="Modes of the tau- and the tau+, e.g. mu,rho.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), required=True,
              help="File ending in .lhe[.gz], .hepmc[.gz] or .root.")  # fmt: skip
@_with_shared
@as_json
def generate(
    process: str, mass: float | None, output: Path, as_json: bool, **given: Any
) -> None:
    """Generate events of PROCESS, a name from `darksector list processes`."""
    from darksector.io import event_file

    declared = process_of(process, mass, given)
    machine, cuts = machine_of(given["machine"]), [cut_of(t) for t in given["cuts"]]
    decays = decays_of(given["decays"], given["tau_decays"], declared)
    n, seed = given["events"], given["seed"]
    info = _info(process, declared, machine, given)
    sample = _Sample(declared, declared.generation(machine, cuts=cuts), decays, machine)
    few = sample.weighted(_FEW, seed).events
    event_file.check_disk(few, output, count=n, metadata=info)
    draw = sample.weighted if given["weighted"] else sample.unweighted
    with progress_bar(declared.title) as progress:
        made = draw(n, seed, progress)
    equal = bool(made.events.weights.min() == made.events.weights.max())
    info = replace(info, cross_section_fb=made.sigma, error_fb=made.error)
    event_file.write(made.events, output, metadata=replace(info, weighted=not equal))
    summary = {
        "process": declared.title,
        "events": n,
        "cross-section [fb]": made.sigma,
        "error [fb]": made.error,
        "trials": made.trials,
        "efficiency": n / made.trials,
        "overflow": made.overflow,
        "output": str(output),
    }
    print_rows([summary], as_json=as_json)


class _Made(NamedTuple):
    """Events after decays; their weights sum to the cross-section."""

    events: Events
    sigma: float  # fb
    error: float  # fb, statistical
    trials: int
    overflow: float  # share of the cross-section above the maximum weights


@dataclass(frozen=True)
class _Sample:
    """Events of a process after decays, with or without weights."""

    process: Process
    generation: Generation
    decays: Decays
    machine: Machine

    def weighted(self, n: int, seed: int, progress: Progress = None) -> _Made:
        """Return n decayed events with weights."""
        self._check_memory(n)
        drawn = self.generation.events(n, seed, progress=progress)
        return self._decayed(drawn, seed)

    def unweighted(self, n: int, seed: int, progress: Progress = None) -> _Made:
        """Return n events of equal weights, but for what exceeds the maximum.

        Where decays have weights (spin correlation, three bodies), more events are
        made and kept in proportion; the maximum comes from a pilot sample.
        """
        import numpy as np

        from darksector.execution import stream

        pilot = self._flat(_PILOT, seed + 1)
        if pilot.ratio.min() > (1 - _EQUAL) * pilot.ratio.max():
            made = self._flat(n, seed, progress)
            return made.sample
        most = _MARGIN * pilot.ratio.max()
        wanted, kept = n, np.zeros(0, dtype=int)
        while len(kept) < n:
            wanted = int(1.1 * wanted * most / pilot.ratio.mean()) + _FEW
            made = self._flat(wanted, seed, progress)
            chance = stream(seed, "keep").random(wanted) * most
            kept = np.flatnonzero(chance < made.ratio)[:n]
        share = np.maximum(made.ratio[kept] / most, 1.0)
        flat = np.asarray(made.drawn.weight)[kept] * share
        events = reweighted(
            select(made.sample.events, kept), flat * made.sample.sigma / flat.sum()
        )
        above = made.sample.overflow + float(1 - n / share.sum())
        return made.sample._replace(events=events, overflow=above)

    def _flat(self, n: int, seed: int, progress: Progress = None) -> _Flat:
        """Return n events with equal weights before the decays."""
        from darksector.processes import _grids

        self._check_memory(n)
        highest = _grids.highest(self.generation)
        drawn = self.generation.events(n, seed, highest=highest, progress=progress)
        made = self._decayed(drawn, seed)
        ratio = made.events.weights / drawn.weight
        return _Flat(made, drawn, ratio.__array__())

    def _check_memory(self, n: int) -> None:
        """Refuse a sample whose momenta and vertices do not fit the memory."""
        slots = len(self.process.final_state) + self.decays.slots
        _check_memory(n, slots * (1 if self.machine.luminous_region is None else 2))

    def _decayed(self, drawn: Drawn, seed: int) -> _Made:
        """Return decayed events; σ is that before the decays times their fractions.

        The sum of the weights after the decays fluctuates more, with their angles.
        """
        before = self.process.as_events(drawn)
        events = self.decays.apply(before, self.machine, seed)
        fraction = self.decays.fraction
        sigma = float(before.weights.sum()) * fraction
        scale = sigma / float(events.weights.sum())
        return _Made(
            reweighted(events, events.weights * scale),
            sigma,
            drawn.error * fraction,
            drawn.trials,
            drawn.overflow,
        )


class _Flat(NamedTuple):
    sample: _Made
    drawn: Drawn
    ratio: NDArray[np.float64]  # weights after the decays over those before


def _info(
    name: str, process: Process, machine: Machine, given: Mapping[str, Any]
) -> SampleInfo:
    """Return what a file says about its sample, but for the numbers that follow."""
    from darksector.io.event_file import SampleInfo

    cuts = "; ".join(given["cuts"]) or "none"
    return SampleInfo(
        process=name,
        title=process.title,
        cross_section_fb=0.0,
        error_fb=0.0,
        beams=(tuple(machine.p_her.tolist()), tuple(machine.p_ler.tolist())),
        conventions=process.conventions() | {"cuts": cuts},
        seed=given["seed"],
        command=shlex.join(["darksector", *sys.argv[1:]]),
        weighted=True,
        version=version("darksector"),
    )


@click.command()
@click.argument("process")
@click.option("--masses", help="Masses in GeV: start:stop:step or a,b,c.")
@click.option("--precision", type=float, default=1e-3, show_default=True)
@click.option("--plot", type=click.Path(path_type=Path),
              help="Name of the figure [default: xsec_PROCESS].")  # fmt: skip
@_with_shared
@as_json
def xsec(
    process: str, masses: str | None, plot: Path | None, as_json: bool, **given: Any
) -> None:
    """Print the cross-section of PROCESS, for several masses also as a figure."""
    from darksector import units

    machine, cuts = (
        machine_of(given["machine"]),
        [cut_of(text) for text in given["cuts"]],
    )
    grid: Sequence[float | None] = units.grid(masses) if masses else (None,)
    declared = [process_of(process, mass, given) for mass in grid]
    rows = []
    with progress_bar(declared[0].title) as progress:
        for i, each in enumerate(declared):
            progress(i, len(declared))
            rows.append(_row(each, grid[i], machine, cuts, given))
        progress(len(declared), len(declared))
    print_rows(rows, as_json=as_json)
    if all(row["status"] != "ok" for row in rows):
        raise SystemExit(1)
    if not as_json:
        for name, value in declared[0].conventions().items():
            click.echo(f"{name}: {value}")
    if len(rows) > 1:
        from darksector.plotting import cross_sections

        figure = plot or Path(f"xsec_{process}")
        model: Any = vars(declared[0])["model"]  # several masses: there is a mediator
        coupling = f"{model.coupling} = {getattr(model, model.coupling):g}"
        notes = ["darksector simulation", coupling, *map(str, cuts)]
        cross_sections.save_scan(rows, declared[0], machine, notes, figure)
        click.echo(f"Wrote {figure.with_suffix('.png')} and .pdf.", err=True)


def _row(
    process: Process,
    mass: float | None,
    machine: Machine,
    cuts: Sequence[GeneratorCut],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Return one row; a mass that fails carries its reason and loses no other."""
    row: dict[str, Any] = {} if mass is None else {"mass [GeV]": mass}
    try:
        found = process.cross_section(
            machine, precision=given["precision"], seed=given["seed"], cuts=cuts
        )
    except DarksectorError as error:
        if mass is None:
            raise
        empty = (
            "sigma [fb]",
            "error [fb]",
            "chi2/dof",
            "trials",
            "effective",
            "efficiency",
        )
        return row | dict.fromkeys(empty) | {"status": str(error)}
    return row | {
        "sigma [fb]": found.value_fb,
        "error [fb]": found.error_fb,
        "chi2/dof": found.chi2,
        "trials": found.points,
        "effective": found.effective,
        "efficiency": found.efficiency,
        "status": "ok",
    }


def _check_memory(n: int, slots: int) -> None:
    """Refuse a sample that does not fit the memory, where the system tells it."""
    needed = n * (slots + 2) * _BYTES * _COPIES
    for line in _MEMORY.read_text().splitlines() if _MEMORY.exists() else ():
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
            if needed > free:
                msg = (
                    f"{n} events need about {needed / 1e9:.3g} GB of memory, "
                    f"{free / 1e9:.3g} GB are free; make several files with different "
                    "seeds."
                )
                raise OutOfDomain(msg)
