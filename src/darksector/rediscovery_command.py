"""The run `rediscovery`: which options it takes, and what it prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darksector.errors import InvalidConfig
from darksector.rediscovery import NAME
from darksector.terminal import Row, print_rows, progress_bar

if TYPE_CHECKING:
    from darksector.rediscovery.writer import FitRow

_OPTIONS = ("luminosity", "detector", "machine", "seed")


def run(given: Mapping[str, Any], output: Path | None, *, as_json: bool) -> None:
    """Run the rediscoveries and write their folder.

    Raises
    ------
    InvalidConfig
        If an option is given that only searches for a mediator have.
    """
    chosen = {key: value for key, value in given.items() if key != "search"}
    if foreign := sorted(set(chosen) - set(_OPTIONS)):
        msg = (
            f"{NAME} takes no {foreign[0]}: it has no mediator, and computes in threads "
            f"of one process. Allowed: {', '.join(_OPTIONS)}, output."
        )
        raise InvalidConfig(msg)
    from darksector.rediscovery import pipeline, writer
    from darksector.report.writer import check_folder

    plan = pipeline.plan(**chosen)
    folder = output or Path("results") / NAME
    check_folder(folder, plan.config)
    try:
        with progress_bar("Rediscoveries") as progress:
            result = pipeline.run(plan, progress=progress)
    except KeyboardInterrupt:
        click.echo("Stopped; nothing kept.", err=True)  # a search would resume
        raise SystemExit(130) from None
    writer.write_folder(result, folder)
    rows = writer.fit_rows(result)
    print_rows(
        [asdict(row) if as_json else _for_people(row) for row in rows], as_json=as_json
    )
    if not as_json:
        click.echo(f"Wrote {folder}; open {folder / 'report.html'} in a browser.")


def _for_people(row: FitRow) -> Row:
    return {
        "channel": row.channel,
        "1/fb": row.luminosity_fb,
        "quantity": row.quantity,
        "unit": row.unit,
        "value": f"{row.value:.6g}",
        "error": None if row.error is None else f"{row.error:.2g}",
        "simulated": None if row.injected is None else f"{row.injected:.6g}",
    }
