"""Candidates of all outcomes: errors, decayed particles, merging and derivatives."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import darksector as ds
from darksector.detectors.objects import NORMALS
from darksector.detectors.outcomes import detect
from darksector.detectors.response import respond
from darksector.detectors.topology import Topology
from darksector.errors import InvalidCard
from darksector.events import Events
from darksector.kinematics import azimuth_opening, modulus, momentum
from darksector.particles import PDG
from darksector.searches._simulation import _response

N = 256
DETECTOR = ds.detector("belle2")
P_BEAMS = jnp.array([11.006, 0.4566, 0.0, 2.9994])
MU, GAMMA = PDG["mu"], PDG["gamma"]
TWO_MUONS = Topology(("mu", "mu"), "two_track")
ONE_PHOTON = Topology((), "none", clusters=1, vetoes=("klm",))
TWO_PHOTONS = Topology((), "none", clusters=2)
TWO_TRACKS = Topology(("other track", "other track"), "none")
TRIGGERED = Topology((), "total_energy", clusters=2)


def sample(pdg, *, n=N):
    """Return events of massless particles in all directions, weight one."""
    p3 = np.random.default_rng(2).normal(size=(n, len(pdg), 3)) * 2
    momenta = np.concatenate([np.linalg.norm(p3, axis=2, keepdims=True), p3], axis=2)
    beams = jnp.broadcast_to(P_BEAMS, (n, 4))
    return Events(jnp.asarray(momenta), jnp.ones(n), beams, pdg)


def normals(events):
    shape = (*events.momenta.shape[:2], NORMALS)
    return jnp.asarray(np.random.default_rng(3).standard_normal(shape))


def seen(events, topology, detector=DETECTOR):
    return detect(
        events, normals(events), P_BEAMS, respond(detector), topology=topology
    )


def test_an_impossible_topology_is_an_error():
    with pytest.raises(InvalidCard, match="no outcome of the final state"):
        seen(sample((GAMMA, GAMMA)), TWO_MUONS)


def test_a_decayed_particle_is_not_looked_at():
    """Its daughters are: the same as two photons that come from nowhere."""
    photons = sample((GAMMA, GAMMA))
    mother = photons.momenta.sum(axis=1, keepdims=True)
    decayed = replace(
        photons,
        momenta=jnp.concatenate([mother, photons.momenta], axis=1),
        pdg=(PDG["a"], GAMMA, GAMMA),
        mothers=(-1, 0, 0),
    )
    z = normals(photons)
    padded = jnp.concatenate([jnp.zeros_like(z[:, :1]), z], axis=1)
    response = respond(DETECTOR)

    plain = detect(photons, z, P_BEAMS, response, topology=TWO_PHOTONS)
    found = detect(decayed, padded, P_BEAMS, response, topology=TWO_PHOTONS)

    assert_allclose(found.weights, plain.weights, rtol=1e-12)


def test_more_events_than_a_block_keep_their_order():
    events = sample((MU, -MU), n=2500)
    z, response = normals(events), respond(DETECTOR)
    part = jax.tree.map(lambda a: a[1500:1600], events)

    whole = detect(events, z, P_BEAMS, response, topology=TWO_MUONS)
    alone = detect(part, z[1500:1600], P_BEAMS, response, topology=TWO_MUONS)

    assert_allclose(whole.weights[1500:1600], alone.weights, rtol=1e-12)
    assert_allclose(whole.tracks[0].p.x[1500:1600], alone.tracks[0].p.x, rtol=1e-9)


def test_two_photons_in_one_direction_are_one_cluster():
    events = sample((GAMMA, GAMMA))
    same = events.momenta.at[:, 1].set(events.momenta[:, 0])
    close = replace(events, momenta=same)

    one, two = seen(close, ONE_PHOTON), seen(close, TWO_PHOTONS)

    # outcomes: both merged, then the two photons lost in turn
    merged = np.asarray(one.weights)[:N]
    assert merged.sum() > 0.99 * float(one.weights.sum())
    assert float(two.weights.sum()) < 1e-3 * merged.sum()
    cluster = jax.tree.map(lambda a: a[:N], one.clusters[0].p)
    assert_allclose(cluster.e, modulus(cluster), rtol=1e-9)


def with_number(system, number, value):
    part = replace(getattr(DETECTOR, system), **{number: value})
    return replace(DETECTOR, **{system: part})


@pytest.mark.parametrize(
    ("system", "number", "power", "topology"),
    [
        pytest.param("tracking", "efficiency", 2, TWO_MUONS, id="two tracks"),
        pytest.param("trigger", "two_track_efficiency", 1, TWO_MUONS, id="one trigger"),
    ],
)
def test_slope_of_a_yield_that_is_a_power(system, number, power, topology):
    """The yield is proportional to a power of the number, which gives its slope."""
    events = sample((MU, -MU))
    z = normals(events)

    def visible(value):
        response = respond(with_number(system, number, value))
        return detect(events, z, P_BEAMS, response, topology=topology).weights.sum()

    here = getattr(getattr(DETECTOR, system), number)
    there, slope = jax.jvp(visible, (here,), (jnp.ones_like(here),))

    assert there > 0
    assert_allclose(slope, power * there / here, rtol=1e-9)


@pytest.mark.parametrize(
    ("system", "number", "topology"),
    [
        pytest.param("calorimeter", "gaps", ONE_PHOTON, id="width of the gaps"),
        pytest.param("calorimeter", "cracks", ONE_PHOTON, id="width of the crack"),
        pytest.param("calorimeter", "crack_leakage", ONE_PHOTON, id="leakage"),
        pytest.param("klm", "photon_inefficiency", ONE_PHOTON, id="KLM veto"),
        pytest.param("calorimeter", "energy_min", TWO_PHOTONS, id="threshold"),
        pytest.param("tracking", "theta_min", TWO_TRACKS, id="edge of the tracker"),
        pytest.param("tracking", "pt_width", TWO_TRACKS, id="slow tracks"),
        pytest.param("trigger", "total_energy_min", TRIGGERED, id="trigger threshold"),
    ],
)
def test_slope_of_a_yield_is_that_of_finite_differences(system, number, topology):
    """Gaps and cracks are opened around their middle; other numbers are moved."""
    pdg = (MU, -MU) if topology is TWO_TRACKS else (GAMMA, GAMMA)
    events = sample(pdg, n=4096)
    z, card = normals(events), getattr(getattr(DETECTOR, system), number)

    def value(scale):
        if number in ("gaps", "cracks"):
            middle = card.mean(axis=1, keepdims=True)
            return middle + scale * (card - middle)
        return card * scale

    @jax.jit
    def visible(scale):
        response = respond(with_number(system, number, value(scale)))
        return detect(events, z, P_BEAMS, response, topology=topology).weights.sum()

    one = jnp.asarray(1.0)
    slope = jax.jit(lambda x: jax.jvp(visible, (x,), (one,))[1])(one)
    step = 1e-4

    assert slope != 0
    difference = (visible(1 + step) - visible(1 - step)) / (2 * step)
    assert_allclose(slope, difference, rtol=2e-3)


def test_slope_of_a_resolution():
    """Smearing is truth + σ z, so the mean of what is measured follows the wires."""
    events = sample((MU, -MU))
    z = normals(events)

    def spread(resolution):
        response = respond(with_number("tracking", "wire_resolution", resolution))
        found = detect(events, z, P_BEAMS, response, topology=TWO_MUONS)
        true = momentum(events.momenta[:, 0])
        # the negative muon is the first particle and the first track
        ratio = modulus(found.tracks[0].p) / modulus(true)
        return jnp.where(found.weights > 0.1, (ratio - 1) ** 2, 0.0).sum()

    here = DETECTOR.tracking.wire_resolution
    slope = jax.jvp(spread, (here,), (jnp.ones_like(here),))[1]
    step = 1e-4 * here

    assert slope > 0
    assert_allclose(
        slope, (spread(here + step) - spread(here - step)) / (2 * step), rtol=1e-4
    )


def test_azimuth_opening_is_at_most_a_half_turn():
    angles = np.radians([0.0, 90.0, 180.0, 270.0, 359.0])
    ring = np.stack([np.ones(5), np.cos(angles), np.sin(angles), np.zeros(5)], axis=1)
    start = np.tile([1.0, 1.0, 0.0, 0.0], (5, 1))

    opening = azimuth_opening(*(momentum(jnp.asarray(a)) for a in (start, ring)))

    assert_allclose(np.degrees(opening), [0, 90, 180, 90, 1], atol=1e-9)


def test_a_card_that_changes_between_runs_is_read_again(tmp_path):
    """Provenance records the new text, so the response must follow from it."""
    path = tmp_path / "mine.toml"
    seen = []
    for opening in (90.0, 120.0):
        path.write_text(
            'title = "mine"\nbased_on = "belle2"\n[trigger.two_track_opening]\n'
            f'value = {opening}\nsource = "test"\nstatus = "assumed"\n'
        )
        seen.append(_response(str(path)).detector.trigger.two_track_opening)

    assert_allclose(seen, [90.0, 120.0])
