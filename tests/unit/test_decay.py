"""Decays against closed forms: energies, angles, phase space, lifetimes, chains."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad

from darksector.errors import OutOfDomain
from darksector.events import Events
from darksector.execution import stream
from darksector.generators.decay import Mode, decay
from darksector.particles import MASS

N = 20 * 1024
TAU, PION, RHO = MASS["tau"], MASS["pi0"], 0.77526
PHOTONS = Mode((22, 22), (0.0, 0.0))
THREE = Mode((-211, 111, 16), (MASS["pi+"], PION, 0.0))


def mothers(mass, n=N, *, p=(0.3, -1.2, 2.5), pdg=36):
    """Return events of one particle."""
    energy = np.sqrt(mass**2 + np.dot(p, p))
    momenta = jnp.asarray(np.tile([energy, *p], (n, 1, 1)))
    return Events(momenta, jnp.ones(n), momenta[:, 0], (pdg,))


def numbers(mode, n=N, seed=1):
    return stream(seed, "decay").random((n, mode.dimension))


def lorentz2(p):
    p = np.asarray(p)
    return p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(axis=-1)


def in_rest_frame(p, frame):
    """Return momenta in the rest frame of another, by the formula of a boost."""
    p, frame = np.asarray(p), np.asarray(frame)
    mass = np.sqrt(lorentz2(frame))[:, None]
    along = (p[:, 1:] * frame[:, 1:]).sum(axis=1, keepdims=True)
    energy = (p[:, :1] * frame[:, :1] - along) / mass
    factor = (p[:, :1] + energy) / (mass + frame[:, :1])
    return np.concatenate([energy, p[:, 1:] - factor * frame[:, 1:]], axis=1)


@pytest.mark.parametrize(
    ("mass", "mode"),
    [
        pytest.param(PION, PHOTONS, id="pi0 -> gamma gamma"),
        pytest.param(1.0, Mode((13, -13), (MASS["mu"],) * 2), id="S -> mu mu"),
        pytest.param(TAU, Mode((-211, 16), (MASS["pi+"], 0.0)), id="tau -> pi nu"),
        pytest.param(1.0, Mode((321, -321), (0.4999999, 0.5)), id="at threshold"),
    ],
)
def test_two_body_energies_are_those_of_the_closed_form(mass, mode):
    r"""E1* = (M² + m1² - m2²)/(2M), p* from the Källén function."""
    events = decay(numbers(mode), mothers(mass), 0, mode)

    m1, m2 = mode.masses
    energy = (mass**2 + m1**2 - m2**2) / (2 * mass)
    first, second = (
        in_rest_frame(events.momenta[:, i], events.momenta[:, 0]) for i in (1, 2)
    )
    assert_allclose(first[:, 0], energy, rtol=1e-9)
    assert_allclose(second[:, 0], mass - energy, rtol=1e-9)
    assert_allclose(first[:, 1:], -second[:, 1:], atol=1e-9)
    assert_allclose(lorentz2(events.momenta[:, 1:]), [[m1**2, m2**2]] * N, atol=1e-9)


@pytest.mark.parametrize("mode", [PHOTONS, THREE], ids=["two", "three"])
def test_products_are_isotropic_in_the_rest_frame(mode):
    events = decay(numbers(mode), mothers(TAU), 0, mode)

    for slot in range(1, 1 + len(mode.products)):
        p = in_rest_frame(events.momenta[:, slot], events.momenta[:, 0])[:, 1:]
        unit = p / np.linalg.norm(p, axis=1, keepdims=True)
        for axis in np.eye(3):
            assert stats.kstest(unit @ axis, "uniform", (-1, 2)).pvalue > 1e-3


@settings(deadline=None)  # the first call compiles
@given(
    mass=st.floats(0.35, 3.0),
    p=st.tuples(*[st.floats(-8.0, 8.0)] * 3),
    u=st.lists(st.floats(0, 1, exclude_max=True), min_size=6, max_size=6),
)
def test_momentum_is_conserved_at_every_point(mass, p, u):
    for mode in (PHOTONS, THREE):
        events = decay(np.array([u[: mode.dimension]]), mothers(mass, 1, p=p), 0, mode)

        assert_allclose(
            events.momenta[:, 1:].sum(axis=1), events.momenta[:, 0], atol=1e-12
        )
        assert_allclose(
            lorentz2(events.momenta[0, 1:]), np.square(mode.masses), atol=1e-9
        )
        assert np.isfinite(events.weights).all()


def dalitz_width(m2, mother, masses):
    """Return the range of m23² at given m12² (Review of Particle Physics, 49.23)."""
    m1, m2_, m3 = masses
    m12 = np.sqrt(m2)
    e2 = (m2 - m1**2 + m2_**2) / (2 * m12)
    e3 = (mother**2 - m2 - m3**2) / (2 * m12)
    return 4 * np.sqrt(np.maximum((e2**2 - m2_**2) * (e3**2 - m3**2), 0.0))


@pytest.mark.parametrize(
    "masses",
    [
        pytest.param((MASS["pi+"], PION, 0.0), id="one massless"),
        pytest.param((0.0, 0.0, 0.0), id="massless"),
        pytest.param((0.5, 0.6, 0.67), id="near threshold"),
        pytest.param((MASS["e"], MASS["e"], 0.1), id="light pair"),
    ],
)
def test_three_bodies_fill_the_dalitz_plot_evenly(masses):
    """Weighted counts in bins of m12² follow the width, and m23² is flat within."""
    mode = Mode((1, 2, 3), masses)
    events = decay(numbers(mode), mothers(TAU), 0, mode)
    p, weights = np.asarray(events.momenta), np.asarray(events.weights)
    m12, m23 = (lorentz2(p[:, i] + p[:, i + 1]) for i in (1, 2))

    low, high = (masses[0] + masses[1]) ** 2, (TAU - masses[2]) ** 2
    edges = np.linspace(low, high, 13)
    area = [
        quad(dalitz_width, *pair, args=(TAU, masses))[0] for pair in pairwise(edges)
    ]
    expected = N * np.array(area) / np.sum(area)
    found, _ = np.histogram(m12, edges, weights=weights)
    variance, _ = np.histogram(m12, edges, weights=weights**2)
    assert ((found - expected) ** 2 / variance).sum() < stats.chi2.isf(1e-3, 12)
    middle = centre_of_m23(m12, masses)
    inside = (m23 - middle) / dalitz_width(m12, TAU, masses) + 0.5
    assert stats.kstest(inside[np.isfinite(inside)], "uniform").pvalue > 1e-3


def centre_of_m23(m2, masses):
    m12 = np.sqrt(m2)
    e2 = (m2 - masses[0] ** 2 + masses[1] ** 2) / (2 * m12)
    e3 = (TAU**2 - m2 - masses[2] ** 2) / (2 * m12)
    return masses[1] ** 2 + masses[2] ** 2 + 2 * e2 * e3


def test_three_body_weights_are_near_one_with_mean_one():
    events = decay(numbers(THREE), mothers(TAU), 0, THREE)

    weights = np.asarray(events.weights)
    assert weights.mean() == pytest.approx(1.0, abs=4 * weights.std() / np.sqrt(N))
    assert weights.std() < 0.05


@pytest.mark.parametrize("masses", [(0.0, 0.0, 0.0), (0.5, 0.6, 0.67)])
def test_three_body_weights_integrate_to_one(masses):
    """On an even grid of the one number that they depend on; its ends cost 1e-4."""
    n = 64 * 1024
    mode = Mode((1, 2, 3), masses)
    u = np.full((n, 6), 0.5)
    u[:, 0] = (np.arange(n) + 0.5) / n

    weights = np.asarray(decay(u, mothers(TAU, n), 0, mode).weights)

    assert weights.mean() == pytest.approx(1.0, abs=1e-4)


def test_branching_fractions_multiply_the_weights():
    mode = Mode((22, 22), (0.0, 0.0), branching_fraction=0.25)
    events = replace(mothers(1.0), weights=jnp.arange(1.0, N + 1))

    assert np.array_equal(
        decay(numbers(mode), events, 0, mode).weights, 0.25 * events.weights
    )


def test_decay_lengths_are_exponential_with_mean_beta_gamma_ctau():
    p, mass, ctau = np.array((0.3, -1.2, 2.5)), 0.2, 1.5
    mode = Mode((11, -11), (MASS["e"],) * 2, ctau=ctau)

    events = decay(numbers(mode), mothers(mass), 0, mode)

    place = np.asarray(events.vertices)
    assert np.array_equal(place[:, 0], np.zeros((N, 4)))
    assert np.array_equal(place[:, 1], place[:, 2])
    length = np.linalg.norm(place[:, 1, 1:], axis=1)
    mean = np.linalg.norm(p) / mass * ctau
    assert length.mean() == pytest.approx(mean, rel=4 / np.sqrt(N))
    assert stats.kstest(length, "expon", (0, mean)).pvalue > 1e-3
    assert_allclose(place[:, 1, 1:] / length[:, None], [p / np.linalg.norm(p)] * N)
    proper = np.sqrt(lorentz2(place[:, 1]))
    assert_allclose(proper * np.linalg.norm(p) / mass, length, rtol=1e-6)


def test_particles_at_rest_decay_where_they_are_but_later():
    mode = Mode((22, 22), (0.0, 0.0), ctau=3.0)

    events = decay(numbers(mode), mothers(1.0, p=(0.0, 0.0, 0.0)), 0, mode)

    place = np.asarray(events.vertices[:, 1])
    assert np.array_equal(place[:, 1:], np.zeros((N, 3)))
    assert place[:, 0].mean() == pytest.approx(3.0, rel=4 / np.sqrt(N))


def test_prompt_decays_happen_where_the_mother_was_made():
    spot = jnp.asarray(np.random.default_rng(3).normal(size=(N, 1, 4)))
    events = replace(mothers(1.0), vertices=spot)

    found = decay(numbers(PHOTONS), events, 0, PHOTONS)

    assert np.array_equal(found.vertices, np.repeat(spot, 3, axis=1))
    assert decay(numbers(PHOTONS), mothers(1.0), 0, PHOTONS).vertices is None


def test_a_chain_from_a_tau_to_photons():
    """τ- -> ρ- ν, ρ- -> π- π0, π0 -> γγ: slots, mothers, momenta and places add up."""
    rho = Mode((-213, 16), (RHO, 0.0), 0.25, ctau=87e-4)
    pions = Mode((-211, 111), (MASS["pi+"], PION))
    events = mothers(TAU, pdg=15)
    for slot, mode in ((0, rho), (1, pions), (4, PHOTONS)):
        events = decay(numbers(mode, seed=slot), events, slot, mode)

    assert events.pdg == (15, -213, 16, -211, 111, 22, 22)
    assert events.mothers == (-1, 0, 0, 1, 1, 4, 4)
    p = np.asarray(events.momenta)
    for slot in (0, 1, 4):
        daughters = [i for i, mother in enumerate(events.mothers) if mother == slot]
        assert_allclose(p[:, daughters].sum(axis=1), p[:, slot], atol=1e-12)
    assert_allclose(p[:, [2, 3, 5, 6]].sum(axis=1), p[:, 0], atol=1e-12)
    assert_allclose(np.sqrt(lorentz2(p[:, 5] + p[:, 6])), PION, rtol=1e-9)
    place = np.asarray(events.vertices)
    assert np.array_equal(place[:, 1:], np.repeat(place[:, 1:2], 6, axis=1))
    assert_allclose(events.weights, 0.25)


@pytest.mark.parametrize("n", [1, 1000, 1024, 1025, 3000])
def test_any_number_of_events_gives_the_same_decays(n):
    mode = replace(THREE, ctau=1.0)
    u = numbers(mode, 4096)

    few = decay(u[:n], mothers(TAU, n), 0, mode)

    many = decay(u, mothers(TAU, 4096), 0, mode)
    assert few.momenta.shape == (n, 4, 4)
    assert_allclose(few.momenta, many.momenta[:n], rtol=1e-12, atol=1e-15)
    assert_allclose(few.vertices, many.vertices[:n], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(((22,), (0.0,)), "two or three PDG codes", id="one"),
        pytest.param(((1, 2, 3, 4), (0.0,) * 4), "several short ones", id="four"),
        pytest.param(((22, 22), (0.0,)), "as many masses", id="masses"),
        pytest.param(((22, 0), (0.0, 0.0)), "other than 0", id="code 0"),
        pytest.param(((13, -13), (0.1, -0.1)), "got \\(0.1, -0.1\\)", id="negative"),
        pytest.param(((13, -13), (0.1, np.nan)), "finite and >= 0 GeV", id="nan"),
        pytest.param(((22, 22), (0.0, 0.0), 1.5), "got 1.5", id="branching"),
        pytest.param(((22, 22), (0.0, 0.0), 0.0), "got 0.0", id="no branching"),
        pytest.param(((22, 22), (0.0, 0.0), 1.0, -1.0), "got -1.0", id="past"),
        pytest.param(((22, 22), (0.0, 0.0), 1.0, np.inf), "is stable", id="stable"),
    ],
)
def test_impossible_modes_are_refused(arguments, reason):
    with pytest.raises(OutOfDomain, match=reason):
        Mode(*arguments)


@pytest.mark.parametrize("slot", [-1, 0, 3])
def test_only_particles_that_are_there_decay(slot):
    decayed = decay(numbers(PHOTONS), mothers(1.0), 0, PHOTONS)

    with pytest.raises(OutOfDomain, match=r"those that are there .*: \[1, 2\]"):
        decay(numbers(PHOTONS), decayed, slot, PHOTONS)


def test_closed_channels_are_refused_unless_the_weight_is_zero():
    mode = Mode((15, -15), (TAU, TAU))
    with pytest.raises(OutOfDomain, match=r"mass of 2 GeV in event 0, .* 3\.55372 GeV"):
        decay(numbers(mode), mothers(2.0), 0, mode)
    photon = mothers(0.0, pdg=22)
    with pytest.raises(OutOfDomain, match="choose an open channel"):
        decay(numbers(PHOTONS), photon, 0, PHOTONS)

    without = replace(mothers(2.0), weights=jnp.zeros(N))

    assert not np.asarray(decay(numbers(mode), without, 0, mode).weights).any()


def test_other_shapes_of_numbers_are_refused():
    with pytest.raises(OutOfDomain, match=rf"\({N}, 3\); this decay takes \({N}, 6\)"):
        decay(numbers(PHOTONS), mothers(TAU), 0, THREE)
