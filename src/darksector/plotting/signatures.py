"""Map of what an axion-like particle looks like, by mass and coupling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import atan2, degrees
from pathlib import Path
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, zoom

from darksector.plotting import labels, style

STEM = "alp_signatures"

# tints of the palette: black text and lines stand out on all of them
_LOOKS: Mapping[str, tuple[str, str]] = {
    "resolved": ("#ABDCF4", "resolved"),
    "merged": ("#F2CF80", "merged"),
    "displaced": ("#E5BCD3", "displaced"),
    "invisible": ("#C6C6C6", "invisible"),
    "lost": ("#FFFFFF", "photon lost"),
}
_LENGTHS = {10.0: "0.1 m", 125.0: "1.25 m", 300.0: "3 m"}  # decay length, cm: label
_STYLES = (":", "--", "-")
_FINER = 8  # cells of the drawing per cell of the grid
_SMALLEST = 0.02  # share of the map from which on a region has room for its name


@final
@dataclass(frozen=True)
class SignatureMap:
    """Probabilities of signatures on a grid of masses and couplings.

    Parameters
    ----------
    masses, couplings
        The grid, ``(nm,)`` in GeV and ``(ng,)`` in GeV⁻¹, evenly spaced logarithms.
    chances
        Signature to its probability, ``(ng, nm)``.
    lengths
        Mean decay length in the centre-of-mass frame, cm, ``(ng, nm)``.
    titles
        Of the machine and of the detector.
    dark
        Coupling to dark matter and its mass, GeV; the mass is None without.
    """

    masses: NDArray[np.float64]
    couplings: NDArray[np.float64]
    chances: Mapping[str, NDArray[np.float64]]
    lengths: NDArray[np.float64]
    titles: tuple[str, str]
    dark: tuple[float, float | None]


def save_map(drawn: SignatureMap, folder: Path) -> None:
    """Draw the most probable signature of every point and write png and pdf."""
    figure = Figure(figsize=(7.0, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    panel.set(
        xscale="log",
        yscale="log",
        xlim=(drawn.masses[0], drawn.masses[-1]),
        ylim=(drawn.couplings[0], drawn.couplings[-1]),
        xlabel=r"$m_a$ [GeV]",
        ylabel=r"$g_{a\gamma\gamma}$ [GeV$^{-1}$]",
    )
    panel.tick_params(which="both", direction="in", top=True, right=True)
    style.head(panel, _header(drawn))
    _lengths(panel, drawn)
    figure.draw_without_rendering()  # the slope of the lines needs the layout
    _regions(panel, drawn)
    style.save(figure, folder, STEM)


def _header(
    drawn: SignatureMap,
) -> tuple[tuple[str, float, int, Mapping[str, object]], ...]:
    yukawa, mass = drawn.dark
    dark = "" if mass is None else rf", $y$ = {yukawa:g}, $m_\chi$ = {mass:g} GeV"
    process = rf"$e^+e^-\to\gamma a$, most probable signature{dark}"
    grey = {"size": 9, "color": "#404040"}
    return (
        (labels.SIMULATION, 0.0, 22, {"weight": "bold", "size": 11}),
        (process, 0.0, 7, grey),
        (", ".join(drawn.titles), 1.0, 22, grey),
    )


def _regions(panel: Axes, drawn: SignatureMap) -> None:
    """Colour and name where each signature is the most probable one."""
    fine = {
        name: zoom(values, _FINER, order=1) for name, values in drawn.chances.items()
    }
    first = np.argmax(np.stack(list(fine.values())), axis=0)
    x = np.geomspace(drawn.masses[0], drawn.masses[-1], first.shape[1])
    y = np.geomspace(drawn.couplings[0], drawn.couplings[-1], first.shape[0])
    for i, name in enumerate(fine):
        colour, word = _LOOKS[name]
        inside = first == i
        panel.contourf(x, y, inside, levels=(0.5, 1.5), colors=[colour])
        if inside.mean() > _SMALLEST:
            row, column = _deepest(inside)
            along = _slope(panel) if name == "displaced" else 0.0
            panel.text(
                x[column],
                y[row],
                word,
                rotation=along,
                rotation_mode="anchor",
                ha="center",
                va="center",
                size=12,
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.5},
            )


def _deepest(inside: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the row and column that are farthest from the edge of a region."""
    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(np.argmax(depth), depth.shape)
    return int(row), int(column)


def _slope(panel: Axes) -> float:
    """Return the angle of lines of constant decay length on the page, deg: g ~ 1/m²."""
    ends = panel.transData.transform([(0.1, 1e-4), (1.0, 1e-6)])
    across, up = ends[1] - ends[0]
    return degrees(atan2(up, across))


def _lengths(panel: Axes, drawn: SignatureMap) -> None:
    """Draw the lines of constant decay length."""
    lines = panel.contour(
        drawn.masses,
        drawn.couplings,
        np.log(drawn.lengths),
        levels=np.log(list(_LENGTHS)),
        colors=style.BLACK,
        linewidths=1.2,
        linestyles=list(_STYLES),
        zorder=2.5,
    )
    handles, _ = lines.legend_elements()
    panel.figure.legend(
        handles,
        [rf"$\beta\gamma c\tau$ = {length}" for length in _LENGTHS.values()],
        loc="outside lower center",
        ncols=len(_LENGTHS),
        fontsize=9,
        frameon=False,
        title="mean decay length, centre-of-mass frame",
        title_fontsize=9,
    )
