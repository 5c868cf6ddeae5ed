"""Edges of acceptances, Cherenkov light and ionisation, each against a formula."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.detectors import cherenkov
from darksector.detectors.card import load
from darksector.detectors.edges import rise, window
from darksector.detectors.ionisation import density_effect, restricted_loss
from darksector.particles import MASS

FULL = load("belle2")


# ---- edges


def test_an_edge_is_a_step_without_tails():
    x = jnp.array([0.8, 0.9, 1.0, 1.1, 1.2])

    assert_allclose(rise(x, 1.0, 0.2), [0, 0, 0.5, 1, 1], atol=1e-15)
    assert_allclose(window(x, jnp.array([0.0, 1.0]), 0.2), [1, 1, 0.5, 0, 0])


def test_the_slope_of_an_edge_vanishes_at_its_ends():
    """Maximum 15/8 over the width, by hand."""
    slope = jax.vmap(jax.grad(rise), (0, None, None))

    found = slope(jnp.array([0.9 + 1e-9, 1.0, 1.1 - 1e-9]), 1.0, 0.2)

    assert_allclose(found, [0, 15 / 8 / 0.2, 0], atol=1e-6)


# ---- Cherenkov light


@pytest.mark.parametrize("species", ["e", "mu", "pi+", "K+"])
@pytest.mark.parametrize("index", [1.05, 1.47])
def test_cherenkov_angle_is_that_of_the_textbook(species, index):
    """cos θ = 1/(n β), in the order of the formula, against a particle of β = 1."""
    p, mass = 4.0, MASS[species]
    beta = p / np.sqrt(p**2 + mass**2)
    light, fastest = (
        cherenkov.light(jnp.array([p]), m, index, 20.0) for m in (mass, 0.0)
    )

    found = cherenkov.angle_difference(light, fastest)

    expected = np.arccos(1 / (index * beta)) - np.arccos(1 / index)
    assert_allclose(found, expected, rtol=1e-3, atol=1e-12)


def test_pions_and_kaons_of_4_gev_differ_by_6_5_mrad_in_quartz():
    """Δθ = Δ(m²)/(2 p²) / tan θ, first order; by hand 6.5 mrad for n = 1.473."""
    p, index = 4.0, 1.473
    first_order = (MASS["K+"] ** 2 - MASS["pi+"] ** 2) / (2 * p**2)
    first_order /= np.tan(np.arccos(1 / index))

    pion, kaon = (
        cherenkov.light(jnp.array([p]), MASS[s], index, 20.0) for s in ("pi+", "K+")
    )

    assert_allclose(cherenkov.angle_difference(pion, kaon), first_order, rtol=0.02)
    assert first_order == pytest.approx(6.5e-3, abs=0.1e-3)


def test_light_starts_at_the_threshold():
    """p = m / √(n² - 1): 1.54 GeV for kaons in aerogel of n = 1.05, by hand."""
    threshold = MASS["K+"] / np.sqrt(1.05**2 - 1)
    p = jnp.array([0.9, 1.1]) * threshold

    photons = cherenkov.light(p, MASS["K+"], 1.05, 20.0).photons

    assert threshold == pytest.approx(1.54, abs=0.01)
    assert photons[0] < 0.2
    assert photons[1] > 3


def test_saturated_light_is_the_number_of_the_card():
    assert_allclose(
        cherenkov.light(jnp.array([1e3]), MASS["e"], 1.47, 20.0).photons, 20, rtol=1e-4
    )


def test_flight_of_pions_and_kaons():
    """At 3 GeV over 120 cm: L/c (m_K² - m_π²)/(2 p²) = 50 ps, first order by hand."""
    kaon, pion = (
        cherenkov.light(jnp.array([3.0]), MASS[s], 1.47, 20.0) for s in ("K+", "pi+")
    )

    late = cherenkov.arrival_difference(
        kaon, pion, flight=120.0, propagation=0.0, index=1.47
    )

    assert_allclose(1e3 * late, 50, atol=1)


def test_propagation_along_the_bar():
    """n D/(c sin θ) for each particle, in the order of the formula."""
    p, index, distance = 3.0, 1.47, 120.0
    times = [
        index * distance / 29.9792458 / np.sin(np.arccos(np.hypot(1, m / p) / index))
        for m in (MASS["K+"], MASS["pi+"])
    ]
    kaon, pion = (
        cherenkov.light(jnp.array([p]), MASS[s], index, 20.0) for s in ("K+", "pi+")
    )

    late = cherenkov.arrival_difference(
        kaon, pion, flight=0.0, propagation=distance, index=index
    )

    assert_allclose(late, times[0] - times[1], rtol=1e-3)


# ---- ionisation


def loss(beta_gamma):
    numbers = FULL.identification
    return restricted_loss(
        jnp.asarray(beta_gamma),
        excitation=numbers.dedx_excitation,
        cut=numbers.dedx_cut,
        density=numbers.dedx_density,
    )


def test_ionisation_has_its_minimum_where_it_should():
    """Derivative of the formula in β², by hand: γ² = ln(2 m W β²γ²/I²) without δ."""
    excitation, cut = (
        float(getattr(FULL.identification, name))
        for name in ("dedx_excitation", "dedx_cut")
    )
    grid = np.linspace(3, 5, 20_001)

    least = grid[np.argmin(loss(grid))]

    logarithm = np.log(2 * 510998.95 * cut * least**2 / excitation**2)
    assert 1 + least**2 == pytest.approx(logarithm, rel=1e-3)


def test_ionisation_reaches_the_fermi_plateau():
    assert_allclose(loss([1e5]), loss([1e6]), rtol=1e-6)
    assert loss([1e5])[0] > 1.2 * loss([3.5])[0]


def test_slow_particles_ionise_as_one_over_beta_squared():
    """Bethe: β² times the loss grows with the logarithm alone, here by 2 ln 2."""
    slow = np.array([0.1, 0.2])
    beta2 = slow**2 / (1 + slow**2)

    first, second = 2 * np.asarray(loss(slow)) * beta2 + beta2

    assert second - first == pytest.approx(2 * np.log(2), rel=1e-12)


def test_density_effect_is_continuous():
    start, end = FULL.identification.dedx_density[:2]
    for edge, size in ((start, 0.03), (end, 1e-6)):
        below, above = density_effect(
            np.log(10) * (edge + jnp.array([-1e-9, 1e-9])),
            FULL.identification.dedx_density,
        )
        assert abs(above - below) < size  # Sternheimer's fit itself jumps at x0
