"""The Kalman filter of the covariance against one big least-squares fit."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import tracking_slow
from numpy.testing import assert_allclose

from darksector.detectors.card import load
from darksector.detectors.covariance import (
    covariance,
    information,
    passages,
)
from darksector.detectors.surfaces import surfaces

TRACKING = load("belle2").tracking
SURFACES = surfaces(TRACKING).radius.size
EVERYTHING = np.ones(SURFACES)
NO_SILICON = np.where(np.isin(np.arange(SURFACES), range(1, 7)), 0.0, 1.0)
NO_PIXELS = np.where(np.isin(np.arange(SURFACES), (1, 2)), 0.0, 1.0)
IN_THE_CHAMBER = np.where(np.arange(SURFACES) < 22, 0.0, 1.0)


@pytest.mark.parametrize(
    ("pt", "theta", "crossed"),
    [
        pytest.param(1.0, 90.0, EVERYTHING, id="everything"),
        pytest.param(0.3, 60.0, EVERYTHING, id="slow"),
        pytest.param(5.0, 118.0, EVERYTHING, id="fast, backward"),
        pytest.param(2.0, 70.0, NO_SILICON, id="no silicon"),
        pytest.param(0.5, 80.0, NO_PIXELS, id="no pixels"),
        pytest.param(1.0, 60.0, IN_THE_CHAMBER, id="made in the drift chamber"),
    ],
)
def test_covariance_is_that_of_least_squares(pt, theta, crossed):
    """1e-6 of the errors; the twin differentiates by differences."""
    cot = 1 / np.tan(np.radians(theta))
    seen = passages(TRACKING, jnp.array([pt]), jnp.array([cot]))

    ours = np.asarray(covariance(information(seen, jnp.asarray(crossed))))[0]

    slow = tracking_slow.covariance(TRACKING, pt, theta, crossed)
    sigma = np.sqrt(np.diag(slow))
    assert_allclose(
        ours / np.outer(sigma, sigma), slow / np.outer(sigma, sigma), atol=1e-6
    )
