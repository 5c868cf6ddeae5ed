"""Errors, impacts and gradients against SciPy's minimisers and roots, one row at a time.

The likelihood is written in the order of its formula, its curvature by JAX.
"""

from __future__ import annotations

from math import log, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gradient_models import (
    KINDS,
    along,
    difference,
    exact_fits,
    quantities,
    random_numbers,
)
from numpy.testing import assert_allclose
from scipy.optimize import brentq, minimize
from scipy.stats import norm

import darksector.compilation  # noqa: F401 - JAX in double precision
from darksector.statistics.gradients import limit_gradient
from darksector.statistics.hessian import hessian
from darksector.statistics.histfactory import likelihood
from darksector.statistics.impacts import impacts
from darksector.statistics.intervals import likelihood_interval, signal_strength
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    Gaussian,
    Lumi,
    NormFactor,
    Parameter,
    StatError,
)

S, B, SIGMA = np.array([4.0, 7.0]), np.array([11.0, 8.0]), np.array([2.0, 1.5])
WIDTH = 0.1
COUNTS = np.array([[14.0, 17.0], [9.0, 6.0], [16.0, 8.0]])


@pytest.fixture(scope="module")
def data():
    samples = (
        Sample("signal", S, (NormFactor("mu"), Lumi("lumi"))),
        Sample("background", B, (Lumi("lumi"), StatError("mc", SIGMA))),
    )
    parameters = (
        Parameter("mu", bounds=(-5.0, 50.0)),
        Parameter("lumi", constraint=Gaussian(1.0, WIDTH)),
    )
    return likelihood(Model((Channel("r", samples, COUNTS),), "mu", parameters))


def nll(theta, counts):
    """Σ ν - n ln ν + (λ-1)²/2w² + Σ (γ-1)²/2(σ/b)², ν = λ (μ s + γ b)."""
    mu, lumi, gamma = theta[0], theta[1], theta[2:]
    nu = lumi * (mu * S + gamma * B)
    constraints = (lumi - 1) ** 2 / (2 * WIDTH**2)
    constraints += jnp.sum((gamma - 1) ** 2 / (2 * (SIGMA / B) ** 2))
    return jnp.sum(nu - counts * jnp.log(nu)) + constraints


GRADIENT, HESSIAN = jax.jit(jax.grad(nll)), jax.jit(jax.hessian(nll))
VALUE = jax.jit(nll)


def minimum(counts, held=None, value=0.0):
    """Return the minimum with one parameter held, by SciPy's Newton."""
    free = np.arange(4) != (-1 if held is None else held)
    start = np.array([0.0, 1.0, 1.6, 1.6])  # events stay positive for low μ
    if held is not None:
        start[held] = value

    def full(part):
        theta = start.copy()
        theta[free] = part
        return theta

    found = minimize(
        lambda part: float(VALUE(full(part), counts)),
        start[free],
        jac=lambda part: np.asarray(GRADIENT(full(part), counts))[free],
        hess=lambda part: np.asarray(HESSIAN(full(part), counts))[np.ix_(free, free)],
        method="trust-exact",
        options={"gtol": 1e-9},
    )
    return full(found.x), found.fun


