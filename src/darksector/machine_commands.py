"""The command `machine`: what a machine card says and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darksector.errors import MissingNumber
from darksector.terminal import Row, as_json, print_rows

if TYPE_CHECKING:
    from darksector.machines import Machine

# entries of a ring: name on the screen, unit there, and that unit in the card's
_RING = {
    "current": ("current", "A", 1.0),
    "beta_x": ("beta_x*", "mm", 10.0),
    "beta_y": ("beta_y*", "mm", 10.0),
    "emittance_x": ("emittance_x", "nm", 1e7),
    "emittance_y": ("emittance_y", "pm", 1e10),
    "sigma_x": ("sigma_x*", "um", 1e4),
    "sigma_y": ("sigma_y*", "um", 1e4),
    "sigma_z": ("sigma_z", "mm", 10.0),
    "xi_y": ("xi_y", "", 1.0),
}
_REGION = {
    "sigma_x": ("luminous region, sigma_x", "um", 1e4),
    "sigma_y": ("luminous region, sigma_y", "um", 1e4),
    "sigma_z": ("luminous region, sigma_z", "um", 1e4),
    "correlation_xz": ("luminous region, correlation xz", "", 1.0),
    "sigma_ct": ("luminous region, sigma_ct", "mm", 10.0),
}
_OWN = {
    "half_crossing_angle": ("half crossing angle", "mrad", 1e3),
    "circumference": ("circumference", "m", 1e-2),
    "n_bunches": ("bunches per ring", "", 1.0),
    "peak_luminosity": ("peak luminosity of the card", "cm^-2 s^-1", 1.0),
}


@click.command()
@click.argument("name")
@click.option("--plot", type=click.Path(path_type=Path),
              help="Folder for the figures: crossing, peak and integrated luminosity.")  # fmt: skip
@click.option("--beside", default="kekb", show_default=True,
              help="Machine card to draw the crossing beside.")  # fmt: skip
@click.option("--schedule", default="superkekb", show_default=True,
              help="Schedule card of the luminosity figures.")  # fmt: skip
@as_json
def machine(
    name: str, plot: Path | None, beside: str, schedule: str, as_json: bool
) -> None:
    """Show the machine card NAME and the luminosity that follows from its optics."""
    from darksector.machines import load

    shown = load(name)
    missing: dict[str, MissingNumber] = {}
    print_rows(rows(shown, missing), as_json=as_json)
    if missing:
        lacking = {name: None for error in missing.values() for name in error.names}
        click.echo(
            f"Not shown: {', '.join(missing)}; the card has no {', '.join(lacking)}.",
            err=True,
        )
    if plot is not None:
        from darksector import schedule as schedules
        from darksector.plotting import machine as figures

        history = schedules.load(schedule)
        figures.save_peaks(history, plot)
        figures.save_integrated(history, plot)
        figures.save_crossing(load(beside), shown, plot)
        click.echo(f"Wrote the figures to {plot}.", err=True)


def rows(machine: Machine, missing: dict[str, MissingNumber]) -> list[Row]:
    """Return the table of a machine; what cannot be told goes to `missing`."""
    return [
        *_beams(machine),
        *_rings(machine),
        *_derived(machine, missing),
        *_region(machine),
        *_data_sets(machine),
    ]


def _row(
    quantity: str,
    unit: str,
    value: float | None = None,
    *,
    rings: tuple[float | None, float | None] = (None, None),
    status: str = "derived",
) -> Row:
    return {
        "quantity": quantity,
        "unit": unit,
        "value": value,
        "HER": rings[0],
        "LER": rings[1],
        "status": status,
    }


def _beams(machine: Machine) -> Iterator[Row]:
    status = {name: origin.status for name, origin in machine.origins.items()}
    energies = machine.energy_her, machine.energy_ler
    spreads = machine.energy_spread_her * 1e3, machine.energy_spread_ler * 1e3
    yield _row("beam energy", "GeV", rings=energies, status=status["energy_her"])
    yield _row(
        "energy spread", "MeV", rings=spreads, status=status["energy_spread_her"]
    )
    for name, (title, unit, scale) in _OWN.items():
        value = getattr(machine, name)
        if value is not None:
            yield _row(title, unit, value * scale, status=status[name])
    yield _row("sqrt(s)", "GeV", machine.sqrt_s)
    yield _row("spread of sqrt(s)", "MeV", machine.sqrt_s_spread * 1e3)
    yield _row("boost beta gamma", "", machine.beta_gamma)


def _rings(machine: Machine) -> Iterator[Row]:
    for name, (title, unit, scale) in _RING.items():
        values = [getattr(ring, name) for ring in (machine.her, machine.ler)]
        if values == [None, None]:
            continue
        her, ler = (None if value is None else value * scale for value in values)
        kinds = [
            machine.origins[f"{ring}.{name}"].status
            for ring in ("her", "ler")
            if f"{ring}.{name}" in machine.origins
        ]
        status = "/".join(dict.fromkeys(kinds))
        yield _row(title, unit, rings=(her, ler), status=status)


def _derived(machine: Machine, missing: dict[str, MissingNumber]) -> Iterator[Row]:
    """Yield what follows from the optics, as far as the card has them."""
    from darksector import luminosity, overlap

    per_ring: tuple[tuple[str, str, float, Callable[[Machine], Any]], ...] = (
        ("particles per bunch", "", 1.0, luminosity.particles_per_bunch),
        ("Piwinski angle", "", 1.0, luminosity.piwinski_angle),
        ("overlap length", "um", 1e4, luminosity.overlap_length),
        ("effective width", "um", 1e4, luminosity.effective_sizes),
        ("xi_y from sizes", "", 1.0, luminosity.beam_beam_parameter),
        ("luminosity from xi_y", "cm^-2 s^-1", 1.0, luminosity.formula),
        ("R_L/R_xi for the peak", "", 1.0, luminosity.reduction_needed),
    )
    of_both: tuple[tuple[str, str, float, Callable[[Machine], Any]], ...] = (
        ("revolution frequency", "kHz", 1e-3, luminosity.revolution_frequency),
        ("luminosity, geometric", "cm^-2 s^-1", 1.0, luminosity.geometric),
        ("luminosity, overlap integral", "cm^-2 s^-1", 1.0, overlap.luminosity),
        ("reduction by the crossing", "", 1.0, luminosity.crossing_factor),
        ("reduction by the hourglass", "", 1.0, overlap.hourglass_factor),
    )
    for title, unit, scale, quantity in (*per_ring, *of_both):
        try:
            found = quantity(machine)
        except MissingNumber as error:
            missing[title] = error
            continue
        if not isinstance(found, luminosity.PerRing):
            yield _row(title, unit, found * scale)
        elif isfinite(found.her):  # head-on beams overlap everywhere
            yield _row(title, unit, rings=(found.her * scale, found.ler * scale))


def _region(machine: Machine) -> Iterator[Row]:
    region = machine.luminous_region
    if region is None:
        return
    for name, (title, unit, scale) in _REGION.items():
        status = machine.origins[f"luminous_region.{name}"].status
        yield _row(title, unit, getattr(region, name) * scale, status=status)


def _data_sets(machine: Machine) -> Iterator[Row]:
    for record in machine.data_sets:
        title = f"{record.title}, {record.when}"
        yield _row(title, "fb^-1", record.value, status=record.origin.status)
