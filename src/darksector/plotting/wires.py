"""The outline of a detector in three dimensions, as lines of a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from darksector.plotting.looks import EDGE
from darksector.plotting.shapes import Geometry, Plank, Sheet, Solid, circle

_RIBS = 8  # lines along the beams that join the circles of an outline
_POINTS = 49  # of a circle
_SHEETS = 6  # at most, of a system; more hide what is inside
_ROWS = 12  # outlines, at most, of the solids of a system
_CORNERS = 8  # of a solid with circles through them, at most


def line_of(points: Float[np.ndarray, "n 3"], **style: Any) -> go.Scatter3d:
    """Return a line; z of the detector is the first axis of the chart, y is up."""
    x, y, z = np.round(points, 2).T
    return go.Scatter3d(x=_plain(z), y=_plain(x), z=_plain(y), **style)


def _plain(values: Float[np.ndarray, " n"]) -> list[float | None]:
    """Return numbers; what is not a number is null, which breaks a line."""
    return [None if np.isnan(v) else float(v) for v in values]


def wires_of(geometry: Geometry, system: str) -> go.Scatter3d:
    """Return all outlines of a system as one line, so that one switch hides them."""
    solids = [s for s in geometry.solids if s.system == system]
    sheets = [s for s in geometry.sheets if s.system == system]
    parts = [
        *(_solid_wires(solids[i]) for i in spread(len(solids), _ROWS)),
        *(_sheet_wires(sheets[i]) for i in spread(len(sheets), _SHEETS)),
        *(plank_outline(p) for p in geometry.planks if p.system == system),
    ]
    return line_of(
        np.vstack([np.vstack([part, _gap()]) for part in parts]),
        mode="lines",
        line={"color": EDGE[system], "width": 1.5},
        opacity=0.7,
        hoverinfo="skip",
        name=system,
        meta={"system": system},
    )


def spread(count: int, most: int) -> list[int]:
    """Return at most so many of the numbers below count, spread evenly over them.

    Examples
    --------
    >>> spread(15, 3)
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
    for z, r in outline[spread(len(outline), _CORNERS)]:
        yield float(z), float(r)


def _sheet_wires(sheet: Sheet) -> Float[np.ndarray, "n 3"]:
    ends = np.array([[sheet.ends[0], sheet.radii[0]], [sheet.ends[1], sheet.radii[1]]])
    return _joined([*(_rib(ends, a) for a in _angles()), *(_hoop(*e) for e in ends)])


def plank_outline(plank: Plank) -> Float[np.ndarray, "5 3"]:
    """Return the closed outline (x, y, z) of a ladder, cm."""
    (x0, y0), (x1, y1) = plank.edges()
    low, high = plank.ends
    corners = [(x0, y0, low), (x1, y1, low), (x1, y1, high), (x0, y0, high)]
    return np.array([*corners, corners[0]])


def _angles() -> list[float]:
    return [2 * np.pi * i / _RIBS for i in range(_RIBS)]


def _rib(outline: Float[np.ndarray, "k 2"], phi: float) -> Float[np.ndarray, "k 3"]:
    z, r = outline.T
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1)


def _hoop(z: float, r: float) -> Float[np.ndarray, "n 3"]:
    ring = circle(r, _POINTS)
    return np.column_stack([ring, np.full(len(ring), z)])


def _joined(lines: Sequence[Float[np.ndarray, "_ 3"]]) -> Float[np.ndarray, "n 3"]:
    parts = [part for line in lines for part in (line, _gap())]
    return np.vstack(parts[:-1])
