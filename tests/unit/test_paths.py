"""Where particles are drawn: against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.plotting.paths import crossings, helix, line, track, until
from darksector.plotting.shapes import Cavity, Plank, Sheet, circle

ORIGIN = np.zeros(3)
FIELD = 1.5
RADIUS = 0.3 / (0.00299792458 * FIELD)  # cm, of 0.3 GeV
WALL = Cavity(100.0, -80.0, 150.0)


@pytest.mark.parametrize(
    ("turn", "place"),
    [
        pytest.param(0.25, (RADIUS, -RADIUS), id="quarter"),
        pytest.param(0.5, (0.0, -2 * RADIUS), id="half"),
        pytest.param(1.0, (0.0, 0.0), id="full"),
    ],
)
def test_a_positive_particle_turns_clockwise_on_its_circle(turn, place):
    """Force q v × B: seen against the field, the positive charge turns clockwise."""
    p, arc = np.array([0.3, 0.0, 0.6]), np.array([turn * 2 * np.pi * RADIUS])

    (point,) = helix(p, ORIGIN, arc, charge=1, field=FIELD)

    assert_allclose(point, (*place, 2 * arc[0]), atol=1e-9)


def test_opposite_charges_are_mirror_images():
    p, arc = np.array([0.3, 0.0, 0.1]), np.linspace(0, 100, 7)

    one, other = (helix(p, ORIGIN, arc, charge=q, field=FIELD) for q in (1, -1))

    assert_allclose(one * [1, -1, 1], other, atol=1e-12)


def test_every_point_keeps_its_distance_from_the_centre():
    p, vertex = np.array([0.2, -0.4, 0.3]), np.array([3.0, 4.0, -5.0])
    radius = np.hypot(0.2, 0.4) / (0.00299792458 * FIELD)
    to_centre = radius * np.array([-0.4, -0.2]) / np.hypot(0.2, 0.4)

    points = helix(p, vertex, np.linspace(0, 300, 31), charge=1, field=FIELD)

    distances = np.hypot(*(points[:, :2] - vertex[:2] - to_centre).T)
    assert_allclose(distances, radius, rtol=1e-12)
    assert_allclose(points[0], vertex)


def test_without_charge_or_field_the_path_is_straight():
    p, arc = np.array([0.3, 0.4, 0.5]), np.array([0.0, 10.0])

    for charge, field in ((0, FIELD), (1, 0.0)):
        points = helix(p, ORIGIN, arc, charge=charge, field=field)
        assert_allclose(points[1], (6.0, 8.0, 10.0))


@pytest.mark.parametrize(
    ("pt", "reaches"),
    [pytest.param(0.2495, False, id="turns"), pytest.param(0.2503, True, id="reaches")],
)
def test_what_reaches_the_last_wires_of_belle2(pt, reaches):
    """0.2499 GeV for r = 111.14 cm in 1.5 T (0.5 · 0.2998 B r)."""
    wall = Cavity(111.14, -1e3, 1e3)

    path = track(np.array([pt, 0.0, 1e-3]), ORIGIN, charge=1, field=FIELD, wall=wall)

    assert (wall.excess(path[-1:])[0] > -0.01) == reaches


@pytest.mark.parametrize("theta", [5.0, 40.0, 90.0, 150.0, 179.0])
def test_tracks_and_lines_end_on_the_wall(theta):
    angle = np.deg2rad(theta)
    p = 2.0 * np.array([np.sin(angle), 0.0, np.cos(angle)])

    for path in (
        track(p, ORIGIN, charge=-1, field=FIELD, wall=WALL),
        line(ORIGIN, p, WALL),
    ):
        assert abs(WALL.excess(path[-1:])[0]) < 0.05
        assert (WALL.excess(path[:-1]) < 0).all()
    assert np.linalg.norm(path[-1]) == pytest.approx(WALL.distance(p), abs=0.05)


def test_a_path_that_starts_outside_does_not_go_on():
    assert len(until(np.array([[120.0, 0, 0], [0.0, 0, 0]]), WALL)) == 1


def test_layers_are_crossed_in_order_and_only_where_they_are():
    layers = [
        Sheet("muon detector", (200.0, 200.0), (-100.0, 100.0)),
        Sheet("muon detector", (150.0, 150.0), (-100.0, 100.0)),
        Sheet("muon detector", (10.0, 300.0), (250.0, 250.0)),
        Sheet("muon detector", (10.0, 300.0), (-250.0, -250.0)),
    ]

    found = crossings(ORIGIN, np.array([1.0, 0.0, 0.6]), layers)

    assert_allclose(found, [[150, 0, 90], [250 / 0.6, 0, 250]][:1])
    assert_allclose(
        crossings(ORIGIN, np.array([1.0, 0.0, 1.0]), layers), [[250, 0, 250]]
    )


def test_a_ladder_touches_its_circle():
    ladder = Plank("vertex detector", 1.4, np.pi / 2, 1.25, (-3.0, 6.0))

    assert_allclose(ladder.edges(), [[0.625, 1.4], [-0.625, 1.4]], atol=1e-12)
    assert ladder.radii == pytest.approx((1.4, np.hypot(1.4, 0.625)))


def test_circles_close():
    ring = circle(3.0)

    assert_allclose(np.hypot(*ring.T), 3.0)
    assert_allclose(ring[0], ring[-1], atol=1e-12)
