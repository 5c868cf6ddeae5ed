"""Global significances against a Gaussian field with a known number of crossings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from darksector.errors import OutOfDomain
from darksector.statistics.significance import (
    local_significance,
    log_p_value,
    significance_of,
)
from darksector.statistics.trials import (
    global_significance_from_toys,
    global_significance_from_upcrossings,
    upcrossings,
)

RANGE = 20.0  # of the scan, in correlation lengths
POINTS = 401


@pytest.fixture(scope="module")
def toys():
    """Return q0 of 8000 scans: a stationary field of correlation exp(-x²/2), squared."""
    x = np.linspace(0, RANGE, POINTS)
    values, vectors = np.linalg.eigh(np.exp(-((x[:, None] - x) ** 2) / 2))
    root = vectors * np.sqrt(np.maximum(values, 0))
    field = np.random.default_rng(20260101).standard_normal((8000, POINTS)) @ root.T
    return np.maximum(field, 0) ** 2


def rice(level):
    """S. O. Rice, Bell Syst. Tech. J. 24 (1945) 46: crossings of a stationary field."""
    return RANGE / (2 * math.pi) * math.exp(-level / 2)


@pytest.mark.parametrize("level", [0.25, 0.5, 1.0, 4.0])
def test_upcrossings_follow_rice(toys, level):
    """Four standard errors of the mean, from the scatter of the toys."""
    number = upcrossings(toys, level)

    error = number.std() / math.sqrt(len(toys))
    assert number.mean() == pytest.approx(rice(level), abs=4 * error)


@pytest.mark.parametrize("z", [2.5, 3.0, 3.5])
def test_brute_force_agrees_with_the_bound(toys, z):
    """The bound of Davies lies above by at most its square (two crossings at once)."""
    bound = stats.norm.sf(z) + rice(z**2)
    found = global_significance_from_toys(
        z**2, toys.max(axis=1), confidence_level=0.9999
    )

    low, high = np.exp(found.log_p_interval)
    assert low <= bound
    assert high >= bound - bound**2


@pytest.mark.parametrize("z", [3.0, 5.0, 8.0])
def test_few_toys_extrapolate(toys, z):
    """One hundred toys at a low level; their interval holds Rice's number."""
    exact = math.log(stats.norm.sf(z) + rice(z**2))

    found = global_significance_from_upcrossings(
        z**2, toys[:100], reference_level=0.5, confidence_level=0.9999
    )

    low, high = found.log_p_interval
    assert low < exact < high
    assert low < found.log_p_global < high
    assert high - low < 1.0
    assert found.global_significance < found.local_significance
    assert found.local_significance == pytest.approx(z, rel=1e-12)
    assert_allclose(
        found.effective_trials, math.exp(found.log_p_global) / stats.norm.sf(z)
    )


def test_upcrossings_need_a_point_below_first():
    curves = np.array(
        [[0.0, 2.0, 0.0, 3.0], [2.0, 1.5, 0.0, 0.5], [0.0, 1.0, 1.0, 1.0]]
    )

    assert_array_equal(upcrossings(curves, 1.0), [2, 0, 1])


@pytest.mark.parametrize(
    ("z", "p"),
    [
        pytest.param(0.0, 0.5, id="no excess"),
        pytest.param(5.0, 2.866515718791939e-07, id="arXiv:1007.1727 section 1"),
        pytest.param(8.0, 6.220960574271785e-16, id="erfc(8/sqrt 2)/2, any table"),
    ],
)
def test_p_values(z, p):
    assert_allclose(log_p_value(np.array([z])), math.log(p), rtol=1e-13)
    assert_allclose(significance_of(np.array([math.log(p)])), z, rtol=1e-13, atol=1e-13)


def test_significances_survive_where_p_values_underflow():
    z = np.array([-5.0, 0.5, 8.0, 37.0, 60.0])

    assert_allclose(significance_of(log_p_value(z)), z, rtol=1e-12)
    assert_allclose(local_significance(z[1:] ** 2), z[1:])


def test_no_toy_above_is_not_a_p_value_of_zero():
    """Phipson and Smyth: 1/(t + 1); Clopper and Pearson: 1 - (tail)^(1/t)."""
    found = global_significance_from_toys(
        30.0, np.linspace(0, 10, 99), confidence_level=0.9
    )

    assert_allclose(found.log_p_global, math.log(1 / 100))
    assert found.log_p_interval[0] == -math.inf
    assert_allclose(math.exp(found.log_p_interval[1]), 1 - 0.05 ** (1 / 99))
    assert found.global_interval[1] == math.inf


def test_a_bound_above_one_is_one():
    found = global_significance_from_upcrossings(
        0.1,
        np.array([[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]]),
        reference_level=0.5,
        confidence_level=0.68,
    )

    assert found.log_p_global == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((9.0, np.zeros((3, 4)), 0.5, 0.68), "none of 3 toys crosses"),
        ((9.0, np.ones((3, 4)), 0.0, 0.68), "reference_level must be > 0, got 0.0"),
        ((9.0, -np.ones((3, 4)), 0.5, 0.68), "toys holds 12 values from -1.0"),
        ((-1.0, np.ones((3, 4)), 0.5, 0.68), "q0 holds 1 values from -1.0"),
        ((9.0, np.ones((3, 4)), 0.5, 68.0), "confidence_level must lie between"),
    ],
)
def test_errors(arguments, message):
    q0, toys, reference_level, confidence_level = arguments

    with pytest.raises(OutOfDomain, match=message):
        global_significance_from_upcrossings(
            q0,
            toys,
            reference_level=reference_level,
            confidence_level=confidence_level,
        )


def test_logarithms_of_p_values_are_not_positive():
    with pytest.raises(OutOfDomain, match="log_p reaches"):
        significance_of(np.array([0.1]))
