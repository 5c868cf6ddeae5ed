"""First-level trigger: definitions of the lines, edges, turn-on, derivatives, cards.

Rows are those of section 6 of physics/machine-detector.md; definitions are those of basf2
trg/ecl/src/TrgEclMaster.cc (04e0800b) and trg/gdl ftd_0032.lgc (70f8043a).
"""

from __future__ import annotations

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom, norm

from darksector.detectors.card import load
from darksector.detectors.trigger import Seen, Trigger, check
from darksector.detectors.trigger_chances import at_least, ecl_bhabha, passes
from darksector.detectors.trigger_lines import LINES, check_line
from darksector.errors import UnknownName
from darksector.kinematics import Momentum, boost
from darksector.plotting.trigger import turn_on

COMPLETE, PHASE2 = load("belle2").trigger, load("belle2_phase2").trigger
P_BEAMS = Momentum(*(jnp.array([x]) for x in (11.006, 0.4566, 0.0, 2.9994)))
EFFICIENCIES = [f.name for f in fields(Trigger) if f.name.endswith("_efficiency")]
PLATEAU = {name: jnp.asarray(1.0) for name in EFFICIENCIES}
WIDTHS = ("cell_width", "energy_noise", "energy_resolution", "bhabha_width")
WIDTHS = (*WIDTHS, "track_angle_width", "track_pt_width")
EXACT = replace(COMPLETE, **PLATEAU, **{name: jnp.asarray(0.0) for name in WIDTHS})
# widths such that every edge is within reach of a random event
BLURRED = replace(
    COMPLETE,
    cell_width=jnp.asarray(8.0),
    energy_noise=jnp.asarray(0.2),
    energy_resolution=jnp.asarray(0.3),
    bhabha_width=jnp.asarray(20.0),
    track_angle_width=jnp.asarray(20.0),
    track_pt_width=jnp.asarray(0.5),
)


def deposit(energy, theta_deg, phi_deg=0.0):
    """Return a massless momentum in the laboratory."""
    theta, phi = np.radians(theta_deg), np.radians(phi_deg)
    direction = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi))
    p = np.multiply(energy, (1, *direction, np.cos(theta)))
    return Momentum(*(jnp.array([x]) for x in p))


def deposit_cms(energy, theta_deg, phi_deg=0.0):
    """Return a massless momentum of this energy in the centre-of-mass frame and angles
    in the laboratory."""
    p = deposit(1.0, theta_deg, phi_deg)
    in_cms = boost(p, replace(P_BEAMS, x=-P_BEAMS.x, y=-P_BEAMS.y, z=-P_BEAMS.z))
    return p.scaled(energy / in_cms.e)


def from_cms(energy, theta_deg, phi_deg=0.0):
    """Return a massless momentum whose energy and angles are centre-of-mass ones."""
    return boost(deposit(energy, theta_deg, phi_deg), P_BEAMS)


def seen(*deposits, tracks=(), muons=None):
    muons = (jnp.zeros(1),) * len(tracks) if muons is None else muons
    return Seen(tuple(tracks), tuple(deposits), P_BEAMS, muons)


def fires(line, what, trigger=EXACT):
    return float(LINES[line](trigger, what)[0])


# ---- definitions, without any smearing


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


# ---- turn-on


def test_the_step_is_a_normal_distribution():
    x = np.linspace(-9, 9, 2001)

    step = passes(jnp.asarray(x), jnp.asarray(0.0), jnp.asarray(1.0))

    assert_allclose(step, norm.cdf(x), atol=2e-4)


def test_turn_on_has_the_width_of_the_trigger_energy():
    """At 90 degrees: half at the threshold, Φ(1) one standard deviation above."""
    sigma = 1.0 * np.hypot(0.035, 0.01 / float(deposit_cms(1.0, 90).e[0]))
    trigger = replace(COMPLETE, **PLATEAU)

    at = [
        fires("single_photon_1gev", seen(deposit_cms(1 + k * sigma, 90)), trigger)
        for k in (-1, 0, 1)
    ]

    assert_allclose(at, norm.cdf([-1, 0, 1]), atol=0.01)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_poisson_binomial(k):
    """Equal chances make a binomial distribution."""
    for slots in range(6):
        present = [jnp.full(1, 0.3)] * slots

        found = at_least(k, present, [1 - p for p in present], jnp.ones(1))

        assert float(found[0]) == pytest.approx(binom.sf(k - 1, slots, 0.3))


def random_events(n=400, deposits=4, tracks=3):
    """Return events of massless particles in all directions, some slots empty."""
    rng = np.random.default_rng(1)

    def some(scale):
        p = rng.normal(size=(n, 3)) * np.exp(rng.normal(size=(n, 1))) * scale
        p *= rng.random((n, 1)) < 0.8
        return Momentum(*jnp.asarray([np.linalg.norm(p, axis=1), *p.T]))

    beams = jax.tree.map(lambda x: jnp.broadcast_to(x, (n,)), P_BEAMS)
    return Seen(
        tuple(some(1.0) for _ in range(tracks)),
        tuple(some(0.7) for _ in range(deposits)),
        beams,
        tuple(jnp.asarray(rng.random(n)) for _ in range(tracks)),
    )


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("trigger", [EXACT, COMPLETE, BLURRED])
def test_chances_are_chances(line, trigger):
    chance = np.asarray(LINES[line](trigger, random_events()))

    assert ((chance >= 0) & (chance <= 1)).all()
    assert chance.max() > 0.1


