"""Impacts, losses and clusters of the calorimeter, and their derivatives.

Rows are those of section 6 of physics/machine-detector.md.
"""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from darksector.detectors.card import load
from darksector.detectors.clusters import (
    measure_cluster,
    merging_probability,
    resolution,
    time_interval,
)
from darksector.detectors.crystals import impact
from darksector.detectors.losses import (
    cluster_probability,
    conversion_probability,
    losses,
)
from darksector.detectors.objects import NORMALS
from darksector.kinematics import Momentum, modulus

# the crack as wide as the bare geometry has it
CARD = replace(load("belle2").calorimeter, crack_leakage=jnp.asarray(1.0))
CRYSTALS = np.exp(-7 / 9 * 16.1)  # no interaction in the crystals: 3.6e-6


def photon(theta_deg, phi_deg=0.0, energy=1.0):
    theta, phi, energy = np.broadcast_arrays(
        np.radians(np.atleast_1d(theta_deg)), np.radians(phi_deg), energy
    )
    x, y = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi)
    return Momentum(
        *(jnp.asarray(energy * c) for c in (np.ones_like(x), x, y, np.cos(theta)))
    )


def place(ct, x, y, z):
    return Momentum(*(jnp.array([float(c)]) for c in (ct, x, y, z)))


def at(theta_deg, phi_deg=7.0, energy=4.0, card=CARD):
    """Return the losses of photons from the origin."""
    p = photon(theta_deg, phi_deg, energy)
    return losses(card, p.e, impact(card, p))


def total_loss(card, p):
    return 1 - cluster_probability(card, p.e, impact(card, p)).mean()


# ---- where photons meet the crystals


def test_photons_from_the_origin_keep_their_direction():
    theta = np.array([13.0, 31.0, 31.8, 33.0, 90.0, 128.0, 129.7, 131.0, 154.0])

    spot = impact(CARD, photon(theta, phi_deg=-40.0, energy=3.0))

    assert_allclose(np.degrees(spot.theta), theta, rtol=1e-12)
    assert_allclose(np.degrees(spot.phi), -40.0, rtol=1e-12)
    assert_allclose(spot.delay, 0, atol=1e-12)
    assert_allclose(spot.slant, 1, rtol=1e-12)
    assert_allclose(spot.distance[4], 125.6, rtol=1e-12)
    assert_allclose(spot.distance[0] * np.cos(spot.theta[0]), 197.5, rtol=1e-12)
    assert_allclose(spot.distance[-1] * np.cos(spot.theta[-1]), -104.2, rtol=1e-12)


def test_a_cluster_of_a_displaced_photon_points_from_the_origin():
    """From x = 50 cm along y the cylinder of 125.6 cm is met at y = √(125.6² - 50²)."""
    y = np.sqrt(125.6**2 - 50.0**2)

    spot = impact(CARD, photon(90.0, 90.0), place(60, 50, 0, 0))
    cluster = measure_cluster(CARD, jnp.array([1.0]), spot, jnp.zeros((1, NORMALS)))

    assert_allclose(spot.phi, np.arctan2(y, 50), rtol=1e-12)
    assert_allclose(spot.delay, (60 + y - 125.6) / 29.9792458, rtol=1e-12)
    assert_allclose(spot.slant, y / 125.6, rtol=1e-12)
    assert_allclose(cluster.p.y / cluster.p.x, y / 50, rtol=1e-12)
    assert_allclose(cluster.time, spot.delay, rtol=1e-12)


@pytest.mark.parametrize(
    ("vertex", "seen"),
    [
        pytest.param((0, 100.0, 0, 0), 1, id="in the drift chamber"),
        pytest.param((0, 130.0, 0, 0), 0, id="in a barrel crystal"),
        pytest.param((0, 60.0, 0, 200.0), 0, id="in a forward crystal"),
        pytest.param((0, 60.0, 0, -110.0), 0, id="in a backward crystal"),
    ],
)
def test_photons_born_behind_the_front_faces_leave_nothing(vertex, seen):
    spot = impact(CARD, photon(70.0, 10.0), place(*vertex))

    found = cluster_probability(CARD, jnp.array([1.0]), spot)

    assert_allclose(found, seen, atol=1e-5)


