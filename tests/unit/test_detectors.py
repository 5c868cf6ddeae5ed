"""Detector cards, edges of the acceptance, resolutions and derivatives.

Rows are those of section 6 of physics/machine-detector.md.
"""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tomli_w
from numpy.testing import assert_allclose

from darksector.cardfile import DETECTORS, STATUS
from darksector.detectors.calorimeter import cluster_probability, measure_cluster
from darksector.detectors.card import from_toml, load
from darksector.detectors.identification import identify
from darksector.detectors.outcomes import Topology, detect, outcomes
from darksector.detectors.tracking import measure_track, track_probability
from darksector.errors import InvalidCard, UnknownName
from darksector.events import Events
from darksector.kinematics import Momentum, azimuth_opening, modulus, polar, transverse
from darksector.particles import MASS, PDG, ZPRIME

DETECTOR = load("belle2_phase2")
TEXT = DETECTORS.text("belle2_phase2")
TWO_MUONS = Topology(tracks=("mu", "mu"), trigger="two_track")
P_BEAMS = jnp.array([11.006, 0.4566, 0.0, 2.9994])


def particle(theta_deg, *, p, phi_deg=0.0, mass=0.0):
    """Return momenta at given angles, one per element of the longest argument."""
    theta, phi, p = np.broadcast_arrays(
        np.radians(np.atleast_1d(theta_deg)), np.radians(phi_deg), p
    )
    x, y = p * np.sin(theta) * np.cos(phi), p * np.sin(theta) * np.sin(phi)
    energy = np.sqrt(p**2 + mass**2)
    return Momentum(*(jnp.asarray(c) for c in (energy, x, y, p * np.cos(theta))))


def test_every_number_has_a_source_and_a_status():
    names = {
        f"{system}.{number.name}"
        for system in ("tracking", "calorimeter", "klm", "identification", "trigger")
        for number in fields(getattr(DETECTOR, system))
    }

    assert {name for name, _ in DETECTOR.origins} == names
    assert all(origin.source for _, origin in DETECTOR.origins)
    assert all(origin.status in STATUS for _, origin in DETECTOR.origins)


@pytest.mark.parametrize(
    ("system", "number", "entry", "words"),
    [
        pytest.param(
            "trigger",
            "efficiencies",
            {"value": 1.0},
            "[trigger] has the unknown key 'efficiencies'; allowed: cdc_pt_min",
            id="unknown number",
        ),
        pytest.param(
            "klm", "barrel_z", None, "[klm] lacks barrel_z", id="missing number"
        ),
        pytest.param(
            "tracking",
            "efficiency",
            {"value": 0.98, "status": "read"},
            "[tracking]: efficiency lacks source",
            id="missing source",
        ),
        pytest.param(
            "tracking",
            "efficiency",
            {"value": 0.98, "source": "", "status": "read"},
            "[tracking]: efficiency must have a source in words, got ''",
            id="empty source",
        ),
        pytest.param(
            "klm",
            "iron_loss",
            {"value": 0.9, "source": "test", "status": "guessed"},
            "[klm]: iron_loss has status 'guessed'; allowed: read, derived",
            id="bad status",
        ),
        pytest.param(
            "klm",
            "iron_loss",
            {"value": float("nan"), "source": "test", "status": "read"},
            "[klm]: iron_loss must be finite, got nan",
            id="not a number",
        ),
        pytest.param(
            "tracking",
            "theta_grid",
            {"value": [20.0, float("inf")], "source": "test", "status": "read"},
            "[tracking]: theta_grid must be finite",
            id="infinite",
        ),
        pytest.param(
            "trigger",
            "cdc_pt_min",
            {"value": "low", "source": "test", "status": "read"},
            "[trigger]: cdc_pt_min must be a number or a rectangular array, got 'low'",
            id="text",
        ),
        pytest.param(
            "calorimeter",
            "gaps",
            {"value": [[31.4, 32.2], [128.7]], "source": "test", "status": "read"},
            "[calorimeter]: gaps must be a number or a rectangular array",
            id="ragged table",
        ),
        pytest.param(
            "klm",
            "iron_loss",
            0.9,
            "[klm]: iron_loss must be a table of value, source and status, got 0.9",
            id="bare number",
        ),
    ],
)
def test_a_bad_number_names_the_culprit(system, number, entry, words):
    card = tomllib.loads(TEXT)
    if entry is None:
        del card[system][number]
    else:
        card[system][number] = entry

    with pytest.raises(InvalidCard) as error:
        from_toml(tomli_w.dumps(card), origin="mine")

    assert f"detector card 'mine', {words}" in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(TEXT + "=", "is not valid TOML", id="not TOML"),
        pytest.param(TEXT + "[moons]", "has the unknown key 'moons'", id="system"),
        pytest.param(
            TEXT.replace("title", "name", 1), "unknown key 'name'", id="title"
        ),
        pytest.param(
            "", "lacks calorimeter, identification, klm, references", id="empty"
        ),
    ],
)
def test_a_bad_card_names_the_culprit(text, words):
    with pytest.raises(InvalidCard) as error:
        from_toml(text, origin="mine")

    assert str(error.value).startswith("detector card 'mine'")
    assert words in str(error.value)


