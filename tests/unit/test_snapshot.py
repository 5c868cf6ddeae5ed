"""One event as the detector shows it."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sample_event import P_BEAMS, events

from darksector.detectors import card
from darksector.detectors.response import respond
from darksector.detectors.snapshot import snapshot
from darksector.errors import OutOfDomain
from darksector.particles import PDG


@pytest.fixture(scope="module")
def belle2():
    return respond(card.load("belle2"))


def test_the_most_probable_response_is_measured_exactly(belle2):
    seen = snapshot(belle2, events(), 1, p_beams=P_BEAMS)

    fast, slow, photon, dark = seen.sights
    assert [s.response for s in seen.sights] == [
        "mu",
        "other track",
        "cluster",
        "invisible",
    ]
    assert fast.iron_layers > 10
    assert slow.iron_layers == 0  # 0.3 GeV stops before the iron
    assert (fast.charge, slow.charge, photon.charge) == (-1, 1, 0)
    assert_allclose(fast.seen, fast.p_gen, rtol=1e-3)
    assert_allclose(photon.seen, photon.p_gen, rtol=2e-2, atol=1e-3)
    assert dark.seen is None
    assert all(0 < s.chance <= 1 for s in seen.sights)


def test_what_is_not_seen_recoils(belle2):
    seen = snapshot(belle2, events(), 0, p_beams=P_BEAMS)

    assert_allclose(seen.p_recoil + seen.p_seen, P_BEAMS)
    dark = seen.sights[-1].p_gen
    assert_allclose(seen.p_recoil, dark, atol=0.05)


def test_a_seed_draws_the_same_again_and_another_draws_otherwise(belle2):
    first, again, other = (
        snapshot(belle2, events(), 0, p_beams=P_BEAMS, seed=seed) for seed in (5, 5, 6)
    )

    assert_allclose(first.p_seen, again.p_seen)
    assert not np.allclose(first.p_seen, other.p_seen)


def test_what_decays_is_followed_to_its_vertex(belle2):
    sample = events(1)
    made = jnp.zeros((1, 4, 4)).at[0, 2, 1:].set(jnp.array([3.0, 4.0, 5.0]))
    decayed = replace(
        sample,
        pdg=(PDG["A'"], *sample.pdg[1:]),
        mothers=(-1, -1, 0, -1),
        vertices=made,
    )

    mother, _, photon, _ = snapshot(belle2, decayed, 0, p_beams=P_BEAMS).sights

    assert mother.response == "decays"
    assert_allclose(mother.end, (3, 4, 5))
    assert_allclose(photon.vertex, (3, 4, 5))


def test_particles_without_a_response_are_said_to_have_none(belle2):
    sample = replace(events(1), pdg=(PDG["tau-"], *events(1).pdg[1:]))

    assert snapshot(belle2, sample, 0, p_beams=P_BEAMS).sights[0].response == (
        "not simulated"
    )


@pytest.mark.parametrize("index", [-1, 3])
def test_an_event_that_is_not_there(belle2, index):
    with pytest.raises(OutOfDomain, match=rf"event {index}.*3 events.*0 to 2"):
        snapshot(belle2, events(3), index, p_beams=P_BEAMS)
