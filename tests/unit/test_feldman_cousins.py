"""Unified intervals: the tables of the paper, coverage, and what must not jump."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.special import xlogy

from darksector.errors import OutOfDomain
from darksector.statistics.feldman_cousins import (
    feldman_cousins_band,
    feldman_cousins_interval,
)
from darksector.statistics.feldman_cousins_smeared import feldman_cousins
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.systematics import Systematic

# arXiv:physics/9711021 table IV: 90 % C.L., n = 0 ... 10
TABLE = {
    0.0: (
        [0.00, 0.11, 0.53, 1.10, 1.47, 1.84, 2.21, 3.56, 3.96, 4.36, 5.50],
        [2.44, 4.36, 5.91, 7.42, 8.60, 9.99, 11.47, 12.53, 13.99, 15.30, 16.50],
    ),
    1.0: (
        [0.00, 0.00, 0.00, 0.10, 0.74, 1.25, 1.61, 2.56, 2.96, 3.36, 4.50],
        [1.61, 3.36, 4.91, 6.42, 7.60, 8.99, 10.47, 11.53, 12.99, 14.30, 15.50],
    ),
    3.0: (
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.15, 0.89, 1.51, 1.88, 2.63],
        [1.08, 1.88, 3.04, 4.42, 5.60, 6.99, 8.47, 9.53, 10.99, 12.30, 13.50],
    ),
}
backgrounds = st.one_of(st.just(0.0), st.floats(1e-6, 100))
levels = st.sampled_from([0.5, 0.68, 0.9, 0.95, 0.9973])


def interval(n, b, *, level=0.9):
    n, b = np.broadcast_arrays(np.array(n), np.array(b, dtype=float))
    return feldman_cousins_interval(
        np.atleast_1d(n).copy(), np.atleast_1d(b).copy(), confidence_level=level
    )


def counting(b, *, error=0.0, signal=1.0, systematics=()):
    b = np.atleast_1d(np.array(b, dtype=float))
    return CountingModel(
        np.full(b.shape, signal), b, np.full(b.shape, error), systematics
    )


def is_accepted(n, mean, b, level):
    """Say whether `n` joins the region before it holds `level`; ties join together."""
    reach = 12 * np.sqrt(mean) + 50
    counts = np.union1d(np.arange(max(int(mean - reach), 0), int(mean + reach)), [n])
    best = np.maximum(counts, b)
    log_r = xlogy(counts, mean) - mean - xlogy(counts, best) + best
    preferred = counts[log_r > log_r[counts == n][0]]
    return stats.poisson.pmf(preferred, mean).sum() < level


@pytest.mark.parametrize("b", TABLE)
def test_table_of_the_paper(b):
    found = interval(np.arange(11), b)

    assert_allclose(found.lower, TABLE[b][0], atol=0.01)
    assert_allclose(found.upper, TABLE[b][1], atol=0.01)


@pytest.mark.parametrize(
    ("x", "expected", "rounding"),
    [
        pytest.param(0.0, stats.norm.ppf(0.95), 0.0, id="symmetric region, exact"),
        pytest.param(-3.0, 0.26, 0.005, id="arXiv:physics/9711021 table X"),
    ],
)
def test_many_events_are_the_bounded_gaussian(x, expected, rounding):
    """Both ends of the region are whole counts: two events of a thousand may differ."""
    b = 1e6
    limit = interval(round(b + x * b**0.5), b).upper[0] / b**0.5

    assert limit == pytest.approx(expected, abs=rounding + 0.002)


@pytest.mark.parametrize(
    ("n", "b"),
    [(3, 1.0), (60, 40.0), (400, 0.0), (1100, 1e3), (3000, 2.0), (10300, 1e4)],
)
@pytest.mark.parametrize("level", [0.68, 0.9, 0.9973])
def test_ends_are_exact(n, b, level):
    found = interval(n, b, level=level)
    low, high = found.lower[0] + b, found.upper[0] + b

    assert is_accepted(n, high - 1e-6, b, level)
    assert not is_accepted(n, high + 1e-6, b, level)
    if low > b:
        assert is_accepted(n, low + 1e-6, b, level)
        assert not is_accepted(n, low - 1e-6, b, level)


@settings(max_examples=30, deadline=None)
@given(mu=st.floats(0, 60), b=backgrounds, level=levels)
def test_coverage(mu, b, level):
    """Exact sum over all counts; 1e-9 is the rounding of an end that mu sits on."""
    counts = np.arange(int(mu + b + 12 * np.sqrt(mu + b) + 20))
    found = interval(counts, b, level=level)
    covers = (found.lower <= mu + 1e-9) & (mu - 1e-9 <= found.upper)

    assert stats.poisson.pmf(counts[covers], mu + b).sum() >= level - 1e-9


@settings(max_examples=30, deadline=None)
@given(b=backgrounds, level=levels, start=st.integers(0, 400))
def test_ends_rise_with_the_count(b, level, start):
    found = interval(np.append(start + np.arange(20), [600, 900]), b, level=level)

    assert np.all((found.lower >= 0) & (found.lower <= found.upper))
    assert np.all(np.diff(found.lower) >= -1e-9)
    assert np.all(np.diff(found.upper) >= -1e-9)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(0, 60), start=st.floats(0, 100), level=levels)
def test_upper_ends_never_rise_with_the_background(n, start, level):
    b = start + np.arange(0, 2, 0.02)

    assert np.all(np.diff(interval(n, b, level=level).upper) <= 1e-9)


def test_nothing_seen_of_a_thousand_expected():
    r"""For many events e^{-mu} = e^{-z^2/2} where Phi(z) = 0.9; steps add 1/sqrt(b)."""
    limit = interval(0, 1e3).upper[0]

    assert limit == pytest.approx(stats.norm.ppf(0.9) ** 2 / 2, abs=1000**-0.5)


def test_band_holds_the_limits_of_the_quantiles():
    """Poisson of mean 3: at least 2.3, 15.9, 50, 84.1, 97.7 % lie up to 0, 1, 3, 5, 7."""
    band = feldman_cousins_band(np.array([0.0, 3.0]), confidence_level=0.9)

    assert_array_equal(band[1], interval([0, 1, 3, 5, 7], 3.0).upper)
    assert_allclose(band[0], 2.44, atol=0.01)  # table IV


def test_windows_without_spread_are_plain():
    n, b = np.array([0, 3, 9]), np.array([4.0, 1.0, 2.0])
    found = feldman_cousins(counting(b, signal=0.5), n, confidence_level=0.9)

    assert_array_equal(found.lower, 2 * interval(n, b).lower)
    assert_array_equal(found.upper, 2 * interval(n, b).upper)


@pytest.mark.parametrize(("n", "b"), [(0, 0.0), (4, 3.0), (130, 100.0)])
def test_small_spreads_change_little(n, b):
    """A spread of 1e-6 moves the yields by 1e-6; ends by 1e-4 at most."""
    small = counting(b, error=1e-6, systematics=(Systematic("x", 1e-6, 0.0, "test"),))

    found = feldman_cousins(small, np.array([n]), confidence_level=0.9)

    assert_allclose(found.lower, interval(n, b).lower, atol=1e-4)
    assert_allclose(found.upper, interval(n, b).upper, atol=1e-4)


def test_averaged_coverage():
    """Sum over counts of the averaged probability, by Gauss-Hermite quadrature."""
    b, error, sigma = 4.0, 0.2, 3.3
    counts = np.arange(30)
    pull, weight = np.polynomial.hermite_e.hermegauss(40)
    mean = sigma + b * (1 + error) ** pull
    q = stats.poisson.pmf(counts[:, None], mean) @ (weight / weight.sum())

    found = feldman_cousins(
        counting(np.full(30, b), error=error), counts, confidence_level=0.9
    )

    covers = (found.lower <= sigma) & (sigma <= found.upper)
    assert 0.9 <= q[covers].sum() < 0.97


def test_no_signal_has_no_interval():
    found = feldman_cousins(
        counting([1.0], signal=0.0), np.array([2]), confidence_level=0.9
    )

    assert np.ma.getmaskarray(found.upper).all()
    assert np.ma.getmaskarray(found.lower).all()


@pytest.mark.parametrize(
    ("n", "b", "level", "message"),
    [
        ([-1], [1.0], 0.9, "observed holds -1"),
        ([1], [-2.0], 0.9, "background of window 0 is -2.0"),
        ([1], [np.nan], 0.9, "background of window 0 is nan"),
        ([1], [1.0], 90.0, "confidence_level must lie between 0 and 1, got 90.0"),
    ],
)
def test_errors(n, b, level, message):
    with pytest.raises(OutOfDomain, match=message):
        feldman_cousins_interval(np.array(n), np.array(b), confidence_level=level)
