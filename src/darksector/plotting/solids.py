"""A detector and an event in three dimensions, as traces of a chart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from darksector.detectors.sight import Snapshot
from darksector.plotting.looks import EDGE, FILL, RECOIL, look
from darksector.plotting.scene import Item, Scene, describe, scene
from darksector.plotting.shapes import Geometry, Plank, Sheet, Solid, circle

_DASHES = {"track": "solid", "photon": "dash", "unseen": "dot"}
_GROUPS = {"track": "tracks", "photon": "photons", "unseen": "unseen particles"}
_WIDTH = {"track": 6, "photon": 4, "unseen": 3}
_RIBS = 8  # lines along the beams that join the circles of an outline
_POINTS = 49  # of a circle
_SHEETS = 6  # at most, of a system; more hide what is inside
_FULL = 1.45  # height of the detector in units of the chart, of which it shows about 2
_EDGE = 1.02  # what lies on the edge of the chart would be cut
_ROWS = 12  # outlines, at most, of the solids of a system
_HALF = 3.0  # cm: half the width of a cluster
_HEAD = 18.0  # cm: length of the head of the arrow
_CORNERS = 8  # of a solid with circles through them, at most


def event_chart(seen: Snapshot, geometry: Geometry) -> go.Figure:
    """Return the detector, the particles and the recoil; x is horizontal, y up, cm."""
    figure = go.Figure()
    shown = scene(seen, geometry)
    for system in geometry.systems:
        wires = _wires(geometry, system)
        figure.add_trace(wires.update(visible=system in shown.systems))
    _vertex_surface(figure, geometry.planks)
    for item in shown.items:
        _particle(figure, item)
    _arrow(figure, shown.recoil)
    _layout(figure, geometry, shown)
    return figure


def _line(points: Float[np.ndarray, "n 3"], **style: Any) -> go.Scatter3d:
    """Return a line; z of the detector is the first axis of the chart, y is up."""
    x, y, z = np.round(points, 2).T
    return go.Scatter3d(x=_plain(z), y=_plain(x), z=_plain(y), **style)


def _plain(values: Float[np.ndarray, " n"]) -> list[float | None]:
    """Return numbers; what is not a number is null, which breaks a line."""
    return [None if np.isnan(v) else float(v) for v in values]


def _wires(geometry: Geometry, system: str) -> go.Scatter3d:
    """Return all outlines of a system as one line, so that one switch hides them."""
    solids = [s for s in geometry.solids if s.system == system]
    sheets = [s for s in geometry.sheets if s.system == system]
    parts = [
        *(_solid_wires(solids[i]) for i in _some(len(solids), _ROWS)),
        *(_sheet_wires(sheets[i]) for i in _some(len(sheets), _SHEETS)),
        *(_plank_wires(p) for p in geometry.planks if p.system == system),
    ]
    return _line(
        np.vstack([np.vstack([part, _gap()]) for part in parts]),
        mode="lines",
        line={"color": EDGE[system], "width": 1.5},
        opacity=0.7,
        hoverinfo="skip",
        name=system,
        meta={"system": system},
    )


def _some(count: int, most: int) -> list[int]:
    """Return at most so many of the numbers below count, spread evenly over them.

    Examples
    --------
    >>> _some(15, 3)
    [0, 7, 14]
    """
    return sorted(set(np.linspace(0, count - 1, min(count, most), dtype=int).tolist()))


def _gap() -> Float[np.ndarray, "1 3"]:
    return np.full((1, 3), np.nan)


def _solid_wires(solid: Solid) -> Float[np.ndarray, "n 3"]:
    closed = np.vstack([solid.outline, solid.outline[:1]])
    ribs = (_rib(closed, angle) for angle in _angles())
    hoops = (_hoop(z, r) for z, r in _corners(solid.outline))
    return _joined([*ribs, *hoops])


def _corners(outline: Float[np.ndarray, "k 2"]) -> Iterator[tuple[float, float]]:
    """Yield the corners of an outline; of a smooth one, some of its points."""
    for z, r in outline[_some(len(outline), _CORNERS)]:
        yield float(z), float(r)


def _sheet_wires(sheet: Sheet) -> Float[np.ndarray, "n 3"]:
    ends = np.array([[sheet.ends[0], sheet.radii[0]], [sheet.ends[1], sheet.radii[1]]])
    return _joined([*(_rib(ends, a) for a in _angles()), *(_hoop(*e) for e in ends)])


def _plank_wires(plank: Plank) -> Float[np.ndarray, "n 3"]:
    (x0, y0), (x1, y1) = plank.edges()
    low, high = plank.ends
    corners = [(x0, y0, low), (x1, y1, low), (x1, y1, high), (x0, y0, high)]
    return np.array([*corners, corners[0]])


def _angles() -> Iterable[float]:
    return np.linspace(0, 2 * np.pi, _RIBS, endpoint=False)


def _rib(outline: Float[np.ndarray, "k 2"], phi: float) -> Float[np.ndarray, "k 3"]:
    z, r = outline.T
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1)


def _hoop(z: float, r: float) -> Float[np.ndarray, "n 3"]:
    ring = circle(r, _POINTS)
    return np.column_stack([ring, np.full(len(ring), z)])


def _joined(lines: Sequence[Float[np.ndarray, "_ 3"]]) -> Float[np.ndarray, "n 3"]:
    parts = [part for line in lines for part in (line, _gap())]
    return np.vstack(parts[:-1])


def _vertex_surface(figure: go.Figure, planks: Sequence[Plank]) -> None:
    """Fill the ladders, whose outlines alone are hard to read."""
    if not planks:
        return
    corners = np.vstack([_plank_wires(plank)[:4] for plank in planks])
    first = 4 * np.arange(len(planks))
    x, y, z = np.round(corners, 3).T.tolist()
    figure.add_mesh3d(
        x=z, y=x, z=y,
        i=np.concatenate([first, first]).tolist(),
        j=np.concatenate([first + 1, first + 2]).tolist(),
        k=np.concatenate([first + 2, first + 3]).tolist(),
        color=FILL[planks[0].system],
        opacity=0.3,
        hoverinfo="skip",
        showlegend=False,
        meta={"system": planks[0].system},
    )  # fmt: skip


def _particle(figure: go.Figure, item: Item) -> None:
    colour, name = look(item.sight.code).colour, describe(item.sight)
    line = {"color": colour, "width": _WIDTH[item.kind], "dash": _DASHES[item.kind]}
    group = _GROUPS[item.kind]
    figure.add_trace(
        _line(
            item.path[:: max(len(item.path) // 120, 1)]
            if len(item.path) > 240
            else item.path,
            mode="lines",
            line=line,
            name=name,
            hovertemplate=f"{name}<extra></extra>",
            meta={"system": group},
        )
    )
    if item.cluster is not None:
        figure.add_trace(_block(item.cluster, colour, name))
    if len(item.hits):
        figure.add_trace(
            _line(
                item.hits,
                mode="markers",
                marker={"color": colour, "size": 3, "symbol": "square"},
                hovertemplate=f"{name}, muon detector<extra></extra>",
                meta={"system": group},
            )
        )


def _block(ends: Float[np.ndarray, "2 3"], colour: str, name: str) -> go.Mesh3d:
    """Return a cluster as a box along its direction."""
    along = ends[1] - ends[0]
    _, across, other = _HALF * _frame(along / np.linalg.norm(along))
    square = [across + other, across - other, -across - other, -across + other]
    corners = np.array([end + side for end in ends for side in square])
    about = {"hovertemplate": f"{name}<extra></extra>", "meta": {"system": "clusters"}}
    return _hull(corners, colour, **about)


def _arrow(figure: go.Figure, tip: Float[np.ndarray, 3]) -> None:
    shaft = np.stack([np.zeros(3), 0.9 * tip])
    line = {"color": RECOIL, "width": 6}
    about = {"meta": {"system": "recoil"}, "hovertemplate": "recoil<extra></extra>"}
    figure.add_trace(_line(shaft, mode="lines", line=line, name="recoil", **about))
    size = float(np.linalg.norm(tip))
    if size:
        along, across, other = _frame(tip / size)
        angle = np.linspace(0, 2 * np.pi, _RIBS, endpoint=False)[:, None]
        rim = (size - _HEAD) * along
        rim = rim + 0.3 * _HEAD * (np.cos(angle) * across + np.sin(angle) * other)
        figure.add_trace(_hull(np.vstack([tip, rim]), RECOIL, **about))


def _frame(along: Float[np.ndarray, 3]) -> Float[np.ndarray, "3 3"]:
    """Return a unit vector and two that are perpendicular to it and to each other."""
    helper = [0.0, 0.0, 1.0] if abs(along[2]) < 0.9 else [1.0, 0.0, 0.0]
    across = np.cross(along, helper)
    across /= np.linalg.norm(across)
    return np.stack([along, across, np.cross(along, across)])


def _hull(corners: Float[np.ndarray, "n 3"], colour: str, **about: Any) -> go.Mesh3d:
    """Return the convex body of some corners."""
    x, y, z = np.round(corners, 2).T.tolist()
    body = {"color": colour, "flatshading": True, "alphahull": 0}
    return go.Mesh3d(x=z, y=x, z=y, **body, **about)


def _layout(figure: go.Figure, geometry: Geometry, shown: Scene) -> None:
    """Show everything to scale, near enough that what the event needs fills the page."""
    needed, whole = geometry.extent(shown.systems), geometry.extent()
    low, high = _EDGE * whole.z_min, _EDGE * whole.z_max
    radius = _EDGE * whole.radius
    unit = _FULL / (2 * needed.radius)
    axis = {"visible": False, "showspikes": False, "autorange": False}
    across = axis | {"range": [-radius, radius]}
    figure.update_layout(
        template="none",
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        scene={
            "aspectmode": "manual",
            "aspectratio": {
                "x": unit * (high - low),
                "y": unit * 2 * radius,
                "z": unit * 2 * radius,
            },
            "xaxis": axis | {"range": [low, high]},
            "yaxis": across,
            "zaxis": across,
            "camera": {
                "eye": {"x": 0.7, "y": -1.9, "z": 0.8},
                "projection": {"type": "orthographic"},
            },
            "dragmode": "orbit",
        },
    )
