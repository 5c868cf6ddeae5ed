"""Separation of the photons of an ALP: numbers of physics/alp-monopole.md section 1.6."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from darksector.generators._phase_space import two_products
from darksector.kinematics import cos_angle, momentum, polar, to_rest_frame
from darksector.signatures import _produced

# head-on beams of 7.004 and 4.002 GeV, scaled to √s = 10.58 GeV at the same boost
SCALE = 10.58 / (2 * np.sqrt(7.004 * 4.002))
BEAMS = tuple(
    jnp.array([energy, 0.0, 0.0, sign * energy])
    for energy, sign in ((7.004 * SCALE, 1), (4.002 * SCALE, -1))
)
DRAWN = 200_000


@pytest.mark.parametrize(
    ("mass", "at_5_deg", "at_4_5_deg"),
    [
        (0.158, 0.20, 0.31),
        (0.167, 0.25, 0.39),
        (0.175, 0.30, 0.46),
        (0.186, 0.39, 0.55),
        (0.200, 0.51, 0.65),
        (0.217, 0.62, 0.76),
    ],
)
def test_share_of_pairs_beyond_an_angle(mass, at_5_deg, at_4_5_deg, agrees):
    """Among events with three photons of E* > 0.25 GeV at 17-150 degrees.

    The tolerance is half of the last digit and four standard deviations.
    """
    u = jnp.asarray(np.random.default_rng(3).random((DRAWN, 4)))
    both = momentum(jnp.broadcast_to(BEAMS[0] + BEAMS[1], (DRAWN, 4)))
    a = _produced(BEAMS, u, jnp.asarray(mass))
    photons = (
        *two_products(u[:, 2:], a, [jnp.zeros(()), jnp.zeros(())]).momenta,
        both - a,
    )
    kept = np.ones(DRAWN, dtype=bool)
    for photon in photons:
        theta = np.degrees(np.asarray(polar(photon)))
        kept &= (theta > 17) & (theta < 150)
        kept &= np.asarray(to_rest_frame(photon, both).e) > 0.25
    opening = np.degrees(np.arccos(np.asarray(cos_angle(photons[0], photons[1]))))[kept]

    source = "physics/alp-monopole.md section 1.6 (derived)"
    for edge, published in ((5.0, at_5_deg), (4.5, at_4_5_deg)):
        tolerance = 0.005 + 4 * np.sqrt(published * (1 - published) / kept.sum())
        agrees((opening > edge).mean(), published, source=source, abs=tolerance)