def test_hessian(data):
    """Accuracy promised: 1e-6 of the product of two standard errors."""
    theta = np.array([[0.7, 1.05, 0.9, 1.1], [-0.3, 0.9, 1.2, 0.8], [2.0, 1, 1, 1]])

    found = hessian(data, theta)

    for i in range(3):
        exact = np.asarray(HESSIAN(theta[i], COUNTS[i]))
        scale = np.sqrt(np.diag(exact))
        assert_allclose(found[i] / np.outer(scale, scale), exact / np.outer(scale, scale),
                        atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("parameter", ["mu", "lumi", "mc[1]"])
def test_ends_of_intervals(data, parameter):
    strength = signal_strength(data)
    found = likelihood_interval(data, strength.fit, parameter)

    index = data.names.index(parameter)
    for i, counts in enumerate(COUNTS):
        best, lowest = minimum(counts)

        def rise(x, counts=counts, lowest=lowest):
            return 2 * (minimum(counts, index, x)[1] - lowest) - 1

        low = brentq(rise, best[index] - (1.3 if index == 0 else 0.6), best[index])
        high = brentq(rise, best[index], best[index] + (3 if index == 0 else 0.6))
        assert_allclose([found.low[i], found.high[i]], [low, high], atol=1e-6)


def test_impacts_are_refits(data):
    found = impacts(data)

    for i, counts in enumerate(COUNTS):
        best, _ = minimum(counts)
        errors = np.sqrt(np.diag(np.linalg.inv(np.asarray(HESSIAN(best, counts)))))
        width = np.array([1.0, WIDTH, *(SIGMA / B)])
        assert_allclose(found.pull[i, 1:], ((best - 1) / width)[1:], atol=1e-4)
        assert_allclose(found.constraint[i, 1:], (errors / width)[1:], rtol=1e-4)
        for p in range(1, 4):
            for size, up, down in (
                (errors[p], found.up, found.down),
                (width[p], found.prior_up, found.prior_down),
            ):
                pair = [minimum(counts, p, best[p] + d)[0][0] for d in (size, -size)]
                assert_allclose([up[i, p], down[i, p]], pair - best[0], atol=1e-4)


def one_bin_limits(s, b, n):
    """Return the CLs limit and the median one of a known background, by brentq.

    arXiv:1007.1727 eqs. 16, 65, 66 and 89.
    """

    def q(mu, count):
        best = max((count - b) / s, 0.0)
        if mu <= best:
            return 0.0
        return 2 * (s * (mu - best) - count * log((b + s * mu) / (b + s * best)))

    def excess(mu):
        data, asimov = q(mu, n), q(mu, b)
        if data <= asimov:
            pair = sqrt(data), sqrt(data) - sqrt(asimov)
        else:
            pair = (
                (data + asimov) / (2 * sqrt(asimov)),
                (data - asimov) / (2 * sqrt(asimov)),
            )
        return norm.sf(pair[0]) / norm.sf(pair[1]) - 0.1

    observed = brentq(excess, 1e-3, 30, xtol=1e-13)
    median = brentq(lambda mu: sqrt(q(mu, b)) - norm.ppf(0.95), 1e-3, 30, xtol=1e-13)
    return np.array([observed, median])


@pytest.mark.parametrize("n", [3.0, 14.0])
def test_gradient_of_a_counting_experiment(n):
    """A deficit takes the branch of a fit at the bound, an excess the other one."""
    s, b = 2.0, 9.0
    samples = (Sample("s", [s], (NormFactor("mu"),)), Sample("b", [b]))
    model = Model((Channel("r", samples, [n]),), "mu")

    found = limit_gradient(model, confidence_level=0.9)

    h = 1e-4
    for kind, index, move in (
        ("nominal", (0, 0, 0), (h, 0, 0)),
        ("nominal", (0, 1, 0), (0, h, 0)),
        ("observed", (0, 0), (0, 0, h)),
    ):
        up, down = (
            one_bin_limits(*(np.array([s, b, n]) + side * np.array(move)))
            for side in (1, -1)
        )
        slopes = [
            getattr(g.by, kind)[index] for g in (found.observed, found.expected[2])
        ]
        assert_allclose(slopes, (up - down) / (2 * h), rtol=1e-5, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seed", "scale"), [(1, 0.6), (2, 30.0), (3, 4.0)])
def test_gradient_by_one_kind_of_number(seed, scale, kind, monkeypatch):
    """Source: the definition of a derivative, central difference of whole results."""
    exact_fits(monkeypatch)
    x = random_numbers(seed, scale)
    rng = np.random.default_rng(seed + 100)
    change = {kind: x[kind] * rng.uniform(-1, 1, x[kind].shape)}
    tiny = 1e-5 * np.abs(quantities(x)).min()

    assert_allclose(along(x, change), difference(x, change), rtol=1e-4, atol=tiny)
