"""Slow twin of the geometry of `detectors.crystals` and `detectors.losses`, in NumPy.

Flights are walked in small steps; edges are hard, and blurred by a drawn normal number.
Of the package only the numbers of the card are used: cm and degrees.
"""

from __future__ import annotations

import numpy as np

STEP = 0.01  # cm


def walk(card, vertex, direction):
    """Return the first point on or beyond the front faces, ``(3,)`` cm."""
    ends = [
        card.barrel_radius / np.tan(np.radians(edge))
        for edge in (card.barrel_max, card.barrel_min)
    ]
    steps = np.arange(0, 400, STEP)[:, None]
    points = np.asarray(vertex) + steps * np.asarray(direction)
    z, r = points[:, 2], np.hypot(points[:, 0], points[:, 1])
    barrel = (r >= card.barrel_radius) & (z > ends[0]) & (z < ends[1])
    beyond = (z >= card.endcap_forward) | (z <= card.endcap_backward)
    # a barrel that reaches beyond the plane of an endcap is met behind that plane
    return points[np.argmax(barrel if barrel.any() else beyond)]


def lost_shares(card, theta, rng, n):
    """Return the shares lost outside, in the gaps and in the cracks at theta, deg."""
    z = rng.standard_normal(n)
    blurred = theta + card.edge_softness * z
    outside = np.mean((blurred < card.theta_min) | (blurred > card.theta_max))
    gaps = [
        np.mean((theta + soft * z > low) & (theta + soft * z < high))
        for (low, high), soft in zip(card.gaps, card.gap_softness, strict=True)
    ]
    blurred = theta + card.crack_softness * z
    cracks = [np.mean((blurred > low) & (blurred < high)) for low, high in card.cracks]
    return outside, sum(gaps), sum(cracks)


def wall_share(card, r, phi, rng, n):
    """Return the share lost in the walls of an endcap at r, cm, and phi, rad."""
    number = int(card.wall_number)
    walls = 2 * np.pi * np.arange(number) / number
    away = np.angle(np.exp(1j * (phi - walls)))
    distance = r * away[:, None] + card.wall_softness * rng.standard_normal(n)
    hit = (np.abs(distance) < card.wall_thickness / 2).any(axis=0)
    return np.mean(hit) * np.exp(-7 / 9 * card.wall_depth)
