"""The detector itself: sections to scale with its angles, and its material."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from darksector.plotting import sections
from darksector.plotting.looks import EDGE, INK
from darksector.plotting.shapes import Cavity, Geometry

_CLOSE = 3.0  # degrees: angles of one system that share a label
_INNER = ("vertex detector",)
# systems whose angles are labelled above and below the axis, so that labels have room
_ABOVE, _BELOW = ("drift chamber", "calorimeter"), ("muon detector",)


def cross_sections(geometry: Geometry) -> Figure:
    """Return sections along and across the beams, whole and around the collision."""
    figure = Figure(figsize=(13.0, 10.5), layout="constrained")
    FigureCanvasAgg(figure)
    whole, inner = geometry.extent(), geometry.extent(_INNER)
    ratios = [(whole.z_max - whole.z_min) / (2 * whole.radius), 1.0]
    grid = figure.subplots(
        2, 2, gridspec_kw={"width_ratios": ratios, "height_ratios": [1.7, 1.0]}
    )
    for row, view in zip(grid, (whole, inner), strict=True):
        sections.draw_rz(row[0], geometry)
        sections.draw_rphi(row[1], geometry)
        sections.frame(row[0], view, along=True)
        sections.frame(row[1], view, along=False)
    _angles(grid[0, 0], geometry, whole)
    _beams(grid[0, 0], geometry.cavity)
    grid[1, 0].set_title("around the collision", loc="left", fontsize=10)
    figure.suptitle(
        f"{geometry.title}, {geometry.field:.4g} T, to scale",
        fontsize=13,
        weight="bold",
    )
    figure.legend(
        handles=sections.keys(geometry.systems),
        loc="outside lower center",
        ncols=len(geometry.systems),
        fontsize=10,
        frameon=False,
    )
    return figure


def _angles(panel: Axes, geometry: Geometry, whole: Cavity) -> None:
    """Draw and label the polar angles at which the systems end."""
    margin = 0.16 * whole.radius
    panel.set_ylim(-whole.radius - margin, whole.radius + margin)
    panel.set_xlim(whole.z_min - 2.4 * margin, whole.z_max + 2.4 * margin)
    for systems, side in ((_ABOVE, 1.0), (_BELOW, -1.0)):
        for system in systems:
            edges = sorted(
                {
                    angle
                    for window in geometry.windows
                    if window.system == system
                    for angle in (window.low, window.high)
                }
            )
            for group in _groups(edges):
                _mark(panel, group, (system, side), whole)


def _groups(edges: Sequence[float]) -> list[list[float]]:
    """Return sorted angles in groups of neighbours.

    Examples
    --------
    >>> _groups([12.4, 31.4, 32.2])
    [[12.4], [31.4, 32.2]]
    """
    groups: list[list[float]] = []
    for edge in edges:
        if groups and edge - groups[-1][-1] < _CLOSE:
            groups[-1].append(edge)
        else:
            groups.append([edge])
    return groups


def _mark(
    panel: Axes, group: list[float], whose: tuple[str, float], whole: Cavity
) -> None:
    system, side = whose
    for angle in group:
        z, r = sections.ray(angle, whole)
        panel.plot(
            [0, z],
            [0, side * r],
            color=EDGE[system],
            linewidth=1.0,
            linestyle=(0, (5, 3)),
        )
    z, r = sections.ray(sum(group) / len(group), whole)
    text = "–".join(f"{angle:.4g}" for angle in group) + "°"
    on_side = abs(r - whole.radius) < 1e-6
    ends = "left" if z > 0 else "right"
    panel.annotate(
        text,
        (z, side * r),
        (0, 5 * side) if on_side else (5 if z > 0 else -5, 0),
        textcoords="offset points",
        ha="center" if on_side else ends,
        va=("bottom" if side > 0 else "top") if on_side else "center",
        fontsize=9,
        color=INK,
    )


def _beams(panel: Axes, cavity: Cavity) -> None:
    far, near = 1.9 * cavity.z_min, 1.3 * cavity.z_min
    sections.beam_arrow(panel, "e$^-$ (HER)", (far, near))
    far, near = 1.8 * cavity.z_max, 1.3 * cavity.z_max
    sections.beam_arrow(panel, "e$^+$ (LER)", (far, near))
