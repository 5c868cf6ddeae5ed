"""Writes the output folder of a run, every file whole or not at all."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tomli_w

from darksector import provenance
from darksector.errors import OutputError
from darksector.io.files import atomic_write
from darksector.limits import published
from darksector.limits.published import CouplingBand, PublishedLimit
from darksector.report import tables
from darksector.results import SearchResult

_LOSSES = "ecl_inefficiency"


def write_folder(
    result: SearchResult, folder: Path, *, bands: Sequence[CouplingBand] = ()
) -> None:
    """Write every file of a run.

    Parameters
    ----------
    result
        What the run found.
    folder
        Where it goes; made if it is missing.
    bands
        Favoured ranges and bounds to draw beside the limit on the coupling.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds the results of another run.
    """
    check_folder(folder, result.config)
    overlays = [published.load(key) for key in result.published]
    for name, content in _documents(result):
        atomic_write(folder / name, content)
    _save_figures(result, folder, overlays, bands)
    pictures = {
        title: (folder / f"{stem}.png").read_bytes()
        for stem, title in _pictured(result)
    }
    page = report_html(result, overlays, bands, pictures)
    atomic_write(folder / "report.html", page.encode())


def check_folder(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse a folder that holds the results of another run.

    Raises
    ------
    OutputError
        If its ``run.toml`` cannot be read, or differs from `config`.
    """
    path = folder / "run.toml"
    try:
        there = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        msg = f"{str(folder)!r} cannot be used ({error}); choose another output folder."
        raise OutputError(msg) from error
    if there != tomllib.loads(tomli_w.dumps(config)):
        msg = (
            f"{str(folder)!r} holds the results of another run (its run.toml differs); "
            "choose another output folder or remove this one."
        )
        raise OutputError(msg)


def report_html(
    result: SearchResult,
    overlays: Sequence[PublishedLimit],
    bands: Sequence[CouplingBand],
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> str:
    """Return the report: one page that needs no network.

    Parameters
    ----------
    result, overlays, bands
        As in `write_folder`.
    pictures
        What it shows to a figure, png, that is not interactive.
    """
    from markupsafe import Markup

    from darksector.plotting import interactive, pages

    charts = {
        name: Markup(interactive.chart(figure, name, height=_height(figure)))
        for name, figure in _charts(result, overlays, bands)
    }
    return pages.render(
        "darksector.report",
        "report.html.jinja",
        result=result,
        summary=_summary(result),
        conventions=_conventions(result),
        config=tomli_w.dumps(result.config),
        charts=charts,
        pictures={
            words: Markup(base64.b64encode(png).decode())
            for words, png in pictures.items()
        },
        library=Markup(interactive.library()),
        systematics=tables.systematics_table(result),
        origins=tables.origins_table(result),
        cutflow=tables.cutflow_table(result),
        cuts=tables.cut_descriptions(result),
        windows=tables.window_table(result),
        regions=tables.region_table(result),
    )


def _height(chart: Any) -> int:
    """Return the height of a chart, px, with room for its legend."""
    return max(520, 400 + 22 * len(chart.data))


def _documents(result: SearchResult) -> Iterator[tuple[str, bytes]]:
    """Yield file name and content; ``run.toml`` first, as it marks the folder."""
    from darksector.io.hepdata import submission
    from darksector.io.pyhf import workspace

    yield "run.toml", tomli_w.dumps(result.config).encode()
    yield "limits.csv", tables.limits_csv(result)
    yield "cutflow.csv", tables.cutflow_csv(result)
    yield "windows.csv", tables.windows_csv(result)
    if result.regions:
        yield "regions.csv", tables.regions_csv(result)
    yield "spectra.parquet", tables.spectra_parquet(result)
    model = workspace(result.counting, result.windows.mass, result.observed)
    yield "workspace.json", _json(model)
    for name, text in submission(result).items():
        yield f"hepdata/{name}", text.encode()
    yield "provenance.json", _json(result.provenance.to_dict())
    references = provenance.bibtex(result.provenance.references)
    yield "references.bib", references.encode()


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()


def _save_figures(
    result: SearchResult,
    folder: Path,
    overlays: Sequence[PublishedLimit],
    bands: Sequence[CouplingBand],
) -> None:
    from darksector.plotting import (
        exclusion,
        labels,
        photon_losses,
        planes,
        spectra,
        style,
    )

    figures = {
        f"{_observable(result)}_spectrum": spectra.recoil_spectrum(result),
        "efficiency_and_resolution": spectra.efficiency_and_resolution(result),
        "signal_cross_section": spectra.signal_cross_section(result),
        "limit_cross_section": exclusion.cross_section_limit(result),
    }
    for name in labels.couplings(result)[:1]:
        figures[f"limit_{name}"] = exclusion.coupling_limit(result, overlays, bands)
    for plane in result.planes:
        figures[plane.name] = planes.plane_figure(result, plane)
    if result.planes:
        figures[_LOSSES] = photon_losses.inefficiency(result)
    for stem, figure in figures.items():
        style.save(figure, folder, stem)


def _pictured(result: SearchResult) -> Iterator[tuple[str, str]]:
    """Yield stem and description of the figures that the report repeats."""
    for plane in result.planes:
        yield plane.name, f"Backgrounds in the plane: {plane.title}"
    if result.planes:
        yield _LOSSES, "Photons that leave no cluster"


def _observable(result: SearchResult) -> str:
    """Return the name of the observable of the spectra."""
    return next(iter(result.spectra.values())).observable


def _charts(
    result: SearchResult,
    overlays: Sequence[PublishedLimit],
    bands: Sequence[CouplingBand],
) -> Iterator[tuple[str, Any]]:
    from darksector.plotting import interactive, labels

    if labels.couplings(result):
        yield "coupling", interactive.coupling_limit(result, overlays, bands)
    yield "cross-section", interactive.cross_section_limit(result)
    yield "spectrum", interactive.recoil_spectrum(result)


def _summary(result: SearchResult) -> dict[str, str]:
    from darksector.plotting import labels

    names, limits = result.labels, result.limits
    return {
        "search": result.name,
        "model": names.model,
        "machine": names.machine,
        "detector": names.detector,
        "luminosity": labels.luminosity(result.luminosity),
        "level": labels.certainty(limits),
        "method": limits.method,
        "seed": str(result.provenance.seed),
    }


def _conventions(result: SearchResult) -> dict[str, str]:
    """Return names of samples, or of choices, that share what is said of them."""
    shared: dict[str, list[str]] = {}
    for name, words in result.labels.conventions.items():
        shared.setdefault(words, []).append(name)
    return {", ".join(names): words for words, names in shared.items()}
