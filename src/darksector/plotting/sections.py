"""Sections through a detector to scale: along the beams (r-z) and across (r-phi)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Annulus, Patch, Polygon

from darksector.plotting.looks import EDGE, FILL, INK
from darksector.plotting.shapes import Cavity, Geometry, Plank, Solid, circle

_MIDDLE = 6.0  # cm: what lies within of z = 0 is in the section across the beams
_THIN, _FAINT = 0.5, 0.25  # points
_LINE = {"Cherenkov detectors": 2.0, "vertex detector": 1.2}  # not drawn as solids


def draw_rz(panel: Axes, geometry: Geometry) -> None:
    """Draw the section along the beams, forward to the right, both halves, in cm."""
    for solid in geometry.solids:
        for side in (1.0, -1.0):
            panel.add_patch(
                Polygon(
                    solid.outline * [1.0, side],
                    facecolor=FILL[solid.system],
                    edgecolor=EDGE[solid.system],
                    linewidth=_THIN,
                )
            )
    for sheet in geometry.sheets:
        for side in (1.0, -1.0):
            panel.plot(
                sheet.ends,
                [side * r for r in sheet.radii],
                color=EDGE[sheet.system],
                linewidth=_LINE.get(sheet.system, _FAINT),
            )
    _ladders(panel, geometry.planks)
    _axes(panel, "z [cm]", "r [cm]")


def draw_rphi(panel: Axes, geometry: Geometry) -> None:
    """Draw the section across the beams near z = 0, seen from the front, in cm."""
    for inner, outer, system in _rings(geometry):
        panel.add_patch(
            Annulus(
                (0, 0),
                outer,
                outer - inner,
                facecolor=FILL[system],
                edgecolor=EDGE[system],
                linewidth=_THIN,
            )
        )
    for sheet in geometry.sheets:
        if sheet.is_cylinder:
            panel.plot(
                *circle(sheet.radii[0]).T,
                color=EDGE[sheet.system],
                linewidth=_LINE.get(sheet.system, _FAINT),
            )
    for plank in geometry.planks:
        panel.plot(
            *plank.edges().T,
            color=EDGE[plank.system],
            linewidth=1.2,
            solid_capstyle="butt",
        )
    _axes(panel, "x [cm]", "y [cm]")


def frame(panel: Axes, view: Cavity, *, along: bool) -> None:
    """Show a cylinder, and a margin, to scale: along the beams, or across them."""
    margin = 0.06 * view.radius
    reach = view.radius + margin
    panel.set_aspect("equal")
    panel.set_ylim(-reach, reach)
    if along:
        panel.set_xlim(view.z_min - margin, view.z_max + margin)
    else:
        panel.set_xlim(-reach, reach)


def keys(systems: Sequence[str]) -> list[Patch]:
    """Return one entry of a legend for each system."""
    return [
        Patch(facecolor=FILL[name], edgecolor=EDGE[name], label=name)
        for name in systems
    ]


def _rings(geometry: Geometry) -> list[tuple[float, float, str]]:
    """Return inner and outer radius of each system's solids near z = 0, large first."""
    spans: dict[tuple[str, int], list[Solid]] = {}
    for solid in geometry.solids:
        if solid.ends[0] < _MIDDLE and solid.ends[1] > -_MIDDLE:
            # parts of one system that touch, such as crystals, make one ring
            key = (solid.system, round(solid.radii[0] / 5.0))
            spans.setdefault(key, []).append(solid)
    rings = [
        (min(s.radii[0] for s in each), max(s.radii[1] for s in each), system)
        for (system, _), each in spans.items()
    ]
    return sorted(rings, key=lambda ring: -ring[1])


def _ladders(panel: Axes, planks: Sequence[Plank]) -> None:
    """Draw ladders along the beams, above the axis if their middle is."""
    for plank in planks:
        side = 1.0 if np.sin(plank.phi) >= 0 else -1.0
        panel.plot(
            plank.ends,
            [side * plank.radius] * 2,
            color=EDGE[plank.system],
            linewidth=1.2,
            solid_capstyle="butt",
        )


def _axes(panel: Axes, horizontal: str, vertical: str) -> None:
    panel.set_xlabel(horizontal, fontsize=11)
    panel.set_ylabel(vertical, fontsize=11)
    panel.tick_params(which="both", direction="in", top=True, right=True)
    panel.set_facecolor("white")


def ray(theta_deg: float, view: Cavity) -> np.ndarray:
    """Return the end (z, r) of a ray from the origin on the wall of a cylinder, cm."""
    theta = np.deg2rad(theta_deg)
    direction = np.array([np.sin(theta), 0.0, np.cos(theta)])
    length = view.distance(direction)
    return length * np.array([np.cos(theta), np.sin(theta)])


def beam_arrow(panel: Axes, text: str, z: tuple[float, float]) -> None:
    """Draw the direction of a beam on the axis, from z to z, cm."""
    panel.annotate(
        "",
        xy=(z[1], 0),
        xytext=(z[0], 0),
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.4},
    )
    panel.annotate(
        text,
        ((z[0] + z[1]) / 2, 0),
        (0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=9,
        color=INK,
    )
