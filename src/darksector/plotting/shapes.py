"""What there is to draw of a detector: solids of revolution, sheets and planks, in cm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

# from the inside out, as they are drawn and listed
SYSTEMS = (
    "beam pipe",
    "vertex detector",
    "drift chamber",
    "Cherenkov detectors",
    "calorimeter",
    "muon detector",
)
_TURN = 2 * np.pi

Vector = Float[np.ndarray, "3"]


@final
@dataclass(frozen=True)
class Solid:
    """A solid of revolution about the z axis.

    Parameters
    ----------
    system
        One of `SYSTEMS`.
    outline
        Corners (z, r), cm, of the polygon that turns about the axis.
    """

    system: str
    outline: Float[np.ndarray, "k 2"]

    @property
    def radii(self) -> tuple[float, float]:
        """Smallest and largest radius, cm."""
        r = self.outline[:, 1]
        return float(r.min()), float(r.max())

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest z, cm."""
        z = self.outline[:, 0]
        return float(z.min()), float(z.max())


@final
@dataclass(frozen=True)
class Sheet:
    """A layer without thickness: a cylinder if it has one radius, a disc if one z.

    Parameters
    ----------
    system
        One of `SYSTEMS`.
    radii, ends
        Ranges of r and z, cm; one of the two has no extent.
    """

    system: str
    radii: tuple[float, float]
    ends: tuple[float, float]

    @property
    def is_cylinder(self) -> bool:
        """Whether the sheet is a cylinder, and not a disc."""
        return self.radii[0] == self.radii[1]


@final
@dataclass(frozen=True)
class Plank:
    """A flat sensor ladder whose middle touches the circle of its radius.

    Parameters
    ----------
    system
        One of `SYSTEMS`.
    radius
        Distance of its plane from the axis, cm.
    phi
        Azimuth of the normal of the plane, rad.
    width
        Extent across, cm.
    ends
        Range of z, cm.
    """

    system: str
    radius: float
    phi: float
    width: float
    ends: tuple[float, float]

    @property
    def radii(self) -> tuple[float, float]:
        """Smallest and largest distance of the plank from the axis, cm."""
        ends = np.hypot(*self.edges().T)
        return self.radius, float(ends.max())

    def edges(self) -> Float[np.ndarray, "2 2"]:
        """Return the two ends (x, y) of the plank as seen along the axis, cm."""
        normal = np.array([np.cos(self.phi), np.sin(self.phi)])
        along = np.array([-normal[1], normal[0]])
        across = np.array([[-0.5], [0.5]]) * self.width
        return self.radius * normal + across * along


@final
@dataclass(frozen=True)
class Window:
    """The polar angles that a system covers, degrees; it heads a label of the figure."""

    system: str
    name: str
    low: float
    high: float


@final
@dataclass(frozen=True)
class Cavity:
    """A cylinder about the axis from z_min to z_max, cm; things happen inside."""

    radius: float
    z_min: float
    z_max: float

    def excess(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Return how far points (x, y, z) lie outside, cm; negative inside."""
        radial = np.hypot(points[:, 0], points[:, 1]) - self.radius
        ends = np.maximum(points[:, 2] - self.z_max, self.z_min - points[:, 2])
        return np.maximum(radial, ends)

    def distance(self, direction: Vector) -> float:
        """Return how far the wall is from the origin along a direction, cm."""
        x, y, z = direction / np.linalg.norm(direction)
        side = self.radius / max(np.hypot(x, y), 1e-12)
        end = (self.z_max if z > 0 else self.z_min) / (z if abs(z) > 1e-12 else 1e-12)
        return float(min(side, abs(end)))


@final
@dataclass(frozen=True)
class Geometry:
    """Everything of a detector that the figures show.

    Parameters
    ----------
    title
        Name of the detector for people.
    field
        Solenoid field along z, T.
    solids, sheets, planks
        The parts, from the inside out.
    windows
        Polar angles to label.
    tracker
        Where tracks are measured.
    cavity
        What the calorimeter surrounds; charged particles bend up to its wall.
    """

    title: str
    field: float
    solids: tuple[Solid, ...]
    sheets: tuple[Sheet, ...]
    planks: tuple[Plank, ...]
    windows: tuple[Window, ...]
    tracker: Cavity
    cavity: Cavity

    @property
    def _parts(self) -> tuple[Solid | Sheet | Plank, ...]:
        return (*self.solids, *self.sheets, *self.planks)

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that have a part, from the inside out."""
        present = {part.system for part in self._parts}
        return tuple(name for name in SYSTEMS if name in present)

    def extent(self, systems: tuple[str, ...] = SYSTEMS) -> Cavity:
        """Return the smallest cylinder that holds all parts of some systems."""
        parts = [part for part in self._parts if part.system in systems]
        return Cavity(
            max(part.radii[1] for part in parts),
            min(part.ends[0] for part in parts),
            max(part.ends[1] for part in parts),
        )


def circle(radius: float, points: int = 181) -> Float[np.ndarray, "n 2"]:
    """Return a closed circle (x, y) about the origin, cm."""
    angle = np.linspace(0.0, _TURN, points)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def box(
    inner: float, outer: float, ends: tuple[float, float]
) -> Float[np.ndarray, "4 2"]:
    """Return the outline (z, r) of a hollow cylinder, cm."""
    low, high = ends
    return np.array([[low, inner], [high, inner], [high, outer], [low, outer]])
