"""One window of a bump hunt, in the order of the formulae, with a general minimiser."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq, minimize
from scipy.special import comb, eval_chebyt
from scipy.stats import norm


def chebyshev(k, x):
    return eval_chebyt(k, x) / 2


def bernstein(degree):
    def value(k, x):
        t = (x + 1) / 2
        return (degree + 1) * comb(degree, k) * t**k * (1 - t) ** (degree - k) / 2

    return value


def integrals(edges, degree, function):
    """Return the integrals of functions of x in [-1, 1] over the bins."""
    x = 2 * (edges - edges[0]) / (edges[-1] - edges[0]) - 1
    return np.array(
        [
            [quad(lambda u, k=k: function(k, u), a, b)[0] for k in range(degree + 1)]
            for a, b in pairwise(x)
        ]
    )


def linear(edges, degree, function):
    """Return the background of a sum of functions."""
    table = integrals(edges, degree, function)
    return lambda c: table @ c


def exponential(edges, degree):
    """Return the background exp(sum of Chebyshev polynomials), 12 points per bin."""
    x = 2 * (edges - edges[0]) / (edges[-1] - edges[0]) - 1
    node, weight = np.polynomial.legendre.leggauss(12)

    def background(c):
        rates = []
        for a, b in pairwise(x):
            u = (a + b) / 2 + (b - a) / 2 * node
            density = np.exp(sum(c[k] * eval_chebyt(k, u) for k in range(degree + 1)))
            rates.append((b - a) / 2 * np.sum(weight * density) / 2)
        return np.array(rates)

    return background


def nll(counts, nu):
    """Return -ln L of Poisson counts, up to a constant of the counts."""
    if np.any(nu <= 0):
        return np.inf
    log = np.where(counts > 0, counts * np.log(np.where(counts > 0, counts, 1) / nu), 0)
    return np.sum(log + nu - counts)


def minimum(function, start, scale):
    """Return the minimum and where it is: simplex, then quasi-Newton, until at rest."""
    start = np.asarray(start, dtype=float)
    best = np.inf
    for _ in range(20):
        for method, options in (
            ("Nelder-Mead", {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 20000}),
            ("BFGS", {"gtol": 1e-9}),
        ):
            found = minimize(
                lambda z, origin=start: function(origin + scale * z),
                np.zeros(start.size),
                method=method,
                options=options,
            )
            if found.fun <= best:
                start = start + scale * found.x
        if best - found.fun < 1e-10:
            return min(best, found.fun), start
        best = found.fun
    msg = "the slow fit did not come to rest"
    raise AssertionError(msg)


def fit(counts, signal, background, start, scale):
    """Return (signal, q0, nll without signal and its parameters)."""
    free, at = minimum(
        lambda p: nll(counts, p[0] * signal + background(p[1:])), start, scale
    )
    null, c = minimum(
        lambda p: nll(counts, background(p)), np.array(start)[1:], scale[1:]
    )
    q0 = 2 * (null - free) if at[0] > 0 else 0.0
    return at[0], q0, null, c


def observed_limit(counts, signal, background, start, scale, level):
    """Return the CLs limit of arXiv:1007.1727 with q̃, by bisection of its definition."""
    fitted, q0, null, c = fit(counts, signal, background, start, scale)
    best = null - q0 / 2
    expected = background(c)

    def profile(mu, data):
        return minimum(lambda p: nll(data, mu * signal + background(p)), c, scale[1:])[
            0
        ]

    def excess(mu):
        q = max(2 * (profile(mu, counts) - best), 0) if mu > fitted else 0.0
        qa = 2 * profile(mu, expected)
        if q <= qa:
            with_signal, without = norm.sf(q**0.5), norm.cdf(qa**0.5 - q**0.5)
        else:
            with_signal = norm.sf((q + qa) / (2 * qa**0.5))
            without = norm.sf((q - qa) / (2 * qa**0.5))
        return with_signal / without - (1 - level)

    low = max(fitted, 0) + 0.1 * scale[0]
    return brentq(excess, low, max(fitted, 0) + 6 * scale[0], rtol=1e-6)
