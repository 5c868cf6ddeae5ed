"""Single photons in a plane: what leads where, and what the calorimeter misses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fake_result import BACKGROUNDS, fake_plane, fake_result

from darksector.detectors.card import load as load_detector
from darksector.plotting import photon_losses, planes, style

CALORIMETER = load_detector("belle2").calorimeter


def test_the_largest_background_of_each_bin_leads_and_nobody_without_events():
    """Bins next to an edge may go to either side, as rates are smoothed."""
    left, right, corner = (planes.leading(fake_plane())[name] for name in BACKGROUNDS)

    assert left[:23, :60].all()
    assert right[28:40, :60].all()
    assert corner[46:, :4].all()
    for area in (left, right, corner):
        assert not area[:, 60:].any()
    assert (left.astype(int) + right + corner == 1)[:, :60].all()


def test_names_lie_in_their_areas_and_a_line_leads_to_a_small_one():
    plane = fake_plane()
    found = {
        s.component: s for s in planes.spots(plane, dict.fromkeys(BACKGROUNDS, 14))
    }
    left, right, corner = (found[name] for name in BACKGROUNDS)

    assert left.at == left.of
    assert left.at[0] < 25
    assert right.at == right.of
    assert right.at[0] >= 25
    assert corner.at != corner.of
    assert corner.of[0] >= 44
    assert corner.of[1] < 6


def test_names_in_a_plane_do_not_overlap():
    figure = planes.plane_figure(fake_result(), fake_plane())
    figure.canvas.draw()
    for panel in figure.axes[:2]:
        drawn = [
            t
            for t in panel.texts
            if t.get_text() in fake_result().labels.components.values()
        ]
        boxes = [text.get_window_extent() for text in drawn]
        assert len(boxes) == 3
        for i, box in enumerate(boxes):
            assert panel.bbox.x0 < box.x0 < box.x1 < panel.bbox.x1
            assert not any(box.overlaps(other) for other in boxes[:i])


def test_the_plane_shows_its_boundaries_and_what_leads():
    figure = planes.plane_figure(fake_result(), fake_plane())
    upper, lower, *_ = figure.axes
    entries = [text.get_text() for text in figure.legends[0].get_texts()]

    assert {"low mass", "best boundary"} < set(entries)
    assert set(fake_result().labels.components.values()) < set(entries)
    assert len(upper.lines) == len(lower.lines) == 2
    assert lower.get_xlabel() == r"$E^*_\gamma$ [GeV]"


def test_a_plane_without_events_is_still_a_figure(tmp_path):
    plane = fake_plane()
    empty = {name: 0 * values for name, values in plane.contents.items()}

    bare = dataclasses.replace(plane, contents=empty, cells={})
    style.save(planes.plane_figure(fake_result(), bare), tmp_path, "empty")

    assert (tmp_path / "empty.png").stat().st_size > 0


def test_the_crack_loses_as_much_as_its_effective_width():
    """The integral over θ is the leaking part of the width, however soft the edges."""
    theta = np.linspace(89.8, 90.2, 401)
    lost = photon_losses.mean_losses(CALORIMETER, 5.0, theta)["crack"]
    (low, high), *others = np.asarray(CALORIMETER.cracks)
    width = (high - low) * float(CALORIMETER.crack_leakage)

    assert not others
    assert np.trapezoid(lost, theta) == pytest.approx(width, rel=1e-3)


def test_walls_lose_their_share_of_the_circumference():
    """Number × thickness / 2πρ, times exp(-7/9 depth): photons that do not interact."""
    theta = np.array([20.0, 25.0])
    lost = photon_losses.mean_losses(CALORIMETER, 5.0, theta)["walls"]
    rho = float(CALORIMETER.endcap_forward) * np.tan(np.radians(theta))
    metal = float(CALORIMETER.wall_number * CALORIMETER.wall_thickness)
    through = np.exp(-7 / 9 * float(CALORIMETER.wall_depth))

    assert lost == pytest.approx(metal / (2 * np.pi * rho) * through, rel=5e-3)


def test_no_cluster_is_at_least_as_likely_as_each_of_its_origins():
    theta = np.linspace(13.0, 155.0, 72)
    total = photon_losses.mean_losses(CALORIMETER, 1.0, theta)
    largest = np.max([v for name, v in total.items() if name != "total"], axis=0)

    assert np.all(total["total"] >= largest * (1 - 1e-9))
    assert np.all(total["total"] <= 1)


def test_the_inefficiency_is_drawn_for_both_energies_and_close_to_the_crack():
    upper, lower = photon_losses.inefficiency(fake_result()).axes[:2]

    assert "5 GeV" in upper.get_ylabel()
    assert "1 GeV" in lower.get_ylabel()
    for panel in (upper, lower):
        (inset,) = panel.child_axes
        assert inset.get_xlim() == (89.8, 90.2)
