"""Slow twin of the Bayesian limit: every integral one by one, in the formula's order.

No reduction of nuisances, no closed form, no adapted points: one grid per nuisance
parameter, one grid for the cross-section, the Poisson probability, and sums.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.integrate import cumulative_simpson
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

PULLS = np.linspace(-6.5, 6.5, 21)


def marginal(sigma, log_probability, dimensions):
    """Return the likelihood of cross-sections, all nuisances summed over a grid."""
    total = np.zeros_like(sigma)
    for pulls in itertools.product(PULLS, repeat=dimensions):
        prior = math.exp(-sum(pull**2 for pull in pulls) / 2)
        total += prior * np.exp(log_probability(sigma, pulls))
    return total


def upper_limit(sigma, likelihood, level):
    """Return where the flat-prior posterior, tabulated on `sigma`, reaches `level`."""
    cumulative = CubicSpline(sigma, cumulative_simpson(likelihood, x=sigma, initial=0))
    total = cumulative(sigma[-1])
    return brentq(lambda x: cumulative(x) - level * total, 0, sigma[-1], xtol=1e-12)


def slow_limit(n, model, *, level, top):
    """Return the limit of the first window of a model; `top` ends the integral."""
    s, b, error = model.signal[0], model.background[0], model.background_error[0]

    def log_probability(sigma, pulls):
        *shared, own = pulls
        signal, background = sigma * s, b * (1 + error) ** own
        for systematic, pull in zip(model.systematics, shared, strict=True):
            signal = signal * (1 + systematic.signal) ** pull
            background = background * (1 + systematic.background) ** pull
        mu = signal + background
        return n * np.log(mu) - mu - math.lgamma(n + 1)

    sigma = np.linspace(0, top, 1201)
    dimensions = len(model.systematics) + 1
    return upper_limit(sigma, marginal(sigma, log_probability, dimensions), level)
