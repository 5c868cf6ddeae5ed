"""Fits of peaks: closed forms of a Gaussian, pulls of toys, honest failures."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.errors import NotConverged
from darksector.rediscovery import fits, shapes
from darksector.rediscovery.pipeline import straight
from darksector.statistics.spectrum import Spectrum

EDGES = np.linspace(2.95, 3.25, 61)
POINTS = jnp.asarray(shapes.nodes(EDGES))
FAR = [*np.log([30.0, 3.0, 30.0, 3.0]), 0.0]  # tails that begin thirty widths away
TAILS = np.array([*np.log([1.5, 3.0, 1.8, 4.0]), 0.0])


def theta(n, mean, sigma, tails, *sides):
    return np.array([n, mean, np.log(sigma), *tails, *sides])


def template(tails, sigma=0.01):
    """Return the fit of a peak without fluctuations, with the tails as given."""
    values = theta(1e5, 3.1, sigma, tails)
    peak = np.asarray(shapes.peak(jnp.asarray(values), POINTS))
    return fits.Fit(
        signal=fits.Value(1e5, 1.0),
        mean=fits.Value(3.1, 1.0),
        sigma=fits.Value(sigma, 1.0),
        full_width=0.0,
        chi2=0.0,
        dof=1,
        peak=peak,
        background=0 * peak,
        parameters=values,
    )


def test_gaussian_errors():
    """Kendall & Stuart: σ/√N on the mean, σ/√2N on the width, √N on the number.

    Bins of half a width: Sheppard's variance h²/12 is 2 % of σ², so 3 %.
    """
    n, sigma = 10_000.0, 0.01
    values = theta(n, 3.1, sigma, FAR)
    counts = np.asarray(shapes.peak(jnp.asarray(values), POINTS))

    found = fits.fit(EDGES, counts, template=template(FAR), degree=None)

    assert found.signal.value == pytest.approx(n, rel=1e-6)
    assert found.mean.value == pytest.approx(3.1, abs=1e-7)
    assert found.sigma.value == pytest.approx(sigma, rel=1e-5)
    assert found.signal.error == pytest.approx(np.sqrt(n), rel=1e-6)
    assert found.mean.error == pytest.approx(sigma / np.sqrt(n), rel=0.03)
    assert found.sigma.error == pytest.approx(sigma / np.sqrt(2 * n), rel=0.04)
    assert found.chi2 == pytest.approx(0.0, abs=1e-6)


def test_full_width_of_a_gaussian():
    """2 √(2 ln 2) σ."""
    found = shapes.full_width(theta(1.0, 3.1, 0.01, FAR))

    assert found == pytest.approx(2 * np.sqrt(2 * np.log(2)) * 0.01, rel=1e-3)


def test_the_yield_is_that_in_the_bins():
    found = shapes.peak(jnp.asarray(theta(123.0, 3.1, 0.01, TAILS)), POINTS)

    assert float(found.sum()) == pytest.approx(123.0)


@pytest.mark.parametrize("side", [-1, 1])
def test_tails_are_smooth_powers(side):
    """Value and slope are continuous at α; far away the density falls as t^-n."""
    values = theta(1.0, 0.0, 1.0, TAILS)
    alpha, n = np.exp(TAILS[:2] if side < 0 else TAILS[2:4])

    def log_density(t):
        x = side * np.atleast_1d(np.asarray(t))
        return np.log(np.asarray(shapes._density(jnp.asarray(values), jnp.asarray(x))))

    step = 1e-5
    inside, here, outside = log_density([alpha - step, alpha, alpha + step])
    far = np.diff(log_density([1e6, 1e7]))[0] / np.log(10)

    assert (here - inside) / step == pytest.approx(-alpha, rel=1e-4)
    assert (outside - here) / step == pytest.approx(-alpha, rel=1e-4)
    assert far == pytest.approx(-n, rel=1e-4)


def test_curve_passes_through_the_bins():
    values = theta(300.0, 3.1, 0.02, TAILS, 10.0, 2.0)
    middle = (EDGES[1:] + EDGES[:-1]) / 2

    total, under = shapes.curve(values, EDGES, middle)

    # bins of a quarter of a width: the centre stands for the mean within 1 %
    assert_allclose(total, shapes.expected(jnp.asarray(values), POINTS), rtol=0.01)
    assert_allclose(under, shapes.background(jnp.asarray(values), POINTS), rtol=1e-9)


def test_template_finds_tails_and_asymmetry():
    tails = np.array([*TAILS[:4], 0.2])
    values = theta(1e5, 3.1, 0.01, tails)
    events = np.asarray(shapes.peak(jnp.asarray(values), POINTS))
    spectrum = Spectrum("mass", EDGES, events / 7, events / 49)  # weights of 1/7

    found = fits.fit_template(spectrum)

    assert found.sigma.value == pytest.approx(0.01, rel=1e-3)
    assert_allclose(found.parameters[3:8], tails, atol=0.02)


def test_pulls_of_toys():
    """Mean 0, width 1; of 300 toys known to 0.058 and 0.041, asked within 3.5 σ."""
    truth = theta(2000.0, 3.1, 0.01, TAILS, 30.0, -4.0)
    expected = np.asarray(shapes.expected(jnp.asarray(truth), POINTS))
    random, shape, pulls = np.random.default_rng(5), template(TAILS), []
    for _ in range(300):
        found = fits.fit(
            EDGES, random.poisson(expected).astype(float), template=shape, degree=1
        )
        pulls.append(
            [
                (value.value - true) / value.error
                for value, true in (
                    (found.signal, 2000.0),
                    (found.mean, 3.1),
                    (found.sigma, 0.01),
                )
            ]
        )

    assert_allclose(np.mean(pulls, axis=0), 0.0, atol=0.20)
    assert_allclose(np.std(pulls, axis=0), 1.0, atol=0.14)


def test_no_peak_to_fit_is_an_error():
    with pytest.raises(NotConverged, match="give more luminosity"):
        fits.fit(EDGES, np.zeros(60), template=template(TAILS), degree=1)


def test_straight_line_keeps_sum_and_mean():
    random = np.random.default_rng(3)
    events = random.uniform(0, 2, 60) + np.linspace(1, 0, 60)
    middle = (EDGES[1:] + EDGES[:-1]) / 2

    found = straight(Spectrum("mass", EDGES, events, events))

    assert found.total() == pytest.approx(events.sum())
    assert found.contents @ middle == pytest.approx(events @ middle, rel=1e-4)
    assert_allclose(np.diff(found.contents, n=2), 0.0, atol=1e-12)


def test_straight_line_is_nowhere_negative():
    events = np.zeros(60)
    events[:3] = 5.0

    found = straight(Spectrum("mass", EDGES, events, events))

    assert (found.contents >= 0).all()
    assert found.total() == pytest.approx(events.sum())
