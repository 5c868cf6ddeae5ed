"""Asymmetric errors and the curvature behind them, against closed forms."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq

from darksector.errors import OutOfDomain, UnknownName
from darksector.statistics.fit import OK, fit
from darksector.statistics.hessian import INDEFINITE, covariance, hessian
from darksector.statistics.histfactory import likelihood
from darksector.statistics.intervals import (
    AT_BOUND,
    likelihood_interval,
    signal_strength,
)
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import NormFactor, NormSys, Parameter

SIGNAL, BACKGROUND = 2.0, 9.0


def counting(observed, *parameters):
    samples = (
        Sample("signal", [SIGNAL], (NormFactor("mu"),)),
        Sample("background", [BACKGROUND]),
    )
    channel = Channel("region", samples, observed)
    return likelihood(Model((channel,), "mu", parameters))


def poisson_ends(n, z):
    """Return μ where 2[ν - n - n ln(ν/n)] = z², from its formula."""

    def rise(nu):
        return 2 * (nu - n - (n * log(nu / n) if n else 0.0)) - z**2

    low = brentq(rise, 1e-9, n, xtol=1e-12) if n else 0.0
    high = brentq(rise, n, n + 20 * (1 + sqrt(n)), xtol=1e-12)
    return (low - BACKGROUND) / SIGNAL, (high - BACKGROUND) / SIGNAL


@pytest.mark.parametrize("z", [1.0, 1.96])
def test_ends_of_one_bin(z):
    """Source: the Poisson likelihood ratio, solved by brentq."""
    counts = np.array([[3.0], [9.0], [14.0], [200.0]])
    data = counting(counts, Parameter("mu", bounds=(-4.49, 1000.0)))

    found = signal_strength(data, z=z)

    low, high = np.array([poisson_ends(n, z) for n in counts[:, 0]]).T
    assert_allclose(found.value, (counts[:, 0] - BACKGROUND) / SIGNAL, atol=1e-5)
    assert_allclose(found.interval.low, low, rtol=1e-6)
    assert_allclose(found.interval.high, high, rtol=1e-6)
    assert_allclose(found.error_up, found.interval.high - found.value)
    assert_allclose(found.error_down, found.value - found.interval.low)
    assert_allclose(found.error, np.sqrt(counts[:, 0]) / SIGNAL, rtol=1e-5)
    assert (found.interval.status_low == OK).all()
    assert (found.interval.status_high == OK).all()


def test_interval_ends_at_a_bound():
    """Source: n < b puts the fit at μ = 0; the upper end solves q(μ) - q(0) = 1."""
    found = signal_strength(counting([[5.0], [10.0]]))

    def rise(mu):
        nu = BACKGROUND + SIGNAL * mu
        return 2 * (SIGNAL * mu - 5 * log(nu / BACKGROUND)) - 1

    assert found.value[0] == 0
    assert_array_equal(found.interval.low, [0, 0])
    assert_array_equal(found.interval.status_low, [AT_BOUND, AT_BOUND])
    assert_allclose(found.interval.high[0], brentq(rise, 0, 10), rtol=1e-6)
    assert_allclose(found.interval.high[1], poisson_ends(10, 1)[1], rtol=1e-6)
    assert_array_equal(np.ma.getmaskarray(found.error), [True, False])


def test_upper_end_at_a_bound():
    found = signal_strength(counting([14.0], Parameter("mu", bounds=(0.0, 3.0))))

    assert found.interval.high[0] == 3
    assert found.interval.status_high[0] == AT_BOUND


def test_interval_of_a_nuisance():
    """Source: without data that depend on it, a standard normal has the errors ±z."""
    samples = (
        Sample("signal", [2.0], (NormFactor("mu"),)),
        Sample("background", [9.0], (NormSys("scale", [1.1], [0.9]),)),
    )
    data = likelihood(Model((Channel("region", samples, [14.0]),), "mu"))

    found = likelihood_interval(data, fit(data), "scale", z=2.0)

    assert_allclose([found.low[0], found.high[0]], [-2, 2], atol=1e-4)


def test_curvature_of_one_bin():
    """Source: ∂²/∂μ² of ν - n ln ν is n (s/ν)²."""
    data = counting(np.array([[3.0], [400.0]]))
    mu = np.array([[1.5], [2.5]])

    found = hessian(data, mu)

    nu = BACKGROUND + SIGNAL * mu
    exact = np.array([[3.0], [400.0]]) * (SIGNAL / nu) ** 2
    assert_allclose(found[:, :, 0], exact, rtol=1e-6)


def test_curvature_at_a_bound_looks_inwards():
    """Source: the same formula at μ = 0, where the difference has one side only."""
    found = hessian(counting([3.0]), np.zeros((1, 1)))

    assert_allclose(found, [[[3 * (SIGNAL / BACKGROUND) ** 2]]], rtol=1e-6)


def test_degenerate_parameters_have_no_covariance():
    """Two free factors of one sample: only their product matters."""
    factors = (NormFactor("mu"), NormFactor("same"))
    channel = Channel("region", (Sample("signal", [9.0], factors),), [9.0])
    data = likelihood(Model((channel,), "mu"))

    found = covariance(data, fit(data))

    assert found.status[0] == INDEFINITE
    assert np.ma.getmaskarray(found.errors).all()


def test_covariance_of_two_parameters():
    """Source: c = control, n = search: var(k) = 1/c, μ̂ = n/s - k b/s, by hand."""
    signal = Sample("signal", [10.0], (NormFactor("mu"),))
    k = NormFactor("k")
    search = Channel("search", (signal, Sample("b", [100.0], (k,))), [120.0])
    control = Channel("control", (Sample("b", [400.0], (k,)),), [400.0])
    data = likelihood(Model((search, control), "mu"))

    found = covariance(data, fit(data))

    var_k = 400 / 400**2
    exact = [[(120 + 100**2 * var_k) / 100, -10 * var_k], [-10 * var_k, var_k]]
    assert_allclose(found.matrix[0], exact, rtol=1e-5)  # fits end within 1e-5 σ
    correlation = exact[0][1] / sqrt(exact[0][0] * exact[1][1])
    assert_allclose(found.correlation[0, 0, 1], correlation, rtol=1e-5)


def test_bad_arguments_are_named():
    data = counting([14.0])

    with pytest.raises(OutOfDomain, match="z must be a number > 0, got -1"):
        signal_strength(data, z=-1.0)
    with pytest.raises(UnknownName, match="mu"):
        likelihood_interval(data, fit(data), "nu")
