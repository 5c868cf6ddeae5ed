"""Densities against SciPy's distributions and adaptive quadrature."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad
from scipy.special import voigt_profile, wofz

from darksector.errors import OutOfDomain
from darksector.statistics.unbinned.backgrounds import Bernstein, Chebyshev, Exponential
from darksector.statistics.unbinned.crystal_ball import CrystalBall, DoubleCrystalBall
from darksector.statistics.unbinned.shapes import Gaussian, bin_fractions
from darksector.statistics.unbinned.templates import (
    MassTemplates,
    TemplateTimesPolynomial,
)
from darksector.statistics.unbinned.voigt import Voigt, faddeeva

LOW, HIGH = 1.0, 4.0
WINDOW = jnp.array([LOW, HIGH])
POINTS = np.linspace(LOW, HIGH, 61)
EDGES = tuple(np.linspace(0.0, 5.0, 51).tolist())


def histogram(mean, sigma=0.3):
    return tuple(np.diff(stats.norm(mean, sigma).cdf(EDGES)).tolist())


TEMPLATES = MassTemplates((2.0, 3.0), EDGES, (histogram(2.0), histogram(3.0, 0.4)))
SIMULATED = TemplateTimesPolynomial(EDGES, histogram(2.0, 1.0), 2)
CASES = [
    pytest.param(Gaussian(), [2.3, 0.2], id="Gaussian"),
    pytest.param(Gaussian(), [0.7, 0.2], id="Gaussian outside the window"),
    pytest.param(CrystalBall(), [2.3, 0.2, 1.1, 3.0], id="Crystal Ball"),
    pytest.param(CrystalBall(tail_above=True), [2.3, 0.2, 1.1, 3.0], id="tail above"),
    pytest.param(DoubleCrystalBall(), [2.3, 0.2, 1.1, 3.0, 0.9, 5.0], id="two tails"),
    pytest.param(Voigt(), [2.3, 0.1, 0.05], id="Voigt"),
    pytest.param(Voigt(), [2.3, 0.05, 0.0], id="Voigt without width"),
    pytest.param(Chebyshev(4), [0.3, -0.2, 0.1, 0.05], id="Chebyshev"),
    pytest.param(Bernstein(3, reference=1), [0.3, 2.0, 0.0], id="Bernstein"),
    pytest.param(Exponential(), [-1.2], id="exponential"),
    pytest.param(Exponential(), [0.0], id="constant"),
    pytest.param(TEMPLATES, [2.3], id="templates"),
    pytest.param(SIMULATED, [0.2, -0.1], id="template times polynomial"),
]


def density(shape, theta, x):
    return np.asarray(shape.density(jnp.asarray(x), jnp.asarray(theta), WINDOW))


def truncated(distribution, x):
    return distribution.pdf(x) / (distribution.cdf(HIGH) - distribution.cdf(LOW))


def ratio_on(x, height):
    """Return a height over its integral, which SciPy's quadrature finds."""
    total = quad(height, LOW, HIGH, points=[2.3], epsabs=1e-13, epsrel=1e-13)[0]
    return np.array([height(value) for value in x]) / total


@pytest.mark.parametrize(("shape", "theta"), CASES)
def test_the_integral_of_a_density_and_of_its_bins(shape, theta):
    """Adaptive quadrature, scipy.integrate.quad, between all kinks."""
    function = jax.jit(lambda x: shape.density(x[None], jnp.asarray(theta), WINDOW)[0])
    edges = np.array([LOW, 1.9, 2.2, 2.3, HIGH])
    kinks = np.array([*EDGES, 2.08, 2.12, 2.48, 2.52])

    def integral(low, high):
        ends = np.sort([low, *kinks[(kinks > low) & (kinks < high)], high])
        return sum(
            quad(function, a, b, epsabs=1e-12, epsrel=1e-11, limit=200)[0]
            for a, b in pairwise(ends)
        )

    expected = [integral(a, b) for a, b in pairwise(edges)]

    assert sum(expected) == pytest.approx(1, abs=1e-9)
    assert_allclose(bin_fractions(shape, edges, np.array(theta)), expected, atol=1e-9)


@pytest.mark.parametrize(("shape", "theta"), CASES)
def test_fractions_add_up(shape, theta):
    fractions = bin_fractions(shape, np.linspace(LOW, HIGH, 31), np.array(theta))

    assert fractions.sum() == pytest.approx(1, abs=1e-13)
    assert (fractions >= -1e-13).all()  # what `faddeeva` promises


@pytest.mark.parametrize(("shape", "theta"), CASES)
def test_derivatives_are_those_of_finite_differences(shape, theta):
    x, theta = jnp.linspace(1.01, 3.98, 41), jnp.asarray(theta)
    function = jax.jit(partial(shape.density, x, window=WINDOW))
    step = 1e-5
    free = theta != 0 if isinstance(shape, Voigt | Bernstein) else theta < np.inf

    exact = jax.jacfwd(function)(theta)

    for k in np.flatnonzero(free):
        up, down = (function(theta.at[k].add(sign * step)) for sign in (1, -1))
        assert_allclose(exact[:, k], (up - down) / (2 * step), rtol=1e-5, atol=1e-6)


def test_gaussian_is_that_of_scipy():
    expected = truncated(stats.norm(2.3, 0.2), POINTS)

    assert_allclose(density(Gaussian(), [2.3, 0.2], POINTS), expected, rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.5, 1.5, 4.0])
