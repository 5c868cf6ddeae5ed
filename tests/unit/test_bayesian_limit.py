"""Bayesian upper limits of single counts, and what they do with hopeless windows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from darksector.errors import DarksectorError, InvalidCard, OutOfDomain
from darksector.statistics.likelihood import CountingModel, predictive_quantiles
from darksector.statistics.limits import bayesian_upper_limit, expected_band, status
from darksector.statistics.systematics import Systematic

# Belle II 2020 (arXiv:1912.11276): sizes on signal and background
BELLE2 = (
    Systematic("trigger", 0.05, 0.05, "talk"),
    Systematic("tracking", 0.04, 0.04, "talk"),
    Systematic("selection", 0.0, 0.22, "talk"),
    Systematic("yield", 0.125, 0.02, "talk"),
)


def counting(background, *, signal=1.0, error=0.0, systematics=()):
    b = np.array(background, dtype=float)
    return CountingModel(
        np.broadcast_to(signal, b.shape).astype(float),
        b,
        np.full(b.shape, error),
        systematics,
    )


@pytest.mark.parametrize(
    ("n", "b", "expected"),
    [
        (0, 0, 2.30259),
        (0, 7, 2.30259),
        (3, 3, 4.36239),
        (10, 10, 6.63019),
        (100, 100, 17.79825),
    ],
)
def test_no_systematics(n, b, expected):
    """physics/zprime.md V37: closed form 1 - Q(n+1, b+U)/Q(n+1, b) = 0.9."""
    limit = bayesian_upper_limit(counting([b]), np.array([n]), confidence_level=0.9)

    assert limit[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("b", [0.5, 20.0, 3e3, 1e5, 1e6])
@pytest.mark.parametrize("error", [0.0, 0.003, 0.1])
@pytest.mark.parametrize("systematics", [(), BELLE2], ids=["none", "belle2"])
@pytest.mark.parametrize("pull", [-2, 0, 2, 4])
def test_twice_the_integration_points_change_nothing(b, error, systematics, pull):
    model = counting([b], error=error, systematics=systematics)
    spread = np.sqrt(b + (b * model.spreads().background[0]) ** 2)
    n = np.array([max(0, round(b + pull * spread))])

    coarse, fine = (
        bayesian_upper_limit(model, n, confidence_level=0.9, refine=k) for k in (1, 2)
    )

    assert_allclose(coarse, fine, rtol=1e-5)


def test_signal_systematic_alone_is_a_smeared_zero_count():
    """n = 0: the limit solves E[exp(-u) exp(-U exp(u))] = 0.1 E[exp(-u)]."""
    size = 0.3
    model = counting([5.0], systematics=(Systematic("yield", size, 0.0, "test"),))
    limit = bayesian_upper_limit(model, np.array([0]), confidence_level=0.9)[0]

    u = np.log1p(size) * np.linspace(-10, 10, 2001)
    weight = stats.norm.pdf(u / np.log1p(size)) * np.exp(-u)
    tail = np.sum(weight * np.exp(-limit * np.exp(u))) / np.sum(weight)
    assert tail == pytest.approx(0.1, abs=1e-8)


def test_a_negligible_share_on_the_background_changes_nothing():
    """The signal then moves 400,000 times faster than the background."""
    limits = [
        bayesian_upper_limit(
            counting([3.0], systematics=(Systematic("yield", 0.5, size, "test"),)),
            np.array([40]),
            confidence_level=0.9,
        )[0]
        for size in (0.0, 1e-6)
    ]

    assert limits[1] == pytest.approx(limits[0], rel=1e-5)


def test_a_window_without_signal_is_masked_and_the_others_survive():
    model = counting([5.0, 5.0], signal=[0.0, 1.0])

    limit = bayesian_upper_limit(model, np.array([5, 5]), confidence_level=0.9)
    band = expected_band(model, confidence_level=0.9)

    assert_array_equal(np.ma.getmaskarray(limit), [True, False])
    assert np.all(np.ma.getmaskarray(band)[0])
    assert np.all(band[1] > 0)
    assert status(model, limit) == status(model, band) == ("no signal expected", "ok")


def test_quantiles_without_systematics_are_poisson():
    """scipy.stats.poisson.ppf is the reference."""
    b = np.array([0.0, 0.3, 2.0, 50.0, 1e4, 1e6])
    levels = stats.norm.cdf([-2, -1, 0, 1, 2])

    counts = predictive_quantiles(counting(b), levels)

    # ppf says -1 where the mean is 0 only for level 0; it is 0 here
    assert_array_equal(counts, stats.poisson.ppf(levels, b[:, None]))


@pytest.mark.parametrize("b", [0.5, 20.0, 1e3])
def test_quantiles_with_systematics_follow_the_prior_predictive(b):
    """Direct sum over 20,001 values of the background."""
    levels = stats.norm.cdf([-2, -1, 0, 1, 2])
    size = 0.25
    counts = predictive_quantiles(counting([b], error=size), levels)[0]

    z = np.linspace(-8, 8, 20_001)
    mean = b * (1 + size) ** z
    prior = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    for n, level in zip(counts, levels, strict=True):
        assert np.sum(prior * stats.poisson.cdf(n, mean)) >= level - 1e-6
        assert np.sum(prior * stats.poisson.cdf(n - 1, mean)) < level + 1e-6


def test_band_is_the_limit_at_the_quantiles():
    model = counting([12.0], error=0.1, systematics=BELLE2)
    counts = predictive_quantiles(model, stats.norm.cdf([-2.0, -1, 0, 1, 2]))[0]

    band = expected_band(model, confidence_level=0.95)[0]

    one_by_one = [
        bayesian_upper_limit(model, np.array([n]), confidence_level=0.95)[0]
        for n in counts
    ]
    assert_allclose(band, one_by_one, rtol=1e-12)


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0, float("nan")])
def test_the_level_is_a_probability(level):
    with pytest.raises(OutOfDomain, match="between 0 and 1"):
        bayesian_upper_limit(counting([1.0]), np.array([1]), confidence_level=level)


@pytest.mark.parametrize("observed", [[-1], [1, 2]])
def test_counts_match_the_windows(observed):
    with pytest.raises(OutOfDomain, match="one per window"):
        bayesian_upper_limit(counting([1.0]), np.array(observed), confidence_level=0.9)


@pytest.mark.parametrize("bad", [[-1.0], [np.nan], [np.inf], [1.0, 1.0], [[1.0]]])
def test_the_model_refuses_impossible_yields(bad):
    one = np.array([1.0])
    with pytest.raises(DarksectorError, match="background"):
        CountingModel(one, np.array(bad), one, systematics=())


def test_one_name_is_one_nuisance():
    twice = (Systematic("pid", 0.1, 0.0, "test"), Systematic("pid", 0.0, 0.1, "test"))
    with pytest.raises(InvalidCard, match="'pid' appears twice"):
        counting([1.0], systematics=twice)