def test_a_system_that_is_no_table_is_refused():
    systems = ("tracking", "calorimeter", "klm", "identification", "trigger")
    text = "\n".join(f"{system} = 1" for system in systems)

    with pytest.raises(InvalidCard, match=r"\[tracking\] must be a table, got 1"):
        from_toml('title = "t"\nreferences = []\n' + text, origin="mine")


def test_unknown_detector():
    with pytest.raises(UnknownName, match="Did you mean 'belle2_phase2'"):
        load("belle2_phase3")


@pytest.mark.parametrize(
    ("theta", "seen"),
    [
        pytest.param(16.9, 0, id="below the drift chamber"),
        pytest.param(17.1, 1, id="first angle"),
        pytest.param(149.9, 1, id="last angle"),
        pytest.param(150.1, 0, id="above the drift chamber"),
    ],
)
def test_edges_of_tracking(theta, seen):
    chance = track_probability(DETECTOR.tracking, particle(theta, p=1.0))

    assert_allclose(chance, seen * DETECTOR.tracking.efficiency)


def test_slow_tracks_curl():
    p = particle(90.0, p=np.array([0.09, 0.11]))

    assert_allclose(track_probability(DETECTOR.tracking, p) > 0, [False, True])


@pytest.mark.parametrize(
    ("theta", "p", "seen"),
    [
        pytest.param(32.1, 1.0, 0, id="forward of the barrel"),
        pytest.param(32.3, 1.0, 1, id="barrel"),
        pytest.param(128.8, 1.0, 0, id="backward of the barrel"),
        pytest.param(90.0, 0.49, 0, id="too slow"),
    ],
)
def test_edges_of_muon_identification(theta, p, seen):
    answers = identify(
        DETECTOR.identification, DETECTOR.klm, particle(theta, p=p), PDG["mu"]
    )

    efficiency = DETECTOR.identification.muon_efficiency
    assert_allclose(answers["mu"], seen * efficiency, rtol=1e-12)


@pytest.mark.parametrize(
    ("theta", "energy", "seen"),
    [
        pytest.param(12.3, 1.0, 0, id="beam pipe, forward"),
        pytest.param(12.5, 1.0, 1, id="forward endcap"),
        pytest.param(31.3, 1.0, 1, id="end of the forward endcap"),
        pytest.param(31.8, 1.0, 0, id="forward gap"),
        pytest.param(32.3, 1.0, 1, id="start of the barrel"),
        pytest.param(89.97, 1.0, 1, id="before the 90-degree crack"),
        pytest.param(90.02, 1.0, 0, id="90-degree crack"),
        pytest.param(90.08, 1.0, 1, id="after the 90-degree crack"),
        pytest.param(129.7, 1.0, 0, id="backward gap"),
        pytest.param(130.8, 1.0, 1, id="backward endcap"),
        pytest.param(155.2, 1.0, 0, id="beam pipe, backward"),
        pytest.param(60.0, 0.09, 0, id="too soft"),
    ],
)
def test_edges_of_the_calorimeter(theta, energy, seen):
    chance = cluster_probability(DETECTOR.calorimeter, particle(theta, p=energy))

    assert_allclose(chance, seen * (1 - DETECTOR.calorimeter.inefficiency))


def test_the_crack_at_90_degrees_has_its_width():
    """0.094 degrees (section 2.6): 8.2e-4 of the solid angle at 90 degrees."""
    theta = np.linspace(89.5, 90.5, 100_001)

    chance = cluster_probability(DETECTOR.calorimeter, particle(theta, p=1.0))

    assert float(jnp.mean(chance == 0)) == pytest.approx(0.094, abs=1e-4)


