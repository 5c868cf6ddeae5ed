"""Three photons: pairs, cuts, and the fit of a bump on spectra with known answers."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr
from scipy.stats import norm

import darksector as ds
from darksector import observables as obs
from darksector.detectors.card import load as load_detector
from darksector.detectors.clusters import time_interval
from darksector.detectors.objects import Candidates, Cluster
from darksector.execution import stream
from darksector.kinematics import Momentum, momentum, squared, total
from darksector.searches import _bump_fit, alp_3gamma
from darksector.searches._bump_fit import Shape, described, limits, shape
from darksector.searches._bump_results import Yield
from darksector.searches._bump_spectrum import Local, Signal, local
from darksector.searches._samples import Survivors
from darksector.searches._three_photons import (
    DIPHOTON,
    RECOIL,
    Pairs,
    crossing,
    one_row_per_pair,
    sharper,
    threshold,
)
from darksector.statistics.systematics import Systematic

BEAMS = (11.0, 0.45, 0.0, 3.0)  # GeV, with a crossing angle
POLYNOMIAL = Shape(degree=0, error=1.0, spurious=0.0, luminosity=1.0)


@pytest.fixture(scope="module")
def detector():
    return load_detector("belle2_phase2")


def clusters(*photons, time=0.0):
    """Return clusters of (energy, θ in degrees, φ in degrees), each ``(1,)``."""
    found = []
    for i, (energy, theta, phi) in enumerate(photons):
        t, f = np.deg2rad([theta, phi])
        p = energy * np.array(
            [1.0, np.sin(t) * np.cos(f), np.sin(t) * np.sin(f), np.cos(t)]
        )
        at = time if i == 0 else 0.0
        found.append(Cluster(momentum(jnp.array(p[None])), jnp.array([at])))
    return tuple(found)


def candidates(found, beams=BEAMS):
    return Candidates(
        tracks=(),
        clusters=found,
        weights=jnp.ones(1),
        p_beams=momentum(jnp.array([beams])),
        recoil_mass2_gen=jnp.zeros(1),
        origins={},
    )


def balanced_candidates(n=200):
    """Return random photons whose momenta add up to those of the beams."""
    random = stream(1, "three photons")
    photons = random.normal(size=(n, 3, 3))
    e = np.linalg.norm(photons, axis=2)
    p = [Momentum(*jnp.array([e[:, i], *photons[:, i].T])) for i in range(3)]
    return Candidates(
        tracks=(),
        clusters=tuple(Cluster(each, jnp.zeros(n)) for each in p),
        weights=jnp.ones(n),
        p_beams=total(p),
        recoil_mass2_gen=jnp.zeros(n),
        origins={},
    )


def survivors(columns, weight=None):
    """Return a sample of rows (mass², mass², mass², recoil² …, softest energy)."""
    columns = np.array(columns, dtype=np.float64)
    order = np.argsort(columns[:, 0], kind="stable")
    n = len(columns)
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    return Survivors(
        cutflow=np.array([[2.0 * n, 2.0 * n]]),
        weight=weights[order],
        value=columns[order, 0],
        residual=np.zeros(n),
        variables=columns[order, 1:].T,
        origins=np.zeros((0, n)),
    )


def sample(n=500, seed=2):
    random = stream(seed, "pairs")
    masses, recoils = random.uniform(0, 100, (2, n, 3))
    energy = random.uniform(0.65, 3.0, n)
    return survivors(
        np.column_stack([masses, recoils, energy]), random.uniform(0, 2, n)
    )


# ---- observables


def test_masses_of_the_pairs_add_up_to_that_of_all_three():
    """Massless particles: M² = m₁₂² + m₁₃² + m₂₃²."""
    c = balanced_candidates()

    pairs = obs.diphoton_mass2_low(c), obs.diphoton_mass2_mid(c)
    whole = sum(pairs) + obs.diphoton_mass2_high(c)

    assert_allclose(whole, squared(total(c.p_clusters)), rtol=1e-9)


def test_recoils_of_a_balanced_event_are_the_masses_of_the_pairs():
    c = balanced_candidates()

    for name in ("low", "mid", "high"):
        mass2 = getattr(obs, f"diphoton_mass2_{name}")(c)
        recoil2 = getattr(obs, f"diphoton_recoil_mass2_{name}")(c)
        assert_allclose(mass2, recoil2, atol=1e-9)


def test_pairs_are_ordered_by_the_photon_that_they_leave_out():
    """A harder photon leaves less: M_rec² = s - 2 √s E*."""
    c = balanced_candidates()

    low, high = obs.diphoton_recoil_mass2_low(c), obs.diphoton_recoil_mass2_high(c)
    mid = obs.diphoton_recoil_mass2_mid(c)

    assert (low <= mid).all()
    assert (mid <= high).all()


def test_the_order_of_the_clusters_does_not_matter():
    photons = ((4.0, 60, 10), (2.0, 100, 150), (1.5, 80, 250))
    one = candidates(clusters(*photons))
    other = candidates(clusters(photons[2], photons[0], photons[1]))

    for name in ("diphoton_mass2_low", "diphoton_recoil_mass2_mid", "e_photon_min_lab"):
        compute = obs.OBSERVABLES[name].compute
        assert_allclose(compute(one), compute(other))


# ---- cuts


@pytest.mark.parametrize(
    ("theta", "kept"),
    [(37.2, False), (37.4, True), (90.0, True), (123.6, True), (123.8, False)],
)
def test_every_photon_has_to_be_in_the_barrel(detector, theta, kept):
    c = candidates(clusters((4.0, 60, 0), (4.0, theta, 120), (2.0, 90, 240)))

    assert alp_3gamma.photons_in_barrel(c, detector)[0] == kept


@pytest.mark.parametrize(("energy", "kept"), [(0.64, False), (0.66, True)])
def test_every_photon_has_to_be_hard(detector, energy, kept):
    c = candidates(clusters((4.0, 60, 0), (energy, 70, 120), (2.0, 90, 240)))

    assert alp_3gamma.hard_photons(c, detector)[0] == kept


@pytest.mark.parametrize(
    ("share", "kept"), [(0.87, False), (0.89, True), (1.02, True), (1.04, False)]
)
def test_photons_have_to_hold_the_energy_of_the_collision(detector, share, kept):
    """Three equal photons at 120 degrees have a mass of three times their energy."""
    sqrt_s = 10.58
    energy = share * sqrt_s / 3
    found = clusters((energy, 90, 0), (energy, 90, 120), (energy, 90, 240))
    c = candidates(found, beams=(sqrt_s, 0.0, 0.0, 0.0))

    assert alp_3gamma.balanced(c, detector)[0] == kept


@pytest.mark.parametrize(("distance", "kept"), [(2.9, True), (3.1, False)])
def test_a_photon_out_of_time_is_refused(detector, distance, kept):
    """One of three equal intervals off by d is 2d/3 from the mean: 2 at d = 3."""
    interval = float(time_interval(detector.calorimeter, jnp.array([3.0]))[0])
    photons = ((3.0, 90, 0), (3.0, 90, 120), (3.0, 90, 240))
    c = candidates(clusters(*photons, time=distance * interval))

    assert alp_3gamma.together_in_time(c, detector)[0] == kept


def test_the_threshold_of_the_energy_depends_on_the_mass():
    steps = ds.search("alp_3gamma").strategy.energies

    assert threshold(4.0, steps) == 1.0
    assert threshold(4.01, steps) == 0.65
    assert threshold(9.7, steps) == 0.65


# ---- pairs


def test_every_candidate_enters_three_times():
    found = sample()

    rows = one_row_per_pair(found)

    assert len(rows.value) == 3 * len(found.value)
    assert_allclose(rows.weight.sum(), 3 * found.weight.sum())
    assert (np.diff(rows.value) >= 0).all()
    whole = found.value + found.variables[0] + found.variables[1]
    assert_allclose((rows.weight * rows.value).sum(), (found.weight * whole).sum())


@pytest.mark.parametrize("kind", [DIPHOTON, RECOIL])
def test_entries_fill_bins_like_a_histogram(kind):
    """The slow way: a loop over candidates and pairs."""
    found, edges = sample(), np.array([3.0, 10.0, 12.5, 60.0])
    first = 0 if kind == DIPHOTON else 3
    table = np.vstack([found.value, found.variables])

    sums, squares = Pairs.of(found, energy_min=1.0).entries(kind).fill(edges)

    expected = np.zeros((2, 3))
    for weight, row in zip(found.weight, table.T, strict=True):
        for value in row[first : first + 3]:
            inside = [low <= value < high for low, high in zip(edges, edges[1:])]  # noqa: B905, RUF007
            if row[-1] > 1.0 and any(inside):
                expected[:, inside.index(True)] += weight, weight**2
    assert_allclose(sums, expected[0])
    assert_allclose(squares, expected[1])


def test_the_resolution_is_that_of_the_right_pair():
    """A Gaussian of width 0.3 among wrong pairs; 20000 events know it to 1 %."""
    random = stream(3, "resolution")
    n, mass = 20_000, 3.0
    right = 9.0 + 0.3 * random.normal(size=n)
    recoil = 9.0 + 2.0 * random.normal(size=n)
    wrong = random.uniform(20, 80, (4, n))
    columns = [right, wrong[0], wrong[1], recoil, wrong[2], wrong[3], np.full(n, 2.0)]

    pairs = Pairs.of(survivors(np.column_stack(columns)), energy_min=1.0)

    resolutions = pairs.resolutions(mass)
    assert resolutions[DIPHOTON] == pytest.approx(0.3, rel=0.03)
    assert resolutions[RECOIL] == pytest.approx(2.0, rel=0.03)
    assert sharper(resolutions) == DIPHOTON


def test_resolutions_cross_where_their_logarithms_do():
    """0.5/2 and 2/1: the ratio passes one at two thirds of the way."""
    table = [{DIPHOTON: 0.5, RECOIL: 2.0}, {DIPHOTON: 2.0, RECOIL: 1.0}]

    assert crossing([6.0, 9.0], table) == pytest.approx(8.0)
    assert crossing([6.0, 9.0], table[::-1]) is None


# ---- the fit of a spectrum


def flat(rate=200.0, bins=100, peaking=None):
    """Return a flat spectrum, fb per bin, with a Gaussian signal at its middle."""
    edges = np.linspace(0, bins / 2, bins + 1)
    mass2, resolution = bins / 4, 1.0
    shares = 0.3 * np.diff(ndtr((edges - mass2) / resolution))
    return Local(
        kind=DIPHOTON,
        mass2=mass2,
        resolution=resolution,
        edges=edges,
        shares=shares,
        smooth={"flat": np.full(bins, rate)},
        peaking=peaking or {},
        equivalent=1e6,
    )


def error(spectrum, luminosity):
    """Return the error of the cross-section from Fisher's matrix of two parameters."""
    signal = spectrum.shares * luminosity
    smooth = spectrum.continuum * luminosity
    events = smooth + sum(spectrum.peaking.values()) * luminosity
    design = np.column_stack([signal, smooth / smooth.sum()])
    fisher = design.T @ (design / events[:, None])
    return sqrt(np.linalg.inv(fisher)[0, 0])


