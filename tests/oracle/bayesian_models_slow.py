"""Bayesian limits of small models, written in the order of the formulas."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln


def interpolation(up, down):
    """Return a NormSys factor as a function of α: CERN-OPEN-2012-016, code 4.

    The sextic through 1 at 0 matches value, slope and curvature of up^α at 1 and of
    down^-α at -1: six conditions for six coefficients, solved as they stand.
    """
    powers = np.arange(1, 7)
    rows, right = [], []
    for x, base in ((1.0, up), (-1.0, 1 / down)):
        value, rate = base**x, np.log(base)
        rows += [x**powers, powers * x ** (powers - 1)]
        rows += [powers * (powers - 1) * x ** (powers - 2.0)]
        right += [value - 1, value * rate, value * rate**2]
    coefficients = np.linalg.solve(np.array(rows), np.array(right))

    def factor(alpha):
        inside = 1 + sum(
            c * alpha**k for c, k in zip(coefficients, powers, strict=True)
        )
        outside = np.where(alpha > 0, up**alpha, down**-alpha)
        return np.where(np.abs(alpha) < 1, inside, outside)

    return factor


def poisson(n, mean):
    """Return the probability of `n` events."""
    return np.exp(n * np.log(mean) - mean - gammaln(n + 1))


def panel(low, high, *, nodes=160):
    """Return the points and weights of an integral."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    return low + (high - low) * (x + 1) / 2, weights * (high - low) / 2


def upper_limit(density, top, level, *, power=1.0):
    """Return where `level` of a density in μ lies below, flat in μ^(1/power).

    `density` takes an array; beyond `top` it is negligible.
    """

    def below(coupling):
        g, weight = panel(0.0, coupling)
        return weight @ density(g**power)

    end = top ** (1 / power)
    total = below(end)
    root = brentq(lambda g: below(g) - level * total, 1e-9 * end, end, xtol=1e-12 * end)
    return root**power
