"""First-level trigger: definitions of the lines, without any smearing.

Rows are those of section 6 of physics/machine-detector.md; definitions are those of basf2
trg/ecl/src/TrgEclMaster.cc (04e0800b) and trg/gdl ftd_0032.lgc (70f8043a).
"""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import pytest
from numpy.testing import assert_allclose
from trigger_events import (
    COMPLETE,
    EXACT,
    PHASE2,
    deposit,
    deposit_cms,
    fires,
    from_cms,
    seen,
)

from darksector.detectors.trigger_chances import ecl_bhabha
from darksector.detectors.trigger_lines import LINES


@pytest.mark.parametrize(
    ("line", "deposits", "expected"),
    [
        pytest.param("single_photon_1gev", [(1.01, 90)], 1, id="alone"),
        pytest.param("single_photon_1gev", [(0.99, 90)], 0, id="too soft"),
        pytest.param("single_photon_1gev", [(1.01, 25)], 0, id="forward, not lml6"),
        pytest.param("single_photon_1gev_endcap", [(1.01, 25)], 1, id="forward, lml7"),
        pytest.param("single_photon_1gev_endcap", [(1.01, 90)], 0, id="not lml7"),
        pytest.param("single_photon_1gev_endcap", [(1.01, 135)], 1, id="ThetaId 16"),
        pytest.param("single_photon_1gev_endcap", [(1.01, 145)], 0, id="ThetaId 17"),
        pytest.param("single_photon_1gev_endcap", [(1.01, 15)], 0, id="ThetaId 1"),
        pytest.param("single_photon_05gev", [(0.51, 90)], 1, id="lml13"),
        pytest.param("single_photon_05gev", [(0.49, 90)], 0, id="lml13, too soft"),
        pytest.param("single_photon_05gev", [(0.51, 43)], 0, id="lml13, ThetaId 5"),
        pytest.param("single_photon_05gev", [(0.51, 98)], 0, id="lml13, ThetaId 12"),
        pytest.param("single_photon_05gev", [(0.6, 80), (0.6, 60)], 0, id="two"),
        pytest.param("single_photon_2gev", [(2.01, 90)], 1, id="lml1"),
        pytest.param("single_photon_2gev", [(1.99, 90)], 0, id="lml1, too soft"),
        pytest.param("single_photon_2gev", [(2.1, 127)], 0, id="lml1, ThetaId 15"),
        pytest.param("single_photon_1gev", [(2.1, 127)], 1, id="lml6, ThetaId 15"),
        pytest.param("single_photon_2gev", [(2.1, 90), (2.1, 60)], 1, id="lml1, two"),
    ],
)
def test_lines_of_one_photon(line, deposits, expected):
    """Row 37 and its neighbours; energies in the centre-of-mass frame."""
    assert (
        fires(line, seen(*(deposit_cms(e, theta) for e, theta in deposits))) == expected
    )


@pytest.mark.parametrize(
    ("line", "energy"), [("single_photon_1gev", 1.01), ("single_photon_05gev", 0.51)]
)
@pytest.mark.parametrize(("other", "expected"), [(0.31, 0), (0.29, 1)])
def test_no_other_cluster_above_300_mev(line, energy, other, expected):
    """Row 37: the second energy is in the laboratory, at any angle."""
    photon = deposit_cms(energy, 90)

    for theta in (20, 60, 140):
        assert fires(line, seen(photon, deposit(other, theta))) == expected


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        pytest.param((90, 80, 70, 60), 1, id="four"),
        pytest.param((90, 80, 70), 0, id="three"),
    ],
)
def test_more_than_three_clusters(angles, expected):
    clusters = [deposit(0.11, theta) for theta in angles]

    assert fires("many_clusters", seen(*clusters)) == expected
    assert fires("many_clusters", seen(*clusters, deposit(0.09, 50))) == expected


@pytest.mark.parametrize(
    ("deposits", "expected"),
    [
        pytest.param([(0.51, 90), (0.11, 60), (0.11, 30)], 1, id="one hard"),
        pytest.param([(0.49, 90), (0.49, 60), (0.49, 30)], 0, id="none hard"),
        pytest.param([(0.51, 90), (0.11, 60), (0.09, 30)], 0, id="third too soft"),
        pytest.param([(0.51, 90), (0.11, 60), (0.11, 15)], 0, id="third in ThetaId 1"),
        pytest.param(
            [(0.11, 90), (0.11, 60), (0.11, 30), (2, 150)], 0, id="hard in 17"
        ),
    ],
)
def test_three_clusters(deposits, expected):
    assert fires("three_clusters", seen(*(deposit(*d) for d in deposits))) == expected


