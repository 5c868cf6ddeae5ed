"""Material in front of and in the tracker, in radiation lengths against polar angle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from darksector.detectors.card import Detector
from darksector.plotting import style

_POINTS = 1001

Angles = Float[np.ndarray, " n"]


def budget(detector: Detector) -> Figure:
    """Return x/X0 of straight flights from the origin, stacked by what they cross."""
    theta = np.linspace(
        float(detector.tracking.theta_min), float(detector.tracking.theta_max), _POINTS
    )
    parts = contributions(detector, theta)
    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    panel.stackplot(
        theta,
        [100 * part for part in parts.values()],
        colors=style.STACK,
        labels=list(parts),
        edgecolor="#505050",
        linewidth=0.4,
    )
    panel.set_xlim(theta[0], theta[-1])
    panel.set_ylim(0, 120 * float(np.max(sum(parts.values()))))
    panel.set_xlabel("polar angle [°]", fontsize=11)
    panel.set_ylabel("x/X$_0$ to the end of the tracker [%]", fontsize=11)
    panel.tick_params(which="both", direction="in", top=True, right=True)
    panel.set_title(f"{detector.title}, mean over the azimuth", loc="left", fontsize=11)
    style.legend(figure, panel, columns=3)
    return figure


def contributions(detector: Detector, theta: Angles) -> Mapping[str, Angles]:
    """Return x/X0 of each part for straight flights at theta, degrees, from inside out.

    What lies between tracker and calorimeter is not part of a card.
    """
    t = detector.tracking
    sine, cot = np.sin(np.deg2rad(theta)), 1 / np.tan(np.deg2rad(theta))
    pipe, wall = np.asarray(t.pipe), np.asarray(t.wall)
    radii = np.asarray(t.wire_radius)
    middles = (radii[1:] + radii[:-1]) / 2
    gas = np.diff([wall[0, 0], *middles, radii[-1]]) / float(t.gas_x0)
    wires = _crossed(cot, radii, t.wire_z_min, t.wire_z_max)
    silicon = _crossed(
        cot, np.asarray(t.silicon_radius), t.silicon_z_min, t.silicon_z_max
    )
    sensors = float(t.silicon_scale) * np.asarray(t.silicon_x0) * _covered(detector)
    parts = {
        "beam pipe": np.full_like(theta, pipe[:, 2].sum()),
        "silicon": sensors @ silicon,
        "inner wall": np.full_like(theta, wall[0, 1]),
        "gas and wires": gas @ wires,
        "outer wall": wall[1:, 1].sum() * wires[-1],
    }
    return {name: part / sine for name, part in parts.items()}


def _crossed(
    cot: Angles, radii: Float[np.ndarray, " k"], low: object, high: object
) -> Float[np.ndarray, "k n"]:
    """Return 1 where a straight flight crosses each layer, else 0."""
    z = radii[:, None] * cot
    bottom, top = (np.asarray(end)[:, None] for end in (low, high))
    return ((z > bottom) & (z < top)).astype(np.float64)


def _covered(detector: Detector) -> Float[np.ndarray, " k"]:
    """Return the share of the azimuth that the ladders of each silicon layer cover."""
    rows = np.asarray(detector.tracking.ladders).reshape(-1, 3)
    layers = 1 + np.arange(np.asarray(detector.tracking.silicon_radius).size)
    widths = np.where(rows[:, 0] == layers[:, None], 2 * rows[:, 2], 0.0)
    return np.minimum(widths.sum(axis=1) / 360.0, 1.0)
