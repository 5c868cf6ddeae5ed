"""Degree of the background, spurious signal and injected signal."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr
from scipy.stats import kstest

from darksector.errors import OutOfDomain
from darksector.execution import stream
from darksector.statistics.background_choice import choose_degree
from darksector.statistics.backgrounds import Bernstein, Chebyshev, ExpPolynomial
from darksector.statistics.bias import inject, spurious_signal, spurious_signal_of
from darksector.statistics.bumphunt import BumpHunt
from darksector.statistics.fit import OK
from darksector.statistics.windows import OUTSIDE, windows

EDGES = np.linspace(0.0, 10.0, 101)
WIDTH = 0.3


def hunt_for(masses, background):
    masses = np.asarray(masses, dtype=float)
    found = windows(masses, np.full(masses.size, WIDTH), EDGES, halfwidth=6.0)
    z = (EDGES[found.bins] - masses[:, None]) / WIDTH
    return BumpHunt(found, ndtr(z + 0.1 / WIDTH) - ndtr(z), (background,))


def exponential(events):
    return events * -np.diff(np.exp(-EDGES / 4))


def test_no_spurious_signal_from_the_own_family():
    """A parabola over the whole range is one in every window."""
    middle = (EDGES[1:] + EDGES[:-1]) / 2
    expected = 500 + 3 * (middle**2 + 0.1**2 / 12)  # the mean over a bin

    found = spurious_signal(hunt_for([3.0, 5.0, 50.0], Chebyshev(2)), expected)

    assert_array_equal(found.status, [OK, OK, OUTSIDE])
    assert_allclose(found.ratio.compressed(), 0.0, atol=1e-6)


def test_spurious_signal_of_a_stiff_background_grows_with_the_data():
    """The bias grows as N, its error as its root; flat fits of a slope see a signal."""
    hunt = hunt_for([4.0], Chebyshev(1))

    small, large = (spurious_signal(hunt, exponential(n)) for n in (1e4, 1e6))

    assert large.signal[0] / small.signal[0] == pytest.approx(100, rel=0.02)
    assert large.ratio[0] / small.ratio[0] == pytest.approx(10, rel=0.02)
    assert large.signal[0] < 0  # a convex background lies below its chord's middle


def test_alternative_background_that_is_true_gives_the_same_bias():
    """An exponential is exp(line): fitted to its own expectation it is that."""
    hunt, expected = hunt_for([4.0, 6.0], Chebyshev(1)), exponential(1e6)

    direct = spurious_signal(hunt, expected)
    fitted = spurious_signal_of(hunt, expected, alternative=(ExpPolynomial(1),))

    assert_allclose(fitted.signal, direct.signal, atol=1e-3)


@pytest.mark.parametrize("signal", [0.0, 400.0, -100.0])
def test_pulls_of_injected_signals_are_normal(signal):
    """Wilks: a standard normal at large counts; 10⁴ toys, fixed seed, KS p > 0.01."""
    hunt = hunt_for([5.0], Chebyshev(2))

    found = inject(
        hunt, np.full(100, 1000.0), mass=0, signal=signal, toys=10_000, seed=17
    )

    assert np.all(found.status == OK)
    assert kstest(found.pull.compressed(), "norm").pvalue > 0.01


@pytest.mark.parametrize("true_degree", [0, 2])
def test_the_degree_of_the_truth_is_chosen(true_degree):
    """Exact expectations: no step beyond the truth gains anything."""
    middle = (EDGES[1:] + EDGES[:-1]) / 2
    curve = 1e4 * np.polynomial.chebyshev.chebval(
        middle / 5 - 1, [1.0, 0.3, 0.25][: true_degree + 1]
    )
    hunt = hunt_for([4.0, 5.0, 50.0], Chebyshev(0))

    choice = choose_degree(
        hunt, curve, candidates=[Chebyshev(d) for d in range(5)], threshold=0.05
    )

    assert_array_equal(choice.index, [true_degree, true_degree, 0])
    assert choice.p_values.mask[2].all()


def test_true_degree_is_exceeded_as_often_as_the_threshold_says():
    """Wilks: p-values of the true degree are uniform; 2 windows far apart, 150 spectra."""
    hunt = hunt_for([2.5, 7.5], Chebyshev(0))
    spectra = stream(4, "degree").poisson(1000.0, size=(150, 100)).astype(float)

    p = [
        choose_degree(hunt, n, candidates=[Bernstein(0), Bernstein(1)]).p_values[:, 0]
        for n in spectra
    ]

    assert kstest(np.ravel(p), "uniform").pvalue > 0.01


def test_bad_inputs():
    hunt = hunt_for([5.0, 50.0], Chebyshev(1))

    with pytest.raises(OutOfDomain, match="increasing degrees"):
        choose_degree(hunt, np.ones(100), candidates=[Chebyshev(2), Chebyshev(1)])
    with pytest.raises(OutOfDomain, match="mass 1 cannot be tested"):
        inject(hunt, np.ones(100), mass=1, signal=1.0, toys=2, seed=1)
    with pytest.raises(OutOfDomain, match="counts must be"):
        inject(hunt, np.ones(100), mass=0, signal=-1e3, toys=2, seed=1)
    with pytest.raises(OutOfDomain, match="counts must be"):
        spurious_signal(hunt, np.ones(7))
