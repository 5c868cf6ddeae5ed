"""Impacts and losses of photons against flights in small steps and hard edges."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import photon_paths
import pytest
from numpy.testing import assert_allclose

from darksector.detectors.card import load
from darksector.detectors.crystals import impact
from darksector.detectors.losses import losses
from darksector.kinematics import Momentum

# the crack as wide as the bare geometry has it
CARD = replace(load("belle2").calorimeter, crack_leakage=jnp.asarray(1.0))
NUMBERS = SimpleNamespace(
    **{f.name: np.asarray(getattr(CARD, f.name)) for f in fields(CARD)}
)
N = 100_000
ERROR = 4 * np.sqrt(0.25 / N)  # four standard deviations of a share, at most


def photons(theta_deg, phi=0.1):
    theta = np.radians(np.atleast_1d(theta_deg))
    phi = np.broadcast_to(phi, theta.shape)
    components = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi))
    return Momentum(
        *map(jnp.asarray, (np.ones_like(theta), *components, np.cos(theta)))
    )


def test_impacts_are_where_a_flight_in_small_steps_ends():
    """Vertices fill the tracker; a step is 0.1 mm."""
    rng = np.random.default_rng(3)
    vertices, directions = rng.uniform(-60, 60, (60, 3)), rng.normal(size=(60, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    ones = np.ones((60, 1))
    p = Momentum(*map(jnp.asarray, np.hstack((ones, directions)).T))
    v = Momentum(*map(jnp.asarray, np.hstack((0 * ones, vertices)).T))

    spot = impact(CARD, p, v)

    r = np.asarray(spot.distance * jnp.sin(spot.theta))
    x, y = r * np.cos(spot.phi), r * np.sin(spot.phi)
    ours = np.stack((x, y, np.asarray(spot.distance * jnp.cos(spot.theta))), axis=1)
    walked = [
        photon_paths.walk(NUMBERS, *pair)
        for pair in zip(vertices, directions, strict=True)
    ]
    assert_allclose(ours, walked, atol=2 * photon_paths.STEP)


@pytest.mark.parametrize(
    "theta",
    [
        *(12.3, 12.55, 155.05, 155.3),
        *(31.38, 31.45, 32.15, 128.6, 128.9, 130.5, 131.0),
        *(60.0, 89.97, 89.99, 90.06, 90.08),
    ],
)
def test_soft_edges_are_hard_edges_blurred(theta):
    p = photons(theta)
    rng = np.random.default_rng(4)

    found = losses(CARD, p.e, impact(CARD, p))

    slow = photon_paths.lost_shares(NUMBERS, theta, rng, N)
    gaps = found.forward_gap + found.backward_gap
    assert_allclose(
        np.concatenate((found.outside, gaps, found.crack)), slow, atol=ERROR
    )


@pytest.mark.parametrize("distance", [0.0, 0.02, 0.03, 0.06, 5.0])
def test_walls_are_hard_edges_blurred(distance):
    """Distance from the wall at 22.5 degrees, cm, in the forward endcap."""
    r = 197.5 * np.tan(np.radians(20.0))
    phi = np.radians(22.5) + distance / r
    p = photons(20.0, phi)

    found = losses(CARD, p.e, impact(CARD, p)).walls

    slow = photon_paths.wall_share(NUMBERS, r, phi, np.random.default_rng(5), N)
    assert_allclose(found, slow, atol=ERROR)
