"""Signatures of an axion-like particle: limits and closed forms."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import darksector as ds
from darksector import machines
from darksector.detectors.clusters import resolution
from darksector.detectors.crystals import impact
from darksector.detectors.response import respond
from darksector.errors import OutOfDomain
from darksector.kinematics import Momentum
from darksector.models.alp import Alp
from darksector.signatures import _mean_before, escape_distance, signatures

MACHINE = ds.machine("superkekb")
HEAD_ON = machines.symmetric(10.58)


@pytest.fixture(scope="module")
def response():
    return respond(ds.detector("belle2"))


def total(found):
    return sum(np.asarray(part) for part in jax.tree.leaves(found))


def length(model):
    """Return the decay length without boost, cm, from Γ = g² m³/64π (page V2)."""
    width = model.g_agg**2 * model.mass**3 / (64 * np.pi)
    momentum = (10.58**2 - model.mass**2) / (2 * 10.58)
    return momentum / model.mass * 1.973269804e-14 / width


def test_probabilities_are_probabilities(response):
    points = [Alp(m, g) for m in (1e-3, 0.1, 1.0, 10.0) for g in (1e-7, 1e-4, 0.1)]

    found = signatures(response, MACHINE, points)

    assert_allclose(total(found), 1, rtol=1e-12)
    assert all((np.asarray(part) >= 0).all() for part in jax.tree.leaves(found))


def test_a_strong_coupling_is_prompt_and_a_weak_one_invisible(response):
    found = signatures(response, MACHINE, [Alp(1.0, 0.1), Alp(1e-3, 1e-7)])

    assert_allclose(found.displaced + found.invisible, [0, 1], atol=1e-6)
    assert_allclose(found.invisible[1], 1, atol=1e-6)


def test_light_pairs_merge_and_heavy_ones_do_not(response):
    """Smallest opening angles of 0.4 and 22 degrees; a crystal covers 2.5."""
    found = signatures(response, MACHINE, [Alp(0.02, 10.0), Alp(1.0, 1e-2)])
    merged = found.merged / (found.merged + found.resolved)

    assert_allclose(merged, [1, 0], atol=1e-3)


def test_prompt_is_an_exponential(response):
    """Without boost every a flies as fast: 1 - exp(-d/l), d from the card."""
    points = [Alp(0.1, g) for g in (1e-5, 1e-4, 1e-3)]
    near = float(response.detector.displacement.photon_distance)

    found = signatures(response, HEAD_ON, points)

    prompt = found.resolved + found.merged + found.lost
    expected = [1 - np.exp(-near / length(model)) for model in points]
    assert_allclose(prompt, expected, rtol=1e-6)


def test_invisible_is_an_integral_over_the_polar_angle(response):
    """Without boost: ∫ 3/8 (1 + c²) exp(-D(c)/l) dc with the box of the layers."""
    klm = response.detector.klm
    cosine = np.linspace(-1, 1, 200_000)[1:-1]
    plane = np.where(cosine > 0, klm.forward_z[-1], -klm.backward_z[-1])
    box = np.minimum(klm.barrel_radii[-1] / np.sqrt(1 - cosine**2), plane / abs(cosine))
    points = [Alp(0.1, g) for g in (1e-5, 2.645e-5, 6e-5)]

    found = signatures(response, HEAD_ON, points)

    weight = 3 / 8 * (1 + cosine**2)
    expected = [
        np.trapezoid(weight * np.exp(-box / length(model)), cosine) for model in points
    ]
    assert_allclose(found.invisible, expected, rtol=2e-3)


def test_dark_matter_takes_its_share(response):
    """Γχχ = y² m β/8π; what is left of a prompt a → γγ keeps its signatures."""
    bright = Alp(1.0, 1e-2)
    dark = replace(bright, yukawa=2e-3, dark_mass=0.3)
    photons = bright.g_agg**2 / (64 * np.pi)
    chi = dark.yukawa**2 * np.sqrt(1 - 4 * 0.3**2) / (8 * np.pi)
    share = chi / (chi + photons)

    found = signatures(response, MACHINE, [bright, dark])

    assert 0.1 < share < 0.9
    assert_allclose(found.invisible[1], share, rtol=1e-9)
    assert_allclose(found.resolved[1], (1 - share) * found.resolved[0], rtol=1e-9)


def test_more_coupling_is_less_invisible(response):
    points = [Alp(0.1, g) for g in np.geomspace(1e-6, 3e-4, 12)]

    found = signatures(response, MACHINE, points)

    assert (np.diff(np.asarray(found.invisible)) < 0).all()


def test_the_box_ends_at_the_outermost_layers():
    """Numbers of the card: r = 329.3, z = 402.2 and -290.0 cm."""
    klm = ds.detector("belle2").klm
    directions = Momentum(
        jnp.full(4, 5.0),
        jnp.array([5.0, 0.0, 0.0, 5.0]),
        jnp.zeros(4),
        jnp.array([0.0, 5.0, -5.0, 5.0]),
    )

    found = escape_distance(klm, directions)

    assert_allclose(found, [329.3, 402.2, 290.0, 329.3 * np.sqrt(2)], rtol=1e-9)


@pytest.mark.parametrize("ratio", [1e-6, 0.999e-3, 1.001e-3, 1.0, 30.0, 1e5])
def test_mean_distance_of_early_decays(ratio):
    """∫ x exp(-x/l) dx / ∫ exp(-x/l) dx up to the edge, by the midpoint rule."""
    edge = 4.0
    u = (np.arange(200_000) + 0.5) / 200_000
    x = -np.log1p(u * np.expm1(-ratio)) / ratio  # at equal steps of the probability

    found = _mean_before(jnp.asarray(edge), jnp.asarray([edge / ratio]))

    assert_allclose(found, edge * x.mean(), rtol=1e-5)


def test_derivative_with_respect_to_where_prompt_ends(response):
    """d/dd of 1 - exp(-d/l) is exp(-d/l)/l."""
    model = Alp(0.1, 1e-4)
    here = response.detector.displacement.photon_distance

    def displaced(near):
        numbers = replace(response.detector.displacement, photon_distance=near)
        detector = replace(response.detector, displacement=numbers)
        found = signatures(replace(response, detector=detector), HEAD_ON, [model])
        return found.displaced[0]

    slope = jax.jvp(displaced, (here,), (jnp.ones_like(here),))[1]

    assert_allclose(slope, -np.exp(-here / length(model)) / length(model), rtol=1e-6)


@pytest.mark.parametrize("name", ["belle2", "babar"])
def test_prompt_photons_keep_their_mass(name):
    """The card's number is R σ(m)/m at 0.3 GeV, as its source says, to its digits.

    m² = 2 E² (1 - cos α): σ(m)/m is σ(E)/E/√2 and σ(α)/α in quadrature.
    """
    detector = ds.detector(name)
    calorimeter = detector.calorimeter
    energy = jnp.array([(10.58 + 0.3**2 / 10.58) / 4])
    zero = jnp.zeros(1)
    spot = impact(calorimeter, Momentum(energy, energy, zero, zero))
    sigma_e, sigma_theta, sigma_phi = (
        float(resolution(calorimeter, table, energy, spot)[0])
        for table in (
            calorimeter.energy_resolution,
            calorimeter.theta_resolution,
            calorimeter.phi_resolution,
        )
    )
    opening = 2 * np.arcsin(0.3 / (2 * float(energy[0])))
    sigma_opening = np.hypot(sigma_theta, sigma_phi) / 1e3  # of a pair, any direction
    relative = np.hypot(sigma_e / 100 / np.sqrt(2), sigma_opening / opening)

    found = float(detector.displacement.photon_distance)

    assert found == pytest.approx(float(calorimeter.barrel_radius) * relative, abs=0.05)


def test_a_mass_above_the_collision_energy_is_refused(response):
    with pytest.raises(OutOfDomain, match="collision energy above the mass 11"):
        signatures(response, MACHINE, [Alp(11.0, 1e-3)])


def test_no_point_is_refused(response):
    with pytest.raises(OutOfDomain, match="at least one point"):
        signatures(response, MACHINE, [])