def test_photons_in_crystals_are_lost_by_not_converting():
    """exp(-7/9 * 16.1) = 3.6e-6: no conversion in 30 cm of CsI (section 2.6)."""
    lost = 1 - float(
        cluster_probability(DETECTOR.calorimeter, particle(60.0, p=1.0))[0]
    )

    assert lost == pytest.approx(np.exp(-7 / 9 * 16.1), rel=0.02)


def resolution(energy, index, theta=60.0):
    """Return what one standard deviation of one of E, θ, φ changes."""
    p = particle(theta, p=energy)
    z = jnp.zeros((1, 3)).at[0, index].set(1.0)
    moved = measure_cluster(DETECTOR.calorimeter, p, z)
    return float((moved.e / p.e - 1)[0]), float((polar(moved) - polar(p))[0])


@pytest.mark.parametrize(("energy", "percent"), [(1.0, 2.04), (4.0, 1.77)])
def test_energy_resolution_of_the_barrel(energy, percent):
    """Row 22: within 0.01 per cent."""
    assert 100 * resolution(energy, 0)[0] == pytest.approx(percent, abs=0.01)


@pytest.mark.parametrize(("energy", "mrad"), [(1.0, 3.85), (4.0, 2.47)])
def test_polar_resolution_of_the_barrel(energy, mrad):
    """Row 22."""
    assert 1000 * resolution(energy, 1)[1] == pytest.approx(mrad, abs=0.01)


@pytest.mark.parametrize(
    ("theta", "energy", "percent"),
    [
        pytest.param(20.0, 0.1, 3.17, id="forward, 0.1 GeV"),
        pytest.param(20.0, 1.0, 2.04, id="forward, 1 GeV"),
        pytest.param(60.0, 0.1, 3.27, id="barrel, 0.1 GeV"),
        pytest.param(60.0, 7.0, 1.72, id="barrel, 7 GeV"),
        pytest.param(140.0, 4.0, 2.40, id="backward, 4 GeV"),
    ],
)
def test_energy_resolution_of_each_region(theta, energy, percent):
    """The table of section 2.6."""
    assert 100 * resolution(energy, 0, theta)[0] == pytest.approx(percent, abs=0.01)


def test_clusters_are_massless_and_never_negative():
    p = particle(60.0, p=np.full(3, 0.02))
    z = jnp.array([[-100.0, 0.0, 0.0], [0.0, 1.0, 1.0], [3.0, -1.0, 2.0]])

    measured = measure_cluster(DETECTOR.calorimeter, p, z)

    assert float(measured.e[0]) == 0
    assert_allclose(measured.e, modulus(measured), rtol=1e-12)


def test_momentum_resolution_of_the_drift_chamber():
    """Row 27: 0.389 % at 90 degrees and 3 GeV; 0.4 % is the error of the sample."""
    n = 40_000
    p = particle(90.0, p=np.full(n, 3.0), mass=MASS["mu"])
    z = jnp.asarray(np.random.default_rng(1).standard_normal((n, 3)))

    measured = transverse(measure_track(DETECTOR.tracking, p, z))

    curvature = 1 / np.asarray(measured)
    assert 100 * curvature.std() * 3.0 == pytest.approx(0.389, rel=4 / np.sqrt(2 * n))
    assert curvature.mean() * 3.0 == pytest.approx(1, abs=4 * 0.00389 / np.sqrt(n))


def test_perfect_measurement_returns_the_truth():
    p = particle(np.array([20.0, 60.0, 100.0, 145.0]), p=2.0, mass=MASS["mu"])

    measured = measure_track(DETECTOR.tracking, p, jnp.zeros((4, 3)))

    assert_allclose(measured.array(), p.array(), atol=1e-12)


def test_azimuth_opening_is_at_most_a_half_turn():
    angles = np.array([0.0, 90.0, 180.0, 270.0, 359.0])

    opening = azimuth_opening(
        particle(60.0, p=np.ones(5)), particle(30.0, p=np.ones(5), phi_deg=angles)
    )

    assert_allclose(np.degrees(opening), [0, 90, 180, 90, 1], atol=1e-9)


def test_only_what_makes_the_topology_is_followed():
    mu, gamma = PDG["mu"], PDG["gamma"]

    assert outcomes((mu, -mu, ZPRIME), TWO_MUONS) == (("mu", "mu", "invisible"),)
    assert outcomes((mu, -mu, gamma), TWO_MUONS) == (
        ("mu", "mu", "cluster"),
        ("mu", "mu", "lost"),
    )
    assert outcomes((mu, mu, ZPRIME), TWO_MUONS) == ()
    assert outcomes((PDG["e"], -PDG["e"]), TWO_MUONS) == ()