# ---- what is lost


@pytest.mark.parametrize(
    ("origin", "theta"),
    [
        pytest.param("forward_gap", 31.8, id="forward gap"),
        pytest.param("backward_gap", 129.7, id="backward gap"),
        pytest.param("crack", 90.023, id="crack"),
        pytest.param("outside", 12.0, id="too far forward"),
        pytest.param("outside", 156.0, id="too far backward"),
    ],
)
def test_each_loss_has_its_origin(origin, theta):
    """Acceptance of basf2's AcceptanceVariables.cc and the crack of section 2.6."""
    found = at(theta)

    assert getattr(found, origin) > 0.99
    assert found.total() <= 1


@pytest.mark.parametrize("theta", [20.0, 50.0, 89.5, 90.5, 110.0, 140.0])
def test_elsewhere_only_the_floor_is_lost(theta):
    """Section 2.6: exp(-7/9 * 16.1) = 3.6e-6; 7 degrees in azimuth is between walls."""
    assert_allclose(at(theta).total(), CRYSTALS, rtol=1e-6)


@pytest.mark.parametrize(
    ("origin", "width"),
    [("forward_gap", 0.8), ("backward_gap", 2.0), ("crack", 0.094)],
)
def test_a_gap_loses_its_width(origin, width):
    """Widths of section 2.6, degrees, whatever the softness of the edges."""
    theta = np.linspace(12.0, 156.0, 288_001)

    lost = np.asarray(getattr(at(theta), origin)).sum() * (theta[1] - theta[0])

    assert lost == pytest.approx(width, rel=1e-4)


@pytest.mark.parametrize("leakage", [0.3, 1.0, 3.0])
def test_leakage_scales_the_width_of_the_crack(leakage):
    theta = np.linspace(89.5, 90.5, 20_001)
    card = replace(CARD, crack_leakage=jnp.asarray(leakage))

    lost = np.asarray(at(theta, card=card).crack)

    assert lost.sum() * (theta[1] - theta[0]) == pytest.approx(
        0.094 * leakage, rel=1e-4
    )
    assert lost.max() <= 1


def test_walls_lose_what_does_not_interact_in_aluminium():
    """16 walls of 0.5 mm at r = 197.5 tan 20 deg: 8 mm of 452 cm, 7 % of which pass."""
    phi = np.linspace(0, 360, 720_001)[:-1]
    through = np.exp(-7 / 9 * 30 / 8.897)

    lost = at(20.0, phi).walls

    around = 2 * np.pi * 197.5 * np.tan(np.radians(20.0))
    assert lost.mean() == pytest.approx(16 * 0.05 / around * through, rel=2e-3)
    assert lost.max() < through
    assert at(60.0, phi).walls.max() == 0


def test_threshold_turns_on_with_the_resolution():
    """Half at 0.1 GeV; 7.7 % at nominal background (section 2.6) from there."""
    energy = 0.1 / (1 - 0.0772)  # one sigma above, but σ/E at that energy is 7.2 %
    sigma = float(
        resolution(
            CARD,
            CARD.energy_resolution,
            jnp.array([energy]),
            impact(CARD, photon(60.0)),
        )[0]
    )

    lost = at(60.0, energy=np.array([0.1, energy, 0.3])).threshold

    expected = norm.cdf((0.1 / energy - 1) / (sigma / 100))
    assert_allclose(lost, [0.5, expected, 0], atol=1e-9)


def test_losses_combine_like_independent_chances():
    found = at(np.linspace(12, 156, 2001))

    seen = np.prod([1 - np.asarray(part) for part in jax.tree.leaves(found)], axis=0)

    assert_allclose(found.total(), 1 - seen, atol=1e-15)
    assert (np.asarray(jax.tree.leaves(found)) >= 0).all()


@pytest.mark.parametrize(
    ("theta", "vertex", "layers"),
    [
        pytest.param(90.0, 0.0, 0.0399, id="all, straight"),
        pytest.param(30.0, 0.0, 2 * 0.0399, id="all, slanted"),
        pytest.param(90.0, 9.0, 0.014, id="behind layer 4"),
        pytest.param(90.0, 20.0, 0.0, id="in the drift chamber"),
    ],
)
def test_conversion_before_the_tracker(theta, vertex, layers):
    """material_budget.csv: pipe 0.79 %, two layers of 0.2 %, four of 0.7 %."""
    spot = impact(CARD, photon(theta), place(0, vertex, 0, 0))

    found = conversion_probability(CARD, spot)

    assert_allclose(found, 1 - np.exp(-7 / 9 * layers), atol=1e-12)


