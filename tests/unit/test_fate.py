"""Where a long-lived particle decays, by geometry."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import darksector as ds
from darksector.detectors.crystals import impact
from darksector.detectors.fate import FATES, fate, fate_probabilities
from darksector.kinematics import Momentum

DETECTOR = ds.detector("belle2")


def flying(n, *, mass=0.5, seed=1):
    """Return momenta of a few GeV in all directions of the calorimeter."""
    rng = np.random.default_rng(seed)
    theta, phi = rng.uniform(0.4, 2.5, n), rng.uniform(-np.pi, np.pi, n)
    p = rng.uniform(0.5, 5.0, n)
    x, y, z = (
        p * np.sin(theta) * np.cos(phi),
        p * np.sin(theta) * np.sin(phi),
        p * np.cos(theta),
    )
    return Momentum(*map(jnp.asarray, (np.hypot(p, mass), x, y, z)))


@pytest.mark.parametrize("ctau", [1e-6, 0.1, 10.0, 1e3, 1e9])
def test_chances_are_chances(ctau):
    chances = fate_probabilities(DETECTOR, flying(1000), ctau)

    assert tuple(chances) == FATES
    assert all((np.asarray(chance) >= 0).all() for chance in chances.values())
    assert_allclose(sum(chances.values()), 1, rtol=1e-12)


def test_the_extremes_are_certain():
    p = flying(100)

    assert_allclose(fate_probabilities(DETECTOR, p, 1e-6)["prompt"], 1)
    assert_allclose(fate_probabilities(DETECTOR, p, 1e9)["invisible"], 1, atol=1e-5)


def test_chances_agree_with_decays_that_are_drawn():
    """Decay lengths drawn from the exponential law, classified by their vertex."""
    n = 200_000
    p, ctau = flying(n), 20.0
    chances = fate_probabilities(DETECTOR, p, ctau)
    mass = 0.5
    modulus = np.sqrt(np.asarray(p.x**2 + p.y**2 + p.z**2))
    length = np.random.default_rng(2).exponential(ctau * modulus / mass)
    vertex = Momentum(
        *(jnp.asarray(length / modulus) * c for c in (p.e, p.x, p.y, p.z))
    )

    drawn = np.bincount(np.asarray(fate(DETECTOR, vertex)), minlength=4)

    for count, name in zip(drawn, FATES, strict=True):
        expected = np.asarray(chances[name])
        error = np.sqrt((expected * (1 - expected)).sum())
        assert abs(count - expected.sum()) < 4 * error


def test_at_90_degrees_the_edges_are_those_of_the_card():
    """exp(-d/βγcτ) at the three radii, with βγ = 2."""
    mass, ctau = 1.0, 10.0
    p = Momentum(*map(jnp.asarray, ([np.sqrt(5.0)], [2.0], [0.0], [0.0])))
    front = float(impact(DETECTOR.calorimeter, p, None).distance[0])
    edges = np.array(
        [
            DETECTOR.displacement.prompt_distance,
            DETECTOR.displacement.vertex_radius,
            front,
        ]
    )
    left = np.exp(-edges / (2.0 / mass * ctau))

    chances = [float(c[0]) for c in fate_probabilities(DETECTOR, p, ctau).values()]

    assert_allclose(chances, -np.diff([1.0, *left, 0.0]), rtol=1e-12)


def test_derivative_with_respect_to_the_radius_of_the_tracker():
    p = flying(500)

    def displaced(radius):
        numbers = replace(DETECTOR.displacement, vertex_radius=radius)
        detector = replace(DETECTOR, displacement=numbers)
        return fate_probabilities(detector, p, 10.0)["displaced"].mean()

    here = DETECTOR.displacement.vertex_radius
    slope = jax.jvp(displaced, (here,), (jnp.ones_like(here),))[1]

    assert slope > 0
    assert_allclose(
        slope, (displaced(here + 1e-3) - displaced(here - 1e-3)) / 2e-3, rtol=1e-5
    )