def test_one_track_of_a_pair_must_be_neutral_with_the_other():
    mixed = Topology(tracks=("mu", "other track"), trigger="two_track")
    e, mu = PDG["e"], PDG["mu"]

    found = outcomes((mu, -mu, e, -e), mixed)

    assert ("mu", "other track", "lost", "lost") in found
    assert ("mu", "lost", "lost", "other track") in found
    assert ("mu", "lost", "other track", "lost") not in found


def test_an_impossible_topology_is_an_error():
    events = sample((PDG["e"], -PDG["e"]))

    with pytest.raises(InvalidCard, match="no outcome of the final state"):
        detect(events, jnp.zeros((N, 2, 3)), P_BEAMS, DETECTOR, topology=TWO_MUONS)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((("muon",), "two_track"), InvalidCard, "'muon'"),
        ((("mu", "mu"), "two_tracks"), UnknownName, "Did you mean 'two_track'"),
    ],
)
def test_a_topology_checks_its_words(arguments, error, words):
    with pytest.raises(error, match=words):
        Topology(*arguments)


def test_an_unknown_particle_is_an_error():
    with pytest.raises(UnknownName, match="211"):
        outcomes((211, -211), TWO_MUONS)


# ---- derivatives

N = 256


def sample(pdg):
    """Return events of massless particles in all directions, weight one."""
    p3 = np.random.default_rng(2).normal(size=(N, len(pdg), 3)) * 2
    momenta = np.concatenate([np.linalg.norm(p3, axis=2, keepdims=True), p3], axis=2)
    beams = jnp.broadcast_to(P_BEAMS, (N, 4))
    return Events(jnp.asarray(momenta), jnp.ones(N), beams, pdg)


def with_number(system, number, value):
    part = replace(getattr(DETECTOR, system), **{number: value})
    return replace(DETECTOR, **{system: part})


@pytest.mark.parametrize(
    ("system", "number", "power"),
    [
        pytest.param("tracking", "efficiency", 2, id="two tracks"),
        pytest.param("identification", "muon_efficiency", 2, id="two muons"),
        pytest.param("trigger", "two_track_efficiency", 1, id="one trigger"),
    ],
)
def test_derivative_of_a_yield(system, number, power):
    """The yield is proportional to a power of the number, which gives its slope."""
    events = sample((PDG["mu"], -PDG["mu"], PDG["gamma"]))
    z = jnp.asarray(np.random.default_rng(3).standard_normal((N, 3, 3)))

    def visible(value):
        detector = with_number(system, number, value)
        return detect(events, z, P_BEAMS, detector, topology=TWO_MUONS).weights.sum()

    here = getattr(getattr(DETECTOR, system), number)
    there, slope = jax.jvp(visible, (here,), (jnp.ones_like(here),))
    difference = (visible(here + 1e-4) - visible(here - 1e-4)) / 2e-4

    assert there > 0
    assert_allclose(slope, difference, rtol=1e-7)
    assert_allclose(slope, power * there / here, rtol=1e-12)


def test_derivative_of_the_photons_that_are_lost():
    """A loss of 3.6e-6 cannot be drawn, but its slope is exact."""
    events = sample((PDG["mu"], -PDG["mu"], PDG["gamma"]))
    z = jnp.zeros((N, 3, 3))

    def lost(value):
        detector = with_number("calorimeter", "inefficiency", value)
        found = detect(events, z, P_BEAMS, detector, topology=TWO_MUONS)
        return jnp.where(found.clusters[0].e == 0, found.weights, 0.0).sum()

    here = DETECTOR.calorimeter.inefficiency
    slope = jax.jvp(lost, (here,), (jnp.ones_like(here),))[1]

    assert slope > 0
    assert_allclose(slope, (lost(here + 0.1) - lost(here)) / 0.1, rtol=1e-9)


def test_derivative_of_the_resolution():
    """Smearing is truth + σ z, so a measured momentum has a slope in σ."""
    p = particle(90.0, p=np.array([3.0]), mass=MASS["mu"])
    z = jnp.array([[1.0, 0.0, 0.0]])
    table = DETECTOR.tracking.pt_resolution

    def measured(scale):
        tracking = replace(DETECTOR.tracking, pt_resolution=table * scale)
        return transverse(measure_track(tracking, p, z))[0]

    one = jnp.asarray(1.0)
    slope = jax.jvp(measured, (one,), (one,))[1]

    assert_allclose(slope, (measured(1.001) - measured(0.999)) / 0.002, rtol=1e-5)
