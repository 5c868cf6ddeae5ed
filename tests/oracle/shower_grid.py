"""Slow twin of `merging_probability`: two showers on a grid of crystals, maxima counted.

Lengths in crystals, energies in GeV.  The lateral profile is R / (2π (r² + R²)^(3/2)), of
which a share R / √(r² + R²) lies outside of r; one Molière radius holds 90 %.
"""

from __future__ import annotations

import numpy as np

MOLIERE = 3.57  # cm, CsI, recalled (section 4 of machine-detector.md)
PITCH = 5.9  # cm: crystals 12 cm behind a front face of 5.45 cm, at the shower maximum
SCALE = MOLIERE / np.sqrt(99) / PITCH
LOWEST = 0.01  # GeV: a local maximum in basf2
HALF = 6  # crystals on each side of the middle


def below_corner(x, y):
    """Return the share of a shower at the origin with coordinates below x and below y."""
    corner = np.arctan(x * y / (SCALE * np.sqrt(SCALE**2 + x**2 + y**2)))
    return 0.25 + (np.arctan(x / SCALE) + np.arctan(y / SCALE) + corner) / (2 * np.pi)


def deposits(x, y, energy):
    """Return the energies ``(n, rows, columns)`` in crystals of showers at x, y."""
    edges = np.arange(-HALF, HALF + 1)
    c = below_corner(
        edges[None, :, None] - x[:, None, None], edges[None, None, :] - y[:, None, None]
    )
    return energy * (c[:, 1:, 1:] - c[:, :-1, 1:] - c[:, 1:, :-1] + c[:, :-1, :-1])


def maxima(crystals):
    """Return how many crystals above 10 MeV have more than all of their neighbours."""
    rows, columns = crystals.shape[1:]
    padded = np.pad(crystals, ((0, 0), (1, 1), (1, 1)))
    highest = np.zeros_like(crystals)
    for i in range(3):
        for j in range(3):
            if (i, j) != (1, 1):
                neighbour = padded[:, i : i + rows, j : j + columns]
                highest = np.maximum(highest, neighbour)
    return ((crystals > highest) & (crystals > LOWEST)).sum(axis=(1, 2))


def merged_share(separation, energies, *, n, seed):
    """Return the share of pairs at random places and azimuths with a single maximum."""
    rng = np.random.default_rng(seed)
    phi, x, y = rng.uniform(0, 2 * np.pi, n), rng.uniform(size=n), rng.uniform(size=n)
    dx, dy = separation / 2 * np.cos(phi), separation / 2 * np.sin(phi)
    crystals = deposits(x - dx, y - dy, energies[0]) + deposits(
        x + dx, y + dy, energies[1]
    )
    return np.mean(maxima(crystals) < 2)
