"""The shapes of a calorimeter, from its rings of crystals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from darksector.detectors.calorimeter import Calorimeter
from darksector.plotting.shapes import Cavity, Sheet, Solid, Window

_SYSTEM = "calorimeter"


@final
@dataclass(frozen=True)
class Crystals:
    """What there is to draw of a calorimeter; fields as in `shapes.Geometry`."""

    solids: tuple[Solid, ...]
    sheets: tuple[Sheet, ...]
    windows: tuple[Window, ...]
    cavity: Cavity


@final
@dataclass(frozen=True)
class _Rings:
    """Rings of one region: polar edges of the faces, centres (z, r) and axes, rad, cm."""

    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    centres: Float[np.ndarray, "n 2"]
    axes: Float[np.ndarray, "n 2"]


def crystals(calorimeter: Calorimeter) -> Crystals:
    """Return the regions of a calorimeter, their crystals and their polar angles.

    Notes
    -----
    The length of a crystal is twice the way from the front of the barrel to the centre
    of the ring nearest to 90 degrees.  The face between two rings leaves along the mean
    of their axes.
    """
    table = np.asarray(calorimeter.rings, dtype=np.float64)
    cavity = Cavity(
        float(calorimeter.barrel_radius),
        float(calorimeter.endcap_backward),
        float(calorimeter.endcap_forward),
    )
    half = _half_length(table, cavity)
    solids, sheets, windows = [], [], []
    for number in np.unique(table[:, 1]):
        rows = table[table[:, 1] == number]
        rings = _rings(rows[np.argsort(rows[:, 2])])
        front, back = _faces(rings, half)
        solids.append(Solid(_SYSTEM, np.vstack([front, back[::-1]])))
        sheets += [
            Sheet(_SYSTEM, (float(a[1]), float(b[1])), (float(a[0]), float(b[0])))
            for a, b in zip(front[1:-1], back[1:-1], strict=True)
        ]
        windows.append(_window(rings))
    return Crystals(tuple(solids), tuple(sheets), tuple(windows), cavity)


def _rings(rows: Float[np.ndarray, "n 7"]) -> _Rings:
    angle = np.deg2rad(rows[:, 6])
    return _Rings(
        low=np.deg2rad(rows[:, 2]),
        high=np.deg2rad(rows[:, 3]),
        centres=rows[:, [5, 4]],
        axes=np.stack([np.cos(angle), np.sin(angle)], axis=1),
    )


def _half_length(table: Float[np.ndarray, "n 7"], cavity: Cavity) -> float:
    """Return half the length of a crystal, cm."""
    middle = table[np.argmin(np.abs(table[:, 6] - 90.0))]
    return float((middle[4] - cavity.radius) / np.sin(np.deg2rad(middle[6])))


def _faces(
    rings: _Rings, half: float
) -> tuple[Float[np.ndarray, "m 2"], Float[np.ndarray, "m 2"]]:
    """Return where the sides of the crystals start and end, (z, r) in cm."""
    face = rings.centres - half * rings.axes
    starts, ends = (
        _on_face(edge, face, rings.axes) for edge in (rings.low, rings.high)
    )
    inner = (starts[1:] + ends[:-1]) / 2
    front = np.vstack([starts[:1], inner, ends[-1:]])
    axes = np.vstack(
        [rings.axes[:1], rings.axes[1:] + rings.axes[:-1], rings.axes[-1:]]
    )
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return front, front + 2 * half * axes


def _on_face(
    theta: Float[np.ndarray, " n"],
    face: Float[np.ndarray, "n 2"],
    axes: Float[np.ndarray, "n 2"],
) -> Float[np.ndarray, "n 2"]:
    """Return where rays from the origin meet planes through `face` across `axes`."""
    rays = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    length = (face * axes).sum(axis=1) / (rays * axes).sum(axis=1)
    return length[:, None] * rays


def _window(rings: _Rings) -> Window:
    low, high = (float(np.rad2deg(a)) for a in (rings.low.min(), rings.high.max()))
    name = "barrel" if low < 90.0 < high else "endcap"
    return Window(_SYSTEM, name, round(low, 1), round(high, 1))
