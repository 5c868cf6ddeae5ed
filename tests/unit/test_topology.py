"""Which outcomes make a topology."""

from __future__ import annotations

import pytest

from darksector.detectors.topology import Outcome, Topology, outcomes
from darksector.errors import InvalidCard, UnknownName
from darksector.particles import PDG, ZPRIME

MU, E, GAMMA = PDG["mu"], PDG["e"], PDG["gamma"]
TWO_MUONS = Topology(tracks=("mu", "mu"), trigger="two_track")
ONE_PHOTON = Topology((), "single_photon_1gev", clusters=1, vetoes=("klm",))


def words(pdg, topology):
    return {(outcome.responses, outcome.merged) for outcome in outcomes(pdg, topology)}


def test_only_what_makes_the_topology_is_followed():
    assert outcomes((MU, -MU, ZPRIME), TWO_MUONS) == (
        Outcome(("mu", "mu", "invisible")),
    )
    assert words((MU, -MU, GAMMA), TWO_MUONS) == {
        (("mu", "mu", last), ()) for last in ("cluster", "klm", "lost")
    }
    assert outcomes((MU, MU, ZPRIME), TWO_MUONS) == ()


def test_a_converted_photon_leaves_tracks_and_is_never_followed():
    found = outcomes((MU, -MU, GAMMA), TWO_MUONS)

    assert not any("converted" in outcome.responses for outcome in found)


def test_one_photon_and_nothing_else():
    assert words((GAMMA, GAMMA), ONE_PHOTON) == {
        (("cluster", "lost"), ()),
        (("lost", "cluster"), ()),
        (("cluster", "cluster"), (0, 1)),
    }


def test_two_of_three_photons_merge_in_three_ways():
    two = Topology((), "total_energy", clusters=2)

    merged = {m for _, m in words((GAMMA, GAMMA, GAMMA), two) if m}

    assert merged == {(0, 1), (0, 2), (1, 2)}


def test_an_electron_without_a_track_can_be_a_cluster():
    found = words((E, -E, GAMMA), ONE_PHOTON)

    assert (("lost", "cluster", "lost"), ()) in found
    assert (("lost", "lost", "cluster"), ()) in found
    assert all("cluster" in responses for responses, _ in found)


def test_one_track_of_a_pair_must_be_neutral_with_the_other():
    mixed = Topology(tracks=("mu", "other track"), trigger="two_track")

    found = {responses for responses, _ in words((MU, -MU, E, -E), mixed)}

    assert ("mu", "other track", "lost", "lost") in found
    assert ("mu", "lost", "lost", "other track") in found
    assert ("mu", "lost", "other track", "lost") not in found


def test_leptons_and_mesons_of_one_sign_have_codes_of_opposite_sign():
    mixed = Topology(tracks=("mu", "other track"), trigger="two_track")

    assert words((MU, PDG["pi+"]), mixed)
    assert not words((MU, PDG["pi-"]), mixed)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((("muon",), "two_track"), InvalidCard, "'muon'"),
        ((("mu", "mu"), "two_tracks"), UnknownName, "Did you mean 'two_track'"),
        (((), "total_energy", -1), InvalidCard, "wants -1 clusters"),
        (((), "total_energy", 1, ("ecl",)), InvalidCard, "veto 'ecl'; allowed"),
    ],
)
def test_a_topology_checks_its_words(arguments, error, message):
    with pytest.raises(error, match=message):
        Topology(*arguments)


def test_an_unknown_particle_is_an_error():
    with pytest.raises(UnknownName, match="2212"):
        outcomes((2212, -2212), TWO_MUONS)
