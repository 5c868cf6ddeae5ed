"""First-level trigger: turn-on, derivatives, cards and figure."""

from __future__ import annotations

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom, norm
from trigger_events import (
    BLURRED,
    COMPLETE,
    EFFICIENCIES,
    EXACT,
    P_BEAMS,
    PHASE2,
    PLATEAU,
    deposit_cms,
    fires,
    random_events,
    seen,
)

from darksector.detectors.card import load
from darksector.detectors.trigger import check
from darksector.detectors.trigger_chances import at_least, passes
from darksector.detectors.trigger_lines import LINES, check_line
from darksector.errors import UnknownName
from darksector.plotting.trigger import turn_on


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
