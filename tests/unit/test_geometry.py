"""Drawings of detectors: their dimensions are those of the card."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.patches import Annulus, Polygon
from numpy.testing import assert_allclose

from darksector.cardfile import DETECTORS
from darksector.detectors import card
from darksector.plotting import detector, material
from darksector.plotting.geometry import geometry_of
from darksector.plotting.shapes import SYSTEMS


def angles(geometry, system):
    found = [(w.low, w.high) for w in geometry.windows if w.system == system]
    return sorted(edge for window in found for edge in window)


@pytest.fixture(scope="module")
def belle2():
    return card.load("belle2")


@pytest.mark.parametrize("name", DETECTORS.names())
def test_every_card_draws(name):
    loaded = card.load(name)
    geometry = geometry_of(loaded)

    assert geometry.systems == SYSTEMS
    assert geometry.cavity.radius > geometry.tracker.radius
    assert all(np.isfinite(s.outline).all() for s in geometry.solids)
    figure = detector.cross_sections(geometry)
    assert loaded.title in figure.get_suptitle()
    assert material.budget(loaded).axes


def test_belle2_has_its_official_angles(belle2):
    """basf2 analysis/variables/src/AcceptanceVariables.cc (00455f31)."""
    geometry = geometry_of(belle2)

    assert angles(geometry, "drift chamber") == [17.0, 150.0]
    official = [12.4, 31.4, 32.2, 128.7, 130.7, 155.1]
    assert_allclose(angles(geometry, "calorimeter"), official, atol=0.11)


def test_crystals_of_belle2_are_30_cm_long(belle2):
    """16.1 radiation lengths of CsI(Tl); the barrel starts at r = 125.6 cm."""
    barrel = geometry_of(belle2).cavity
    sheets = [s for s in geometry_of(belle2).sheets if s.system == "calorimeter"]

    lengths = [np.hypot(np.ptp(s.radii), np.ptp(s.ends)) for s in sheets]

    assert barrel.radius == pytest.approx(125.6)
    assert_allclose(lengths, 30.0, atol=0.2)
    assert len(sheets) == 12 + 45 + 9  # sides between 13, 46 and 10 rings


def test_the_first_period_has_one_ladder_per_layer():
    ladders = geometry_of(card.load("belle2_phase2")).planks

    assert len(ladders) == 6
    assert len({ladder.radius for ladder in ladders}) == 6
    assert {ladder.phi for ladder in ladders} == {0.0}


def test_figures_are_to_scale(belle2):
    geometry = geometry_of(belle2)
    along, across, *_ = detector.cross_sections(geometry).axes

    assert along.get_aspect() == across.get_aspect() == 1.0
    corners = np.vstack([p.get_xy() for p in along.patches if isinstance(p, Polygon)])
    radius = float(belle2.klm.barrel_radii[-1])
    assert corners[:, 1].max() == pytest.approx(radius)
    assert corners[:, 1].min() == pytest.approx(-radius)
    assert corners[:, 0].max() == pytest.approx(float(belle2.klm.forward_z[-1]))
    rings = [p for p in across.patches if isinstance(p, Annulus)]
    assert max(p.radii[0] for p in rings) == pytest.approx(radius)


def test_nothing_is_that_of_one_experiment(belle2):
    """Twice the calorimeter and muon detector, half the wires: the figure follows."""
    c, k = belle2.calorimeter, belle2.klm
    rings = c.rings.at[:, 4:6].multiply(2.0)
    larger = replace(
        belle2,
        calorimeter=replace(
            c,
            rings=rings,
            barrel_radius=2 * c.barrel_radius,
            endcap_forward=2 * c.endcap_forward,
            endcap_backward=2 * c.endcap_backward,
        ),
        klm=replace(
            k, barrel_radii=2 * k.barrel_radii, endcap_radii=2 * k.endcap_radii
        ),
    )

    before, after = geometry_of(belle2), geometry_of(larger)

    assert after.cavity.radius == pytest.approx(2 * before.cavity.radius)
    assert after.extent().radius == pytest.approx(2 * before.extent().radius)
    assert angles(after, "calorimeter") == angles(before, "calorimeter")


@pytest.mark.parametrize(
    ("theta", "cylinder"),
    [
        pytest.param((14.0, 30.0), False, id="forward disc"),
        pytest.param((150.0, 165.0), False, id="backward disc"),
        pytest.param((25.5, 141.4), True, id="barrel"),
    ],
)
def test_a_ring_detector_lies_between_tracker_and_calorimeter(belle2, theta, cylinder):
    i = replace(
        belle2.identification, top_max=jnp.zeros(()), ring_theta=jnp.array(theta)
    )
    geometry = geometry_of(replace(belle2, identification=i))

    (sheet,) = (s for s in geometry.sheets if s.system == "Cherenkov detectors")

    assert sheet.is_cylinder == cylinder
    corners = np.array([[r, 0.0, z] for r in sheet.radii for z in sheet.ends])
    assert (geometry.cavity.excess(corners) <= 1e-9).all()
    assert (geometry.tracker.excess(corners) > 0).all()


def test_a_detector_without_cherenkov_light_has_no_such_system(belle2):
    none = jnp.zeros(())
    i = replace(belle2.identification, top_max=none, ring_photons=none)
    geometry = geometry_of(replace(belle2, identification=i))

    assert "Cherenkov detectors" not in geometry.systems


def test_material_at_90_degrees(belle2):
    """Radial sums of the card; the drift chamber is 94.3 cm of gas and wires."""
    t = belle2.tracking
    parts = material.contributions(belle2, np.array([90.0, 30.0]))

    assert parts["beam pipe"][0] == pytest.approx(float(t.pipe[:, 2].sum()))
    assert parts["inner wall"][0] == pytest.approx(float(t.wall[0, 1]))
    depth = float(t.wire_radius[-1] - t.wall[0, 0])
    assert parts["gas and wires"][0] == pytest.approx(depth / float(t.gas_x0))
    # twice the path at 30 degrees, where layers are crossed as at 90
    assert parts["beam pipe"][1] == pytest.approx(2 * parts["beam pipe"][0])


def test_the_first_period_has_less_silicon():
    theta = np.array([90.0])
    first, full = (
        material.contributions(card.load(name), theta)["silicon"][0]
        for name in ("belle2_phase2", "belle2")
    )

    assert 0 < first < 0.2 * full