NUMBERS = {
    "two_track": ("cdc_theta_min", "cdc_theta_max", "cdc_pt_min", "two_track_opening"),
    "single_photon_2gev": ("single_photon_2gev_min", "cell_theta", "energy_noise"),
    "single_photon_1gev": ("single_photon_1gev_min", "other_cluster_max", "cell_theta"),
    "single_photon_1gev_endcap": ("single_photon_1gev_min", "cell_width"),
    "single_photon_05gev": ("single_photon_05gev_min", "energy_resolution"),
    "total_energy": ("total_energy_min", "cell_theta", "bhabha_energies"),
    "many_clusters": ("cluster_min", "bhabha_opening_min", "bhabha_theta_sum"),
    "three_clusters": ("three_clusters_min", "cluster_min", "cell_theta"),
    "single_track": ("single_track_p_min", "track_pt_width", "track_angle_width"),
    "track_cluster": ("track_cluster_min", "two_track_opening"),
    "cdc_klm": ("cdc_theta_min", "cdc_klm_efficiency"),
}


@pytest.mark.parametrize(
    ("line", "number"), [(line, n) for line, names in NUMBERS.items() for n in names]
)
def test_derivatives_with_respect_to_the_card(line, number):
    """Edges are smooth, so the slope of a yield is that of its differences."""
    events = random_events()

    def fired(value):
        return LINES[line](replace(BLURRED, **{number: value}), events).sum()

    here = getattr(BLURRED, number)
    direction = jnp.linspace(0.5, 1.0, here.size).reshape(here.shape)
    slope = jax.jvp(fired, (here,), (direction,))[1]
    step = 1e-5 * direction
    difference = (fired(here + step) - fired(here - step)) / 2e-5

    assert slope != 0
    assert_allclose(slope, difference, rtol=1e-5)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("trigger", [EXACT, COMPLETE])
def test_derivatives_are_finite_where_slots_are_empty(line, trigger):
    slopes = jax.grad(lambda t, s: LINES[line](t, s).sum(), argnums=(0, 1))(
        trigger, random_events(50)
    )

    assert all(jnp.isfinite(x).all() for x in jax.tree.leaves(slopes))


# ---- cards


def test_lines_of_2018():
    """Recalled: low-multiplicity lines and the neural network came later."""
    for line in ("two_track", "total_energy", "many_clusters", "none"):
        check_line(PHASE2, line)

    with pytest.raises(UnknownName) as error:
        check_line(PHASE2, "single_photon_1gev")

    assert str(error.value) == (
        "no trigger line of this period is called 'single_photon_1gev'. "
        "Known: many_clusters, none, total_energy, two_track."
    )


def test_all_lines_exist_in_the_complete_detector():
    for line in LINES:
        check_line(COMPLETE, line)
    with pytest.raises(UnknownName, match="Did you mean 'two_track'"):
        check_line(COMPLETE, "two_tracks")


def test_every_line_but_none_has_a_plateau():
    assert {f"{line}_efficiency" for line in LINES if line != "none"} == set(
        EFFICIENCIES
    )


def numbers(trigger, **changes):
    values = {f.name: np.asarray(getattr(trigger, f.name)) for f in fields(trigger)}
    return values | {name: np.asarray(value) for name, value in changes.items()}


@pytest.mark.parametrize("trigger", [COMPLETE, PHASE2])
def test_good_numbers_have_no_complaint(trigger):
    assert list(check(numbers(trigger))) == []


@pytest.mark.parametrize(
    ("number", "value", "words"),
    [
        ("two_track_efficiency", 1.2, "is 1.2; allowed: 0 to 1, where 0 means"),
        ("total_energy_efficiency", -0.1, "is -0.1; allowed: 0 to 1"),
        ("cell_width", -1.0, "is -1.0; allowed: 0 or more"),
        ("energy_noise", -0.01, "is -0.01; allowed: 0 or more"),
        ("energy_resolution", -0.01, "is -0.01; allowed: 0 or more"),
        ("cell_theta", [10.0, 20.0], "has shape (2,); allowed: 18 numbers"),
        ("cell_theta", [*range(10, 27), 20], "it must increase: sort it"),
        ("bhabha_theta_sum", [190.0, 165.0], "is [190.0, 165.0]; it must increase"),
        ("cdc_pt_min", [0.2, 0.3], "has shape (2,); allowed: one number"),
    ],
)
def test_bad_numbers_are_named(number, value, words):
    ((name, complaint),) = check(numbers(COMPLETE, **{number: value}))

    assert name == number
    assert words in complaint


# ---- figure


def test_the_figure_of_the_turn_on():
    """Half of the plateau at the threshold; 1 GeV forward is 0.77 GeV boosted back."""
    p_beams = np.array(
        [float(x[0]) for x in (P_BEAMS.e, P_BEAMS.x, P_BEAMS.y, P_BEAMS.z)]
    )
    left, right = turn_on(load("belle2"), p_beams).axes
    half = {
        line.get_label(): line.get_xdata()[np.argmax(line.get_ydata() > 0.5)]
        for panel in (left, right)
        for line in panel.lines
    }

    assert half["0.5 GeV, barrel, 70°"] == pytest.approx(0.5, abs=0.01)
    assert half["1 GeV, backward, 135°"] == pytest.approx(1.0, abs=0.01)
    assert half["2 GeV, barrel, 90°"] == pytest.approx(2.0, abs=0.01)
    boosted = 1 / float(deposit_cms(1.0, 25).e[0])
    assert half["forward, 25°"] == pytest.approx(boosted, abs=0.01)
    assert "[GeV]" in left.get_xlabel()


def test_the_figure_says_which_lines_are_missing():
    left, right = turn_on(load("belle2_phase2"), np.array([11.0, 0.4, 0.0, 3.0])).axes

    assert not left.lines
    assert len(right.lines) == 4
    assert [text.get_text() for text in left.texts] == ["no such line in this period"]
