"""How every printed figure looks, and how it is saved."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from darksector.io.files import atomic_write
from darksector.plotting import labels, palette
from darksector.results import SearchResult

# Okabe & Ito, https://jfly.uni-koeln.de/color: told apart with any colour vision.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#8C8C8C"

STACK = palette.TINTS
HATCH = "#707070"  # on them
LINES = ((VERMILION, "-"), (BLUE, "--"), (BLACK, "-."))  # signals
OTHERS = (VERMILION, GREEN, PURPLE, ORANGE)  # other people's limits
BAND_1, BAND_2 = "#8CC8EC", "#CFE7F6"  # tints of SKY: ±1 and ±2 standard deviations

DPI = 150


def panels(
    result: SearchResult, *, rows: int = 1, height: float = 5.0
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure, panels sharing their horizontal axis, headed by the run.

    Parameters
    ----------
    result
        The run that the header names: luminosity, confidence level, machine, detector.
    rows
        Number of panels, one above the other.
    height
        Height of the figure, inch; it is 7 inch wide.
    """
    figure = Figure(figsize=(7.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, 1, sharex=True, squeeze=False)
    axes = list(grid[:, 0])
    for panel in axes:
        dress(panel)
    _header(axes[0], result)
    return figure, axes


def dress(panel: Axes) -> None:
    """Give a panel the ticks and the grid of all figures."""
    panel.tick_params(which="both", direction="in", top=True, right=True)
    panel.grid(visible=True, color="#E6E6E6", linewidth=0.6)
    panel.set_axisbelow(True)


def head(
    panel: Axes, texts: Iterable[tuple[str, float, int, Mapping[str, Any]]]
) -> None:
    """Write above a panel: text, 0 for left or 1 for right, points above it, font."""
    for text, x, rise, font in texts:
        panel.annotate(
            text,
            (x, 1.0),
            (0, rise),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="left" if x == 0.0 else "right",
            **font,
        )


def legend(
    figure: Figure, panel: Axes, *, first: Sequence[str] = (), columns: int = 2
) -> None:
    """Put the legend below the panels, where it covers no curve; `first` leads it."""
    handles, names = panel.get_legend_handles_labels()
    rank = {name: i for i, name in enumerate(first)}
    entries = zip(handles, names, strict=True)
    ordered = sorted(entries, key=lambda entry: rank.get(entry[1], len(rank)))
    if ordered:
        figure.legend(
            [handle for handle, _ in ordered],
            [name for _, name in ordered],
            loc="outside lower center",
            ncols=columns,
            fontsize=9,
            frameon=False,
        )


def save(figure: Figure, folder: Path, stem: str) -> None:
    """Write a figure as ``stem.png`` and ``stem.pdf``; the same figure, the same bytes.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    clean = {"png": {"Software": None}, "pdf": {"CreationDate": None, "Creator": None}}
    for suffix, metadata in clean.items():
        stream = io.BytesIO()
        figure.savefig(stream, format=suffix, dpi=DPI, metadata=metadata)
        atomic_write(folder / f"{stem}.{suffix}", stream.getvalue())


def _header(panel: Axes, result: SearchResult) -> None:
    luminosity = labels.luminosity(result.luminosity)
    level = labels.certainty(result.limits)
    names = result.labels
    where = f"{names.title}, {names.machine}, {names.detector}"
    texts: tuple[tuple[str, float, int, Mapping[str, Any]], ...] = (
        (labels.SIMULATION, 0.0, 22, {"weight": "bold", "size": 11}),
        (f"{luminosity}, {level}", 1.0, 22, {"size": 11}),
        (where, 0.0, 7, {"size": 9, "color": "#404040"}),
    )
    head(panel, texts)