@pytest.mark.parametrize(
    ("deposits", "expected"),
    [
        pytest.param([(0.6, 90), (0.41, 60)], 1, id="sum of two"),
        pytest.param([(0.6, 90), (0.39, 60)], 0, id="too soft"),
        pytest.param([(0.6, 90), (0.41, 15)], 0, id="ThetaId 1 does not count"),
        pytest.param([(0.6, 90), (0.41, 135)], 0, id="ThetaId 16 does not count"),
        pytest.param([(0.6, 90), (0.41, 127)], 1, id="ThetaId 15 counts"),
    ],
)
def test_total_energy(deposits, expected):
    assert fires("total_energy", seen(*(deposit(*d) for d in deposits))) == expected


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        pytest.param([(5.2, 60, 0), (5.2, 120, 180)], 1, id="back to back"),
        pytest.param([(5.2, 60, 0), (3.1, 120, 180)], 1, id="one at 3 GeV"),
        pytest.param([(4.4, 60, 0), (4.4, 120, 180)], 0, id="none above 4.5 GeV"),
        pytest.param([(5.2, 60, 0), (2.9, 120, 180)], 0, id="one below 3 GeV"),
        pytest.param([(5.2, 60, 0), (5.2, 120, 161)], 1, id="161 degrees"),
        pytest.param([(5.2, 60, 0), (5.2, 120, 201)], 0, id="201 degrees"),
        pytest.param([(5.2, 60, 0), (5.2, 106, 180)], 1, id="polar sum 166"),
        pytest.param([(5.2, 60, 0), (5.2, 104, 180)], 0, id="polar sum 164"),
        pytest.param([(5.2, 60, 0), (5.2, 129, 180)], 1, id="polar sum 189"),
        pytest.param([(5.2, 60, 0), (5.2, 131, 180)], 0, id="polar sum 191"),
        pytest.param([(5.2, 2, 0), (5.2, 3, 180)], 0, id="both forward"),
    ],
)
def test_bhabha_veto(pair, expected):
    """basf2 trg/ecl/src/TrgEclBhabha.cc (6d661f66); all in the centre-of-mass frame."""
    found = seen(*(from_cms(*p) for p in pair), deposit(0.0, 90))

    assert float(ecl_bhabha(EXACT, found)[0]) == pytest.approx(expected, abs=1e-12)


def test_which_lines_have_the_bhabha_veto():
    """The menu: all but the lines of a single photon; lml12 has it in the calorimeter."""
    tracks = (deposit(4.0, 60), deposit(4.0, 110, 180))
    clusters = [deposit(0.6, theta, 90) for theta in (60, 90, 110)]
    clusters += [from_cms(5.2, 60), from_cms(5.2, 120, 180)]
    bhabha = seen(*clusters, tracks=tracks, muons=(jnp.ones(1),) * 2)
    blind = replace(EXACT, bhabha_energies=jnp.array([20.0, 20.0]))

    fired = {line for line in LINES if fires(line, bhabha, blind) == 1}
    vetoed = {line for line in fired if fires(line, bhabha) < 1e-9}

    assert fired - vetoed == {"single_photon_2gev", "none"}
    assert set(LINES) - fired == {
        line for line in LINES if "1gev" in line or "05" in line
    }


@pytest.mark.parametrize(
    ("theta", "p", "opening", "expected"),
    [
        pytest.param((60.0, 60.0), 1.0, 180.0, 1, id="back to back"),
        pytest.param((60.0, 60.0), 1.0, 90.1, 1, id="just open"),
        pytest.param((60.0, 60.0), 1.0, 89.9, 0, id="not open"),
        pytest.param((60.0, 60.0), 1.0, 269.9, 1, id="open the other way"),
        pytest.param((35.0, 60.0), 1.0, 180.0, 0, id="one track forward"),
        pytest.param((60.0, 123.2), 1.0, 180.0, 0, id="one track backward"),
        pytest.param((35.2, 123.0), 1.0, 180.0, 1, id="both just inside"),
        pytest.param((90.0, 90.0), 0.24, 180.0, 0, id="too slow"),
    ],
)
def test_two_tracks(theta, p, opening, expected):
    """Full tracks by geometry of CDC.xml; the card's widths do not change the answer."""
    tracks = (deposit(p, theta[0]), deposit(p, theta[1], opening))
    lost = deposit(0.0, 90)

    for trigger in (EXACT, PHASE2):
        efficiency = fires("two_track", seen(tracks=tracks), trigger)
        assert efficiency == pytest.approx(
            expected * float(trigger.two_track_efficiency), abs=2e-6
        )
        swapped = seen(tracks=(lost, *tracks[::-1]))
        assert fires("two_track", swapped, trigger) == pytest.approx(efficiency)


def test_tracks_of_other_lines():
    track, slow = deposit(0.71, 60), deposit(0.69, 60)
    same, opposite = deposit(0.6, 90, 30), deposit(0.6, 90, 150)

    assert fires("single_track", seen(tracks=(track,))) == 1
    assert fires("single_track", seen(tracks=(slow,))) == 0
    assert fires("track_cluster", seen(opposite, tracks=(slow,))) == 1
    assert fires("track_cluster", seen(same, tracks=(slow,))) == 0
    muons = (jnp.full(1, 0.3), jnp.full(1, 0.5))
    assert fires("cdc_klm", seen(tracks=(slow, slow), muons=muons)) == pytest.approx(
        1 - 0.7 * 0.5
    )


def test_nothing_fires_nothing():
    empty = deposit(0.0, 90)

    for what in (seen(), seen(empty, empty, tracks=(empty, empty))):
        for trigger in (EXACT, COMPLETE):
            fired = {line for line in LINES if fires(line, what, trigger) > 1e-12}
            assert fired == {"none"}


def test_rows_of_trigger_cells():
    """Section 2.7: ThetaId 6-11 is 44.1 to 97.5 degrees; edges of the regions, row 18."""
    edges = COMPLETE.cell_theta

    assert_allclose(edges[jnp.array([5, 11])], [44.1, 97.5], atol=0.05)
    assert_allclose(edges[jnp.array([0, 17])], [12.39, 155.02], atol=0.01)
    assert_allclose(edges[jnp.array([3, 15])], [31.83, 129.68], atol=0.01)  # mid gap
