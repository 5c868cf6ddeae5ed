"""Unbinned fits against iminuit, with densities written in NumPy and SciPy.

The requirement, set before any comparison: parameters within a thousandth of their
error, errors within one per cent.
"""

from __future__ import annotations

import numpy as np
import pytest
from iminuit import Minuit
from iminuit.cost import ExtendedUnbinnedNLL
from numpy.testing import assert_allclose
from scipy.special import erf
from scipy.stats import crystalball, norm

from darksector.statistics.unbinned.backgrounds import Bernstein, Chebyshev, Exponential
from darksector.statistics.unbinned.crystal_ball import CrystalBall
from darksector.statistics.unbinned.fit import (
    fit_unbinned,
    profile_intervals,
    significance,
)
from darksector.statistics.unbinned.likelihood import unbinned_likelihood
from darksector.statistics.unbinned.samples import separate
from darksector.statistics.unbinned.settings import free
from darksector.statistics.unbinned.shapes import Gaussian

pytestmark = pytest.mark.slow  # compiles three shapes; iminuit takes its time

LOW, HIGH = 3.0, 7.0
WINDOW = np.array([[LOW, HIGH]])
BOUNDS = {"signal_alpha": (0.05, 8), "signal_n": (1.01, 200)}
EVENTS = (1_000, 10_000, 10_000)


def place(x):
    return (2 * x - LOW - HIGH) / (HIGH - LOW)


def tail(z, alpha, power):
    """Return A (B - z)^-n and its integral up to `z`, as in SLAC-R-255, appendix F."""
    base = power / alpha - alpha - z
    log_a = power * np.log(power / alpha) - alpha**2 / 2  # A itself may overflow
    value = np.exp(log_a - power * np.log(base))
    return value, value * base / (power - 1)


def peak(x, mean, sigma, alpha, power):
    z, low, high = ((value - mean) / sigma for value in (x, LOW, HIGH))
    below = tail(np.minimum(z, -alpha), alpha, power)[0]
    height = np.where(z > -alpha, np.exp(-(z**2) / 2), below)
    area = tail(-alpha, alpha, power)[1] - tail(low, alpha, power)[1]
    area += np.sqrt(np.pi / 2) * (erf(high / np.sqrt(2)) + erf(alpha / np.sqrt(2)))
    return height / (sigma * area)


def chebyshev(x, c1, c2):
    u = place(x)
    height = 1 + c1 * u + c2 * (2 * u**2 - 1)
    return height / ((HIGH - LOW) / 2 * (2 - 2 * c2 / 3))


def bernstein(x, b1, b2):
    v = (x - LOW) / (HIGH - LOW)
    height = (1 - v) ** 2 + 2 * b1 * v * (1 - v) + b2 * v**2
    return height / ((HIGH - LOW) * (1 + b1 + b2) / 3)


def gaussian(x, mean, sigma):
    shape = norm(mean, sigma)
    return shape.pdf(x) / (shape.cdf(HIGH) - shape.cdf(LOW))


def exponential(x, slope):
    return slope * np.exp(slope * x) / (np.exp(slope * HIGH) - np.exp(slope * LOW))


MODELS = {
    "Crystal Ball on Chebyshev": (CrystalBall(), Chebyshev(2), peak, chebyshev),
    "Crystal Ball on Bernstein": (CrystalBall(), Bernstein(2), peak, bernstein),
    "Gaussian on exponential": (Gaussian(), Exponential(), gaussian, exponential),
}