def test_the_expected_limit_of_many_events_is_that_of_a_gaussian():
    """μ_N = σ (Φ⁻¹(1 - 0.05 Φ(N)) + N), arXiv:1007.1727 eq. 89."""
    spectrum, luminosity = flat(), 100.0

    found = limits(
        spectrum, POLYNOMIAL, luminosity=luminosity, confidence_level=0.95
    ).expected[0]

    n = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    gaussian = norm.ppf(1 - 0.05 * ndtr(n)) + n
    assert_allclose(found, gaussian * error(spectrum, luminosity), rtol=0.02)


def test_the_limit_falls_with_the_root_of_the_luminosity():
    """Without systematics; that on the coupling with the fourth root."""
    at = {
        luminosity: limits(
            flat(), POLYNOMIAL, luminosity=luminosity, confidence_level=0.95
        ).expected[0, 2]
        for luminosity in (20.0, 50_000.0)
    }

    assert sqrt(at[20.0] / at[50_000.0]) == pytest.approx(2500**0.25, rel=0.01)


def test_an_uncertain_efficiency_weakens_the_limit():
    """q = μ²/(σ² + δ²μ²) of a Gaussian: μ = z σ (1 - z² δ²)^(-1/2), z = 1.96."""
    spectrum, size = flat(), 0.08
    systematics = (Systematic("efficiency", signal=size, background=0.0, source="x"),)

    found = limits(
        spectrum,
        POLYNOMIAL,
        luminosity=100.0,
        confidence_level=0.95,
        systematics=systematics,
    ).expected[0, 2]

    z = norm.ppf(0.975)
    expected = z * error(spectrum, 100.0) / sqrt(1 - (z * size) ** 2)
    assert found == pytest.approx(expected, rel=0.02)


