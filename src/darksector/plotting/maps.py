"""Maps of efficiencies and resolutions, and what enumeration gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from darksector.plotting import style


@final
@dataclass(frozen=True)
class Map:
    """A quantity on a grid.

    Parameters
    ----------
    title
        Heads the panel.
    x, y
        Labels with units, and values ``(nx,)``, ``(ny,)``, by axis.
    values
        The quantity, ``(ny, nx)``.
    label
        Label of the colour bar, with its unit.
    limits
        Ends of the colour scale.
    logarithmic
        Whether the colour scale is.
    """

    title: str
    x: tuple[str, NDArray[np.float64]]
    y: tuple[str, NDArray[np.float64]]
    values: NDArray[np.float64]
    label: str
    limits: tuple[float, float]
    logarithmic: bool = False


def save_maps(maps: Sequence[Map], folder: Path, stem: str) -> None:
    """Draw maps one above the other and write ``stem.png`` and ``stem.pdf``."""
    figure, panels = _figure(len(maps))
    for each, panel in zip(maps, panels, strict=True):
        _draw(figure, panel, each)
    style.save(figure, folder, stem)


def save_gain(
    title: str,
    scales: NDArray[np.float64],
    curves: Mapping[str, NDArray[np.float64]],
    folder: Path,
    stem: str,
) -> None:
    """Draw effective events per generated event against the scale of the losses.

    Parameters
    ----------
    title
        Heads the figure.
    scales
        Factors on the chance of a loss, ``(n,)``.
    curves
        Method to effective events per generated event, ``(n,)``.
    folder, stem
        Where the figure goes.
    """
    figure, (panel,) = _figure(1)
    looks = zip(
        curves.items(), ((style.BLUE, "o"), (style.VERMILION, "s")), strict=True
    )
    for (name, values), (colour, marker) in looks:
        panel.plot(scales, values, color=colour, marker=marker, label=name)
    panel.set(
        xscale="log",
        yscale="log",
        xlabel="factor on the chance that a photon does not convert",
        ylabel="effective events per generated event",
    )
    style.dress(panel)
    panel.set_title(title, loc="left", fontsize=10)
    style.legend(figure, panel)
    style.save(figure, folder, stem)


def _figure(rows: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(7.0, 1.2 + 3.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, 1, squeeze=False)[:, 0])
    for panel in panels:
        panel.tick_params(which="both", direction="in", top=True, right=True)
    return figure, panels


def _draw(figure: Figure, panel: Axes, each: Map) -> None:
    low, high = each.limits
    scale = (
        {"norm": LogNorm(low, high)}
        if each.logarithmic
        else {"vmin": low, "vmax": high}
    )
    mesh = panel.pcolormesh(
        each.x[1],
        each.y[1],
        np.clip(each.values, low, high),
        cmap="cividis",
        rasterized=True,
        **scale,
    )
    figure.colorbar(mesh, ax=panel, label=each.label, pad=0.02)
    panel.set(xlabel=each.x[0], ylabel=each.y[0])
    panel.set_title(each.title, loc="left", fontsize=10)
