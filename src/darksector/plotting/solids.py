"""A detector and an event in three dimensions, as traces of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from darksector.detectors.sight import Snapshot
from darksector.plotting.looks import FILL, RECOIL, look
from darksector.plotting.scene import Item, Scene, describe, scene
from darksector.plotting.shapes import Geometry, Plank, Vector
from darksector.plotting.wires import line_of, plank_outline, spread, wires_of

_DASHES = {"track": "solid", "photon": "dash", "unseen": "dot"}
_GROUPS = {"track": "tracks", "photon": "photons", "unseen": "unseen particles"}
_WIDTH = {"track": 6, "photon": 4, "unseen": 3}
_RIM = 8  # corners of the base of the head of an arrow
_POINTS = 120  # of a track, at most: pages stay small
_FULL = 1.45  # height of the detector in units of the chart, of which it shows about 2
_EDGE = 1.02  # what lies on the edge of the chart would be cut
_HALF = 3.0  # cm: half the width of a cluster
_HEAD = 18.0  # cm: length of the head of the arrow


def event_chart(seen: Snapshot, geometry: Geometry) -> go.Figure:
    """Return the detector, the particles and the recoil, in cm; y of the detector is up."""
    figure = go.Figure()
    shown = scene(seen, geometry)
    for system in geometry.systems:
        wires = wires_of(geometry, system)
        figure.add_trace(wires.update(visible=system in shown.systems))
    _vertex_surface(figure, geometry.planks)
    for item in shown.items:
        _particle(figure, item)
    _arrow(figure, shown.recoil)
    _layout(figure, geometry, shown)
    return figure


def _vertex_surface(figure: go.Figure, planks: Sequence[Plank]) -> None:
    """Fill the ladders, whose outlines alone are hard to read."""
    if not planks:
        return
    corners = np.vstack([plank_outline(plank)[:4] for plank in planks])
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
        line_of(
            item.path[spread(len(item.path), _POINTS)],
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
            line_of(
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


def _arrow(figure: go.Figure, tip: Vector) -> None:
    shaft = np.stack([np.zeros(3), 0.9 * tip])
    line = {"color": RECOIL, "width": 6}
    about = {"meta": {"system": "recoil"}, "hovertemplate": "recoil<extra></extra>"}
    figure.add_trace(line_of(shaft, mode="lines", line=line, name="recoil", **about))
    size = float(np.linalg.norm(tip))
    if size:
        along, across, other = _frame(tip / size)
        angle = np.linspace(0, 2 * np.pi, _RIM, endpoint=False)[:, None]
        rim = (size - _HEAD) * along
        rim = rim + 0.3 * _HEAD * (np.cos(angle) * across + np.sin(angle) * other)
        figure.add_trace(_hull(np.vstack([tip, rim]), RECOIL, **about))


def _frame(along: Vector) -> Float[np.ndarray, "3 3"]:
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
