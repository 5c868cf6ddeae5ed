"""Slow twins of the toys: exact constructions, and loops with general minimisers."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import binom, norm, poisson

from darksector.execution import stream
from darksector.statistics.histfactory import likelihood
from darksector.statistics.limits import SIGMAS
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import LogNormal, NormFactor, NormSys, Parameter
from darksector.statistics.toy_intervals import unified_intervals
from darksector.statistics.toy_limits import toy_upper_limits
from darksector.statistics.toys import toy_cls

MAX_PULL = 4  # MC errors


def counting(background, observed):
    samples = (
        Sample("signal", [1.0], (NormFactor("mu"),)),
        Sample("background", np.reshape(background, (-1, 1))),
    )
    counts = np.reshape(observed, (-1, 1)).astype(float)
    return likelihood(Model((Channel("region", samples, counts),), poi="mu"))


def exact_cls_limit(n, b, level):
    return brentq(
        lambda mu: poisson.cdf(n, mu + b) / poisson.cdf(n, b) - (1 - level), 0, 100
    )


def exact_unified(n, b, level):
    """Feldman and Cousins, Phys. Rev. D 57 (1998) 3873 sec. IV, in steps of 0.005."""
    counts = np.arange(100)
    best = np.maximum(counts - b, 0)
    accepted = []
    for mu in np.arange(0, 20, 0.005):
        chance = poisson.pmf(counts, mu + b)
        order = np.argsort(-chance / poisson.pmf(counts, best + b), kind="stable")
        last = int(np.searchsorted(np.cumsum(chance[order]), level))
        if n in order[: last + 1]:
            accepted.append(mu)
    return accepted[0], accepted[-1]


def test_limits_of_counts_are_those_of_poisson_sums():
    background, observed = np.array([3.0, 0.5, 12.0]), np.array([3, 2, 9])

    found = toy_upper_limits(
        counting(background, observed),
        confidence_level=0.95,
        toys=4000,
        seed=2,
    )

    exact = np.array(
        [exact_cls_limit(n, b, 0.95) for n, b in zip(observed, background, strict=True)]
    )
    assert np.abs((found.observed - exact) / found.observed_error).max() < MAX_PULL


@pytest.mark.parametrize("b", [3.0, 12.0])
def test_expected_limits_of_counts_are_limits_of_quantiles_of_the_count(b):
    """A quantile of toys may be the next count where the exact one is close to a step."""
    found = toy_upper_limits(
        counting([b], [b]), confidence_level=0.9, toys=4000, seed=2
    )

    for k, share in enumerate(norm.cdf(SIGMAS)):
        width = MAX_PULL * sqrt(share * (1 - share) / 4000)
        counts = poisson.ppf([share - width, share + width], b)
        low, high = (exact_cls_limit(n, b, 0.9) for n in counts)
        error = MAX_PULL * found.expected_error[0, k]
        assert low - error < found.expected[0, k] < high + error


@pytest.mark.parametrize(
    ("n", "b"), [(0, 3.0), (3, 3.0), (5, 1.0), (10, 3.0), (1, 0.5)]
)
def test_unified_intervals_of_counts_are_the_exact_construction(n, b):
    found = unified_intervals(
        counting([b], [n]), confidence_level=0.9, toys=4000, seed=1
    )

    low, high = exact_unified(n, b, 0.9)
    for value, error, exact in (
        (found.lower[0], found.lower_error[0], low),
        (found.upper[0], found.upper_error[0], high),
    ):
        assert abs(value - exact) < MAX_PULL * error + 0.005


@pytest.mark.parametrize(
    ("n", "b", "low", "high"),
    [
        pytest.param(3, 3.0, 0.0, 4.42, id="n=3 b=3"),
        pytest.param(5, 1.0, 1.25, 8.99, id="n=5 b=1"),
        pytest.param(10, 3.0, 2.63, 13.50, id="n=10 b=3"),
    ],
)
def test_unified_intervals_of_the_paper(n, b, low, high):
    """Phys. Rev. D 57 (1998) 3873, tables IV and V, 90 %; two decimals are printed."""
    found = unified_intervals(
        counting([b], [n]), confidence_level=0.9, toys=4000, seed=4
    )

    assert abs(found.lower[0] - low) < MAX_PULL * found.lower_error[0] + 0.01
    assert abs(found.upper[0] - high) < MAX_PULL * found.upper_error[0] + 0.01


SIGNAL, BACKGROUND, OBSERVED = np.array([4.0, 2.0]), np.array([6.0, 9.0]), [8, 9]
WIDTH = np.log(1.25)
TESTED = 1.5


def twice_nll(mu, scale, counts, centre):
    """Poisson counts and a log-normal constraint, in the order of the formula."""
    nu = mu * SIGNAL + scale * BACKGROUND
    pull = np.log(scale / centre) / WIDTH
    return -2 * poisson.logpmf(counts, nu).sum() + pull**2


def profiled(mu, counts, centre):
    def along(x):
        return twice_nll(mu, np.exp(x[0]), counts, centre)

    found = minimize(along, [0.0], method="BFGS", options={"gtol": 1e-8})
    return found.fun, np.exp(found.x[0])


def qtilde_slow(mu, counts, centre):
    def free(x):
        return twice_nll(x[0], np.exp(x[1]), counts, centre)

    best = minimize(
        free, [1.0, 0.0], method="L-BFGS-B", bounds=[(0, None), (-3, 3)],
        options={"ftol": 1e-14, "gtol": 1e-9},
    )  # fmt: skip
    return 0.0 if best.x[0] > mu else max(profiled(mu, counts, centre)[0] - best.fun, 0)


def test_cls_of_loops_with_general_minimisers():
    """Two bins and one nuisance; other random numbers, so both have binomial errors."""
    samples = (
        Sample("signal", SIGNAL, (NormFactor("mu"),)),
        Sample("background", BACKGROUND, (NormFactor("scale"),)),
    )
    scale = Parameter("scale", bounds=(0.05, 20.0), constraint=LogNormal(1.0, 1.25))
    model = Model(
        (Channel("region", samples, OBSERVED),), poi="mu", parameters=(scale,)
    )
    random, toys = stream(7, "slow twin"), 400
    observed = qtilde_slow(TESTED, OBSERVED, 1.0)

    tails = {}
    for name, mu in (("clsb", TESTED), ("clb", 0.0)):
        truth = profiled(mu, OBSERVED, 1.0)[1]
        beyond = 0
        for _ in range(toys):
            counts = random.poisson(mu * SIGNAL + truth * BACKGROUND)
            centre = truth * np.exp(WIDTH * random.standard_normal())
            beyond += qtilde_slow(TESTED, counts, centre) >= observed - 1e-5
        tails[name] = beyond

    found = toy_cls(likelihood(model), np.array([TESTED]), toys=10_000, seed=3)
    level = erfc(MAX_PULL / sqrt(2)) / 2
    for name, beyond in tails.items():
        value, error = (getattr(found, name + end)[0] for end in ("", "_error"))
        least = binom.ppf(level, toys, value - 2 * error)
        most = binom.isf(level, toys, value + 2 * error)
        assert least <= beyond <= most


MANY, SCALE = 1e4, 0.01  # events of background and its relative uncertainty
GAUSSIAN_WIDTH = np.sqrt(MANY + (SCALE * MANY) ** 2)
SKEWNESS = 0.01  # 1/sqrt(MANY): relative size of what a Gaussian leaves out


def many_events(excess):
    """One bin of a Gaussian number of events; the nuisance is half of its variance."""
    width = np.array(1 + SCALE), np.array(1 - SCALE)
    samples = (
        Sample("signal", [1.0], (NormFactor("mu"),)),
        Sample("background", [MANY], (NormSys("norm", *width),)),
    )
    counts = [np.round(MANY + excess * GAUSSIAN_WIDTH)]
    return likelihood(Model((Channel("region", samples, counts),), poi="mu"))


def test_expected_limits_of_many_events_are_gaussian():
    r"""arXiv:1007.1727 eq. 89 with known σ: (Φ⁻¹(1 - α Φ(N)) + N) σ."""
    found = toy_upper_limits(many_events(0), confidence_level=0.95, toys=2000, seed=1)

    sigmas = np.array(SIGMAS)
    exact = (norm.isf(0.05 * norm.cdf(sigmas)) + sigmas) * GAUSSIAN_WIDTH
    difference = np.abs(found.expected[0] - exact)
    assert (difference < MAX_PULL * found.expected_error[0] + SKEWNESS * exact).all()
    exact = norm.isf(0.025) * GAUSSIAN_WIDTH
    difference = abs(found.observed[0] - exact)
    assert difference < MAX_PULL * found.observed_error[0] + SKEWNESS * exact


def test_unified_interval_of_many_events_is_central():
    """Far from the boundary: the best value and 1.645 standard deviations (90 %)."""
    found = unified_intervals(many_events(5), confidence_level=0.9, toys=2000, seed=1)

    for value, error, side in (
        (found.lower[0], found.lower_error[0], -1),
        (found.upper[0], found.upper_error[0], 1),
    ):
        exact = (5 + side * norm.isf(0.05)) * GAUSSIAN_WIDTH
        # the width grows with the signal as the root of the number of events
        skew = SKEWNESS * 5 * GAUSSIAN_WIDTH
        assert abs(value - exact) < MAX_PULL * error + skew
