"""Adaptive sampling on integrands of closed form, and whether its errors are honest."""

from __future__ import annotations

from math import erf, exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darksector.phasespace.integrate import (
    BINS,
    Point,
    Sampler,
    Sums,
    estimate,
    flat,
    joined,
    maxima,
    refined,
)

N = 20_000


def drawn(sampler, function, n, seed):
    """Return points of a one-channel sampler for a function of its variables."""
    u = np.random.default_rng(seed).random((n, sampler.edges.shape[1]))
    index = np.minimum((u * BINS).astype(int), BINS - 1)
    column = np.arange(u.shape[1])
    low = sampler.edges[0, column, index]
    width = sampler.edges[0, column, index + 1] - low
    x = low + (u * BINS - index) * width
    weight = function(x) * np.prod(width * BINS, axis=1)
    return Point(np.zeros(n, dtype=np.uint8), u, weight, np.array([n]))


def integrated(function, dimension, iterations=5, seed=1):
    sampler = flat(1, dimension)
    for i in range(iterations):
        sampler = refined(sampler, drawn(sampler, function, N, (seed, i)))
    batches = [drawn(sampler, function, N, (seed, 100 + i)).weight for i in range(5)]
    return sampler, estimate([Sums.of(w, N) for w in batches])


def gaussian(x, *, centre=0.3, width=0.02):
    return np.exp(-(((x - centre) / width) ** 2).sum(axis=1) / 2)


def gaussian_integral(centre=0.3, width=0.02):
    reach = [(1 - centre) / width / sqrt(2), centre / width / sqrt(2)]
    return sum(map(erf, reach)) / 2 * width * sqrt(2 * pi)


def test_adaptation_finds_a_peak():
    """Without it (one iteration of none) the error is more than five times as large."""
    _, adapted = integrated(gaussian, 2)
    _, plain = integrated(gaussian, 2, iterations=0)

    truth = gaussian_integral() ** 2
    assert abs(adapted.value - truth) < 3 * adapted.error
    assert adapted.error < plain.error / 5
    assert adapted.effective > N


def test_a_peak_that_adaptation_has_not_seen_is_found_later():
    """Grids trained on one peak still send a tenth of the points over everything."""
    sampler, _ = integrated(lambda x: gaussian(x, centre=0.2), 1)

    def both(x):
        return gaussian(x, centre=0.2) + gaussian(x, centre=0.8)

    found = estimate([Sums.of(drawn(sampler, both, N, 7).weight, N)])

    truth = gaussian_integral(0.2) + gaussian_integral(0.8)
    assert abs(found.value - truth) < 4 * found.error
    assert found.error < 0.05 * truth


def test_no_slice_gets_less_than_a_tenth_of_its_share():
    sampler, _ = integrated(gaussian, 1)

    widest = np.diff(sampler.edges[0, 0]).max()

    assert widest < 1 / BINS / 0.1


def test_pulls_of_the_error():
    """300 estimates of ∫ -ln x dx = 1: pulls of mean 0 ± 0.15 and width 1 ± 0.15."""
    sampler, _ = integrated(lambda x: -np.log(x[:, 0]), 1)
    pulls = []
    for seed in range(300):
        weight = drawn(sampler, lambda x: -np.log(x[:, 0]), 1000, (3, seed)).weight
        found = estimate([Sums.of(weight, 1000)])
        pulls.append((found.value - 1) / found.error)

    assert abs(np.mean(pulls)) < 0.15
    assert abs(np.std(pulls) - 1) < 0.15


@pytest.mark.parametrize("rare", [20, 200])
def test_error_of_the_error_sees_that_few_weights_decide(rare):
    """With r equal large weights among zeros the error is known to 1/(2√r)."""
    weight = np.zeros(N)
    weight[:rare] = 1000.0

    found = estimate([Sums.of(weight, N)])

    assert found.error_of_error == pytest.approx(1 / (2 * sqrt(rare)), rel=0.02)
    assert estimate([Sums.of(np.linspace(1, 2, N), N)]).error_of_error < 0.01


def test_chi2_sees_batches_that_disagree():
    rng = np.random.default_rng(1)
    alike = [Sums.of(rng.exponential(size=N), N) for _ in range(10)]
    apart = [Sums.of(rng.exponential(scale=1 + 0.1 * i, size=N), N) for i in range(10)]

    assert estimate(alike).chi2 < 2.5
    assert estimate(apart).chi2 > 100


def test_shares_follow_the_spread_of_each_channel():
    rng = np.random.default_rng(1)
    channel = rng.integers(0, 2, N).astype(np.uint8)
    weight = np.where(channel == 0, 1.0, 10.0) * rng.random(N)

    sampler = refined(
        flat(2, 1), Point(channel, rng.random((N, 1)), weight, np.bincount(channel))
    )

    assert sampler.shares[1] / sampler.shares[0] == pytest.approx(10, rel=0.05)
    assert sampler.shares.sum() == pytest.approx(1)


def test_channels_without_weight_are_not_given_up():
    rng = np.random.default_rng(1)
    channel = rng.integers(0, 2, N).astype(np.uint8)
    weight = np.where(channel == 0, 1.0, 0.0)

    sampler = refined(
        flat(2, 1), Point(channel, rng.random((N, 1)), weight, np.bincount(channel))
    )

    assert 0.01 < sampler.shares[1] < 0.1


def test_maximum_leaves_a_little_of_the_integral_above_it():
    """Exponential weights: the excess above M is e^-M, asked to be 1e-5 of 1."""
    weight = np.random.default_rng(1).exponential(size=1_000_000)
    one = np.zeros(len(weight), np.uint8)
    points = Point(one, one[:, None].astype(float), weight, np.array([len(weight)]))

    highest = maxima(flat(1, 1), points)[0]

    assert exp(-highest) == pytest.approx(1e-5, rel=0.5)


def test_joined_batches_are_one_batch():
    sampler = flat(1, 1)
    parts = [drawn(sampler, gaussian, 1000, seed) for seed in (1, 2)]

    both = joined(parts)

    assert both.trials.tolist() == [2000]
    assert np.array_equal(both.weight[1000:], parts[1].weight)
    assert both.u.shape == (2000, 1)


@given(u=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50))
def test_channel_of_a_number_is_where_the_shares_say(u):
    sampler = Sampler(np.array([0.2, 0.5, 0.3]), np.zeros((3, 1, BINS + 1)))

    chosen = sampler.choose(np.array(u))

    expected = [0 if x < 0.2 else 1 if x < 0.7 else 2 for x in u]
    assert chosen.tolist() == expected


def test_nothing_is_an_integral_of_zero():
    found = estimate([Sums.of(np.zeros(0), N)])

    assert (found.value, found.error, found.effective) == (0.0, 0.0, 0.0)