def test_a_biased_polynomial_weakens_the_limit():
    """A spurious signal as large as the error adds in quadrature: a factor √2."""
    spectrum, luminosity = flat(), 100.0
    sigma = error(spectrum, luminosity)
    biased = replace(POLYNOMIAL, spurious=sigma * luminosity, luminosity=luminosity)

    good, bad = (
        limits(spectrum, p, luminosity=luminosity, confidence_level=0.95).expected[0, 2]
        for p in (POLYNOMIAL, biased)
    )

    assert bad / good == pytest.approx(sqrt(2), rel=0.02)


def test_an_uncertain_peak_weakens_the_limit():
    """Known to 1 %, a peak of the shape of the signal adds that error in quadrature.

    A larger uncertainty is log-normal, and no longer the same up and down.
    """
    luminosity, plain = 100.0, flat()
    size = 100 * error(plain, luminosity)  # fb before the efficiency
    spectrum = flat(peaking={"peak": size * plain.shares})
    sigma = error(spectrum, luminosity)
    uncertain = {"peak": alp_3gamma.Uncertainty(0.01, "assumed")}

    known, found = (
        limits(
            spectrum,
            POLYNOMIAL,
            luminosity=luminosity,
            confidence_level=0.95,
            uncertainties=sizes,
        ).expected[0, 2]
        for sizes in ({}, uncertain)
    )

    assert found / known == pytest.approx(
        sqrt(1 + (0.01 * size / sigma) ** 2), rel=0.02
    )


