"""Windows, backgrounds, fits, limits and toys of the bump hunt."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.special import comb, eval_chebyt, ndtr, ndtri
from scipy.stats import binomtest, chi2, kstest

from darksector.errors import OutOfDomain
from darksector.execution import stream
from darksector.statistics.backgrounds import (
    Bernstein,
    Chebyshev,
    ExpPolynomial,
    Template,
)
from darksector.statistics.bumphunt import NO_SIGNAL, TOO_FEW_BINS, BumpHunt
from darksector.statistics.bumphunt_search import search
from darksector.statistics.bumphunt_toys import (
    LookElsewhere,
    Toys,
    look_elsewhere,
    toy_q0,
)
from darksector.statistics.fit import OK
from darksector.statistics.windows import NARROW, ONE_SIDED, OUTSIDE, windows

EDGES = np.linspace(0.0, 10.0, 201)
WIDTH = 0.2


def gaussian_hunt(masses, *backgrounds, edges=EDGES, halfwidth=5.0):
    """Return a hunt for a Gaussian peak of `WIDTH`."""
    masses = np.asarray(masses, dtype=float)
    found = windows(masses, np.full(masses.size, WIDTH), edges, halfwidth=halfwidth)
    low, high = edges[found.bins], edges[found.bins + 1]
    shares = ndtr((high - masses[:, None]) / WIDTH) - ndtr(
        (low - masses[:, None]) / WIDTH
    )
    return BumpHunt(found, shares, backgrounds)


def falling(events):
    """Return expected counts of an exponential with `events` on all of the axis."""
    return events * -np.diff(np.exp(-EDGES / 5))


def one_bin_hunt(bins, place):
    """Return a hunt in `bins` bins for a signal in one of them, on a flat background."""
    edges = np.arange(bins + 1.0)
    found = windows(np.array([place + 0.5]), np.array([1.0]), edges, halfwidth=1e3)
    return BumpHunt(found, np.eye(bins)[[place]], (Chebyshev(0),))


def test_windows_follow_the_resolution():
    """Hand count: bins of 0.05 overlapping mass -+ 5 resolutions, clipped at 10."""
    found = windows(
        np.array([2.0, 5.0, 9.6]), np.array([0.1, 0.2, 0.2]), EDGES, halfwidth=5.0
    )

    assert_array_equal(found.first, [30, 80, 172])
    assert_array_equal(found.stop, [50, 120, 200])
    assert found.width == 40
    assert_array_equal(found.mask.sum(axis=1), [20, 40, 28])
    assert found.bins.max() == 199


def test_windows_that_cannot_be_used_say_why_and_leave_others_alone():
    found = windows(
        np.array([-1.0, np.nan, 0.1, 5.0, 5.0]),
        np.array([0.2, 0.2, 0.2, 0.01, 0.2]),
        EDGES,
        halfwidth=5.0,
    )

    expected = [OUTSIDE, OUTSIDE, ONE_SIDED, NARROW, OK]
    assert_array_equal(found.status, expected)
    assert_array_equal(found.usable, [4])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        pytest.param(([1.0], [0.1], [0.0, 2.0, 1.0], 5.0), "edges", id="edges"),
        pytest.param(([1.0], [0.0], [0.0, 1.0, 2.0], 5.0), "resolution", id="width"),
        pytest.param(([1.0], [0.1], [0.0, 1.0, 2.0], 1.0), "halfwidth", id="half"),
    ],
)
def test_bad_windows(arguments, word):
    masses, resolution, edges, halfwidth = arguments

    with pytest.raises(OutOfDomain, match=word):
        windows(
            np.array(masses), np.array(resolution), np.array(edges), halfwidth=halfwidth
        )


@pytest.mark.parametrize("degree", [0, 1, 4])
def test_polynomials_are_integrated_over_bins(degree):
    """Adaptive quadrature of the definitions, DLMF 18.3 and Bernstein (1912)."""
    edges = np.array([1.0, 1.5, 3.0, 3.2, 5.0])
    x = 2 * (edges - 1) / 4 - 1

    def bernstein(u, k):
        t = (u + 1) / 2
        return (degree + 1) * comb(degree, k) * t**k * (1 - t) ** (degree - k)

    for family, function in (
        (Chebyshev(degree), lambda u, k: eval_chebyt(k, u)),
        (Bernstein(degree), bernstein),
    ):
        basis = family.basis(edges, 0)[:, 0, :-1]
        for b in range(4):
            for k in range(degree + 1):
                exact = quad(function, x[b], x[b + 1], args=(k,))[0] / 2
                assert basis[b, k] == pytest.approx(exact, abs=1e-13)


def test_exponential_of_a_line_is_integrated_over_bins():
    """The integral of exp(a + b x) in closed form; three points leave 1e-7 of it."""
    edges = np.linspace(2.0, 4.0, 11)
    basis = ExpPolynomial(1).basis(edges, 0)[None]
    a, b = np.log(500.0), -1.5

    rates = ExpPolynomial(1).rates(np.zeros((1, 10)), basis)
    counts = rates.counts(np.array([[0.0, a, b]]), np.array([0]))[0]

    exact = np.diff(np.exp(a + b * (edges - 3))) / b / 2
    assert_allclose(counts, exact, rtol=1e-7)


@pytest.mark.parametrize("excess", [60.0, -60.0])
def test_one_bin_signal_on_a_flat_background(excess):
    """Closed form: the other bins give the background, the one bin the rest."""
    counts = np.full(20, 100.0) + np.tile([3.0, -3.0], 10)
    counts[7] = 100.0 + excess
    side = np.delete(counts, 7).sum()
    level, mean = side / 19, counts.sum() / 20

    result = search(one_bin_hunt(20, 7), counts, confidence_level=0.9)

    ratio = 2 * (counts[7] * np.log(counts[7] / mean) + side * np.log(level / mean))
    assert result.signal[0] == pytest.approx(counts[7] - level, abs=1e-3)
    assert result.error[0] == pytest.approx((counts[7] + level / 19) ** 0.5, rel=1e-5)
    assert result.q0[0] == pytest.approx(ratio if excess > 0 else 0, abs=1e-6)
    assert result.local_significance[0] == pytest.approx(
        np.sign(excess) * ratio**0.5, abs=1e-6
    )
    assert result.p_value[0] == pytest.approx(ndtr(-result.local_significance[0]))


def test_expected_limits_of_many_events_are_those_of_a_gaussian():
    """arXiv:1007.1727 eq. 89 with CLs; 1e6 events per bin make 1e-3 corrections."""
    counts = np.full(20, 1e6)
    sigma = (1e6 * (1 + 1 / 19)) ** 0.5
    n = np.arange(-2, 3)

    limits = search(one_bin_hunt(20, 7), counts, confidence_level=0.95).limits

    expected = sigma * (ndtri(1 - 0.05 * ndtr(n)) + n)
    assert_allclose(limits.expected[0], expected, rtol=5e-3)
    assert limits.observed[0] == pytest.approx(limits.expected[0, 2], rel=1e-6)


def test_families_that_span_the_same_curves_fit_the_same_signal():
    counts = stream(5, "families").poisson(falling(1e5)).astype(float)
    masses = [2.0, 5.0, 8.0]
    flat = tuple(np.ones(200))

    results = [
        search(gaussian_hunt(masses, family), counts, confidence_level=0.9)
        for family in (Chebyshev(2), Bernstein(2), Template(flat, 2))
    ]

    for other in results[1:]:
        assert_allclose(other.signal, results[0].signal, atol=1e-3)
        assert_allclose(other.q0, results[0].q0, atol=1e-6)
        assert_allclose(other.limits.observed, results[0].limits.observed, rtol=1e-5)


def test_a_mass_does_not_know_of_its_neighbours():
    counts = stream(6, "alone").poisson(falling(1e4)).astype(float)

    both = search(
        gaussian_hunt([0.7, 20.0, 5.0], Chebyshev(2)), counts, confidence_level=0.9
    )
    alone = search(gaussian_hunt([5.0], Chebyshev(2)), counts, confidence_level=0.9)

    assert_array_equal(both.status, [OK, OUTSIDE, OK])
    assert_array_equal(both.signal.mask, [False, True, False])
    assert both.signal[2] == pytest.approx(alone.signal[0], rel=1e-6)
    assert both.limits.observed[2] == pytest.approx(alone.limits.observed[0], rel=1e-6)


def test_degrees_may_differ_between_masses():
    counts = stream(7, "degrees").poisson(falling(1e5)).astype(float)
    masses = [3.0, 6.0]

    mixed = search(
        gaussian_hunt(masses, Bernstein(1), Bernstein(3)), counts, confidence_level=0.9
    )

    for i, degree in enumerate((1, 3)):
        alone = search(
            gaussian_hunt(masses, Bernstein(degree)), counts, confidence_level=0.9
        )
        assert mixed.signal[i] == pytest.approx(alone.signal[i], abs=1e-3)
        assert mixed.goodness[i] == pytest.approx(alone.goodness[i], abs=1e-6)


@pytest.mark.parametrize("family", [Chebyshev(1), Bernstein(1), ExpPolynomial(1)])
def test_an_empty_spectrum_gives_numbers_or_says_why(family):
    result = search(
        gaussian_hunt([3.0, 5.0], family), np.zeros(200), confidence_level=0.9
    )

    assert np.all(result.signal.mask == (result.status != OK))
    assert np.all(np.isfinite(result.limits.observed.compressed()))
    assert np.all(result.limits.observed.compressed() > 0)
    assert np.all(result.q0.compressed() == 0)


def test_windows_without_signal_or_freedom():
    hunt = gaussian_hunt([5.0], Chebyshev(2))
    silent = BumpHunt(hunt.windows, np.zeros_like(hunt.shares), hunt.backgrounds)
    narrow = windows(np.array([0.45]), np.array([0.1]), EDGES, halfwidth=2.0)
    shares = np.full((1, narrow.width), 0.1)

    assert silent.status[0] == NO_SIGNAL
    assert BumpHunt(narrow, shares, (Chebyshev(6),)).status[0] == TOO_FEW_BINS
    assert search(silent, np.ones(200), confidence_level=0.9).signal.mask.all()


def test_bad_hunts_and_counts():
    hunt = gaussian_hunt([5.0, 6.0], Chebyshev(2))
    negative = np.ones(200)
    negative[3] = -1.0

    with pytest.raises(OutOfDomain, match="shares need the shape"):
        BumpHunt(hunt.windows, hunt.shares[:1], hunt.backgrounds)
    with pytest.raises(OutOfDomain, match="sum to at most 1"):
        BumpHunt(hunt.windows, 2 * hunt.shares, hunt.backgrounds)
    with pytest.raises(OutOfDomain, match="one family"):
        BumpHunt(hunt.windows, hunt.shares, (Chebyshev(1), Bernstein(1)))
    with pytest.raises(OutOfDomain, match="counts must be 200"):
        search(hunt, np.ones(199), confidence_level=0.9)
    with pytest.raises(OutOfDomain, match="minimum -1"):
        search(hunt, negative, confidence_level=0.9)
    with pytest.raises(OutOfDomain, match="confidence_level"):
        search(hunt, np.ones(200), confidence_level=90.0)
    with pytest.raises(OutOfDomain, match="degree"):
        Chebyshev(-1)
    with pytest.raises(OutOfDomain, match="template"):
        Template((1.0, 0.0), 1)
    with pytest.raises(OutOfDomain, match="toys"):
        Toys(0, seed=1)


def test_q0_without_signal_is_half_a_chi_squared():
    """arXiv:1007.1727 eq. 49, at 1e4 events per bin; 3000 toys, fixed seed."""
    hunt = gaussian_hunt([5.0], Chebyshev(1))
    expected = np.full(200, 1e4)
    counts = stream(11, "half").poisson(expected, size=(3000, 200)).astype(float)

    q0 = toy_q0(hunt, 0, counts, np.array([0.0, 4e5, 0.0]))

    positive = q0[q0 > 0]
    assert np.all(np.isfinite(q0))
    assert binomtest(positive.size, 3000, 0.5).pvalue > 0.01
    assert kstest(positive, chi2(1).cdf).pvalue > 0.01


def test_toys_do_not_depend_on_workers_or_interruption(tmp_path):
    hunt = gaussian_hunt(np.linspace(2, 8, 7), Chebyshev(2))
    expected = falling(1e5)
    steps = []

    here = look_elsewhere(hunt, expected, toys=Toys(300, 3, checkpoint=tmp_path))
    two = look_elsewhere(hunt, expected, toys=Toys(300, 3, workers=2))
    again = look_elsewhere(
        hunt,
        expected,
        toys=Toys(
            300, 3, checkpoint=tmp_path, progress=lambda *step: steps.append(step)
        ),
    )

    assert here.failed == 0
    for other in (two, again):
        assert_array_equal(here.q0, other.q0)
        assert_array_equal(here.mass, other.mass)
    assert steps == [(2, 2)]


def test_the_largest_excess_of_a_toy_is_that_of_a_search():
    """Slow twin: each spectrum through `search`, the same random numbers."""
    hunt = gaussian_hunt(np.linspace(2, 8, 7), Chebyshev(2))
    expected = falling(1e5)
    spectra = stream(3, "bump hunt", 0).poisson(expected, size=(5, 200)).astype(float)

    toys = look_elsewhere(hunt, expected, toys=Toys(5, seed=3))

    for i, counts in enumerate(spectra):
        q0 = search(hunt, counts, confidence_level=0.9).q0
        assert toys.q0[i] == pytest.approx(q0.max(), abs=1e-6)
        assert toys.mass[i] == q0.argmax() or q0.max() == 0


def test_global_p_value_counts_toys():
    toys = LookElsewhere(np.arange(1.0, 100.0), np.zeros(99, int), np.zeros(1), 0)

    assert toys.global_p_value(9.0) == pytest.approx((19 + 1) / 100)
    assert toys.global_p_value(50.0) == pytest.approx(1 / 100)
    assert toys.global_significance(9.0) == pytest.approx(-ndtri(0.2))


def test_toys_need_a_mass():
    with pytest.raises(OutOfDomain, match="no mass can be tested"):
        look_elsewhere(
            gaussian_hunt([20.0], Chebyshev(1)), np.ones(200), toys=Toys(1, seed=1)
        )
