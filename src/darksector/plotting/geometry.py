"""The shapes of a detector, from the numbers of its card and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from darksector.detectors.card import Detector
from darksector.plotting.crystals import crystals
from darksector.plotting.shapes import (
    Cavity,
    Geometry,
    Plank,
    Sheet,
    Solid,
    Window,
    box,
)

_WIDE = 60.0  # degrees of half-width: a ladder that covers more is a cylinder
_MUONS = "muon detector"
_NO_COUNTER = 0.01  # a card without the detector lets it separate less than this


def geometry_of(detector: Detector) -> Geometry:
    """Return the shapes of a detector.

    Notes
    -----
    A card says where the Cherenkov detectors are in angle, not always where in radius or
    z: a ring detector is drawn midway between tracker and calorimeter.
    """
    tracker = _tracker(detector)
    barrel = crystals(detector.calorimeter)
    layers = tuple(_iron(detector))
    silicon = tuple(_silicon(detector))
    return Geometry(
        title=detector.title,
        field=float(detector.tracking.field),
        solids=(
            _pipe(detector, silicon),
            _chamber(detector),
            *barrel.solids,
            *_blocks(layers),
        ),
        sheets=(
            *(s for s in silicon if isinstance(s, Sheet)),
            *_wires(detector),
            *_cherenkov(detector, tracker, barrel.cavity),
            *barrel.sheets,
            *layers,
        ),
        planks=tuple(s for s in silicon if isinstance(s, Plank)),
        windows=(
            _angles("drift chamber", "tracks", detector.tracking.theta_min,
                    detector.tracking.theta_max),
            *barrel.windows,
            *_muon_windows(layers),
        ),
        tracker=tracker,
        cavity=barrel.cavity,
    )  # fmt: skip


def _numbers(value: object) -> NDArray[np.float64]:
    return np.asarray(value, dtype=np.float64)


def _angles(system: str, name: str, low: object, high: object) -> Window:
    return Window(system, name, float(_numbers(low)), float(_numbers(high)))


def _tracker(detector: Detector) -> Cavity:
    t = detector.tracking
    return Cavity(
        float(_numbers(t.wire_radius).max()),
        float(_numbers(t.wire_z_min).min()),
        float(_numbers(t.wire_z_max).max()),
    )


def _pipe(detector: Detector, silicon: tuple[Sheet | Plank, ...]) -> Solid:
    """Return the pipe, as long as what is around it: a card has no length of it."""
    rows = _numbers(detector.tracking.pipe)
    ends = [end for part in silicon for end in part.ends]
    tracker = _tracker(detector)
    low = min(ends, default=tracker.z_min)
    high = max(ends, default=tracker.z_max)
    return Solid("beam pipe", box(rows[:, 0].min(), rows[:, 1].max(), (low, high)))


def _silicon(detector: Detector) -> Iterator[Sheet | Plank]:
    """Yield the ladders; what covers most of the azimuth is a cylinder."""
    t = detector.tracking
    radii, low, high = map(
        _numbers, (t.silicon_radius, t.silicon_z_min, t.silicon_z_max)
    )
    for number, azimuth, half_width in _numbers(t.ladders).reshape(-1, 3):
        i = int(number) - 1
        radius, ends = float(radii[i]), (float(low[i]), float(high[i]))
        if half_width > _WIDE:
            yield Sheet("vertex detector", (radius, radius), ends)
            continue
        width = 2 * radius * float(np.tan(np.deg2rad(half_width)))
        phi = float(np.deg2rad(azimuth))
        yield Plank("vertex detector", radius, phi, width, ends)


def _chamber(detector: Detector) -> Solid:
    """Return the volume of the drift chamber: its layers one after the other."""
    t = detector.tracking
    r, low, high = map(_numbers, (t.wire_radius, t.wire_z_min, t.wire_z_max))
    corners = np.vstack([np.stack([high, r], 1), np.stack([low, r], 1)[::-1]])
    return Solid("drift chamber", corners)


def _wires(detector: Detector) -> Iterator[Sheet]:
    t = detector.tracking
    rows = zip(t.wire_radius, t.wire_z_min, t.wire_z_max, strict=True)
    for r, low, high in rows:
        yield Sheet("drift chamber", (float(r), float(r)), (float(low), float(high)))


def _cherenkov(detector: Detector, tracker: Cavity, wall: Cavity) -> Iterator[Sheet]:
    """Yield the Cherenkov detectors of the card, which may have one, two or none."""
    i = detector.identification
    name = "Cherenkov detectors"
    if float(i.top_max) > _NO_COUNTER:
        yield _barrel(name, float(i.top_radius), _numbers(i.top_theta), wall)
    if float(i.ring_photons) <= 0:
        return
    theta = _numbers(i.ring_theta)
    if theta[0] < 90.0 < theta[1]:
        yield _barrel(name, (tracker.radius + wall.radius) / 2, theta, wall)
        return
    forward = theta[1] <= 90.0
    z = (tracker.z_max + wall.z_max if forward else tracker.z_min + wall.z_min) / 2
    radii = sorted(np.abs(z * np.tan(np.deg2rad(theta))).tolist())
    yield Sheet(name, (radii[0], min(radii[1], wall.radius)), (z, z))


def _barrel(
    name: str, radius: float, theta: NDArray[np.float64], wall: Cavity
) -> Sheet:
    high, low = (radius / np.tan(np.deg2rad(theta))).tolist()
    return Sheet(name, (radius, radius), (max(low, wall.z_min), min(high, wall.z_max)))


def _iron(detector: Detector) -> Iterator[Sheet]:
    """Yield the layers of the muon detector, barrel, forward and backward."""
    k = detector.klm
    low, high = map(float, k.barrel_z)
    for r in map(float, k.barrel_radii):
        yield Sheet(_MUONS, (r, r), (low, high))
    inner, outer = map(float, k.endcap_radii)
    for z in (*map(float, k.forward_z), *map(float, k.backward_z)):
        yield Sheet(_MUONS, (inner, outer), (z, z))


def _parts(layers: tuple[Sheet, ...]) -> dict[str, list[Sheet]]:
    """Return the layers of the muon detector by the part that they belong to."""
    parts: dict[str, list[Sheet]] = {}
    for layer in layers:
        end = "forward" if layer.ends[0] > 0 else "backward"
        parts.setdefault("barrel" if layer.is_cylinder else end, []).append(layer)
    return parts


def _blocks(layers: tuple[Sheet, ...]) -> Iterator[Solid]:
    """Yield the volumes that the layers of each part of the muon detector fill."""
    for each in _parts(layers).values():
        radii = [r for s in each for r in s.radii]
        ends = [z for s in each for z in s.ends]
        yield Solid(_MUONS, box(min(radii), max(radii), (min(ends), max(ends))))


def _muon_windows(layers: tuple[Sheet, ...]) -> Iterator[Window]:
    """Yield the angles of barrel and endcaps as their layers give them."""
    for name, each in _parts(layers).items():
        corners = [(r, z) for s in each for r in s.radii for z in s.ends]
        theta = [float(np.rad2deg(np.arctan2(r, z))) for r, z in corners]
        yield Window(_MUONS, name, round(min(theta), 1), round(max(theta), 1))
