"""Backgrounds in two observables: how many, which one leads where, and boundaries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, uniform_filter

from darksector.plotting import labels, palette, style, views
from darksector.results import Plane, SearchResult

Mask = NDArray[np.bool_]
Bin = tuple[int, int]

_DECADES = 1e-8  # smallest rate on the colour scale, of the largest
_LETTER, _LINE = 0.0095, 0.02  # half a letter's width and half a line, of the axes
_SMOOTH = 1.5  # bins
_ROOM = 0.7  # share of a name within its own area; with less, a line leads there
_SMALLEST = 0.002  # share of the bins from which on an area is named
_LOWER = "largest background, of smoothed rates"
_DASHES = ("-", "--", "-.")  # of declared areas
_BEST = "#E8308C"  # neither on the colour scale nor among the components


@final
@dataclass(frozen=True)
class Spot:
    """A name to write in a plane.

    Parameters
    ----------
    component
        Whose name it is.
    at, of
        Bins, in x and y: at its centre, and the one that a line from it leads to; the
        same where the name lies in its own area.
    """

    component: str
    at: Bin
    of: Bin


def plane_figure(result: SearchResult, plane: Plane) -> Figure:
    """Return the rate per bin above the component that leads there, with boundaries."""
    figure, (upper, lower) = style.panels(result, rows=2, height=10.0)
    _rates(figure, upper, plane)
    areas = _leaders(lower, result, plane)
    _boundaries(upper, plane, "white")
    lines = _boundaries(lower, plane, style.BLACK)
    texts = {name: _text(result, name) for name in plane.contents}
    for spot in spots(plane, {name: _letters(text) for name, text in texts.items()}):
        _write(upper, plane, spot, texts[spot.component], ("white", style.BLACK))
        _write(lower, plane, spot, texts[spot.component], (style.BLACK, "white"))
    for panel in (upper, lower):
        panel.set_ylabel(plane.y_label, fontsize=11)
        panel.set_xlim(plane.x_edges[0], plane.x_edges[-1])
        panel.set_ylim(plane.y_edges[0], plane.y_edges[-1])
        panel.grid(visible=False)
    lower.set_xlabel(plane.x_label, fontsize=11)
    lower.text(0.02, 0.95, _LOWER, transform=lower.transAxes, fontsize=9)
    figure.legend(
        handles=[*lines, *areas], loc="outside lower center", ncols=3, fontsize=9,
        frameon=False,
    )  # fmt: skip
    return figure


def leading(plane: Plane) -> dict[str, Mask]:
    """Return component to the bins in which it is the largest, each ``(nx, ny)``.

    Rates are smoothed first, as bins of few simulated events take turns.  Bins without
    events belong to nobody, and a component that leads nowhere is absent.
    """
    stacked = np.array(list(plane.contents.values()))
    smooth = gaussian_filter(stacked, sigma=(0.0, _SMOOTH, _SMOOTH))
    first = np.where(stacked.sum(axis=0) > 0, np.argmax(smooth, axis=0), -1)
    found = {name: first == i for i, name in enumerate(plane.contents)}
    return {name: mask for name, mask in found.items() if mask.any()}


def spots(plane: Plane, letters: Mapping[str, int]) -> tuple[Spot, ...]:
    """Return where the components that lead somewhere are named.

    Parameters
    ----------
    plane
        Its bins.
    letters
        Component to the length of its name.

    Notes
    -----
    A name goes where it covers bins in which its component leads, off the other names;
    larger areas choose first.  Where the area is smaller than the name, a line leads
    there from the nearest free place.
    """
    shape = np.array([len(plane.x_edges) - 1, len(plane.y_edges) - 1])
    areas = {n: mask for n, mask in leading(plane).items() if mask.mean() > _SMALLEST}
    found: list[Spot] = []
    taken: list[tuple[Bin, NDArray[np.int64]]] = []
    for name in sorted(areas, key=lambda name: -int(areas[name].sum())):
        size = np.array([_LETTER * letters[name], _LINE])
        half = np.ceil(size * shape).astype(np.int64)
        free = _free(shape, half, taken)
        if free.any():
            found.append(_spot(name, areas[name], half, free))
            taken.append((found[-1].at, half))
    return tuple(found)


def _free(
    shape: NDArray[np.int64],
    half: NDArray[np.int64],
    taken: Sequence[tuple[Bin, NDArray[np.int64]]],
) -> Mask:
    """Return the bins on which a name may be centred: within the plane, off the others."""
    x, y = np.indices(tuple(shape))
    free = (x >= half[0]) & (x < shape[0] - half[0])
    free &= (y >= half[1]) & (y < shape[1] - half[1])
    for (column, row), other in taken:
        apart = np.abs(x - column) > half[0] + other[0]
        free &= apart | (np.abs(y - row) > half[1] + other[1])
    return free


def _spot(name: str, area: Mask, half: NDArray[np.int64], free: Mask) -> Spot:
    """Return the best place of a name."""
    depth = distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1]
    share = uniform_filter(area.astype(float), size=tuple(2 * half + 1))
    # among the places that lie wholly inside, the one farthest from the edge
    inside = np.where(free, share + 1e-3 * depth, -1.0)
    best = _bin(inside)
    if share[best] >= _ROOM:
        return Spot(name, best, best)
    deepest = _bin(depth)
    x, y = np.indices(area.shape)
    away = np.hypot((x - deepest[0]) / half[0], (y - deepest[1]) / half[1])
    near = _bin(-np.where(free & (away > 2.5), away, np.inf))
    return Spot(name, near, deepest)


def _bin(values: NDArray[np.float64]) -> Bin:
    """Return the indices of the largest value."""
    column, row = np.unravel_index(np.argmax(values), values.shape)
    return int(column), int(row)


def _rates(figure: Figure, panel: Axes, plane: Plane) -> None:
    total = np.sum(list(plane.contents.values()), axis=0)
    high = float(total.max(initial=0.0)) or 1.0
    low = max(float(total[total > 0].min(initial=high)), high * _DECADES)
    mesh = panel.pcolormesh(
        plane.x_edges,
        plane.y_edges,
        np.ma.masked_less_equal(total, 0.0).T,
        norm=LogNorm(min(low, high / 10), high),
        cmap="cividis",
        rasterized=True,
    )
    # an axis of its own: beside the panel there is room, whatever the header needs
    bar = panel.inset_axes((1.02, 0.0, 0.035, 1.0))
    figure.colorbar(mesh, cax=bar, label="events per bin, all backgrounds")


def _leaders(panel: Axes, result: SearchResult, plane: Plane) -> list[Patch]:
    """Colour the bins by the component that leads; return the entries of the legend."""
    x, y = (
        np.repeat(edges, 2)[1:-1] for edges in (plane.x_edges, plane.y_edges)
    )  # both ends of every bin, so that areas have the outline of their bins
    order = dict.fromkeys([*views.stacking_order(result), *plane.contents])
    looks, areas = palette.fills(order), leading(plane)  # as in the spectrum
    for name, area in areas.items():
        colour, hatch = looks[name]
        filled = panel.contourf(
            x, y, _doubled(area).T, levels=(0.5, 1.5), colors=[colour], hatches=[hatch]
        )
        filled.set(edgecolor=style.HATCH, linewidth=0.0)
    return [
        Patch(
            facecolor=colour,
            edgecolor=style.HATCH,
            linewidth=0.0,
            hatch=hatch,
            label=_text(result, name),
        )
        for name, (colour, hatch) in looks.items()
        if name in areas
    ]


def _doubled(mask: Mask) -> NDArray[np.float64]:
    return mask.repeat(2, axis=0).repeat(2, axis=1).astype(np.float64)


def _boundaries(panel: Axes, plane: Plane, colour: str) -> list[Line2D]:
    """Draw the declared and the best areas; return the entries of the legend."""
    entries = []
    outline = style.BLACK if colour == "white" else "white"
    halo = [withStroke(linewidth=3.2, foreground=outline)]
    for dash, (name, curves) in zip(_DASHES * 9, plane.lines.items(), strict=False):
        for curve in curves:
            panel.plot(*curve.T, color=colour, ls=dash, lw=1.6, path_effects=halo)
        entries.append(Line2D([], [], color=style.BLACK, ls=dash, lw=1.6, label=name))
    x, y = (np.repeat(edges, 2)[1:-1] for edges in (plane.x_edges, plane.y_edges))
    for name, cells in plane.cells.items():
        if cells.any() and not cells.all():
            panel.contour(
                x, y, _doubled(cells).T, levels=[0.5], colors=_BEST, linewidths=1.1
            )
        entries.append(Line2D([], [], color=_BEST, lw=1.1, label=name))
    return entries


def _write(
    panel: Axes, plane: Plane, spot: Spot, text: str, colours: tuple[str, str]
) -> None:
    at, of = _middle(plane, spot.at), _middle(plane, spot.of)
    ink, halo = colours
    panel.annotate(
        text, of, at, color=ink, fontsize=8.5, ha="center", va="center", zorder=6,
        path_effects=[withStroke(linewidth=2.2, foreground=halo)],
        arrowprops=None if at == of else {"arrowstyle": "-|>", "color": ink, "lw": 0.9},
    )  # fmt: skip


def _middle(plane: Plane, where: Bin) -> tuple[float, float]:
    (i, j), x, y = where, plane.x_edges, plane.y_edges
    return float(x[i] + x[i + 1]) / 2, float(y[j] + y[j + 1]) / 2


def _text(result: SearchResult, component: str) -> str:
    return result.labels.components.get(component, component)


def _letters(mathtext: str) -> int:
    """Return how many letters are seen of a text in mathtext."""
    return len(re.sub(r"<[^>]*>|&\w+;", "", labels.to_html(mathtext)))
