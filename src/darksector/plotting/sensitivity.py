"""Table of what improves a limit, drawn: a number per line, a mass per column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from darksector.plotting import labels, style

STEM = "sensitivity"

# white in the middle; told apart with any colour vision
_COLOURS = LinearSegmentedColormap.from_list(
    "better_worse", (style.BLUE, "#CFE7F6", "#FFFFFF", "#F2CF80", style.VERMILION)
)
_DARK = -0.75  # of the largest value: blue beyond, on which text is white


@final
@dataclass(frozen=True)
class SensitivityTable:
    """Derivatives to draw.

    Parameters
    ----------
    masses
        Mediator masses, GeV, ``(m,)``.
    names
        Numbers, as people call them, ``(k,)``.
    slopes, errors
        d ln(limit) / d ln(number) and standard deviations, ``(m, k)``; NaN where there
        is no limit.
    coupling
        What is limited, mathtext.
    titles
        Of the search, and of the experiment.
    luminosity, confidence_level
        Of the run; fb⁻¹.
    """

    masses: Sequence[float]
    names: Sequence[str]
    slopes: NDArray[np.float64]
    errors: NDArray[np.float64]
    coupling: str
    titles: tuple[str, str]
    luminosity: float
    confidence_level: float


def save_table(drawn: SensitivityTable, folder: Path) -> None:
    """Draw the derivatives, a number per line and a mass per column, as png and pdf."""
    rows, columns = len(drawn.names), len(drawn.masses)
    size = (max(7.5, 2.6 + 0.95 * columns), 2.4 + 0.5 * rows)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    largest = float(np.nanmax(np.abs(drawn.slopes), initial=1e-3))
    image = panel.imshow(
        drawn.slopes.T, cmap=_COLOURS, vmin=-largest, vmax=largest, aspect="auto"
    )
    for column, row in np.ndindex(drawn.slopes.shape):
        slope, error = (float(x[column, row]) for x in (drawn.slopes, drawn.errors))
        white = slope < _DARK * largest
        panel.text(
            column,
            row,
            _cell(slope, error),
            ha="center",
            va="center",
            size=9,
            color="white" if white else style.BLACK,
        )
    panel.set_xticks(range(columns), [f"{mass:g}" for mass in drawn.masses])
    panel.set_yticks(range(rows), drawn.names)
    panel.set_xlabel(labels.MASS, fontsize=11)
    panel.tick_params(which="both", length=0)
    panel.set_xticks(np.arange(columns - 1) + 0.5, minor=True)
    panel.set_yticks(np.arange(rows - 1) + 0.5, minor=True)
    panel.grid(visible=True, which="minor", color="#8C8C8C", linewidth=0.6)
    bar = figure.colorbar(image, ax=panel, location="bottom", aspect=40, pad=0.03)
    bar.set_label(
        f"d ln(limit on {drawn.coupling}) / d ln(number); above 0: less is better",
        fontsize=10,
    )
    style.head(panel, _header(drawn))
    style.save(figure, folder, STEM)


def _cell(slope: float, error: float) -> str:
    if not np.isfinite(slope):
        return "no limit"
    # without -0.000: nothing at all is plain
    value = (
        f"{slope:+.3f}".replace("-", "\N{MINUS SIGN}") if abs(slope) >= 5e-4 else "0"
    )
    return f"{value}\n± {error:.3f}" if error >= 5e-4 else value


def _header(
    drawn: SensitivityTable,
) -> tuple[tuple[str, float, int, Mapping[str, Any]], ...]:
    run = (
        f"{labels.luminosity(drawn.luminosity)}, "
        f"{labels.confidence(drawn.confidence_level)}"
    )
    grey = {"size": 9, "color": "#404040"}
    return (
        (labels.SIMULATION, 0.0, 36, {"weight": "bold", "size": 11}),
        (run, 1.0, 36, {"size": 11}),
        (drawn.titles[0], 0.0, 21, grey),
        (drawn.titles[1], 0.0, 7, grey),
    )
