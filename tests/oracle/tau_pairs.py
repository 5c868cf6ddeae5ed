"""Tau pairs that no process of the package made, and tests of weighted samples."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from scipy import stats

from darksector.events import Events
from darksector.machines import symmetric
from darksector.particles import MASS

SQRT_S = 10.58
MACHINE = symmetric(SQRT_S)
GAMMA = SQRT_S / (2 * MASS["tau"])
P_VALUE = 1e-3  # of every statistical test, fixed before any was run


def tau_pairs(n, seed):
    """Return n pairs: 1 + cos²θ + sin²θ/γ², weights of mean one."""
    rng = np.random.default_rng(seed)
    cosine, phi = rng.uniform(-1, 1, n), rng.uniform(0, 2 * np.pi, n)
    axis = np.asarray(MACHINE.p_her)[1:]
    frame = np.linalg.qr(np.column_stack([axis, np.eye(3)[:, :2]]))[0]
    frame[:, 0] = axis / np.linalg.norm(axis)
    sine = np.sqrt(1 - cosine**2)
    directions = (
        np.stack([cosine, sine * np.cos(phi), sine * np.sin(phi)]) * MASS["tau"]
    )
    p = np.sqrt(GAMMA**2 - 1) * (frame @ directions).T
    energy = np.full((n, 1), SQRT_S / 2)
    momenta = np.stack([np.hstack([energy, p]), np.hstack([energy, -p])], axis=1)
    weights = 1 + cosine**2 + sine**2 / GAMMA**2
    return Events(
        momenta=jnp.asarray(momenta),
        weights=jnp.asarray(weights / (4 / 3 + 2 / (3 * GAMMA**2))),
        p_beams=jnp.broadcast_to(jnp.asarray(MACHINE.p_beams), (n, 4)),
        pdg=(15, -15),
    )


def histogram_p_value(x, weights, edges, shares):
    """Return the χ² probability of a weighted sample for expected shares per bin.

    The weights have mean one; the sum over all bins is free, so all of them count.
    """
    found = np.histogram(x, edges, weights=weights)[0]
    variance = np.histogram(x, edges, weights=weights**2)[0]
    chi2 = ((found - len(x) * np.asarray(shares)) ** 2 / variance).sum()
    return stats.chi2.sf(chi2, len(shares))


def mean_p_value(values, expected):
    """Return the two-sided probability of the mean of independent values."""
    error = values.std() / np.sqrt(len(values))
    return 2 * stats.norm.sf(abs(values.mean() - expected) / error)
