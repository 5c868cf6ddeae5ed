"""The merging of clusters against showers on a grid of crystals."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import shower_grid
from numpy.testing import assert_allclose

from darksector.detectors.card import load
from darksector.detectors.clusters import merging_probability
from darksector.detectors.crystals import impact
from darksector.kinematics import Momentum

CARD = load("belle2").calorimeter


def pair(crystals):
    """Return the impacts of two photons at 90 degrees, so many crystals apart."""
    angle = crystals * float(CARD.crystal_size) / float(CARD.barrel_radius)
    zero, one = jnp.zeros_like(angle), jnp.ones_like(angle)
    first = Momentum(one, one, zero, zero)
    second = Momentum(one, jnp.cos(angle), jnp.sin(angle), zero)
    return impact(CARD, first), impact(CARD, second)


@pytest.mark.parametrize(
    "energies",
    [(1.0, 1.0), (4.0, 1.0), (3.0, 0.3), (0.2, 0.2), (8.0, 0.4)],
    ids=lambda pair: f"{pair[0]} and {pair[1]} GeV",
)
def test_merging_is_that_of_showers_on_a_grid(energies):
    """The card promises 0.05; 4000 pairs are known to 0.008."""
    crystals = np.arange(0.6, 4.01, 0.2)
    first, second = pair(jnp.asarray(crystals))

    one, other = (jnp.full(crystals.size, energy) for energy in energies)
    ours = merging_probability(CARD, (first, one), (second, other))

    slow = [shower_grid.merged_share(u, energies, n=4000, seed=5) for u in crystals]
    assert_allclose(ours, slow, atol=0.05)


def test_the_profile_holds_90_percent_in_a_moliere_radius():
    """Definition of the Molière radius; the grid sees it as four quadrants."""
    radius = shower_grid.MOLIERE / shower_grid.PITCH

    outside = shower_grid.SCALE / np.hypot(radius, shower_grid.SCALE)

    assert outside == pytest.approx(0.1)
    assert shower_grid.below_corner(1e9, 1e9) == pytest.approx(1)
