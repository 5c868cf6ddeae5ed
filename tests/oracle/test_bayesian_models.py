"""Bayesian limits of binned models beside brute-force quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from bayesian_models_slow import interpolation, panel, poisson, upper_limit

from darksector.statistics.bayesian import bayesian_limits
from darksector.statistics.histfactory import likelihood
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import bayesian_upper_limit
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    HistoSys,
    LogNormal,
    NormFactor,
    NormSys,
    Parameter,
    ShapeSys,
    StatError,
)
from darksector.statistics.systematics import Systematic

PRECISION = 1e-3  # of quadrature, the same for all comparisons of this file
MU = NormFactor("mu")


def norm_sys(name, up, down):
    return NormSys(name, np.float64(up), np.float64(down))


def limits(model, *, level=0.9, seed=1, **options):
    return bayesian_limits(
        likelihood(model), confidence_level=level, precision=3e-4, seed=seed, **options
    )


def agree(found, expected):
    """Agree to the precision of quadrature plus three standard deviations."""
    assert found.status[0] == "ok"
    tolerance = PRECISION * expected + 3 * found.error[0]
    assert found.observed[0] == pytest.approx(expected, abs=tolerance, rel=0)


def region(signal, background, observed, *, on_signal=(), on_background=(), **more):
    samples = (
        Sample("signal", signal, (MU, *on_signal)),
        Sample("background", background, on_background),
    )
    return Model((Channel("region", samples, observed),), poi="mu", **more)


@pytest.mark.parametrize("power", [1.0, 2.0, 4.0])
@pytest.mark.parametrize(
    ("n", "b", "on_signal", "on_background"),
    [
        pytest.param(0, 3.0, 0.2, 0.1, id="no event"),
        pytest.param(3, 3.0, 0.1, 0.3, id="as expected"),
        pytest.param(12, 5.0, 0.3, 0.2, id="excess"),
        pytest.param(90, 100.0, 0.1, 0.1, id="many"),
    ],
)
def test_one_bin_two_nuisances(n, b, on_signal, on_background, power):
    model = region(
        [1.0],
        [b],
        [n],
        on_signal=(norm_sys("eff", 1 + on_signal, 1 / (1 + on_signal)),),
        on_background=(norm_sys("scale", 1 + on_background, 1 / (1 + on_background)),),
    )
    eff = interpolation(1 + on_signal, 1 / (1 + on_signal))
    scale = interpolation(1 + on_background, 1 / (1 + on_background))
    alpha, weight = panel(-5.0, 5.0)
    prior = weight * np.exp(-(alpha**2) / 2)

    def density(mu):
        signal = mu[:, None, None] * eff(alpha)[:, None]
        return poisson(n, signal + b * scale(alpha)) @ prior @ prior

    found = limits(model, flat_in=power)

    agree(found, upper_limit(density, 150.0 + 3 * n, 0.9, power=power))


@pytest.mark.parametrize(("n", "b"), [(0, 2.0), (5, 3.0), (80, 100.0), (120, 100.0)])
def test_counting_code(n, b):
    """The counting code is exponential within one sigma, where NormSys is a sextic.

    For up = 1/down = 1.1 the two differ by less than 1e-4 of the factor, checked here,
    so a limit from n events in which b² (1e-4)² is far below b agrees to 2e-3.
    """
    alpha = np.linspace(-1, 1, 201)
    sextic = interpolation(1.1, 1 / 1.1)(alpha)
    assert np.abs(sextic / 1.1**alpha - 1).max() < 1e-4
    shared = norm_sys("shared", 1.1, 1 / 1.1)
    model = region([1.0], [b], [n], on_signal=(shared,), on_background=(shared,))
    counting = CountingModel(
        np.ones(1),
        np.array([b]),
        np.zeros(1),
        (Systematic("shared", 0.1, 0.1, "test"),),
    )
    expected = bayesian_upper_limit(counting, np.array([n]), confidence_level=0.9)[0]

    found = limits(model)

    assert found.observed[0] == pytest.approx(
        expected, abs=2e-3 * expected + 3 * found.error[0], rel=0
    )


@pytest.mark.parametrize("observed", [[4, 6], [0, 9], [0, 0], [12, 3]])
def test_two_bins_two_nuisances(observed):
    """One nuisance moves both bins of the background, one the second bin alone."""
    nominal = np.array([5.0, 4.0])
    samples = (
        Sample("signal", [2.0, 1.0], (MU, norm_sys("common", 1.15, 1 / 1.1))),
        Sample("first", nominal, (norm_sys("common", 1.15, 1 / 1.1),)),
        Sample("second", [0.0, 3.0], (norm_sys("other", 1.5, 0.7),)),
    )
    model = Model((Channel("region", samples, observed),), poi="mu")
    alpha, weight = panel(-5.0, 5.0)
    prior = weight * np.exp(-(alpha**2) / 2)
    common = interpolation(1.15, 1 / 1.1)(alpha)[:, None]
    other = interpolation(1.5, 0.7)(alpha)

    def density(mu):
        m = mu[:, None, None]
        first = poisson(observed[0], (2 * m + 5) * common)
        second = poisson(observed[1], (m + 4) * common + 3 * other)
        return (first * second) @ prior @ prior

    agree(limits(model, level=0.95), upper_limit(density, 60.0, 0.95))


@pytest.mark.parametrize(("n", "sigma"), [(0, 2.0), (3, 2.0), (25, 6.0)])
@pytest.mark.parametrize("modifier", [StatError, ShapeSys])
def test_per_bin_errors(n, sigma, modifier):
    """Two bins; each factor is integrated by itself, so the density is a product."""
    background = np.array([8.0, 20.0])
    signal, counts = np.array([2.0, 1.0]), np.array([n, 18])
    errors = np.array([sigma, 3.0])
    model = region(signal, background, counts, on_background=(modifier("mc", errors),))

    def one(mu, k):
        gamma, weight = panel(1e-10, 1 + 9 * errors[k] / background[k])
        tau = (background[k] / errors[k]) ** 2
        if modifier is StatError:
            prior = np.exp(-((gamma - 1) ** 2) * tau / 2)
        else:
            prior = np.exp(tau * (np.log(gamma) - gamma + 1))
        mean = mu[:, None] * signal[k] + gamma * background[k]
        return poisson(counts[k], mean) @ (weight * prior)

    def density(mu):
        return one(mu, 0) * one(mu, 1)

    agree(limits(model), upper_limit(density, 60.0, 0.9))


@pytest.mark.parametrize("n", [0, 2, 9])
def test_free_background_with_a_control_region(n):
    """A free factor has a flat prior: its integral over θ >= 0 is a gamma function's."""
    free = NormFactor("k")
    channels = (
        Channel(
            "signal region",
            (Sample("signal", [1.0], (MU,)), Sample("background", [2.0], (free,))),
            [n],
        ),
        Channel("control region", (Sample("background", [6.0], (free,)),), [5]),
    )
    model = Model(channels, poi="mu")
    k, weight = panel(0.0, 8.0)

    def density(mu):
        return poisson(n, mu[:, None] + 2 * k) @ (weight * poisson(5, 6 * k))

    agree(limits(model), upper_limit(density, 60.0, 0.9))


