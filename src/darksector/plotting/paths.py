"""Where particles fly: helices in the field, straight lines, and what they cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from darksector.plotting.shapes import Cavity, Sheet, Vector

GEV_PER_T_CM = 0.00299792458  # momentum of a unit charge in 1 T on a radius of 1 cm
_STEP = 0.5  # cm, of the arc in the transverse plane
_TURNS = 1.5  # what is drawn of a track that does not leave the tracker

Points = Float[np.ndarray, "_ 3"]


def helix(
    p: Vector,
    vertex: Vector,
    arc: Float[np.ndarray, " n"],
    *,
    charge: int,
    field: float,
) -> Points:
    r"""Return the points (x, y, z), cm, of a charged particle in a field along z.

    .. math:: \phi(s) = \phi_0 - q\kappa s, \qquad \kappa = 0.003\,B / p_T

    with s the length of the path in the transverse plane.

    Parameters
    ----------
    p
        Momentum at the vertex, GeV.
    vertex
        Where the particle was made, cm.
    arc
        Lengths s, cm.
    charge
        In units of the positron's; zero gives a straight line.
    field
        Component along z, T.
    """
    pt = max(float(np.hypot(p[0], p[1])), 1e-9)
    phi = np.arctan2(p[1], p[0])
    bend = charge * GEV_PER_T_CM * field / pt
    half = bend * arc / 2
    # chord of the arc: exact, and finite where the curvature vanishes
    chord = arc * np.sinc(half / np.pi)
    return vertex + np.stack(
        [
            chord * np.cos(phi - half),
            chord * np.sin(phi - half),
            arc * p[2] / pt,
        ],
        axis=1,
    )


def until(points: Points, wall: Cavity) -> Points:
    """Return the points up to where a path first leaves the cavity, wall included."""
    excess = wall.excess(points)
    outside = np.flatnonzero(excess > 0)
    if not outside.size:
        return points
    last = int(outside[0])
    if last == 0:
        return points[:1]
    share = excess[last - 1] / (excess[last - 1] - excess[last])
    exit_point = points[last - 1] + share * (points[last] - points[last - 1])
    return np.vstack([points[:last], exit_point])


def track(
    p: Vector, vertex: Vector, *, charge: int, field: float, wall: Cavity
) -> Points:
    """Return the path of a charged particle to the wall, or a turn and a half of it."""
    pt = max(float(np.hypot(p[0], p[1])), 1e-9)
    longest = 3 * (wall.radius + wall.z_max - wall.z_min)
    if charge and field:
        turn = 2 * np.pi * pt / (GEV_PER_T_CM * abs(charge * field))
        longest = min(longest, _TURNS * turn)
    # steep tracks cross the cavity on a short arc
    slope = float(np.linalg.norm(p)) / pt
    step = min(_STEP, longest / 50) / slope
    arc = np.arange(0.0, longest, max(step, longest / 20_000))
    return until(helix(p, vertex, arc, charge=charge, field=field), wall)


def line(start: Vector, direction: Vector, wall: Cavity) -> Points:
    """Return the straight line from a point to the wall: its two ends."""
    unit = direction / np.linalg.norm(direction)
    longest = 2 * (wall.radius + wall.z_max - wall.z_min)
    fine = start + np.linspace(0.0, longest, 4001)[:, None] * unit
    inside = until(fine, wall)
    return np.stack([inside[0], inside[-1]])


def crossings(start: Vector, direction: Vector, sheets: Sequence[Sheet]) -> Points:
    """Return where a straight line crosses sheets, in the order in which it does."""
    unit = direction / np.linalg.norm(direction)
    found = []
    for sheet in sheets:
        length = _length(start, unit, sheet)
        point = start + length * unit
        r = float(np.hypot(point[0], point[1]))
        ranges = ((point[2], sheet.ends),) if sheet.is_cylinder else ((r, sheet.radii),)
        if length > 0 and all(low <= x <= high for x, (low, high) in ranges):
            found.append((length, point))
    found.sort(key=lambda each: each[0])
    return np.array([point for _, point in found]).reshape(-1, 3)


def _length(start: Vector, unit: Vector, sheet: Sheet) -> float:
    """Return the length to the surface on which a sheet lies, cm; -1 if never."""
    if not sheet.is_cylinder:
        return float((sheet.ends[0] - start[2]) / unit[2]) if unit[2] else -1.0
    a = unit[0] ** 2 + unit[1] ** 2
    b = start[0] * unit[0] + start[1] * unit[1]
    c = start[0] ** 2 + start[1] ** 2 - sheet.radii[0] ** 2
    root = b**2 - a * c
    return float((-b + np.sqrt(root)) / a) if a and root >= 0 else -1.0
