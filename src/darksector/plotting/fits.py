"""Figures of fitted spectra: counts, components, fit and pulls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from darksector.plotting import labels, style

_PULLS = 4.5  # range of the lower panel
_SIGNAL = "#C6C6C6"  # grey tint: the coloured ones are for backgrounds


Values = NDArray[np.float64]
Curves = tuple[Values, Values, Values | None]


@final
@dataclass(frozen=True)
class FittedSpectrum:
    """What such a figure shows; arrays are ``(bins,)`` of events.

    Parameters
    ----------
    title, subtitle
        What was measured, with what; in mathtext.
    luminosity
        fb⁻¹.
    label
        Label of the axis with its unit, in mathtext.
    edges
        Bin edges, ``(bins + 1,)``.
    counts
        Pseudo-data.
    components
        Name of each simulated component to its events; the last one is on top.
    fit
        Fitted events per bin; None where nothing was fitted.
    curves
        Abscissa ``(m,)``, and the fitted sum and background there, events per bin; the
        background is None where there is none.
    box
        Lines of the box of fitted values.
    """

    title: str
    subtitle: str
    luminosity: float
    label: str
    edges: Values
    counts: NDArray[np.int64]
    components: Mapping[str, Values]
    fit: Values | None
    curves: Curves | None
    box: tuple[str, ...]


def fitted_spectrum(shown: FittedSpectrum) -> Figure:
    """Return the spectrum above its pulls; without a fit the spectrum alone."""
    figure = Figure(figsize=(7.0, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    ratios = [3.4, 1.0] if shown.fit is not None else [1.0]
    panels = figure.subplots(
        len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios
    )[:, 0]
    for panel in panels:
        style.dress(panel)
    _stack(panels[0], shown)
    _points(panels[0], shown)
    _header(panels[0], shown)
    panels[0].set_ylabel(labels.bin_width(shown.edges, shown.label), fontsize=11)
    panels[0].set_xlim(shown.edges[0], shown.edges[-1])
    room, top = 1.25, max(float(shown.counts.max()), 1.0)
    if shown.fit is not None and shown.curves is not None:
        _curves(panels[0], *shown.curves)
        _pull(panels[1], shown, shown.fit)
        # room for the box of fitted values
        room, top = 1.55, max(top, float(shown.curves[1].max()))
    panels[0].set_ylim(0, room * top)
    _box(panels[0], shown)
    panels[-1].set_xlabel(shown.label, fontsize=11)
    style.legend(figure, panels[0])
    return figure


def _stack(panel: Axes, shown: FittedSpectrum) -> None:
    base = np.zeros(len(shown.edges) - 1)
    colours = (*style.STACK[: len(shown.components) - 1], _SIGNAL)
    for colour, (name, events) in zip(colours, shown.components.items(), strict=True):
        panel.stairs(
            base + events,
            shown.edges,
            baseline=base,
            fill=True,
            color=colour,
            label=name,
        )
        base = base + events


def _points(panel: Axes, shown: FittedSpectrum) -> None:
    panel.errorbar(
        (shown.edges[1:] + shown.edges[:-1]) / 2,
        shown.counts,
        yerr=np.sqrt(shown.counts),
        fmt="o",
        color=style.BLACK,
        markersize=3,
        linewidth=0.8,
        label="pseudo-data: a Poisson fluctuation",
    )


def _curves(panel: Axes, x: Values, fit: Values, background: Values | None) -> None:
    panel.plot(x, fit, color=style.VERMILION, linewidth=1.5, label="fit")
    if background is not None:
        panel.plot(
            x,
            background,
            color=style.BLUE,
            linestyle="--",
            linewidth=1.5,
            label="fitted background",
        )


def _pull(panel: Axes, shown: FittedSpectrum, fit: Values) -> None:
    pulls = (shown.counts - fit) / np.sqrt(np.maximum(fit, 1.0))
    centre = (shown.edges[1:] + shown.edges[:-1]) / 2
    panel.axhline(0.0, color=style.VERMILION, linewidth=1.0)
    panel.plot(centre, pulls, "o", color=style.BLACK, markersize=2.5)
    most = max(_PULLS, 1.1 * float(np.abs(pulls).max()))
    panel.set_ylim(-most, most)
    panel.set_yticks([-3, 0, 3])
    panel.set_ylabel(r"$(n - f)/\sqrt{f}$", fontsize=11)


def _box(panel: Axes, shown: FittedSpectrum) -> None:
    # on the side that the highest bin leaves free
    right = 2 * int(shown.counts.argmax()) <= len(shown.counts)
    if shown.box:
        panel.text(
            0.975 if right else 0.025,
            0.955,
            "\n".join(shown.box),
            transform=panel.transAxes,
            ha="right" if right else "left",
            va="top",
            fontsize=9,
            linespacing=1.4,
            bbox={"facecolor": "white", "edgecolor": "#B0B0B0", "alpha": 0.9},
        )


def _header(panel: Axes, shown: FittedSpectrum) -> None:
    texts: tuple[tuple[str, float, int, Mapping[str, Any]], ...] = (
        (labels.SIMULATION, 0.0, 22, {"weight": "bold", "size": 11}),
        (labels.luminosity(shown.luminosity), 1.0, 22, {"size": 11}),
        (shown.title, 0.0, 7, {"size": 9, "color": "#404040"}),
        (shown.subtitle, 1.0, 7, {"size": 9, "color": "#404040"}),
    )
    style.head(panel, texts)