def test_uniform_prior_within_bounds_and_a_log_normal_one():
    """The data push the bounded factor against its upper end."""
    model = region(
        [1.0],
        [4.0],
        [11],
        on_signal=(NormFactor("efficiency"),),
        on_background=(NormFactor("k"),),
        parameters=(
            Parameter("k", bounds=(0.5, 1.5)),
            Parameter("efficiency", constraint=LogNormal(1.0, 1.2)),
        ),
    )
    k, weight = panel(0.5, 1.5)
    u, normal = panel(-9.0, 9.0)
    prior = normal * np.exp(-(u**2) / 2)
    efficiency = 1.2**u

    def density(mu):
        signal = mu[:, None, None] * efficiency[:, None]
        return poisson(11, signal + 4 * k) @ weight @ prior

    agree(limits(model), upper_limit(density, 150.0, 0.9))


@pytest.mark.slow
@pytest.mark.parametrize("modifier", [StatError, ShapeSys])
def test_sixty_bins_with_an_error_each(modifier):
    """Given the shared nuisance the bins are independent: 60 integrals, multiplied."""
    x = (np.arange(60) + 0.5) / 60
    signal = 2 * np.exp(-((x - 0.4) ** 2) / (2 * 0.05**2))
    background = 20 * np.exp(-2 * x)
    errors = 0.2 * background
    counts = np.random.default_rng(5).poisson(background)
    model = region(
        signal,
        background,
        counts,
        on_background=(norm_sys("scale", 1.1, 0.9), modifier("mc", errors)),
    )
    alpha, weight = panel(-5.0, 5.0, nodes=40)
    prior = weight * np.exp(-(alpha**2) / 2)
    factor = interpolation(1.1, 0.9)(alpha)[:, None]
    gamma, own = panel(1e-10, 2.4, nodes=60)
    if modifier is StatError:
        own = own * np.exp(-((gamma - 1) ** 2) / (2 * 0.2**2))
    else:
        own = own * np.exp(25 * (np.log(gamma) - gamma + 1))

    typical = np.log(poisson(counts, background) * own.sum()).sum()

    def density(mu):
        total = np.zeros((mu.size, alpha.size))
        for s, b, n in zip(signal, background, counts, strict=True):
            mean = s * mu[:, None, None] + b * factor * gamma
            total += np.log(poisson(n, mean) @ own)
        return np.exp(total - typical) @ prior

    agree(limits(model), upper_limit(density, 25.0, 0.9))


