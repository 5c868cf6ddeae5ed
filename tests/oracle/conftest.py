"""Phase-space points for the slow twins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq


def scatter(masses, sqrt_s, seed):
    """Return the beams, electron along a random axis, and momenta of given masses."""
    rng = np.random.default_rng(seed)
    p = rng.normal(size=(len(masses), 3))
    p -= p.mean(axis=0)
    m2, p2 = np.asarray(masses) ** 2, (p**2).sum(axis=1)
    scale = brentq(lambda x: np.sqrt(m2 + x**2 * p2).sum() - sqrt_s, 0, 1e4, rtol=1e-15)
    axis = rng.normal(size=3)
    m_e = 0.51099895e-3
    beam = np.sqrt(sqrt_s**2 / 4 - m_e**2) * axis / np.linalg.norm(axis)
    three = np.concatenate([[beam, -beam], scale * p])
    m2 = np.concatenate([[m_e**2, m_e**2], m2])
    return np.concatenate(
        [np.sqrt(m2 + (three**2).sum(axis=1))[:, None], three], axis=1
    )


@pytest.fixture
def wide_points():
    """Return a factory of ``(n, 2 + k, 4)`` momenta far from every peak."""

    def build(masses, *, n, sqrt_s=10.58):
        return np.stack([scatter(masses, sqrt_s, seed) for seed in range(n)])

    return build
