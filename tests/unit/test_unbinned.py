"""Unbinned fits: closed forms, pulls of pseudo-experiments, rows that fail."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.errors import OutOfDomain, UnknownName
from darksector.statistics.unbinned.backgrounds import Bernstein, Chebyshev, Exponential
from darksector.statistics.unbinned.crystal_ball import CrystalBall
from darksector.statistics.unbinned.fit import (
    NO_CROSSING,
    NO_EVENTS,
    fit_unbinned,
    profile_intervals,
    significance,
)
from darksector.statistics.unbinned.likelihood import unbinned_likelihood
from darksector.statistics.unbinned.samples import separate, sliding
from darksector.statistics.unbinned.settings import constrained, fixed, free
from darksector.statistics.unbinned.shapes import Gaussian
from darksector.statistics.unbinned.templates import MassTemplates

WINDOW = np.array([[0.0, 1.0]])
PEAK = {"signal.mean": fixed(0.5), "signal.sigma": fixed(0.05)}


def toys(size, n_s, n_b, seed):
    """Return data sets: a Gaussian at 0.5 of width 0.05 on a constant."""
    rng = np.random.default_rng(seed)
    return [
        np.concatenate(
            [rng.normal(0.5, 0.05, rng.poisson(n_s)), rng.random(rng.poisson(n_b))]
        )
        for _ in range(size)
    ]


def likelihood(sets, settings=PEAK, *, signal=None, background=None):
    return unbinned_likelihood(
        separate(sets, WINDOW),
        signal=signal or Gaussian(),
        background=background or Chebyshev(1),
        settings=settings,
    )


def test_derivatives_are_those_of_finite_differences():
    """Central differences of the likelihood itself, with a constraint."""
    model = likelihood(
        toys(2, 60, 1200, seed=1),
        {"signal.n": constrained(3.0, 0.5), "signal.alpha": fixed(1.2)},
        signal=CrystalBall(),
        background=Bernstein(2),
    )
    rows = np.arange(2)
    theta = np.tile([50.0, 1190.0, 0.51, 0.06, 1.2, 3.2, 0.9, 1.1], (2, 1))
    step = 1e-4 * np.abs(theta[0])

    def moved(k, sign):
        return theta + sign * step * (np.arange(8) == k)

    at, hessian = model.evaluate(theta, rows), model.hessian(theta, rows)

    assert_allclose(at.nll, model.nll(theta, rows), rtol=1e-13)
    for k in np.flatnonzero(model.varies):
        up, down = (model.evaluate(moved(k, sign), rows) for sign in (1, -1))
        slope = (up.nll - down.nll) / (2 * step[k])
        bend = (up.score - down.score) / (2 * step[k])
        scale = np.sqrt(at.information[:, k, k])
        assert_allclose(at.score[:, k], slope, atol=1e-3 * scale.max())
        size = scale[:, None] * np.sqrt(np.einsum("npp->np", at.information))
        assert (np.abs(hessian[:, k] - bend) <= 1e-4 * size).all()
    assert (at.score[:, 4] == 0).all()
    assert (hessian[:, 4] == 0).all()


def test_yields_add_up_to_the_number_of_events():
    """The scale of both yields alone: d(-ln L) = 0 gives n_s + n_b = N."""
    sets = toys(8, 30, 300, seed=2)

    found = fit_unbinned(likelihood(sets))

    total = [events.size for events in sets]
    assert found.converged.all()
    assert_allclose(found.values[:, 0] + found.values[:, 1], total, rtol=1e-6)


def test_a_mean_without_background_is_that_of_the_events():
    """Sample mean, s/√N and s of a Gaussian far from the ends of its window."""
    events = np.random.default_rng(3).normal(0.5, 0.02, 400)

    found = fit_unbinned(likelihood([events], {"n_b": fixed(0.0)}))

    width = events.std()
    expected = [400, 0, events.mean(), width]
    assert_allclose(found.values[0, :4], expected, rtol=1e-6)
    errors = [20, 0, width / np.sqrt(400), width / np.sqrt(800)]
    assert_allclose(found.errors[0, :4], errors, rtol=1e-6)


def test_a_constraint_of_no_use_to_the_events_returns_itself():
    """With n_s = 0 fixed no event knows of the width of the signal."""
    settings = {**PEAK, "n_s": fixed(0.0), "signal.sigma": constrained(0.05, 0.01)}

    found = fit_unbinned(likelihood(toys(1, 0, 200, seed=4), settings))

    assert found.values[0, 3] == pytest.approx(0.05)
    assert found.errors[0, 3] == pytest.approx(0.01)


def test_injected_signals_are_found_without_bias():
    """400 pseudo-experiments: mean and width of pulls within four of their errors.

    The signal is strong: a weak one of free width often becomes a narrow fluctuation,
    and then no error is that of a normal distribution.
    """
    model = likelihood(
        toys(400, 300, 1000, seed=5),
        {"signal.mean": free(0.52), "signal.sigma": free(0.06)},
    )

    found = fit_unbinned(model)

    assert found.converged.all()
    pulls = (found.values[:, :2] - [300, 1000]) / found.errors[:, :2]
    assert_allclose(pulls.mean(axis=0), 0, atol=4 / np.sqrt(400))
    assert_allclose(pulls.std(axis=0), 1, atol=4 / np.sqrt(800))


def test_intervals_cover_and_significances_are_normal_without_signal():
    """Wilks: Z of 400 sets without signal is normal, 68.27 % of intervals hold 0."""
    model = likelihood(toys(400, 0, 1000, seed=6))
    found = fit_unbinned(model)

    z = significance(model, found)
    intervals = profile_intervals(model, found)

    covers = (intervals.low <= 0) & (intervals.high >= 0)
    assert covers.mean() == pytest.approx(
        0.6827, abs=4 * np.sqrt(0.6827 * 0.3173 / 400)
    )
    assert z.mean() == pytest.approx(0, abs=4 / np.sqrt(400))
    assert z.std() == pytest.approx(1, abs=4 / np.sqrt(800))
    # by definition the interval holds zero where the significance is below one
    assert (covers == (np.abs(z) <= 1)).all()


def test_one_data_set_through_many_windows():
    """Each window of a scan is the fit of its own events alone."""
    rng = np.random.default_rng(7)
    events = np.concatenate([rng.uniform(0, 10, 2000), rng.normal(4, 0.1, 80)])
    mass = np.array([3.0, 4.0, 5.0])
    windows = np.stack([mass - 1, mass + 1], axis=1)

    def settings(mean):
        return {"signal.mean": fixed(mean), "signal.sigma": fixed(0.1)}

    def fitted(samples, mean):
        return fit_unbinned(
            unbinned_likelihood(
                samples,
                signal=Gaussian(),
                background=Exponential(),
                settings=settings(mean),
            )
        )

    scan = fitted(sliding(events, windows), mass)

    for row, window in enumerate(windows):
        own = events[(events >= window[0]) & (events <= window[1])]
        alone = fitted(separate([own], window[None]), mass[row])
        assert_allclose(scan.values[row], alone.values[0], rtol=1e-7, atol=1e-7)
        assert_allclose(scan.errors[row], alone.errors[0], rtol=1e-7)
    assert np.argmax(scan.values[:, 0]) == 1


def test_a_row_that_fails_says_why_and_the_others_go_on():
    sets = toys(3, 50, 500, seed=8)
    sets[1] = np.zeros(0)
    model = likelihood(sets)

    found = fit_unbinned(model)
    z, intervals = significance(model, found), profile_intervals(model, found)

    assert found.status.tolist() == ["ok", NO_EVENTS, "ok"]
    assert found.errors.mask[:, 0].tolist() == [False, True, False]
    assert z.mask.tolist() == [False, True, False]
    assert intervals.status.tolist() == ["ok", NO_EVENTS, "ok"]


def test_a_deficit_stops_where_the_density_would_turn_negative():
    """No event at the peak: the lower end of the interval is past that point."""
    events = np.random.default_rng(9).random(60)
    events = events[np.abs(events - 0.5) > 0.12]
    model = likelihood([events], {**PEAK, "n_s": free(0.0, lower=-1.0)})
    found = fit_unbinned(model)

    intervals = profile_intervals(model, found)

    assert found.values[0, 0] == -1.0
    assert found.errors[0, 0] == 0.0
    assert intervals.status.tolist() == [NO_CROSSING]
    assert intervals.low.mask.all()


def test_a_chebyshev_density_below_zero_is_not_entered():
    model = likelihood(toys(1, 20, 200, seed=10))

    nll = model.nll(np.array([[0.0, 200.0, 0.5, 0.05, 1.5]]), np.array([0]))

    assert not np.isfinite(nll).any()


def test_events_on_a_falling_line_to_zero_end_with_a_finite_likelihood():
    """Density 2(1 - x): the fit steps around coefficients that make it negative."""
    events = 1 - np.sqrt(np.random.default_rng(11).random(500))
    model = likelihood([events], {**PEAK, "n_s": fixed(0.0)})

    found = fit_unbinned(model)

    assert np.isfinite(found.nll).all()
    assert abs(found.theta[0, 4] + 1) < 0.1


TEMPLATES = MassTemplates((0.2, 0.4), (0.0, 0.5, 1.0), ((1.0, 1.0), (1.0, 2.0)))


@pytest.mark.parametrize(
    ("settings", "shape", "message"),
    [
        ({"signal.mass": fixed(0.5)}, TEMPLATES, r"signal.mass = 0.5 is outside \[0.2"),
        ({"signal.sigma": fixed(-0.1)}, None, "signal.sigma = -0.1 is outside"),
        ({"signal.sigma": constrained(0.1, -0.1)}, None, "give positive ones"),
        ({"n_s": free(1.0, lower=2.0)}, None, "n_s = 1.0 is outside"),
    ],
)
def test_bad_settings_are_one_clear_error(settings, shape, message):
    with pytest.raises(OutOfDomain, match=message):
        likelihood([np.array([0.5])], settings, signal=shape)


def test_an_unknown_parameter_is_named_with_the_closest():
    with pytest.raises(UnknownName, match=r"Did you mean 'signal\.mean'"):
        likelihood([np.array([0.5])], {"signal.maen": fixed(0.5)})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: separate([np.array([2.0])], WINDOW), "event 2.0 is outside"),
        (lambda: separate([np.array([0.5])], WINDOW[:, ::-1]), "is empty or unbounded"),
        (lambda: separate([], np.zeros((2, 2))), "0 data sets have 2 windows"),
        (lambda: sliding(np.array([np.nan]), WINDOW), "event nan is not finite"),
    ],
)
def test_bad_events_are_one_clear_error(build, message):
    with pytest.raises(OutOfDomain, match=message):
        build()


def test_a_fixed_signal_has_neither_interval_nor_significance():
    model = likelihood([np.array([0.5, 0.7])], {**PEAK, "n_s": fixed(0.0)})
    found = fit_unbinned(model)

    with pytest.raises(OutOfDomain, match="n_s is fixed"):
        significance(model, found)
    with pytest.raises(OutOfDomain, match="n_s is fixed"):
        profile_intervals(model, found)


def test_an_interval_needs_a_positive_width():
    model = likelihood(toys(1, 20, 200, seed=12))

    with pytest.raises(OutOfDomain, match="deviations must be positive, got -1"):
        profile_intervals(model, fit_unbinned(model), deviations=-1.0)
