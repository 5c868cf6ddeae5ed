"""The command `display`: a detector, or one event in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darksector.errors import InvalidConfig
from darksector.terminal import as_json, print_rows

if TYPE_CHECKING:
    from darksector.detectors.card import Detector
    from darksector.detectors.sight import Sight, Snapshot
    from darksector.plotting.shapes import Geometry


@click.command()
@click.argument("events", type=click.Path(path_type=Path), required=False)
@click.option("--event", "index", type=int,
              help="Number of the event in the file, from 0 [default: 0].")  # fmt: skip
@click.option("--detector", default="belle2", show_default=True,
              help="Detector card: a name or a .toml file.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0),
              help="Draw the response; default: the most probable, measured exactly.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), default=Path(),
              help="Output folder [default: this one].")  # fmt: skip
@as_json
def display(
    events: Path | None,
    index: int | None,
    detector: str,
    seed: int | None,
    output: Path,
    as_json: bool,
) -> None:
    """Draw an event of the file EVENTS in a detector; without a file, the detector.

    EVENTS is a file of `darksector generate`.  An event is drawn as figures and as a page
    that turns and zooms, and what the detector shows of each particle is printed.
    """
    from darksector.detectors import card

    loaded = card.load(detector)
    if events is not None:
        seen = _event(loaded, events, index or 0, (seed, output))
        print_rows([_row(sight) for sight in seen.sights], as_json=as_json)
        return
    if index is not None or seed is not None:
        given = "--event" if index is not None else "--seed"
        msg = f"{given} needs a file of events; write darksector display FILE {given}."
        raise InvalidConfig(msg)
    name = Path(detector).stem
    print_rows(_detector(loaded, output, name), as_json=as_json)


def _detector(loaded: Detector, output: Path, name: str) -> list[dict[str, Any]]:
    """Draw the detector alone; return the polar angles that its systems cover."""
    from darksector.plotting import detector, material, style
    from darksector.plotting.geometry import geometry_of

    geometry = geometry_of(loaded)
    stems = (f"detector_{name}", f"material_{name}")
    style.save(detector.cross_sections(geometry), output, stems[0])
    style.save(material.budget(loaded), output, stems[1])
    _wrote([output / f"{stem}{end}" for stem in stems for end in (".png", ".pdf")])
    return [
        {
            "system": window.system,
            "part": window.name,
            "theta min [deg]": window.low,
            "theta max [deg]": window.high,
        }
        for window in geometry.windows
    ]


def _event(
    loaded: Detector, path: Path, index: int, how: tuple[int | None, Path]
) -> Snapshot:
    """Draw one event; return what the detector shows of it."""
    from darksector.detectors.response import respond
    from darksector.detectors.snapshot import snapshot
    from darksector.io import event_file
    from darksector.plotting.eventdisplay import Heading
    from darksector.plotting.geometry import geometry_of

    seed, output = how
    sample = event_file.read(path)
    seen = snapshot(
        respond(loaded),
        sample.events,
        index,
        p_beams=sample.metadata.momenta.sum(axis=0),
        seed=seed,
    )
    heading = Heading(sample.metadata.title, index)
    _draw(seen, geometry_of(loaded), heading, output)
    return seen


def _draw(seen: Snapshot, geometry: Geometry, heading: Any, output: Path) -> None:
    from darksector.io.files import atomic_write
    from darksector.plotting import style
    from darksector.plotting.event_page import event_page
    from darksector.plotting.eventdisplay import event_figure

    stem = f"event{heading.event}"
    style.save(event_figure(seen, geometry, heading), output, f"{stem}_rphi_rz")
    page = output / f"{stem}.html"
    atomic_write(page, event_page(seen, geometry, heading).encode())
    figures = [output / f"{stem}_rphi_rz{end}" for end in (".png", ".pdf")]
    _wrote([*figures, page])


def _wrote(paths: list[Path]) -> None:
    click.echo(f"Wrote {', '.join(map(str, paths))}.", err=True)


def _row(sight: Sight) -> dict[str, Any]:
    """Return a row of the table: truth, response and what was measured."""
    from math import atan2, degrees, hypot

    from darksector.plotting.looks import WORDS, plain_name

    energy, x, y, z = (float(c) for c in sight.p_gen)
    return {
        "particle": plain_name(sight.code),
        "E [GeV]": energy,
        "theta [deg]": degrees(atan2(hypot(x, y), z)),
        "phi [deg]": degrees(atan2(y, x)),
        "seen as": WORDS[sight.response],
        "chance": sight.chance,
        "E seen [GeV]": None if sight.seen is None else float(sight.seen[0]),
        "E deposit [GeV]": sight.deposit,
        "KLM layers": sight.iron_layers,
    }
