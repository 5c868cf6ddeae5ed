"""Fits of hand-made spectra against closed forms and the counting in one bin."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import pi, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri

from darksector.machines import load as load_machine
from darksector.searches import _spectrum_fit, pipeline
from darksector.searches._counting import cls_band, counting_model
from darksector.searches._regions import Region
from darksector.searches._samples import Halves, Samples, Survivors
from darksector.searches._spectrum_fit import fitted_band, fitted_bayesian
from darksector.searches._windows import tabulated, window
from darksector.searches.base import Background, Inputs, Part, Uncertainty
from darksector.searches.dark_photon_invisible import SEARCH

LEVEL = 0.90
LUMINOSITY = 20.0  # fb^-1
MASS = sqrt(50.0)  # GeV
EFFICIENCY = 0.2
WIDTH = 100.0  # GeV², of the flat background
ALL = Region("all", lower=(0.0,), upper=(180.0,), masses=(0.0, 10.0), source="test")
NOTHING = replace(ALL, name="nothing", lower=(170.0,))
MEDIAN = 2


@cache
def whole_plan():
    return pipeline.plan(
        SEARCH, luminosity="20/fb", masses=[MASS], seed=1, inputs=Inputs()
    )


def plan(*, size, systematics=(), masses=(MASS,)):
    part = Part("flat", "flat", uncertainty=Uncertainty(size, "test"))
    background = Background("diphoton", "flat", chunks=2, parts=(part,))
    search = replace(SEARCH, backgrounds=(background,), systematics=systematics)
    return replace(whole_plan(), search=search, masses=masses)


def survivors(value, *, total, residual=None):
    """Return candidates of equal weights, all at 90 degrees."""
    machine = load_machine(SEARCH.machine)
    energy = (machine.s - value) / (2 * machine.sqrt_s)
    return Survivors(
        cutflow=np.array([[1.0, 1.0]]),
        weight=np.full(value.size, total / value.size),
        value=value,
        residual=np.zeros(value.size) if residual is None else residual,
        variables=np.array([energy, np.full(value.size, pi / 2)]),
        origins=np.zeros((0, value.size)),
    )


def peak(mass=MASS, *, sigma=1.0):
    z = ndtri((np.arange(20000) + 0.5) / 20000)
    return survivors(mass**2 + sigma * z, total=EFFICIENCY, residual=sigma * z)


def flat(density, *, count=100000):
    """Return a background of so many events per GeV² between 0 and 100 GeV²."""
    value = WIDTH * (np.arange(count) + 0.5) / count
    return survivors(value, total=density * WIDTH / LUMINOSITY)


def samples(background, *signals):
    parts = {"flat": background}
    return Samples(signals, parts, Halves(parts, parts))


def fit(found, *, size, **options):
    """Return the median of the only mass, fb."""
    band = fitted_band(
        plan(size=size), found, [ALL],
        confidence_level=LEVEL, simulation_error=False, **options,
    )  # fmt: skip
    return band[0, MEDIAN]


def ideal(density, sigma=1.0):
    """Return the limit on a Gaussian on a known flat background, fb.

    The error of its events is (2 √π σ b)^½, from ∫ s²/b dx, and half of a Gaussian around
    zero lies above the 95 % quantile: CLs of 10 % there (arXiv:1007.1727 eq. 89).
    """
    error = sqrt(2 * sqrt(pi) * sigma * density)
    return ndtri(1 - (1 - LEVEL) / 2) * error / (EFFICIENCY * LUMINOSITY)


@pytest.fixture
def known_scale(monkeypatch):
    monkeypatch.setattr(_spectrum_fit, "ENERGY_SCALE", 0.0)


def test_one_bin_is_the_counting_experiment():
    """The resolution is wider than all there is, so that one bin has everything."""
    near = MASS**2 + np.linspace(-0.4, 0.4, 1001)
    signal = survivors(near, total=EFFICIENCY, residual=10 * (near - MASS**2))
    signal = replace(signal, residual=np.linspace(-9.0, 9.0, 1001))
    found = samples(survivors(near, total=15.0), signal)
    chosen = plan(size=0.1, systematics=SEARCH.systematics)
    counted = tabulated(
        chosen,
        found,
        [window(MASS, signal, found.halves, [], luminosity=LUMINOSITY)],
        {},
    )
    counted = replace(counted, background_error={"flat": np.zeros(1)})

    band = fitted_band(
        chosen, found, [ALL], confidence_level=LEVEL, simulation_error=False
    )

    expected = cls_band(counting_model(chosen, counted), confidence_level=LEVEL)
    assert counted.total_background()[0] == pytest.approx(300.0)
    assert_allclose(band, expected, rtol=1e-5)


@pytest.mark.usefixtures("known_scale")
def test_a_peak_on_a_flat_background_of_free_normalisation():
    """The closed form, but for the width of bins and for the normalisation.

    Bins of width w average to the fraction ⟨sinc²(kw/2)⟩ of the information, with k
    normal of variance 1/(2σ²): 1 - 1/24 + 1/480 for w = σ, to the fourth order.  A free
    normalisation takes 2 √π σ / WIDTH of that of a peak, the projection on a constant.
    """
    density = 1e5
    information = 1 - 1 / 24 + 1 / 480 - 2 * sqrt(pi) / WIDTH

    limit = fit(samples(flat(density), peak()), size=0.5)

    assert limit == pytest.approx(ideal(density) / sqrt(information), rel=3e-3)


@pytest.mark.usefixtures("known_scale")
def test_bayesian_and_cls_limits_agree_where_all_is_gaussian():
    """A flat prior and a Gaussian around zero: its 95 % quantile, as with CLs."""
    found, chosen = samples(flat(1e5), peak()), plan(size=0.5)
    options = {"confidence_level": LEVEL, "simulation_error": False}

    limits = fitted_bayesian(chosen, found, [ALL], **options)

    assert limits.shape == (1,)
    assert limits[0] == pytest.approx(
        fitted_band(chosen, found, [ALL], **options)[0, MEDIAN], rel=0.02
    )


def test_side_bands_fix_the_normalisation():
    """They take 1.8 % of the limit (see above); counting loses a factor."""
    density = 1e3
    found = samples(flat(density), peak())

    ratio = fit(found, size=0.5) / fit(found, size=1e-3)

    assert 1 <= ratio < 1.02
    signal = found.signals[0]
    one = window(MASS, signal, found.halves, [], luminosity=LUMINOSITY)
    counts = [
        cls_band(
            counting_model(chosen, tabulated(chosen, found, [one], {})),
            confidence_level=LEVEL,
        )[0, MEDIAN]
        for chosen in (plan(size=0.5), plan(size=1e-3))
    ]
    assert counts[0] > 10 * counts[1]


def test_the_error_of_a_small_simulation_is_a_nuisance():
    """25 simulated events per bin of 1000: 20 % instead of 3 % of the root."""
    found, chosen = samples(flat(1e3, count=2500), peak()), plan(size=0.1)

    known, unsure = (
        fitted_band(chosen, found, [ALL], confidence_level=LEVEL, simulation_error=x)
        for x in (False, True)
    )

    # variances of bins: 1000 events, and (1000 / 5)² of the simulation
    expected = sqrt((1000 + 200**2) / 1000)
    assert unsure[0, MEDIAN] / known[0, MEDIAN] == pytest.approx(expected, rel=0.1)


def test_bands_increase_and_hold_with_few_events():
    """Three events expected in all: bins are joined, and no limit is lost."""
    band = fitted_band(
        plan(size=0.1), samples(flat(0.03), peak()), [ALL],
        confidence_level=LEVEL, simulation_error=False,
    )  # fmt: skip

    assert not np.ma.getmaskarray(band).any()
    assert (np.diff(band[0]) > 0).all()
    # no event excludes 2.3 of signal; three events in one bin, 1.645 √3 above
    few = band[0, MEDIAN] * EFFICIENCY * LUMINOSITY
    assert 1.0 < few < 2.3 + 1.645 * sqrt(3)


def test_masses_without_signal_or_background_are_masked():
    masses = (2.0, MASS, 9.0)
    signals = [peak(2.0), peak()[np.zeros(20000, dtype=bool)], peak(9.0)]
    band = fitted_band(
        plan(size=0.1, masses=masses), samples(flat(1e3), *signals), [ALL, ALL, NOTHING],
        confidence_level=LEVEL, simulation_error=False,
    )  # fmt: skip

    mask = np.ma.getmaskarray(band)
    assert mask.all(axis=1).tolist() == [False, True, True]
    assert not mask[0].any()


def test_limits_of_one_mass_do_not_depend_on_equal_companions():
    """The batch is a matter of speed: the same resolution gives the same bins."""
    together = fitted_band(
        plan(size=0.1, masses=(2.0, MASS)),
        samples(flat(1e3), peak(2.0), peak()),
        [ALL, ALL], confidence_level=LEVEL, simulation_error=False,
    )  # fmt: skip

    alone = fit(samples(flat(1e3), peak()), size=0.1)
    assert together[1, MEDIAN] == pytest.approx(alone, rel=1e-2)


def test_the_energy_scale_moves_an_exponential_spectrum():
    """Against candidates moved one by one: s - 2 √s E* with E* (1 ± 0.5 %)."""
    s = load_machine(SEARCH.machine).s
    edges = np.linspace(0.0, 40.0, 41)
    value = -10 * np.log1p(-(np.arange(400000) + 0.5) / 400000)  # mean 10 GeV²
    events, _ = np.histogram(value, edges)
    up, down = (
        np.histogram(s - (s - value) * (1 + sign * 0.005), edges)[0] for sign in (1, -1)
    )

    moved = _spectrum_fit.energy_scale(events.astype(float), edges, s)

    expected = (up - down)[1:-1] / 2  # candidates leave the outer bins, never ours
    largest = np.abs(expected).max()
    found = (moved.up - moved.down)[1:-1] / 2
    assert_allclose(found, expected, atol=0.05 * largest)
    assert moved.up.sum() == pytest.approx(events.sum())