@pytest.mark.slow
@pytest.mark.parametrize("events", [0.5, 5.0])
def test_sixty_bins_eight_nuisances(events):
    """The mean likelihood of nuisances drawn from their priors, no proposal involved.

    Sixteen parts of the draws give the error of the share below the limit.
    """
    x = (np.arange(60) + 0.5) / 60
    signal = np.exp(-((x - 0.4) ** 2) / (2 * 0.05**2))
    first, second = events * np.exp(-2 * x), 0.3 * events * np.ones(60)
    tilt, bow = 0.1 * (x - 0.5), 0.3 * (x - 0.5) ** 2
    counts = np.random.default_rng(5).poisson(first + second)
    sizes = {"lumi": 1.01, "trigger": 1.05, "eff": 1.1, "track": 1.04}
    sizes |= {"cross": 1.2, "other": 1.3}
    scale = {name: norm_sys(name, up, 1 / up) for name, up in sizes.items()}
    on_signal, on_first, on_second = (
        ("lumi", "trigger", "eff", "track"),
        ("lumi", "trigger", "track", "cross"),
        ("lumi", "trigger", "other"),
    )
    tilted = HistoSys("tilt", first * (1 + tilt), first * (1 - tilt))
    bowed = HistoSys("bow", second * (1 + bow), second * (1 - bow))
    samples = (
        Sample("signal", signal, (MU, *(scale[k] for k in on_signal))),
        Sample("first", first, (*(scale[k] for k in on_first), tilted)),
        Sample("second", second, (*(scale[k] for k in on_second), bowed)),
    )
    found = limits(Model((Channel("region", samples, counts),), poi="mu"))
    pulls = np.random.default_rng(7).standard_normal((8, 2**16))
    factor = {
        name: interpolation(up, 1 / up)(pull)
        for (name, up), pull in zip(sizes.items(), pulls, strict=False)
    }
    s, b1, b2 = (
        np.prod([factor[k] for k in names], axis=0)
        for names in (on_signal, on_first, on_second)
    )

    def density(mu):
        """Return the mean likelihoods of 16 parts of the draws."""
        total = np.zeros(pulls.shape[1])
        for b, n in enumerate(counts):
            mean = mu * signal[b] * s + first[b] * (1 + tilt[b] * pulls[6]) * b1
            mean += second[b] * (1 + bow[b] * pulls[7]) * b2
            total += np.log(poisson(n, mean))
        return np.exp(total).reshape(16, -1).mean(axis=1)

    def integral(low, high):
        mu, weight = panel(low, high, nodes=20)
        return weight @ [density(x) for x in mu]

    u = float(found.observed[0])
    below, above = integral(0.0, u), integral(u, 6 * u)
    residual = (0.1 * below - 0.9 * above) / density(u).mean()  # in units of mu
    error = residual.std(ddof=1) / 4

    assert abs(residual.mean()) < PRECISION * u + 3 * np.hypot(error, found.error[0])