# ---- what is measured


def test_perfect_measurement_returns_the_truth():
    p = photon([20.0, 60.0, 100.0, 145.0], 30.0, 2.0)

    cluster = measure_cluster(CARD, p.e, impact(CARD, p), jnp.zeros((4, NORMALS)))

    assert_allclose(cluster.p.array(), p.array(), atol=1e-12)
    assert_allclose(cluster.time, 0, atol=1e-12)


@pytest.mark.parametrize("energy", [0.03, 0.1, 1.0, 7.0])
def test_energy_rises_with_its_normal_number_and_is_never_negative(energy):
    z = np.zeros((4001, NORMALS))
    z[:, 0] = np.linspace(-20, 8, 4001)
    p = photon(np.full(4001, 60.0), energy=energy)

    measured = measure_cluster(CARD, p.e, impact(CARD, p), jnp.asarray(z)).p

    assert (np.diff(measured.e) >= 0).all()
    assert (np.asarray(measured.e) >= 0).all()
    assert_allclose(measured.e, modulus(measured), rtol=1e-12)


def test_the_core_is_gaussian_with_the_width_of_basf2():
    """Without the tail the central 68 % is 2.04 % at 1 GeV (row 22)."""
    card = replace(CARD, background=jnp.asarray(0.0), tail_loss=jnp.asarray(0.0))
    z = np.zeros((3, NORMALS))
    z[:, 0] = [-1, 0, 1]
    p = photon(np.full(3, 90.5), energy=1.0)

    measured = measure_cluster(card, p.e, impact(card, p), jnp.asarray(z)).p.e

    assert_allclose(measured, [1 - 0.0204, 1, 1 + 0.0204], atol=1e-4)


def test_time_of_a_crystal():
    """Row 24: 16.84 ns at 100 MeV and 3.5 ns at 1 GeV without background."""
    card = replace(CARD, background=jnp.asarray(0.0))

    found = time_interval(card, jnp.array([0.1, 1.0]))

    assert_allclose(found, [16.84, 3.5], rtol=1e-12)


def test_background_is_interpolated_between_its_levels():
    """Barrel at 0.1 GeV: 3.269, 4.800 and 7.717 % (ecl_resolution_table.csv)."""
    p = photon(60.0, energy=0.1)

    found = [
        float(resolution(card, card.energy_resolution, p.e, impact(card, p))[0])
        for u in (0.0, 0.0875, 0.175, 1.0, 2.0)
        for card in [replace(CARD, background=jnp.asarray(u))]
    ]

    middle = (3.26939 + 4.79974) / 2
    assert_allclose(found, [3.26939, middle, 4.79974, 7.71686, 7.71686], atol=1e-4)


def test_merging_falls_with_the_opening_angle():
    p, q = photon(60.0), photon(60.0 + np.linspace(0, 10, 101))
    q = Momentum(q.e, q.x, q.y, q.z)

    merged = merging_probability(CARD, (impact(CARD, p), p.e), (impact(CARD, q), q.e))

    assert (np.diff(merged) <= 0).all()
    assert merged[0] > 0.999
    assert merged[-1] < 1e-6


def test_merging_counts_crystals_in_azimuth_too():
    """A crystal is 2.49 degrees wide at 90 degrees (section 2.6: 2.4 to 2.5)."""
    first = photon(90.0)
    across, along = photon(90.0, 4.0), photon(94.0)

    merged = [
        float(
            merging_probability(
                CARD,
                (impact(CARD, first), first.e),
                (impact(CARD, other), other.e),
            )[0]
        )
        for other in (across, along)
    ]

    assert merged[0] == pytest.approx(merged[1], abs=0.01)
    half = float(CARD.separation[0])
    crystals = 4.0 / np.degrees(5.45 / 125.6)
    assert merged[0] == pytest.approx(norm.cdf((half - crystals) / 0.355), abs=1e-6)


