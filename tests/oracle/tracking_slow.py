"""Slow twin of the covariance of tracks: one big least-squares fit per track.

Helices are followed in space from scatterer to layer, all derivatives are differences,
and the errors of all measurements are one matrix with every correlation by scattering.
"""

from __future__ import annotations

from math import asin, atan2, cos, hypot, log, sin, sqrt

import numpy as np

LIGHT = 2.99792458e-3  # GeV / (T cm)
MASS = 0.1056583755  # muon, GeV
STEPS = np.array([1e-4, 1e-5, 1e-7, 1e-4, 1e-5])


def start(d0, phi, omega, z0, cot):
    """Return position, direction angle, curvature and slope at the perigee."""
    return np.array([d0 * sin(phi), -d0 * cos(phi), z0]), phi, omega, cot


def follow(state, arc):
    """Return the state after an arc in the transverse plane; it turns clockwise."""
    x, phi, omega, cot = state
    new = phi - omega * arc
    move = [(sin(phi) - sin(new)) / omega, (cos(new) - cos(phi)) / omega, arc * cot]
    return x + np.array(move), new, omega, cot


def to_radius(state, radius, guess):
    """Return the state where the helix meets the radius, by Newton's method."""
    arc = guess
    for _ in range(30):
        x, phi, _, _ = follow(state, arc)
        r = hypot(x[0], x[1])
        step = (r - radius) / ((x[0] * cos(phi) + x[1] * sin(phi)) / r)
        arc -= step
        if abs(step) < 1e-13 * radius:
            break
    return follow(state, arc)


def surfaces(t):
    """Return (radius, x/X0, stereo or None, sigma across, sigma along) of each."""
    found = [(float(t.pipe[:, :2].mean()), float(t.pipe[:, 2].sum()), None, (), ())]
    for i, r in enumerate(np.asarray(t.silicon_radius)):
        thick = float(t.silicon_scale * t.silicon_x0[i])
        found.append(
            (r, thick, "strip", float(t.silicon_rphi[i]), float(t.silicon_z[i]))
        )
    inner = float(t.wall[0, 0])
    found.append((inner, float(t.wall[0, 1]), None, (), ()))
    radii = np.asarray(t.wire_radius)
    edges = [inner, *((radii[1:] + radii[:-1]) / 2), radii[-1]]
    for i, r in enumerate(radii):
        gas = (edges[i + 1] - edges[i]) / float(t.gas_x0)
        stereo = np.radians(float(t.wire_stereo[i]))
        found.append((r, gas, stereo, float(t.wire_resolution), ()))
    return found


def directions(state, kind):
    """Return unit vectors along which a displacement on the cylinder is measured."""
    x, phi, _, cot = state
    radial = np.array([x[0], x[1], 0]) / hypot(x[0], x[1])
    around, up = np.cross([0, 0, 1], radial), np.array([0, 0, 1.0])
    if kind == "strip":
        return [around, up]
    wire = cos(kind) * up + sin(kind) * around
    flight = np.array([cos(phi), sin(phi), cot])
    drift = np.cross(wire, flight)
    return [drift / np.linalg.norm(drift)]


def covariance(t, pt, theta_deg, crossed):
    """Return the covariance (5, 5) of (d0, phi, omega, z0, cot), cm, rad, 1/cm."""
    cot = 1 / np.tan(np.radians(theta_deg))
    omega = LIGHT * float(t.field) / pt
    truth = np.array([0.0, 0.3, omega, 0.0, cot])
    met = [s for s, c in zip(surfaces(t), crossed, strict=True) if c]
    arcs = [2 / omega * asin(omega * s[0] / 2) for s in met]
    nominal = [follow(start(*truth), a) for a in arcs]
    hits = [
        (i, direction, s[3 + j])
        for i, s in enumerate(met)
        if s[2] is not None
        for j, direction in enumerate(directions(nominal[i], s[2]))
    ]

    def coordinates(state, first):
        """Return what is measured beyond a scatterer; 0 before it."""
        ends = {
            i: to_radius(state, met[i][0], arcs[i] - first[1])
            for i in {i for i, _, _ in hits}
            if i > first[0]
        }
        return np.array([ends[i][0] @ u if i in ends else 0.0 for i, u, _ in hits])

    slopes = np.stack(
        [
            (
                coordinates(start(*(truth + shift)), (-1, 0.0))
                - coordinates(start(*(truth - shift)), (-1, 0.0))
            )
            / (2 * STEPS[k])
            for k, shift in enumerate(np.diag(STEPS))
        ],
        axis=1,
    )
    errors = np.diag([sigma**2 for _, _, sigma in hits])
    paths = [
        s[1] * sqrt(1 + cot**2) / outwards(n) for s, n in zip(met, nominal, strict=True)
    ]
    p2 = pt**2 * (1 + cot**2)
    beta2 = p2 / (p2 + MASS**2)
    highland = 1 + 0.038 * log(sum(paths) / beta2)
    for i, path in enumerate(paths):
        theta0 = float(t.scattering_scale) * 0.0136 / sqrt(beta2 * p2) * highland
        for kicked in kicks(nominal[i], 1e-5):
            plus, minus = (coordinates(k, (i, arcs[i])) for k in kicked)
            shift = (plus - minus) / 2e-5
            errors += theta0**2 * path * np.outer(shift, shift)
    weight = slopes.T @ np.linalg.solve(errors, slopes)
    return np.linalg.inv(weight)


def outwards(state):
    """Return the cosine of the angle between track and radius, seen along z."""
    x, phi, _, _ = state
    return cos(phi - atan2(x[1], x[0]))


def kicks(state, angle):
    """Return the states after deflections by ± an angle in two planes, |p| kept."""
    x, phi, omega, cot = state
    theta = atan2(1, cot)
    in_plane = [(x, phi + s * angle / sin(theta), omega, cot) for s in (1, -1)]
    # omega goes with 1/(p sin θ); θ falls where cot θ grows
    out_of_plane = [
        (x, phi, omega * sin(theta) / sin(new), 1 / np.tan(new))
        for new in (theta - angle, theta + angle)
    ]
    return in_plane, out_of_plane
