"""Toy experiments: exact sums where counts are few, determinism, errors for bad input."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.stats import poisson

from darksector.errors import OutOfDomain
from darksector.statistics.experiments import Experiments, Hypothesis, qtilde_mu, throw
from darksector.statistics.fit import OK
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    Gaussian,
    NormFactor,
    NormSys,
    Parameter,
    StatError,
)
from darksector.statistics.toy_intervals import unified_intervals
from darksector.statistics.toy_limits import NOT_REACHED, toy_upper_limits
from darksector.statistics.toy_tests import (
    binomial_interval,
    goodness_of_fit,
    toy_discovery,
)
from darksector.statistics.toys import toy_cls

SIGMAS = 4  # of an MC error: 6e-5 two-sided, for tens of comparisons with fixed seeds


def counting(background, observed, *, signal=1.0):
    """One bin, no nuisance, a point per entry."""
    samples = (
        Sample("signal", [signal], (NormFactor("mu"),)),
        Sample("background", np.reshape(background, (-1, 1))),
    )
    counts = np.reshape(observed, (-1, 1)).astype(float)
    return likelihood(Model((Channel("region", samples, counts),), poi="mu"))


def norm_sys(name, up, down):
    return NormSys(name, np.array(up), np.array(down))


def shape(observed=None):
    """A peak on a slope with three nuisances."""
    background = np.array([20.0, 17.0, 14.0, 12.0, 10.0, 8.0])
    samples = (
        Sample(
            "signal", [0, 1, 5, 5, 1, 0], (NormFactor("mu"), norm_sys("eff", 1.1, 0.9))
        ),
        Sample("background", background, (norm_sys("norm", 1.2, 0.85),)),
        Sample("other", np.full(6, 3.0), (StatError("mc", np.full(6, 0.4)),)),
    )
    counts = background + 3 if observed is None else observed
    return likelihood(Model((Channel("region", samples, counts),), poi="mu"))


CALLS = [
    pytest.param(lambda x, **k: toy_cls(x, np.array([2.0]), **k), id="cls"),
    pytest.param(partial(toy_upper_limits, confidence_level=0.9), id="limits"),
    pytest.param(partial(toy_discovery, confidence_level=0.9), id="discovery"),
    pytest.param(partial(goodness_of_fit, confidence_level=0.9), id="goodness"),
    pytest.param(partial(unified_intervals, confidence_level=0.9), id="intervals"),
]


def fields(result):
    return [np.ma.getdata(getattr(result, name)) for name in result.__dict__]


def test_cls_is_the_ratio_of_poisson_sums():
    """CLs = P(n <= n_obs | s + b) / P(n <= n_obs | b): q̃ orders counts (exact sums)."""
    background, observed = np.array([3.0, 3.0, 10.0]), np.array([3, 1, 7])
    mu = np.array([4.0, 2.0, 6.0])

    found = toy_cls(counting(background, observed), mu, toys=5000, seed=1)

    clsb, clb = (poisson.cdf(observed, m) for m in (mu + background, background))
    assert (found.status == OK).all()
    for name, exact in (("clsb", clsb), ("clb", clb), ("cls", clsb / clb)):
        pull = (getattr(found, name) - exact) / getattr(found, f"{name}_error")
        assert np.abs(pull).max() < SIGMAS


def test_a_signal_below_the_best_fit_is_not_disfavoured():
    """q̃_μ = 0 for μ below the fit (arXiv:1007.1727 eq. 16), so each toy is beyond."""
    found = toy_cls(counting([3.0], [9]), np.array([2.0]), toys=200, seed=1)

    assert found.cls[0] == found.clsb[0] == found.clb[0] == 1


def test_observed_limit_without_events_does_not_depend_on_the_background():
    """CLs = exp(-mu) for n = 0: the limit is ln 10 at 90 % (exact)."""
    found = toy_upper_limits(
        counting([1.0], [0]), confidence_level=0.9, toys=4000, seed=3
    )

    pull = (found.observed[0] - np.log(10)) / found.observed_error[0]
    assert abs(pull) < SIGMAS
    assert found.expected.shape == (1, 5)
    assert (np.diff(found.expected[0]) >= 0).all()


def test_discovery_p_value_is_a_poisson_sum():
    """P(n >= n_obs | b) for an excess (exact sum)."""
    background, observed = np.array([3.0, 1.0]), np.array([7, 3])

    found = toy_discovery(
        counting(background, observed), confidence_level=0.9999, toys=5000, seed=1
    )

    exact = poisson.sf(observed - 1, background)
    assert (found.interval[:, 0] < exact).all()
    assert (exact < found.interval[:, 1]).all()
    assert (found.significance > 1).all()


def test_goodness_of_fit_follows_chi2_for_many_events():
    """Wilks: the deviance of a free normalisation in six full bins has five degrees."""
    nominal = np.array([400.0, 500.0, 600.0, 500.0, 450.0, 550.0])
    counts = nominal + np.array([30.0, -35.0, 20.0, 25.0, -20.0, 10.0])
    samples = (Sample("signal", nominal, (NormFactor("mu"),)),)
    data = likelihood(Model((Channel("region", samples, counts),), poi="mu"))

    found = goodness_of_fit(data, confidence_level=0.9999, toys=5000, seed=1)

    # the formula's own error is of the order of 1/(12 nu) < 1e-3 (Baker, Cousins)
    assert found.interval[0, 0] - 2e-3 < found.asymptotic[0]
    assert found.asymptotic[0] < found.interval[0, 1] + 2e-3


def test_goodness_of_fit_notices_a_bin_that_no_parameter_explains():
    counts = np.array([23.0, 20.0, 17.0, 15.0, 13.0, 45.0])

    found = goodness_of_fit(shape(counts), confidence_level=0.9, toys=300, seed=1)

    assert found.p_value[0] < 0.02


def test_clopper_pearson_without_successes():
    """Upper end of zero in N: 1 - (alpha/2)^(1/N) (solution of (1-p)^N = alpha/2)."""
    found = binomial_interval(np.zeros(1), np.array([50.0]), level=0.9)

    assert found[0] == pytest.approx([0, 1 - 0.05 ** (1 / 50)])


@pytest.mark.parametrize("call", CALLS)
def test_the_same_seed_gives_the_same_numbers(call):
    data = counting([6.0], [8])

    one, two = (call(data, toys=1100, seed=5) for _ in range(2))

    for a, b in zip(fields(one), fields(two), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_same_seed_gives_the_same_numbers_with_nuisances():
    one, two = (toy_cls(shape(), np.array([1.0]), toys=1100, seed=5) for _ in range(2))

    assert one.cls[0] == two.cls[0]


def test_another_seed_gives_other_toys():
    one, two = (
        toy_cls(shape(), np.array([1.0]), toys=500, seed=seed).clsb for seed in (1, 2)
    )

    assert one[0] != two[0]


def test_a_row_does_not_depend_on_the_rows_after_it():
    background, observed = [3.0, 5.0], [4, 2]
    both = toy_cls(counting(background, observed), np.full(2, 3.0), toys=300, seed=1)
    first = toy_cls(counting([3.0], [4]), np.full(1, 3.0), toys=300, seed=1)

    assert both.cls[0] == first.cls[0]


def test_hypotheses_that_share_a_label_share_their_random_numbers():
    data, theta = counting([3.0], [3]), np.array([1.0])
    twice = [Hypothesis(0, theta, np.array([2.0]), "same") for _ in range(2)]

    one, two = throw(data, twice, qtilde_mu, Experiments(200, 1))

    np.testing.assert_array_equal(one, two)


def test_progress_counts_chunks():
    seen = []

    toy_cls(
        counting([3.0], [3]),
        np.array([2.0]),
        toys=1100,
        seed=1,
        progress=lambda done, total: seen.append((done, total)),
    )

    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_model_without_signal_has_no_limit_but_says_why():
    found = toy_upper_limits(
        counting([3.0, 3.0], [3, 3], signal=0.0),
        confidence_level=0.9,
        toys=100,
        seed=1,
    )

    assert found.observed.mask.all()
    assert "does not depend" in found.status[0]


def test_a_limit_beyond_the_scan_says_so():
    """At 99.9 % and one toy in 200, CLs cannot fall far enough to be resolved."""
    found = toy_upper_limits(
        counting([3.0], [3]), confidence_level=0.9999, toys=100, seed=1
    )

    assert found.status[0] == NOT_REACHED
    assert found.observed.mask[0]


def test_a_constraint_moves_the_auxiliary_data_of_toys():
    """A nuisance without effect on bins: its deviance alone is chi2 with one degree."""
    samples = (
        Sample("signal", [50.0], (NormFactor("mu"),)),
        Sample("empty", [0.0], (norm_sys("idle", 1.1, 0.9),)),
    )
    settings = (Parameter("idle", constraint=Gaussian(1.0, 1.0)),)
    data = likelihood(
        Model((Channel("region", samples, [50]),), poi="mu", parameters=settings)
    )
    theta = np.tile(data.start, (4000, 1))

    thrown = data.take(np.zeros(4000, dtype=int)).sample(
        theta, np.random.default_rng(1)
    )

    spread = thrown.centres[:, list(data.names).index("idle")].std()
    assert spread == pytest.approx(1.0, abs=4 / np.sqrt(2 * 4000))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"toys": 99}, "toys must be at least 100, got 99"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_bad_numbers_of_experiments(call, change, message):
    with pytest.raises(OutOfDomain, match=message):
        call(counting([3.0], [3]), **({"toys": 100, "seed": 1} | change))


@pytest.mark.parametrize(
    "function", [toy_upper_limits, toy_discovery, goodness_of_fit, unified_intervals]
)
@pytest.mark.parametrize("level", [0.0, 1.0, 90.0, np.nan])
def test_bad_confidence_level(function, level):
    with pytest.raises(OutOfDomain, match="confidence_level must lie between 0 and 1"):
        function(counting([3.0], [3]), confidence_level=level, toys=100, seed=1)


@pytest.mark.parametrize("mu", [-1.0, np.nan, np.inf])
def test_bad_tested_signal(mu):
    with pytest.raises(OutOfDomain, match="tested signals must be finite and >= 0"):
        toy_cls(counting([3.0], [3]), np.array([mu]), toys=100, seed=1)
