"""A detector and an event in three dimensions, as traces of a chart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from darksector.detectors.sight import Snapshot
from darksector.plotting.looks import EDGE, FILL, RECOIL, look
from darksector.plotting.scene import Item, describe, scene
from darksector.plotting.shapes import Geometry, Plank, Sheet, Solid, circle

_DASHES = {"track": "solid", "photon": "dash", "unseen": "dot"}
_WIDTH = {"track": 5, "photon": 3, "unseen": 3}
_RIBS = 8  # lines along the beams that join the circles of an outline
_POINTS = 49  # of a circle
_SHEETS = 6  # at most, of a system; more hide what is inside
_ROWS = 12  # outlines, at most, of the solids of a system
_CORNERS = 8  # of a solid with circles through them, at most


def event_chart(seen: Snapshot, geometry: Geometry) -> go.Figure:
    """Return the detector, the particles and the recoil; x is horizontal, y up, cm."""
    figure = go.Figure()
    for system in geometry.systems:
        figure.add_trace(_wires(geometry, system))
    _vertex_surface(figure, geometry.planks)
    shown = scene(seen, geometry)
    for item in shown.items:
        _particle(figure, item)
    _arrow(figure, shown.recoil)
    _layout(figure, geometry)
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
    return _joined([_hoop(z, r) for z, r in ends])


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
        opacity=0.5,
        hoverinfo="skip",
        showlegend=False,
        meta={"system": planks[0].system},
    )  # fmt: skip


def _particle(figure: go.Figure, item: Item) -> None:
    colour, name = look(item.sight.code).colour, describe(item.sight)
    line = {"color": colour, "width": _WIDTH[item.kind], "dash": _DASHES[item.kind]}
    group = "tracks" if item.kind == "track" else f"{item.kind} particles"
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


def _block(
    ends: Float[np.ndarray, "2 3"], colour: str, name: str
) -> go.Mesh3d:
    """Return a cluster as a box of 6 cm by 6 cm along its direction."""
    axis = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    across = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    across *= 3.0 / np.linalg.norm(across)
    other = np.cross(axis, across)
    square = [across + other, across - other, -across - other, -across + other]
    corners = np.array([end + side for end in ends for side in square])
    x, y, z = np.round(corners, 2).T.tolist()
    return go.Mesh3d(
        x=z, y=x, z=y,
        alphahull=0,
        color=colour,
        flatshading=True,
        hovertemplate=f"{name}<extra></extra>",
        meta={"system": "clusters"},
    )  # fmt: skip


def _arrow(figure: go.Figure, tip: Float[np.ndarray, "3"]) -> None:
    shaft = np.stack([np.zeros(3), tip])
    look_of = {"color": RECOIL, "width": 6}
    about = {"meta": {"system": "recoil"}, "hovertemplate": "recoil<extra></extra>"}
    figure.add_trace(_line(shaft, mode="lines", line=look_of, name="recoil", **about))
    x, y, z = np.round(tip, 2).tolist()
    u, v, w = (0.12 * tip).tolist()
    figure.add_cone(
        x=[z], y=[x], z=[y], u=[w], v=[u], w=[v],
        anchor="tip",
        sizemode="raw",
        colorscale=[[0, RECOIL], [1, RECOIL]],
        showscale=False,
        **about,
    )  # fmt: skip


def _layout(figure: go.Figure, geometry: Geometry) -> None:
    hidden = {"visible": False, "showspikes": False}
    inner = geometry.extent(tuple(s for s in geometry.systems if s != "muon detector"))
    figure.update_layout(
        template="none",
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        scene={
            "aspectmode": "data",
            "xaxis": hidden,
            "yaxis": hidden,
            "zaxis": hidden,
            "camera": {
                "eye": {"x": -0.7, "y": 1.0, "z": 0.45},
                "center": {"x": 0.0, "y": 0.0, "z": 0.0},
            },
            "dragmode": "orbit",
        },
        meta={"radius": inner.radius},
    )
