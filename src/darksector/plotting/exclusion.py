"""Figures of limits, ours and other people's, against the mediator's mass."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from darksector.limits.published import CouplingBand, PublishedLimit
from darksector.plotting import labels, palette, placement, style, views
from darksector.results import SearchResult

# darker than the lines, so that small letters are read
_INK = dict(
    zip(views.OTHERS, ("#9E4600", "#00684C", "#8F4573", "#8A5F00"), strict=True)
)
_MARKERS = {
    "diamond": "D",
    "triangle-up": "^",
    "square": "s",
    "circle": "o",
    "x-thin": "x",
}
OURS = ("observed", "expected", r"expected $\pm1\sigma$", r"expected $\pm2\sigma$")


def cross_section_limit(result: SearchResult) -> Figure:
    """Return the limit on the signal cross-section with its expected bands, fb."""
    figure, (panel,) = style.panels(result)
    _ours(panel, result, "sigma")
    _axes(panel, result, "sigma", views.plane(result, "sigma"))
    style.legend(figure, panel, first=OURS, columns=4)
    return figure


def coupling_limit(
    result: SearchResult,
    overlays: Sequence[PublishedLimit],
    bands: Sequence[CouplingBand] = (),
) -> Figure:
    """Return the limit on the coupling beside the limits and hints of others.

    Parameters
    ----------
    result
        The run; its first coupling is drawn with bands, the coupling under other
        assumptions as dashed medians.
    overlays
        Published limits; those on another coupling have no place on this axis.
    bands
        Favoured ranges and bounds computed elsewhere.
    """
    principal, *assumptions = labels.couplings(result)
    plane = views.plane(result, principal, overlays, bands)
    rows = (len(plane.overlays) + len(plane.bands)) / 2
    figure, (panel,) = style.panels(result, height=6.2 + 0.2 * max(0, rows - 2))
    _bands(panel, plane.bands)
    _published(panel, plane.overlays)
    _ours(panel, result, principal)
    for name, look in zip(assumptions, cycle(palette.OWN), strict=False):
        _dashed(panel, result, name, look)
    _axes(panel, result, principal, plane)
    _names(panel, result, principal, plane)
    dashed = [labels.further(result, name) for name in assumptions]
    style.legend(figure, panel, first=[*OURS, *dashed])
    return figure


def _ours(panel: Axes, result: SearchResult, quantity: str) -> None:
    """Draw bands, median and observed limit; a point without neighbours gets bars."""
    mass, band = result.limits.mass, result.limits.expected_band[quantity]
    stretches = views.stretches(band)
    _, median, one, two = OURS
    for stretch in stretches:
        x, (low2, low1, middle, up1, up2) = mass[stretch], np.asarray(band[stretch]).T
        _between(panel, x, (low2, up2), colour=style.BAND_2, label=two)
        _between(panel, x, (low1, up1), colour=style.BAND_1, label=one)
        panel.plot(
            x, middle, color=style.BLACK, marker="o", ms=3.5, lw=1.4, label=median,
            zorder=4,
        )  # fmt: skip
        median = one = two = "_"  # one legend entry for all stretches
    if quantity in result.limits.observed:
        observed = np.ma.masked_invalid(result.limits.observed[quantity])
        panel.plot(
            mass, observed, color=style.BLUE, marker="s", ms=4, lw=1.8,
            label=OURS[0], zorder=5,
        )  # fmt: skip
    if not stretches:
        _absent(panel, result)


def _between(
    panel: Axes,
    x: NDArray[np.float64],
    edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    colour: str,
    label: str,
) -> None:
    low, high = edges
    if len(x) > 1:
        panel.fill_between(x, low, high, color=colour, lw=0, label=label, zorder=2)
        return
    middle = (low + high) / 2
    width = 10 if colour == style.BAND_2 else 6
    panel.errorbar(
        x, middle, yerr=(high - low) / 2, fmt="none", ecolor=colour, elinewidth=width,
        label=label, zorder=2,
    )  # fmt: skip


def _dashed(
    panel: Axes, result: SearchResult, quantity: str, look: tuple[str, str, str]
) -> None:
    colour, dash, marker = look
    panel.plot(
        result.limits.mass,
        result.limits.expected[quantity],
        color=colour,
        linestyle=dash,
        marker=_MARKERS[marker],
        markersize=4.5,
        markerfacecolor="white",
        linewidth=1.3,
        label=labels.further(result, quantity),
        zorder=4,
    )


def _published(panel: Axes, limits: Sequence[PublishedLimit]) -> None:
    for (colour, dash), limit in zip(views.looks(limits), limits, strict=True):
        mass, values = views.outline(limit)
        if limit.shape == "contour":
            panel.fill(mass, values, color=colour, alpha=0.12, lw=0, zorder=1)
        else:
            ceiling = np.full_like(values, 1e30)  # beyond any axis: all above is out
            panel.fill_between(
                mass, values, ceiling, color=colour, alpha=0.12, lw=0, zorder=1
            )
        panel.plot(
            mass, values, color=colour, linestyle=dash, linewidth=1.3,
            label=labels.published(limit), zorder=3,
        )  # fmt: skip


def _bands(panel: Axes, bands: Sequence[CouplingBand]) -> None:
    fills = ((style.YELLOW, "////"), (style.GREY, "\\\\\\\\"), (style.PURPLE, "...."))
    lines = iter(views.LINES * 9)
    for (colour, hatch), band in zip(fills * 9, bands, strict=False):
        label = _folded(band.label)
        if band.low is None:
            stroke, dash = next(lines)
            panel.plot(
                band.mass, band.high, color=stroke, linestyle=dash, linewidth=1.8,
                label=label, zorder=3,
            )  # fmt: skip
            continue
        panel.fill_between(
            band.mass, band.low, band.high, facecolor=colour, edgecolor="#707070",
            hatch=hatch, alpha=0.45, lw=0, label=label, zorder=1,
        )  # fmt: skip


def _folded(label: str) -> str:
    """Return a long label in two lines, parted at a space outside of its formulas."""
    if len(label) < 60:
        return label
    spaces = [
        i
        for i, letter in enumerate(label)
        if letter == " " and label[:i].count("$") % 2 == 0
    ]
    middle = min(spaces, key=lambda i: abs(i - len(label) / 2), default=0)
    return f"{label[:middle]}\n{label[middle:].strip()}"


def _names(
    panel: Axes, result: SearchResult, quantity: str, plane: views.Plane
) -> None:
    """Write each experiment's name in the region that it excludes."""
    if plane.values is None:
        return
    colours = [colour for colour, _ in views.looks(plane.overlays)]
    band = result.limits.expected_band[quantity]
    ours = [
        (result.limits.mass[stretch], np.asarray(band[stretch])[:, i])
        for stretch in views.stretches(band)
        for i in range(5)
    ]
    places = placement.places(plane, ours)
    for colour, name in zip(colours, places, strict=True):
        if name is not None:
            panel.text(
                name.x, name.y, name.text, color=_INK[colour], fontsize=8,
                ha="center", va="center", transform=panel.transAxes, zorder=6,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )  # fmt: skip


def _axes(panel: Axes, result: SearchResult, quantity: str, plane: views.Plane) -> None:
    if plane.logarithmic:
        panel.set_xscale("log")
    panel.set_xlim(plane.mass)
    panel.set_xlabel(labels.MASS, fontsize=11)
    panel.set_ylabel(f"upper limit on {labels.quantity(result, quantity)}", fontsize=11)
    if plane.values is None:
        panel.set_yticks([])
        return
    panel.set_yscale("log")
    panel.set_ylim(plane.values)


def _absent(panel: Axes, result: SearchResult) -> None:
    reasons = sorted({status for status in result.limits.status if status != "ok"})
    panel.text(
        0.5, 0.5, "no limit: " + "; ".join(reasons), ha="center", va="center",
        wrap=True, transform=panel.transAxes, fontsize=10,
    )  # fmt: skip