def drawn(seed, events, density, ceiling):
    """Return events of a density by rejection."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(LOW, HIGH, 40 * events)
    return x[rng.uniform(0, ceiling, x.size) < density(x)][:events]


def data_set(name, seed, events):
    rng = np.random.default_rng((seed, events))
    n_s, n_b = rng.poisson(0.3 * events), rng.poisson(0.7 * events)
    if name.startswith("Crystal Ball"):
        shape = crystalball(0.9, 2.5, loc=5.0, scale=0.15)
        signal = shape.rvs(4 * n_s, random_state=rng)
        signal = signal[(signal > LOW) & (signal < HIGH)][:n_s]
        slope = drawn(seed, n_b, lambda x: chebyshev(x, -0.3, 0.1), 0.4)
    else:
        signal = rng.normal(5.0, 0.15, n_s)
        slope = drawn(seed, n_b, lambda x: exponential(x, -0.4), 0.7)
    return np.concatenate([signal, slope])


def minuit(likelihood, row, events, signal, background):
    """Return iminuit after MIGRAD and HESSE, from the same first guess and bounds.

    HESSE runs without bounds: with them iminuit differentiates in its inner parameters,
    the arc sines of ours, and transforms the ends of its errors back.  HESSE's
    steps grow with the value, here 1e5, until third derivatives change errors by a per
    cent; so its value at the minimum is taken off, and what that leaves of the
    precision is declared.
    """
    cut = 2 + len(likelihood.mixture.signal.names)

    def model(x, *theta):
        s, b = signal(x, *theta[2:cut]), background(x, *theta[cut:])
        return theta[0] + theta[1], theta[0] * s + theta[1] * b

    names = [name.replace(".", "_") for name in likelihood.names]
    cost = ExtendedUnbinnedNLL(events, model)
    found = Minuit(cost, *likelihood.start[row], name=names)
    for i, name in enumerate(names):
        found.limits[name] = (likelihood.lower[row, i], likelihood.upper[row, i])
    found.strategy, found.tol = 2, 1e-4
    found.migrad(ncall=20_000)
    best = found.fval
    fine = Minuit(lambda *x: cost(*x) - best, *found.values, name=names)
    fine.tol = 1e-4
    fine.errordef, fine.strategy, fine.errors = 1.0, 2, list(found.errors)
    fine.precision = 1e-15 * abs(best)  # rounding of the value without the constant
    fine.migrad(ncall=20_000)
    fine.hesse()
    assert found.valid
    return fine


def central_errors(oracle):
    """Return errors from central differences of the cost of iminuit, 0.005 errors wide.

    The mixed differences of HESSE are one-sided: where the power of a tail is known to
    no better than its own size they miss its error by a per cent, more than is allowed.
    """
    best, steps = np.array(oracle.values), np.diag(0.005 * np.array(oracle.errors))
    hessian = np.array(
        [
            [
                oracle.fcn(best + a + b) - oracle.fcn(best + a - b)
                - oracle.fcn(best - a + b) + oracle.fcn(best - a - b)
                for b in steps
            ]
            for a in steps
        ]
    )  # fmt: skip
    size = np.diag(steps)
    # the cost is twice the negative log-likelihood
    return np.sqrt(np.diag(np.linalg.inv(hessian / (8 * np.outer(size, size)))))


def least(oracle, n_s):
    """Return iminuit's smallest -2 ln L with a given signal yield.

    Without signal its shape has no effect, and free it would stop MIGRAD.
    """
    names = oracle.parameters
    profile = Minuit(lambda *x: oracle.fcn(x), *oracle.values, name=names)
    profile.errordef, profile.tol = 1.0, 1e-3
    profile.errors = list(oracle.errors)
    for name, limits in BOUNDS.items():
        if name in names:
            profile.limits[name] = limits
    profile.values["n_s"], profile.fixed["n_s"] = n_s, True
    for name in names:
        profile.fixed[name] |= n_s == 0 and name.startswith("signal")
    profile.migrad(ncall=20_000)
    return profile.fval


@pytest.fixture(scope="module", params=MODELS)
def compared(request):
    shape, base, signal, background = MODELS[request.param]
    sets = [data_set(request.param, seed, n) for seed, n in enumerate(EVENTS)]
    # the oracle's exponential is 0/0 for a slope of zero, our first guess
    settings = {"background.slope": free(-0.1)} if base == Exponential() else {}
    likelihood = unbinned_likelihood(
        separate(sets, WINDOW), signal=shape, background=base, settings=settings
    )
    with np.errstate(all="ignore"):
        oracles = [
            minuit(likelihood, row, events, signal, background)
            for row, events in enumerate(sets)
        ]
    return likelihood, fit_unbinned(likelihood), oracles


def test_parameters_and_errors_are_those_of_iminuit(compared):
    _, found, oracles = compared

    for row, oracle in enumerate(oracles):
        assert oracle.accurate
        assert found.converged[row]
        errors = central_errors(oracle)
        away = (found.theta[row] - np.array(oracle.values)) / errors
        assert np.abs(away).max() < 1e-3
        assert_allclose(found.errors[row], errors, rtol=0.01)
        # all that HESSE measures well, the power of a tail aside
        power = np.array([name == "signal_n" for name in oracle.parameters])
        hesse = np.array(oracle.errors)[~power]
        assert_allclose(found.errors[row, ~power], hesse, rtol=0.01)


def test_intervals_and_significance_are_those_of_iminuit(compared):
    """Twice the profile of iminuit rises by one at both ends of an interval."""
    likelihood, found, oracles = compared
    oracle, row = oracles[0], 0

    intervals = profile_intervals(likelihood, found)
    z = significance(likelihood, found)

    with np.errstate(all="ignore"):
        low, high, none = (
            least(oracle, n_s) - oracle.fval
            for n_s in (intervals.low[row], intervals.high[row], 0.0)
        )
    assert [low, high] == pytest.approx([1, 1], abs=0.01)
    assert z[row] == pytest.approx(np.sqrt(none), rel=1e-3)
