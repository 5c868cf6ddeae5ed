"""Muons, hadrons and photons in the instrumented iron.

Section numbers are those of physics/machine-detector.md.
"""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.detectors.card import load
from darksector.detectors.klm import penetration, photon_probability
from darksector.detectors.punch_through import muon_likeness
from darksector.kinematics import Momentum
from darksector.particles import MASS

FULL = load("belle2")
IRON = replace(
    FULL.klm,
    barrel_efficiency=jnp.ones(15),
    endcap_efficiency=jnp.asarray(1.0),
)


def momenta(p, theta_deg, mass=0.0):
    p, theta = np.broadcast_arrays(np.atleast_1d(p), np.radians(theta_deg))
    parts = np.sqrt(p**2 + mass**2), p * np.sin(theta), 0 * p, p * np.cos(theta)
    return Momentum(*map(jnp.asarray, parts))


@pytest.mark.parametrize(
    ("theta", "layers"),
    [
        pytest.param(90.0, 15, id="barrel"),
        pytest.param(60.0, 15, id="barrel, inclined"),
        pytest.param(30.0, 14, id="forward endcap"),
        pytest.param(142.0, 12, id="backward endcap"),
        pytest.param(10.0, 0, id="forward hole"),
        pytest.param(165.0, 0, id="backward hole"),
    ],
)
def test_a_fast_muon_crosses_all_layers_ahead(theta, layers):
    """Section 2.7: 15 layers in the barrel, 14 and 12 in the endcaps."""
    found = penetration(IRON, jnp.array([100.0]), jnp.radians(jnp.array([theta])))

    assert_allclose(found.layers, layers, atol=1e-12)


def test_depth_in_the_iron_grows_with_the_inclination():
    """14 plates of 4.7 cm (section 2.7) over sin θ."""
    theta = jnp.radians(jnp.array([60.0, 90.0]))

    found = penetration(IRON, jnp.full(2, 100.0), theta)

    assert_allclose(found.iron, 14 * 4.7 / np.sin(theta), rtol=1e-12)


def test_a_muon_stops_where_its_energy_ends():
    """Layers whose iron costs less than what is left, counted by hand at 90 degrees."""
    sharp = replace(IRON, straggling=jnp.asarray(1e-6))
    p = np.array([0.4, 0.6, 0.8, 1.0])
    left = np.sqrt(p**2 + MASS["mu"] ** 2) - MASS["mu"] - float(IRON.front_energy[0])
    expected = [sum(4.7 * i * 0.01143 < energy for i in range(15)) for energy in left]

    found = penetration(sharp, jnp.asarray(p), jnp.full(4, np.pi / 2))

    assert_allclose(found.layers, expected)


def test_muons_go_deeper_with_momentum():
    p = jnp.linspace(0.3, 3, 200)

    found = penetration(FULL.klm, p, jnp.full(200, 1.2))

    assert (jnp.diff(found.layers) >= -1e-12).all()
    assert (jnp.diff(found.iron) >= -1e-12).all()


def test_no_particle_looks_more_like_a_muon_than_a_kaon_or_pion_near_the_threshold():
    """Fewer lengths of iron and more decays: the chance falls with momentum."""
    p = jnp.linspace(0.5, 4, 100)
    found = penetration(FULL.klm, p, jnp.full(100, np.pi / 2))

    for species in ("pi", "K"):
        chance = muon_likeness(FULL.klm, p, found, species)
        assert (jnp.diff(chance) < 1e-12).all()
        assert ((chance > 0) & (chance < 1)).all()
    kaon, pion = (muon_likeness(FULL.klm, p, found, s) for s in ("K", "pi"))
    assert (kaon > pion).all()


@pytest.mark.parametrize(
    ("energy", "theta", "seen"),
    [
        pytest.param(2.0, 90.0, 1, id="barrel"),
        pytest.param(4.0, 129.7, 1, id="backward gap of the ECL"),
        pytest.param(2.0, 31.8, 1, id="forward gap of the ECL"),
        pytest.param(2.0, 10.0, 0, id="beam pipe"),
        pytest.param(0.05, 90.0, 0, id="too soft"),
    ],
)
def test_photons_in_the_iron(energy, theta, seen):
    p, angle = momenta(energy, theta), jnp.radians(jnp.array([theta]))

    chance = photon_probability(FULL.klm, p, angle)

    assert_allclose(chance, seen * (1 - FULL.klm.photon_inefficiency), rtol=1e-12)
