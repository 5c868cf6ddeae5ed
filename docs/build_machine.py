"""Writes docs/machine.md: the machine cards beside each other, and what they gain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from darksector import luminosity, overlap, schedule
from darksector.cardfile import MACHINES
from darksector.errors import MissingNumber
from darksector.luminosity import PerRing
from darksector.machines import Machine, load
from darksector.plotting import machine as figures

HEAD = Path(__file__).with_name("machine_head.md").read_text(encoding="utf-8")
HERE = Path(__file__).parent
SCALES: dict[str, tuple[str, float]] = {
    "current": ("current [A]", 1.0),
    "beta_x": ("β_x* [mm]", 10.0),
    "beta_y": ("β_y* [mm]", 10.0),
    "sigma_x": ("σ_x* [μm]", 1e4),
    "sigma_y": ("σ_y* [μm]", 1e4),
    "sigma_z": ("σ_z [mm]", 10.0),
    "xi_y": ("ξ_y", 1.0),
}
DERIVED: tuple[tuple[str, float, Callable[[Machine], Any]], ...] = (
    ("particles per bunch [10¹⁰]", 1e-10, luminosity.particles_per_bunch),
    ("Piwinski angle", 1.0, luminosity.piwinski_angle),
    ("overlap length [μm]", 1e4, luminosity.overlap_length),
    ("ξ_y from sizes", 1.0, luminosity.beam_beam_parameter),
    ("L from ξ_y, R = 1 [10³⁴]", 1e-34, luminosity.formula),
    ("R_L/R_ξ for the peak", 1.0, luminosity.reduction_needed),
    ("L geometric [10³⁴]", 1e-34, luminosity.geometric),
    ("L overlap integral [10³⁴]", 1e-34, overlap.luminosity),
    ("crossing factor", 1.0, luminosity.crossing_factor),
    ("hourglass factor", 1.0, overlap.hourglass_factor),
)
OWN: tuple[tuple[str, Callable[[Machine], float | None]], ...] = (
    ("√s [GeV]", lambda m: m.sqrt_s),
    ("βγ", lambda m: m.beta_gamma),
    ("spread of √s [MeV]", lambda m: 1e3 * m.sqrt_s_spread),
    ("full crossing angle [mrad]", lambda m: 2e3 * m.half_crossing_angle),
    ("bunches", lambda m: m.n_bunches),
    ("peak luminosity [10³⁴]", lambda m: _scaled(m.peak_luminosity, 1e-34)),
)


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _cell(*values: float | None) -> str:
    if all(value is None for value in values):
        return ""
    return " / ".join("–" if v is None else f"{v:.4g}" for v in values)


def _found(quantity: Callable[[Machine], Any], machine: Machine, scale: float) -> str:
    try:
        found = quantity(machine)
    except MissingNumber:
        return ""
    if isinstance(found, PerRing):
        return _cell(found.her * scale, found.ler * scale)
    return _cell(found * scale)


def cards() -> str:
    """Return the table of all cards."""
    names = MACHINES.names()
    machines = [load(name) for name in names]
    rows = [["", *(f"`{name}`" for name in names)], ["---"] * (len(names) + 1)]
    rows.append(["E [GeV]", *(_cell(m.energy_her, m.energy_ler) for m in machines)])
    rows += [[title, *(_cell(of(m)) for m in machines)] for title, of in OWN]
    for key, (title, scale) in SCALES.items():
        cells = [
            _cell(*(_scaled(getattr(ring, key), scale) for ring in (m.her, m.ler)))
            for m in machines
        ]
        rows.append([title, *cells])
    for title, scale, quantity in DERIVED:
        rows.append([title, *(_found(quantity, m, scale) for m in machines)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def data_sets() -> str:
    """Return the table of what was recorded."""
    rows = ["| card | data set | dates | fb⁻¹ | status |", "|---|---|---|---|---|"]
    rows += [
        f"| `{name}` | {record.title} | {record.when} | {record.value:g} | "
        f"{record.origin.status} |"
        for name in MACHINES.names()
        for record in load(name).data_sets
    ]
    return "\n".join(rows)


def gains() -> str:
    """Return the factors of the design over KEKB."""
    both = luminosity.gain(load("superkekb_design"), load("kekb"))
    titles = {
        "energy": "γ",
        "current": "I",
        "beta_y": "1/β_y*",
        "xi_y": "ξ_y",
        "flatness": "1 + σ_y/σ_x",
        "reduction": "R_L/R_ξ",
        "total": "product",
    }
    rows = ["| factor | HER | LER |", "|---|---|---|"]
    rows += [
        f"| {title} | {getattr(both[0], name):.3f} | {getattr(both[1], name):.3f} |"
        for name, title in titles.items()
    ]
    return "\n".join(rows)


def main() -> None:
    """Write the page and its figures beside this file."""
    folder = HERE / "figures"
    folder.mkdir(exist_ok=True)
    history = schedule.load("superkekb")
    figures.save_crossing(load("kekb"), load("superkekb_design"), folder)
    figures.save_peaks(history, folder)
    figures.save_integrated(history, folder)
    for path in folder.glob("*.pdf"):
        path.unlink()
    tables = {"@CARDS@": cards(), "@GAINS@": gains(), "@DATA@": data_sets()}
    page = HEAD
    for mark, table in tables.items():
        page = page.replace(mark, table)
    (HERE / "machine.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
