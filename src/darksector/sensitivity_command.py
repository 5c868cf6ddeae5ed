"""The command `sensitivity`: which number of a detector is worth improving."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darksector.terminal import Row, as_json, print_rows, progress_bar

if TYPE_CHECKING:
    from darksector.searches._plan import Plan
    from darksector.searches._sensitivity import Sensitivities

MASSES = "0.1,3,6,8"  # GeV
_WORDS = {
    "calorimeter.gaps": "calorimeter gap width",
    "calorimeter.crack_leakage": "90° crack leakage",
    "klm.photon_inefficiency": "KLM photon inefficiency",
    "calorimeter.energy_resolution": "photon energy resolution",
    "trigger.single_photon_1gev_min": "1 GeV trigger threshold",
    "luminosity": "luminosity",
}


@click.command()
@click.argument("search")
@click.option("--luminosity", help="Integrated luminosity with unit, e.g. 276/pb.")
@click.option("--masses", help=f"Masses in GeV: a,b,c [default: {MASSES}].")
@click.option("--machine", help="Machine card: a name or a .toml file.")
@click.option("--detector", help="Detector card: a name or a .toml file.")
@click.option("--workers", type=click.IntRange(min=1), help="Local processes.")
@click.option("--output", type=click.Path(path_type=Path),
              help="Folder for the table and the figure.")  # fmt: skip
@as_json
def sensitivity(
    search: str, output: Path | None, workers: int | None, as_json: bool, **given: Any
) -> None:
    """Show which number of the detector the limits of SEARCH depend on.

    SEARCH looks for a single photon.  The table has d ln(limit on the coupling) /
    d ln(number): 0.1 means that a number 10 % smaller makes the limit 1 % better.
    Windows and regions stay where the detector of the card has them.
    """
    from darksector.searches._sensitivity import sensitivities
    from darksector.searches.base import Execution

    plan = _plan(search, given)
    with progress_bar(plan.search.title) as progress:
        found = sensitivities(plan, execution=Execution(workers, None, progress))
    rows = list(_rows(found))
    print_rows(rows if as_json else list(_for_people(found)), as_json=as_json)
    if output is not None:
        _write(plan, found, rows, output)


def _plan(name: str, given: Mapping[str, str | None]) -> Plan:
    from darksector.registry import SEARCHES
    from darksector.searches import pipeline
    from darksector.searches.base import Inputs

    declared = SEARCHES.load(name)
    cards = {key: card for key in ("machine", "detector") if (card := given[key])}
    return pipeline.plan(
        replace(declared, **cards),
        luminosity=given["luminosity"] or declared.dataset,
        masses=given["masses"] or MASSES,
        seed=1,
        inputs=Inputs(),
    )


def _rows(found: Sensitivities) -> Iterator[Row]:
    """Yield a row per mass and number; what has no limit has no value."""
    for i, mass in enumerate(found.masses):
        for k, name in enumerate(found.names):
            slope, error = float(found.slopes[i, k]), float(found.errors[i, k])
            known = isfinite(slope)
            yield {
                "mass_gev": mass,
                "region": found.regions[i],
                "number": name,
                "slope": slope if known else None,
                "error": error if known else None,
            }


def _for_people(found: Sensitivities) -> Iterator[Row]:
    for k, name in enumerate(found.names):
        slopes = zip(found.masses, found.slopes[:, k], strict=True)
        yield {"number": _WORDS[name]} | {
            f"{mass:g} GeV": f"{slope:+.3f}" for mass, slope in slopes
        }


def _write(plan: Plan, found: Sensitivities, rows: list[Row], folder: Path) -> None:
    from darksector.detectors.card import load as load_detector
    from darksector.io.files import atomic_write
    from darksector.machines import load as load_machine
    from darksector.plotting import sensitivity as figures

    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    atomic_write(folder / f"{figures.STEM}.csv", text.getvalue().encode())
    search = plan.search
    machine, detector = load_machine(search.machine), load_detector(search.detector)
    drawn = figures.SensitivityTable(
        masses=found.masses,
        names=[_WORDS[name] for name in found.names],
        slopes=found.slopes,
        errors=found.errors,
        coupling=search.assumptions[0].label,
        titles=(search.title, f"{machine.title}, {detector.title}"),
        luminosity=plan.luminosity,
        confidence_level=search.confidence_level,
    )
    figures.save_table(drawn, folder)
    stem = folder / figures.STEM
    click.echo(f"Wrote {stem}.csv, {stem}.png and {stem}.pdf.", err=True)
