"""One event in its detector: sections across and along the beams, to scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from darksector.detectors.sight import Snapshot
from darksector.plotting import sections
from darksector.plotting.looks import INK, RECOIL, look
from darksector.plotting.scene import Item, Scene, describe, scene
from darksector.plotting.shapes import Geometry

_DASHES: Mapping[str, Any] = {
    "track": "-",
    "photon": (0, (4, 2)),
    "unseen": (0, (1, 2)),
}
_WIDTH = {"track": 1.8, "photon": 1.0, "unseen": 1.2}
_BOX = 5.0  # points: width of a cluster


@final
@dataclass(frozen=True)
class Heading:
    """What a figure says above itself: the sample and the number of the event."""

    title: str
    event: int


def event_figure(seen: Snapshot, geometry: Geometry, heading: Heading) -> Figure:
    """Return an event seen along the beams and from the side, to scale."""
    figure = Figure(figsize=(13.0, 7.6), layout="constrained")
    FigureCanvasAgg(figure)
    shown = scene(seen, geometry)
    view = geometry.extent(shown.systems)
    ratio = (view.z_max - view.z_min) / (2 * view.radius)
    across, along = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.0, ratio]})
    sections.draw_rphi(across, geometry)
    sections.draw_rz(along, geometry)
    for item in shown.items:
        _draw(across, item, along=False)
        _draw(along, item, along=True)
    _recoil(across, shown, along=False)
    _recoil(along, shown, along=True)
    sections.frame(across, view, along=False)
    sections.frame(along, view, along=True)
    _words(figure, shown, seen, (geometry, heading))
    return figure


def _draw(panel: Axes, item: Item, *, along: bool) -> None:
    colour = look(item.sight.code).colour
    panel.plot(
        *_flat(item.path, item, along=along).T,
        color=colour,
        linestyle=_DASHES[item.kind],
        linewidth=_WIDTH[item.kind],
        zorder=5,
    )
    if item.cluster is not None:
        panel.plot(
            *_flat(item.cluster, item, along=along).T,
            color=colour,
            linewidth=_BOX,
            solid_capstyle="butt",
            zorder=6,
        )
    if len(item.hits):
        panel.plot(
            *_flat(item.hits, item, along=along).T,
            color=colour,
            marker="s",
            markersize=3.5,
            linestyle="none",
            zorder=6,
        )


def _flat(points: np.ndarray, item: Item, *, along: bool) -> np.ndarray:
    """Return points in a section: (x, y), or (z, r) with r below the axis if y is."""
    if not along:
        return points[:, :2]
    side = 1.0 if item.sight.p_gen[2] >= 0 else -1.0
    return np.stack([points[:, 2], side * np.hypot(points[:, 0], points[:, 1])], axis=1)


def _recoil(panel: Axes, shown: Scene, *, along: bool) -> None:
    tip = shown.recoil
    side = 1.0 if tip[1] >= 0 else -1.0
    end = (tip[2], side * np.hypot(tip[0], tip[1])) if along else tip[:2]
    panel.annotate(
        "",
        xy=tuple(end),
        xytext=(0, 0),
        arrowprops={"arrowstyle": "-|>", "color": RECOIL, "linewidth": 2.0},
        zorder=7,
    )


def _words(
    figure: Figure, shown: Scene, seen: Snapshot, about: tuple[Geometry, Heading]
) -> None:
    geometry, heading = about
    handles = [
        Line2D(
            *([], []),
            color=look(item.sight.code).colour,
            linestyle=_DASHES[item.kind],
            linewidth=_WIDTH[item.kind],
            label=describe(item.sight),
        )
        for item in shown.items
    ]
    arrow = Line2D([], [], color=RECOIL, marker=">", linewidth=2.0, label="recoil")
    figure.legend(
        handles=[*handles, arrow, *sections.keys(shown.systems)],
        loc="outside lower center",
        ncols=3,
        fontsize=9.5,
        frameon=False,
    )
    figure.suptitle(
        f"{heading.title}: event {heading.event} in {geometry.title}\n"
        f"{caption(seen)}; clusters {shown.scale:g} cm/GeV",
        fontsize=11,
        color=INK,
    )


def caption(seen: Snapshot) -> str:
    """Return the energies and masses of an event in one line."""
    energy, *momentum = seen.p_recoil
    size = float(np.linalg.norm(momentum))
    theta = np.rad2deg(np.arccos(momentum[2] / size)) if size else 0.0
    number = sum(sight.seen is not None for sight in seen.sights)
    return (
        f"{number} seen, {seen.p_seen[0]:.2f} GeV, mass {seen.visible_mass:.2f} GeV; "
        f"{_recoil_mass(seen)}, energy {energy:.2f} GeV, "
        f"θ {theta:.0f}°"
    )


def _recoil_mass(seen: Snapshot) -> str:
    """Return the recoil mass in words; resolution can make its square negative."""
    mass = seen.recoil_mass
    if mass < 0:
        return f"recoil mass² −{mass**2:.2f} GeV²"
    return f"recoil mass {mass:.2f} GeV"
