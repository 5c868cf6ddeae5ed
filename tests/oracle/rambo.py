"""Flat phase space of massive particles: right wherever nothing peaks."""

from __future__ import annotations

from math import factorial

import numpy as np
from second_mapping import SQRT_S, integral, mass2, moved


def flat_phase_space(process, masses, n, seed, inside):
    """Return σ within a region from RAMBO with masses, no factor for identical particles.

    Source: Kleiss, Stirling, Ellis, Comput. Phys. Commun. 40 (1986) 359.
    """
    rng, k = np.random.default_rng(seed), len(masses)
    cosine, phi = 2 * rng.random((n, k)) - 1, 2 * np.pi * rng.random((n, k))
    sine = np.sqrt(1 - cosine**2)
    unit = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=-1)
    energy = -np.log(rng.random((n, k)) * rng.random((n, k)))
    light = np.concatenate([energy[..., None], energy[..., None] * unit], axis=-1)
    frame = light.sum(axis=1)
    light = np.stack([moved(light[:, i], frame, -1) for i in range(k)], axis=1)
    light *= SQRT_S / np.sqrt(mass2(frame))[:, None, None]
    size, m2 = light[..., 0], np.asarray(masses) ** 2
    scale = np.ones(n)
    for _ in range(20):  # Newton: Σ sqrt(m² + x²p²) = sqrt(s)
        energies = np.sqrt(m2 + scale[:, None] ** 2 * size**2)
        slope = (scale[:, None] * size**2 / energies).sum(axis=1)
        scale -= (energies.sum(axis=1) - SQRT_S) / slope
    energies = np.sqrt(m2 + scale[:, None] ** 2 * size**2)
    final = np.concatenate(
        [energies[..., None], scale[:, None, None] * light[..., 1:]], axis=-1
    )
    p = scale[:, None] * size
    volume = (np.pi / 2) ** (k - 1) * SQRT_S ** (2 * k - 4)
    volume /= factorial(k - 1) * factorial(k - 2) * (2 * np.pi) ** (3 * k - 4)
    heavy = (p.sum(axis=1) / SQRT_S) ** (2 * k - 3) * (p / energies).prod(axis=1)
    heavy *= SQRT_S / (p**2 / energies).sum(axis=1)
    return integral(process, final, volume * heavy, inside(final))
