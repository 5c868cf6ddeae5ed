"""Bayesian limits of binned models where they are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq
from scipy.special import gammaincc, gammaincinv

from darksector.errors import OutOfDomain
from darksector.statistics.asymptotic import INSENSITIVE
from darksector.statistics.bayesian import bayesian_limits
from darksector.statistics.bayesian_bands import bayesian_bands
from darksector.statistics.histfactory import likelihood
from darksector.statistics.limits import SIGMAS
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    NormFactor,
    NormSys,
    Parameter,
    StatError,
)
from darksector.statistics.posterior import IMPROPER

QUADRATURE = 1e-4  # relative, promised of the integral over the parameter of interest
MU = NormFactor("mu")


def region(signal, background, observed, *modifiers, parameters=()):
    samples = (
        Sample("signal", np.array(signal), (MU,)),
        Sample("background", np.array(background), modifiers),
    )
    channel = Channel("region", samples, np.array(observed))
    return likelihood(Model((channel,), poi="mu", parameters=parameters))


def limits(of, *, level=0.9, **options):
    return bayesian_limits(of, confidence_level=level, seed=1, **options)


@pytest.mark.parametrize(
    ("n", "b", "expected"),
    [
        pytest.param(0, 0.0, 2.302585, id="ln 10"),
        pytest.param(0, 7.0, 2.302585, id="ln 10 whatever the background"),
        (3, 3.0, 4.36239),
        (10, 10.0, 6.63019),
        (100, 100.0, 17.79825),
    ],
)
def test_table(n, b, expected):
    """physics/zprime.md V37: closed form 1 - Q(n+1, b+U)/Q(n+1, b) = 0.9."""
    assert limits(region([1.0], [b], [n])).observed[0] == pytest.approx(
        expected, abs=1e-4
    )


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("b", [0.0, 0.3, 20.0, 900.0])
def test_closed_form(b, level):
    """Regularised incomplete gamma functions: Q(n+1, b+U) = (1 - CL) Q(n+1, b)."""
    n = np.array([0, 1, 2, 8, 20, 35, 880, 960])
    n = n[np.abs(n - b) < 6 * np.sqrt(b) + 40]
    found = limits(region([1.0], [b], n[:, None]), level=level)

    expected = [
        brentq(
            lambda u, k=k: gammaincc(k + 1, b + u) - (1 - level) * gammaincc(k + 1, b),
            1e-6,
            100 + 10 * k,
            xtol=1e-12,
        )
        for k in n
    ]
    assert_allclose(found.observed, expected, rtol=QUADRATURE)
    assert_allclose(found.error, 0, atol=1e-12)


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0, 4.0])
def test_flat_in_a_coupling(power):
    """n = b = 0: p(μ) ∝ μ^(1/k-1) exp(-μ), a gamma distribution of shape 1/k."""
    found = limits(region([1.0], [0.0], [0]), flat_in=power)

    assert found.observed[0] == pytest.approx(
        gammaincinv(1 / power, 0.9), rel=QUADRATURE
    )


def test_nuisances_without_influence_on_an_empty_bin_change_nothing():
    """exp(-s μ - b) factorises: ln 10, within three standard deviations."""
    found = limits(
        region([1.0], [7.0], [0], NormSys("b", np.float64(1.2), np.float64(0.8)))
    )

    assert found.observed[0] == pytest.approx(np.log(10), abs=2e-4 + 3 * found.error[0])


@pytest.mark.parametrize("refine", [2, 4])
def test_more_points_change_nothing(refine):
    model = region(
        [2.0, 1.0], [5.0, 9.0], [6, 9], StatError("mc", np.array([1.0, 2.0]))
    )

    one, more = limits(model), limits(model, refine=refine)

    error = 4 * np.hypot(one.error, more.error)
    assert_allclose(
        one.observed, more.observed, rtol=QUADRATURE, atol=float(error.max())
    )


def test_stated_errors_cover_the_spread():
    """Pulls of 24 seeds against 64 times as many points; Student with 7 degrees: rms 1.2.

    Quasi-random numbers do better than the spread of their scramblings says, so there
    is no lower bound; 1.7 is four standard deviations up.
    """
    change = NormSys("scale", np.float64(1.3), np.float64(0.8))
    model = region([2.0, 1.0], [5.0, 9.0], [6, 9], change)

    seeds = [
        bayesian_limits(model, confidence_level=0.9, precision=1.0, seed=k)
        for k in range(24)
    ]
    truth = limits(model, precision=1e-9)

    found, error = (
        np.array([getattr(x, y)[0] for x in seeds]) for y in ("observed", "error")
    )
    pull = (found - truth.observed[0]) / np.hypot(error, 1e-5 * found)
    assert np.sqrt(np.mean(pull**2)) < 1.7


def test_rows_do_not_know_of_each_other():
    both = limits(region([1.0], [[3.0], [4.0]], [[2], [9]]))
    each = [limits(region([1.0], [b], [n])) for b, n in ((3.0, 2), (4.0, 9))]

    assert_allclose(both.observed, [x.observed[0] for x in each], rtol=1e-12)


def test_no_signal_has_no_limit():
    found = limits(region([[0.0, 0.0], [1.0, 0.0]], [3.0, 3.0], [3, 2]))

    assert_array_equal(np.ma.getmaskarray(found.observed), [True, False])
    assert_array_equal(found.status, [INSENSITIVE, "ok"])


def test_a_prior_that_ends_before_the_data_do_ends_the_posterior():
    """Uniform between 0 and 1e-3 where the likelihood is flat: 90 % of the range."""
    end = Parameter("mu", start=0.0, bounds=(0.0, 1e-3))

    found = limits(region([1.0], [50.0], [50], parameters=(end,)))

    assert found.observed[0] == pytest.approx(0.9e-3, rel=1e-4)


def test_a_signal_that_a_free_efficiency_hides_has_no_limit():
    """The prior of the efficiency reaches 0, and so does the signal."""
    samples = (
        Sample("signal", np.array([1.0]), (MU, NormFactor("efficiency"))),
        Sample("background", np.array([3.0])),
    )
    model = Model((Channel("region", samples, np.array([3])),), poi="mu")

    assert limits(likelihood(model)).status[0] in {IMPROPER, INSENSITIVE}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 1.0}, "confidence_level"),
        ({"flat_in": 0.5}, "flat_in"),
        ({"refine": 0}, "refine"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(OutOfDomain, match=message):
        limits(region([1.0], [3.0], [3]), **options)


def test_bands_are_the_limits_of_poisson_counts():
    """Quantiles of n ~ Poisson(3): 0, 1, 3, 5, 7 at -2..+2 σ, then the closed form."""
    n = np.array([[0], [1], [3], [5], [7]])
    exact = limits(region([1.0], [3.0], n)).observed

    bands = bayesian_bands(
        region([1.0], [3.0], [3]), confidence_level=0.9, toys=600, seed=2
    )

    assert_allclose(bands.expected_band[0], exact, rtol=1e-3)
    assert bands.expected[0] == bands.expected_band[0, SIGMAS.index(0)]
    assert np.all(bands.error >= 0)


def test_bands_without_signal_are_masked_and_few_toys_refused():
    nothing = region([0.0], [3.0], [3])

    bands = bayesian_bands(nothing, confidence_level=0.9, toys=50, seed=1)

    assert bands.status[0] == INSENSITIVE
    assert np.ma.getmaskarray(bands.expected_band).all()
    with pytest.raises(OutOfDomain, match="toys"):
        bayesian_bands(nothing, confidence_level=0.9, toys=10, seed=1)
