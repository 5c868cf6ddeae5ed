"""Where the names of other people's limits go: inside their regions, off the curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray

from darksector.limits.published import PublishedLimit
from darksector.plotting import views

_LETTER, _LINE = 0.0085, 0.019  # half a letter's width and a line's height, of the axes
_RISE = np.array([0.0, 0.03])  # of a name above its curve
_FAR = 4.0  # distance, in sizes of a name, beyond which more does not count
_CLEAR = 1.0  # distance, in sizes of a name, at which it covers no curve
_GRID = np.stack(np.meshgrid(*[np.linspace(0, 1, 41)] * 2), axis=-1).reshape(-1, 2)

Points = NDArray[np.float64]  # fractions of the axes, shape (n, 2)


@final
@dataclass(frozen=True)
class Name:
    """A name to write, centred at a point in fractions of the axes."""

    text: str
    x: float
    y: float


def places(plane: views.Plane, ours: Sequence[views.Curve]) -> tuple[Name | None, ...]:
    """Return the name of each limit at its place, None where there is no room.

    Parameters
    ----------
    plane
        The axes and the limits on them.
    ours
        Our own curves, which no name should cover.
    """
    limits, texts = plane.overlays, _texts(plane.overlays)
    lines = [_fractions(plane, views.outline(limit)) for limit in limits]
    others = [*((band.mass, band.high) for band in plane.bands), *ours]
    walls = [*lines, *(_fractions(plane, curve) for curve in others)]
    near = _thinned(np.concatenate([*walls, np.empty((0, 2))]), 0.01)
    rooms = [_rooms(*pair) for pair in zip(limits, lines, strict=True)]
    found: dict[int, Name | None] = {}
    for i in sorted(range(len(limits)), key=lambda i: len(rooms[i][0])):
        placed = [name for name in found.values() if name is not None]
        found[i] = _best(texts[i], rooms[i], near, placed)
    return tuple(found[i] for i in range(len(limits)))


def _texts(limits: Sequence[PublishedLimit]) -> list[str]:
    """Return the experiments, with the year of the paper where one has several."""
    times = Counter(limit.experiment for limit in limits)
    return [
        limit.experiment
        if times[limit.experiment] == 1
        else f"{limit.experiment} 20{limit.reference.removeprefix('arXiv:')[:2]}"
        for limit in limits
    ]


def _fractions(plane: views.Plane, curve: views.Curve) -> Points:
    mass, value = views.dense(curve)
    scale = np.log if plane.logarithmic else np.asarray
    left, right = scale(np.array(plane.mass))
    bottom, top = np.log(np.array(plane.values, dtype=np.float64))
    x = (scale(mass) - left) / (right - left)
    return np.column_stack([x, (np.log(value) - bottom) / (top - bottom)])


def _rooms(limit: PublishedLimit, line: Points) -> tuple[Points, Points]:
    """Return where a name may be centred: what is excluded, and else beside its line."""
    beside = [_thinned(line + step * _RISE, 0.01) for step in (1, -1, 2, -2)]
    if limit.shape == "curve":
        return beside[0], np.concatenate(beside[1:])
    inside = Path(line).contains_points(_GRID)
    return _GRID[inside], np.concatenate(beside)


def _thinned(points: Points, pitch: float) -> Points:
    """Return one point per cell of this pitch, within the axes and close to them."""
    near = points[np.all((points > -0.1) & (points < 1.1), axis=1)]
    return np.unique(np.round(near / pitch), axis=0) * pitch


def _best(
    text: str, rooms: Sequence[Points], walls: Points, placed: Sequence[Name]
) -> Name | None:
    """Return the place farthest from curves that covers no name, None if all do.

    A later room is for a name that would cover a curve everywhere in those before.
    """
    size = np.array([_LETTER * len(text), _LINE])
    found, farthest = None, -1.0
    for room in rooms:
        free = room[np.all((size < room) & (room < 1 - size), axis=1)]
        for name in placed:
            both = np.array([_LETTER * (len(text) + len(name.text)), 2 * _LINE])
            apart = np.abs(free - np.array([name.x, name.y])) > both
            free = free[np.any(apart, axis=1)]
        gaps = np.max(np.abs(free[:, None] - walls[None]) / size, axis=2)
        distance = gaps.min(axis=1, initial=_FAR)
        if len(free) and distance.max() > farthest:
            x, y = free[np.argmax(distance)]
            found, farthest = Name(text, float(x), float(y)), float(distance.max())
        if farthest > _CLEAR:
            break
    return found
