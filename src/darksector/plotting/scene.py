"""What of an event is drawn where, in three dimensions, whatever library draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from darksector.detectors.sight import Sight, Snapshot
from darksector.plotting import paths
from darksector.plotting.looks import WORDS, symbol
from darksector.plotting.shapes import Geometry, Vector

_MUONS = "muon detector"
_TRACKS = ("mu", "e", "other track")
_DARK = ("invisible", "lost", "not simulated", "klm", "converted")
_SHARE = 0.3  # of the radius of the calorimeter, for the longest cluster
_LONGEST = 120.0  # cm/GeV, as in the display of Belle II; less for energetic clusters
_NEAR = 0.1  # cm from the wall: paths have finite steps
_ROUND = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


@final
@dataclass(frozen=True)
class Item:
    """One particle of a scene; points (x, y, z) in cm.

    Parameters
    ----------
    sight
        The particle.
    kind
        "track", "photon" or "unseen".
    path
        Where it flies.
    cluster
        Start and end of its deposit in the calorimeter, length in proportion to energy.
    hits
        Where it crosses layers of the muon detector.
    """

    sight: Sight
    kind: str
    path: Float[np.ndarray, "n 3"]
    cluster: Float[np.ndarray, "2 3"] | None
    hits: Float[np.ndarray, "h 3"]


@final
@dataclass(frozen=True)
class Scene:
    """All that is drawn of an event.

    Parameters
    ----------
    items
        The particles.
    recoil
        Tip of the arrow of the missing momentum, which starts at the origin, cm.
    scale
        Length of clusters, cm/GeV.
    systems
        What is shown: without hits, the muon detector would only make the rest small.
    """

    items: tuple[Item, ...]
    recoil: Vector
    scale: float
    systems: tuple[str, ...]


def scene(seen: Snapshot, geometry: Geometry) -> Scene:
    """Return where the particles of an event are drawn in a detector."""
    scale = _scale(seen, geometry)
    items = tuple(_item(sight, geometry, scale) for sight in seen.sights)
    direction = seen.p_recoil[1:]
    size = float(np.linalg.norm(direction))
    length = 0.75 * geometry.cavity.distance(direction) if size > 1e-3 else 0.0
    hit = any(len(item.hits) for item in items)
    systems = tuple(s for s in geometry.systems if hit or s != _MUONS)
    return Scene(items, length * direction / max(size, 1e-12), scale, systems)


def describe(sight: Sight) -> str:
    """Return a particle and what was seen of it, in one line."""
    p = float(np.linalg.norm(sight.p_gen[1:]))
    energy = sight.p_gen[0] if sight.charge == 0 else p
    quantity = "E" if sight.charge == 0 else "p"
    chance = f", {100 * sight.chance:.3g} %" if sight.chance < 1 else ""
    return (
        f"{symbol(sight.code)}  {quantity} = {energy:.2f} GeV: "
        f"{WORDS[sight.response]}{chance}"
    )


def _scale(seen: Snapshot, geometry: Geometry) -> float:
    """Return a round number of cm/GeV that keeps the longest cluster near its detector."""
    largest = max((sight.deposit for sight in seen.sights), default=0.0)
    if largest <= 0:
        return 1.0
    wanted = min(_SHARE * geometry.cavity.radius / largest, _LONGEST)
    decade = 10.0 ** np.floor(np.log10(wanted))
    return float(max(r for r in _ROUND if r * decade <= wanted) * decade)


def _item(sight: Sight, geometry: Geometry, scale: float) -> Item:
    wall = geometry.cavity
    nothing = np.zeros((0, 3))
    p, start = sight.p_gen[1:], sight.vertex
    if sight.end is not None:
        return Item(sight, "unseen", np.stack([start, sight.end]), None, nothing)
    if sight.charge and sight.response != "not simulated":
        path = paths.track(
            p, start, charge=sight.charge, field=geometry.field, wall=wall
        )
        kind = "track" if sight.response in _TRACKS else "unseen"
    else:
        path = paths.line(start, p, wall)
        kind = "unseen" if sight.response in _DARK else "photon"
    hits = _hits(sight, path, geometry)
    cluster = _cluster(sight, path, scale) if _arrives(path, geometry) else None
    if len(hits):
        path = np.vstack([path, hits[-1]])
    return Item(sight, kind, path, cluster, hits)


def _hits(
    sight: Sight, path: Float[np.ndarray, "n 3"], geometry: Geometry
) -> Float[np.ndarray, "h 3"]:
    """Return the first layers of the muon detector on a straight continuation."""
    wanted = 2 if sight.response == "klm" else sight.iron_layers
    if not wanted or not _arrives(path, geometry):
        return np.zeros((0, 3))
    layers = [s for s in geometry.sheets if s.system == _MUONS]
    return paths.crossings(path[-1], path[-1] - path[-2], layers)[:wanted]


def _arrives(path: Float[np.ndarray, "n 3"], geometry: Geometry) -> bool:
    return bool(geometry.cavity.excess(path[-1:])[0] > -_NEAR)


def _cluster(
    sight: Sight, path: Float[np.ndarray, "n 3"], scale: float
) -> Float[np.ndarray, "2 3"] | None:
    if sight.deposit <= 0:
        return None
    front = path[-1]
    outwards = front / max(float(np.linalg.norm(front)), 1e-12)
    return np.stack([front, front + sight.deposit * scale * outwards])