def test_a_spectrum_of_the_right_shape_has_no_bias():
    found = shape(flat(), 2, luminosity=10.0)

    assert abs(found.spurious) < 1e-3 * found.error


def test_a_peak_in_the_background_is_a_bias():
    """A smooth component with a hidden peak of 5 fb before the efficiency."""
    spectrum = flat()
    hidden = {"flat": spectrum.smooth["flat"] + 5 * spectrum.shares}

    found = shape(replace(spectrum, smooth=hidden), 2, luminosity=10.0)

    assert found.spurious == pytest.approx(50.0, rel=0.05)


def test_the_bias_is_read_off_where_the_simulation_is_large():
    """It then stays at the same fraction of the statistical error."""
    spectrum = replace(flat(), equivalent=50.0)

    found = shape(spectrum, 2, luminosity=1000.0)

    assert found.luminosity == pytest.approx(2.0)
    assert replace(found, spurious=-3.0).bias(200.0) == pytest.approx(30.0)


def curved():
    """Return a parabola under the signal."""
    spectrum = flat()
    middle = (spectrum.edges[:-1] + spectrum.edges[1:]) / 2 - spectrum.mass2
    return replace(spectrum, smooth={"curved": 200 - 0.3 * middle**2})


def test_a_parabola_asks_for_the_second_degree():
    """Less is biased; more has the larger error."""
    _, polynomial = described([curved()], (0, 1, 2, 4), luminosity=10.0)

    assert polynomial.degree == 2


def test_the_wider_window_knows_the_background_better():
    wide, narrow = flat(bins=100), flat(bins=40)

    chosen, _ = described([narrow, wide], (2,), luminosity=10.0)

    assert chosen is wide


def test_error_and_bias_add_in_quadrature():
    """3² + 4² = 5², and √4 of the luminosity."""
    assert replace(POLYNOMIAL, error=3.0, spurious=-4.0, luminosity=4.0).total == 2.5


def test_sidebands_fix_a_flat_background_by_counting():
    """b_core = N_side n_core / n_side, with the error of √N_side."""
    spectrum, luminosity = flat(), 3.0
    inside = spectrum.core.stop - spectrum.core.start
    outside = 100 - inside

    found = _bump_fit.sideband_error(spectrum, 0, luminosity=luminosity)

    assert inside == 8
    assert found == pytest.approx(inside / outside * sqrt(200 * outside * luminosity))


# ---- from pairs to a window


def test_the_window_holds_every_component_and_ends_where_they_end():
    entries = Pairs.of(sample(), energy_min=1.0).entries(DIPHOTON)
    signal = Signal(DIPHOTON, 90.0, 2.0, entries, sigma=1000.0)

    found = local(
        signal,
        {"one": entries, "two": entries, "peak": entries},
        peaking=("peak",),
        reach=(20.0, 30.0),
    )

    assert set(found.smooth) == {"one", "two"}
    assert set(found.peaking) == {"peak"}
    assert_array_equal(found.continuum, found.smooth["one"] + found.smooth["two"])
    assert found.edges[0] == pytest.approx(50.0)
    assert found.edges[-1] == pytest.approx(100.0, abs=1.0)  # no mass² is above 100
    assert_allclose(found.shares * 1000, found.peaking["peak"])


def test_the_counts_of_the_core_are_those_of_candidates():
    """Accept or reject one candidate after the other."""
    found = sample()
    core = np.array([20.0, 30.0])

    counted = Yield.of(Pairs.of(found, energy_min=1.0).entries(DIPHOTON), core)

    accepted = [
        weight
        for weight, energy, *masses in zip(
            found.weight,
            found.variables[-1],
            found.value,
            *found.variables[:2],
            strict=True,
        )
        for mass2 in masses
        if energy > 1.0 and 20.0 <= mass2 < 30.0
    ]
    assert counted.value == pytest.approx(sum(accepted))
    assert counted.error == pytest.approx(sqrt(sum(w * w for w in accepted)))


def test_a_component_that_is_absent_has_the_error_of_one_entry():
    entries = Pairs.of(sample(), energy_min=1.0).entries(DIPHOTON)

    none = Yield.of(entries, np.array([200.0, 210.0]))

    assert none.value == 0
    assert none.error == pytest.approx(entries.typical)
