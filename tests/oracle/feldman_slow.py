"""Slow twin of the Feldman-Cousins intervals: the recipe of arXiv:physics/9711021.

For every signal on a grid, order all counts by R, add them until the level is reached,
and look which signals accept the observed count.  No ties, no roots, no closed forms.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

STEP = 0.005  # of the signal, events: the grid of section IV.B


def log_poisson(n, mean):
    return xlogy(n, mean) - mean - gammaln(n + 1)


def averaged(n, signal, background, *, on_signal, on_background):
    """Return the Poisson probability averaged over two independent log-normals."""
    pull, weight = np.polynomial.hermite_e.hermegauss(41)
    weight = weight / weight.sum()
    total = np.zeros(np.broadcast_shapes(np.shape(n), np.shape(signal)))
    for v, w_v in zip(pull, weight, strict=True):
        for w, w_w in zip(pull, weight, strict=True):
            b = background * (1 + on_background) ** v
            s = signal * (1 + on_signal) ** w
            total += w_v * w_w * np.exp(log_poisson(n, s + b))
    return total


def accepted(n, probability, largest, level):
    """Tell for each signal (row) whether `n` is in its acceptance region."""
    inside = np.empty(len(probability), dtype=bool)
    for i, row in enumerate(probability):
        order = np.argsort(-row / largest, kind="stable")
        needed = np.searchsorted(np.cumsum(row[order]), level) + 1
        inside[i] = n in order[:needed]
    return inside


def slow_interval(n, b, *, level, top):
    """Return the outermost accepted signals of a grid up to `top`, events."""
    counts = np.arange(int(b + top + 10 * np.sqrt(b + top) + 20))
    mu = np.arange(0, top, STEP)[:, None]
    largest = np.exp(log_poisson(counts, np.maximum(counts, b)))
    inside = accepted(n, np.exp(log_poisson(counts, mu + b)), largest, level)
    return mu[inside][0, 0], mu[inside][-1, 0]


def slow_averaged_interval(n, b, *, level, top, step, **spreads):
    """Return the same with the nuisances averaged in the probability and in R."""
    counts = np.arange(int(4 * (b + top)) + 20)
    mu = np.arange(0, 2 * top, step)[:, None]
    probability = averaged(counts, mu, b, **spreads)
    inside = accepted(n, probability, probability.max(axis=0), level)
    return mu[inside][0, 0], mu[inside][-1, 0]