def test_another_experiment_has_other_regions_and_forms():
    """BaBar: two regions, one gap, 2.32 %/E^(1/4) (+) 1.85 % (recalled hep-ex/0105044)."""
    row = [0.0, 0.0, 0.0, 0.0, 2.32, 0.0, 1.85]
    babar = replace(
        CARD,
        theta_min=jnp.asarray(15.8),
        theta_max=jnp.asarray(141.8),
        region_edges=jnp.array([26.85]),
        gaps=jnp.array([[26.8, 26.9]]),
        gap_softness=jnp.array([0.05]),
        background_levels=jnp.array([0.0]),
        energy_resolution=jnp.array([[row, row]]),
    )
    p = photon([20.0, 90.0], energy=1.0)

    found = resolution(babar, babar.energy_resolution, p.e, impact(babar, p))

    assert_allclose(found, np.hypot(2.32, 1.85), rtol=1e-12)
    assert at(31.8, card=babar).total()[0] < 1e-5
    assert at(150.0, card=babar).outside[0] == pytest.approx(1)


def test_a_particle_without_energy_leaves_nothing_and_no_nan():
    p = photon(60.0, energy=np.zeros(3))
    spot, z = impact(CARD, p), jnp.full((3, NORMALS), -3.0)
    cluster = measure_cluster(CARD, p.e, spot, z)

    assert_allclose(cluster_probability(CARD, p.e, spot), 0, atol=1e-12)
    assert_allclose(cluster.p.array(), 0, atol=1e-12)
    assert np.isfinite(cluster.time).all()
    assert np.isfinite(merging_probability(CARD, (spot, p.e), (spot, p.e))).all()


# ---- derivatives


def scaled(card, factor):
    return replace(card, energy_resolution=card.energy_resolution * factor)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda x: replace(CARD, gaps=CARD.gaps.at[1, 1].add(x)), id="gap"),
        pytest.param(
            lambda x: replace(CARD, cracks=CARD.cracks.at[0, 1].add(x)), id="crack"
        ),
        pytest.param(
            lambda x: replace(CARD, crack_leakage=CARD.crack_leakage - x), id="leakage"
        ),
        pytest.param(
            lambda x: replace(CARD, inefficiency=CARD.inefficiency + x),
            id="inefficiency",
        ),
        pytest.param(
            lambda x: replace(CARD, energy_min=CARD.energy_min + x), id="threshold"
        ),
        pytest.param(lambda x: scaled(CARD, 1 + x), id="resolution"),
        pytest.param(
            lambda x: replace(CARD, background=jnp.asarray(0.5 + x)), id="background"
        ),
    ],
)
def test_derivative_of_the_photons_that_are_lost(change):
    """Forward mode against central differences; photons fill all angles evenly."""
    rng = np.random.default_rng(2)
    n = 40_000
    theta = np.degrees(np.arccos(rng.uniform(-1, 1, n)))
    theta[: n // 4] = rng.uniform(89.9, 90.15, n // 4)  # the crack is narrow
    p = photon(theta, rng.uniform(0, 360, n), rng.uniform(0.05, 5.0, n))
    here, step = jnp.asarray(0.0), 1e-4

    slope = jax.jvp(lambda x: total_loss(change(x), p), (here,), (jnp.asarray(1.0),))[1]

    difference = (total_loss(change(step), p) - total_loss(change(-step), p)) / 2 / step
    assert slope != 0
    assert_allclose(slope, difference, rtol=1e-4)


def test_slope_of_a_gap_is_the_density_of_photons_at_its_edge():
    """Even in cos θ, a wider backward gap takes sin(130.7 deg)/2 for each radian."""
    theta = np.degrees(np.arccos(np.linspace(-1, 1, 200_001)))
    p = photon(theta, 7.0, 4.0)

    def lost(x):
        return total_loss(replace(CARD, gaps=CARD.gaps.at[1, 1].add(x)), p)

    slope = jax.jvp(lost, (jnp.asarray(0.0),), (jnp.asarray(1.0),))[1]

    expected = np.sin(np.radians(130.7)) / 2 * np.radians(1)
    assert slope == pytest.approx(expected, rel=1e-2)