@pytest.mark.parametrize("power", [1.2, 3.0, 50.0])
def test_crystal_ball_is_that_of_scipy(alpha, power):
    expected = truncated(stats.crystalball(alpha, power, loc=2.3, scale=0.2), POINTS)
    theta = [2.3, 0.2, alpha, power]

    found = density(CrystalBall(), theta, POINTS)

    assert_allclose(found, expected, rtol=1e-9, atol=1e-300)


def test_a_tail_above_is_the_mirror_image():
    low = CrystalBall().shares(jnp.asarray(POINTS), jnp.array([2.3, 0.2, 1.0, 3.0]))
    high = CrystalBall(tail_above=True).shares(
        jnp.asarray(-POINTS[::-1]), jnp.array([-2.3, 0.2, 1.0, 3.0])
    )

    assert_allclose(high[::-1], low, atol=1e-14)


def test_two_tails_far_away_leave_a_gaussian_and_equal_tails_are_symmetric():
    far = density(DoubleCrystalBall(), [2.5, 0.2, 7.9, 9.0, 7.9, 9.0], POINTS)
    near = density(DoubleCrystalBall(), [2.5, 0.2, 1.0, 3.0, 1.0, 3.0], POINTS)

    assert_allclose(far, truncated(stats.norm(2.5, 0.2), POINTS), rtol=1e-9, atol=1e-12)
    assert_allclose(near, near[::-1], rtol=1e-12)


@pytest.mark.parametrize(
    ("sigma", "gamma"), [(0.2, 0.01), (0.1, 0.1), (0.01, 0.2), (0.003, 0.001)]
)
def test_voigt_is_that_of_scipy(sigma, gamma):
    expected = ratio_on(POINTS, lambda x: voigt_profile(x - 2.3, sigma, gamma))

    assert_allclose(density(Voigt(), [2.3, sigma, gamma], POINTS), expected, rtol=1e-9)


@pytest.mark.parametrize("height", [0.0, 1e-6, 1e-3, 0.1, 1.0, 10.0])
def test_the_faddeeva_function_is_that_of_scipy(height):
    z = np.linspace(-30, 30, 2001) + 1j * height

    assert_allclose(np.asarray(faddeeva(jnp.asarray(z))), wofz(z), rtol=0, atol=1e-13)


def test_chebyshev_is_that_of_numpy():
    polynomial = np.polynomial.Chebyshev([1.0, 0.3, -0.2, 0.1], domain=[LOW, HIGH])
    area = polynomial.integ()(HIGH) - polynomial.integ()(LOW)

    found = density(Chebyshev(3), [0.3, -0.2, 0.1], POINTS)

    assert_allclose(found, polynomial(POINTS) / area, rtol=1e-12)


def test_bernstein_is_a_mixture_of_beta_distributions():
    """b_k B_{k,d} is b_k/(d+1) times the density of Beta(k+1, d-k+1)."""
    v, b = (POINTS - LOW) / (HIGH - LOW), np.array([0.3, 1.0, 2.0])
    expected = sum(c * stats.beta(k + 1, 3 - k).pdf(v) for k, c in enumerate(b))
    expected /= b.sum() * (HIGH - LOW)

    found = density(Bernstein(2, reference=1), [0.3, 2.0], POINTS)

    assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("slope", [-90.0, -1.0, -1e-9, 0.3, 90.0])
def test_exponential_is_that_of_scipy(slope):
    rate = abs(slope)
    fall = stats.truncexpon((HIGH - LOW) * rate, loc=0, scale=1 / rate)
    expected = fall.pdf(POINTS - LOW if slope < 0 else HIGH - POINTS)

    assert_allclose(density(Exponential(), [slope], POINTS), expected, rtol=1e-8)


def test_templates_return_their_histograms_at_the_simulated_masses():
    inside = np.array(EDGES)[10:41]
    contents = np.array(histogram(3.0, 0.4))[10:40]

    found = bin_fractions(TEMPLATES, inside, np.array([3.0]))

    assert_allclose(found, contents / contents.sum(), atol=1e-12)


def test_templates_between_masses_have_interpolated_mean_and_width():
    """Gaussians morph into the Gaussian between them (arXiv:1410.7388, section 2)."""
    edges = np.array(EDGES)
    expected = np.diff(stats.norm(2.25, 0.325).cdf(edges))

    found = bin_fractions(TEMPLATES, edges, np.array([2.25]))

    assert np.abs(found - expected).max() < 0.02 * expected.max()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Chebyshev(0), "degree of at least 1, got 0"),
        (lambda: Bernstein(2, reference=3), "one of 0..2"),
        (lambda: MassTemplates((2.0,), EDGES, (histogram(2.0),)), "masses must ascend"),
        (lambda: MassTemplates((2.0, 3.0), EDGES, (histogram(2.0),)), "1 histograms"),
        (lambda: TemplateTimesPolynomial((0.0, 1.0), (-1.0,), 1), "none negative"),
        (lambda: TemplateTimesPolynomial((1.0, 0.0), (1.0,), 1), "edges must ascend"),
        (
            lambda: bin_fractions(TEMPLATES, POINTS, np.array([3.5])),
            "mass = 3.5 is out",
        ),
        (
            lambda: bin_fractions(Gaussian(), POINTS[::-1], np.array([2.0, 0.1])),
            "edges must ascend",
        ),
        (
            lambda: bin_fractions(Gaussian(), POINTS, np.array([2.0, -0.1])),
            "sigma = -0.1 is outside",
        ),
    ],
)
def test_bad_input_is_one_clear_error(build, message):
    with pytest.raises(OutOfDomain, match=message):
        build()
