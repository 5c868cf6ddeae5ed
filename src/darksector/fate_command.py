"""The command `fate`: where a mediator decays, and what it then looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import click

from darksector.errors import InvalidConfig
from darksector.event_settings import machine_of, model_of
from darksector.terminal import Row, as_json, print_rows

if TYPE_CHECKING:
    from darksector.detectors.card import Detector
    from darksector.machines import Machine
    from darksector.models.alp import Alp
    from darksector.models.base import Model
    from darksector.processes.base import Process

_C = 29.9792458  # speed of light, cm/ns (exact)
_EVENTS = 20_000  # of the process, over which fates are averaged
_GRID = 60  # points of the map in mass and in coupling
_MASSES = 1e-3, 10.0  # GeV
_COUPLINGS = 1e-7, 1e-1  # GeV^-1
_BELOW = 0.98  # largest mass of the map over the collision energy


@click.command()
@click.argument("model")
@click.option("--mass", type=float, required=True, help="Mass of the mediator, GeV.")
@click.option("--coupling", type=float, help="Coupling of the mediator [default: 1].")
@click.option("--model", "model_settings", multiple=True, metavar="KEY=VALUE",
              help="Another parameter of the model, e.g. yukawa=0.1.")  # fmt: skip
@click.option("--machine", default="superkekb", show_default=True,
              help="Machine card, or a collision energy in GeV.")  # fmt: skip
@click.option("--detector", default="belle2", show_default=True,
              help="Detector card: a name or a .toml file.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path),
              help="Folder for the map of masses and couplings; alp only.")  # fmt: skip
@as_json
def fate(
    model: str, mass: float, detector: str, plot: Path | None, **given: Any
) -> None:
    """Show where MODEL decays, and the signatures of an axion-like particle.

    MODEL is a name from `darksector list models`.  An alp of e+e- -> gamma a is resolved,
    merged, displaced, invisible or lost; any other mediator decays promptly, displaced,
    in front of the calorimeter or behind it (invisible).
    """
    from darksector.detectors import card
    from darksector.models.alp import Alp
    from darksector.registry import MODELS

    declared = model_of(MODELS.load(model), mass, given)
    machine, loaded = machine_of(given["machine"]), card.load(detector)
    if isinstance(declared, Alp):
        rows = list(_signature_rows(declared, loaded, machine))
    elif plot is None:
        rows = list(_fate_rows(declared, loaded, machine))
    else:
        msg = f"--plot draws the signatures of alp, not of {model}; leave it out."
        raise InvalidConfig(msg)
    print_rows(rows, as_json=given["as_json"])
    if plot is not None:
        _draw(declared, loaded, machine, plot)


def _row(quantity: str, unit: str, value: float) -> Row:
    return {"quantity": quantity, "unit": unit, "value": value}


def _signature_rows(model: Alp, detector: Detector, machine: Machine) -> Iterator[Row]:
    """Yield the probabilities of the signatures, and what they follow from."""
    from math import degrees

    from darksector.detectors.response import respond
    from darksector.signatures import signatures

    found = signatures(respond(detector), machine, [model])
    for name, values in vars(found).items():
        yield _row(name, "", float(values[0]))
    yield from _decay_rows(model)
    energy = model.energy_cms(machine.sqrt_s)
    yield _row("decay length, cms", "cm", model.decay_length(energy))
    smallest = degrees(model.opening_angle(energy))
    yield _row("smallest opening angle, cms", "deg", smallest)


def _fate_rows(model: Model, detector: Detector, machine: Machine) -> Iterator[Row]:
    """Yield the mean fates of a mediator in the first process that makes it."""
    import numpy as np

    from darksector.detectors.fate import fate_probabilities
    from darksector.kinematics import momentum

    process, slot = _process_of(model)
    events = process.generate(_EVENTS, machine, seed=1)
    chances = fate_probabilities(
        detector, momentum(events.momenta[:, slot]), model.ctau
    )
    dark = model.invisible_fraction()
    for name, chance in chances.items():
        mean = float(np.average(np.asarray(chance), weights=np.asarray(events.weights)))
        yield _row(name, "", (1 - dark) * mean + (dark if name == "invisible" else 0.0))
    yield from _decay_rows(model)
    click.echo(f"Momenta of {process.title}.", err=True)


def _process_of(model: Model) -> tuple[Process, int]:
    """Return the first process by name that makes one mediator of a model, and its slot."""
    from darksector.registry import PROCESSES

    for name in PROCESSES.names():
        kind = PROCESSES.load(name)
        if kind.needs_model and get_type_hints(kind)["model"] is type(model):
            process = kind(model=model)
            masses = process.kernel().masses(process.parameters())
            slots = [i for i, each in enumerate(masses) if float(each) == model.mass]
            if len(slots) == 1:
                return process, slots[0]
    msg = (
        f"no process makes a single {model.title} that decays; choose a model of a "
        "mediator, from darksector list models."
    )
    raise InvalidConfig(msg)


def _decay_rows(model: Model) -> Iterator[Row]:
    """Yield lifetime and branching fractions; a stable particle has none."""
    if not model.partial_widths():
        return
    yield _row("lifetime", "ns", model.ctau / _C)
    yield _row("c tau", "cm", model.ctau)
    for channel in model.partial_widths():
        value = model.branching_fraction(channel)
        yield _row(f"branching fraction to {channel}", "", value)


def _draw(model: Alp, detector: Detector, machine: Machine, folder: Path) -> None:
    """Write the map of signatures, with the other parameters of the model."""
    import numpy as np

    from darksector.detectors.response import respond
    from darksector.plotting import signatures as figures
    from darksector.signatures import signatures

    highest = min(_MASSES[1], _BELOW * machine.sqrt_s)
    masses = np.geomspace(_MASSES[0], highest, _GRID)
    couplings = np.geomspace(*_COUPLINGS, _GRID)
    points = [replace(model, mass=m, g_agg=g) for g in couplings for m in masses]
    found = signatures(respond(detector), machine, points)
    shape = len(couplings), len(masses)
    lengths = [each.decay_length(each.energy_cms(machine.sqrt_s)) for each in points]
    drawn = figures.SignatureMap(
        masses=masses,
        couplings=couplings,
        chances={k: np.asarray(v).reshape(shape) for k, v in vars(found).items()},
        lengths=np.reshape(lengths, shape),
        titles=(machine.title, detector.title),
        dark=(model.yukawa, model.dark_mass),
    )
    figures.save_map(drawn, folder)
    stem = folder / figures.STEM
    click.echo(f"Wrote {stem}.png and {stem}.pdf.", err=True)
