"""Detector cards: what they must say, and how a bad one is refused."""

from __future__ import annotations

import tomllib
from dataclasses import fields

import numpy as np
import pytest
import tomli_w

from darksector.cardfile import DETECTORS, STATUS
from darksector.detectors.card import from_toml, load
from darksector.errors import InvalidCard, UnknownName

SYSTEMS = (
    "tracking",
    "calorimeter",
    "klm",
    "identification",
    "trigger",
    "displacement",
    "cosmics",
)
TEXT = DETECTORS.text("belle2")


@pytest.mark.parametrize("name", DETECTORS.names())
def test_every_number_has_a_source_and_a_status(name):
    detector = load(name)
    names = {
        f"{system}.{number.name}"
        for system in SYSTEMS
        for number in fields(getattr(detector, system))
    }

    assert {name for name, _ in detector.origins} == names
    assert all(origin.source for _, origin in detector.origins)
    assert all(origin.status in STATUS for _, origin in detector.origins)


def based_on_belle2(entry):
    """Return a card that changes one number of Belle II."""
    return 'title = "mine"\nbased_on = "belle2"\n' + entry


@pytest.mark.parametrize(
    ("path", "entry", "words"),
    [
        pytest.param(
            "trigger.two_track_efficiencies",
            {"value": 1.0, "source": "test", "status": "read"},
            "has the unknown key 'two_track_efficiencies'; allowed: bhabha",
            id="unknown number",
        ),
        pytest.param(
            "trigger.two_track_opening",
            {"value": 90.0, "status": "read"},
            "lacks source; add it",
            id="missing source",
        ),
        pytest.param(
            "trigger.two_track_opening",
            {"value": 90.0, "source": "", "status": "read"},
            "must have a source in words, got ''",
            id="empty source",
        ),
        pytest.param(
            "trigger.two_track_opening",
            {"value": 90.0, "source": "test", "status": "guessed"},
            "has status 'guessed'; allowed: read, derived",
            id="bad status",
        ),
        pytest.param(
            "trigger.two_track_opening",
            {"value": float("nan"), "source": "test", "status": "read"},
            "must be finite, got nan",
            id="not a number",
        ),
        pytest.param(
            "trigger.two_track_opening",
            {"value": "wide", "source": "test", "status": "read"},
            "must be a number or a rectangular array, got 'wide'",
            id="text",
        ),
        pytest.param(
            "calorimeter.gaps",
            {"value": [[31.4, 32.2], [128.7]], "source": "test", "status": "read"},
            "must be a number or a rectangular array",
            id="ragged table",
        ),
        pytest.param(
            "trigger.two_track_efficiency",
            {"value": 1.2, "source": "test", "status": "read"},
            "is 1.2; allowed: 0 to 1",
            id="trigger efficiency above one",
        ),
        pytest.param(
            "klm.photon_inefficiency",
            {"value": -0.1, "source": "test", "status": "read"},
            "allowed: 0 to 1",
            id="negative inefficiency",
        ),
        pytest.param(
            "tracking.efficiency",
            {"value": 1.01, "source": "test", "status": "read"},
            "1.01",
            id="tracking efficiency above one",
        ),
        pytest.param(
            "calorimeter.gaps",
            {
                "value": [[31.4, 32.2], [32.0, 33.0]],
                "source": "test",
                "status": "read",
            },
            "overlap",
            id="overlapping gaps",
        ),
        pytest.param(
            "displacement.vertex_radius",
            {"value": 0.0, "source": "test", "status": "read"},
            "must exceed prompt_distance",
            id="no room for a vertex",
        ),
        pytest.param(
            "displacement.photon_distance",
            {"value": 0.01, "source": "test", "status": "read"},
            "must be at least prompt_distance",
            id="photons better than tracks",
        ),
    ],
)
def test_a_bad_number_is_refused_with_its_line(path, entry, words):
    system, number = path.split(".")
    text = based_on_belle2(tomli_w.dumps({system: {number: entry}}))

    with pytest.raises(InvalidCard) as error:
        from_toml(text, origin="mine")

    message = str(error.value)
    assert message.startswith("detector card 'mine'")
    assert words in message
    assert "line 3" in message or "unknown key" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(TEXT + "=", "is not valid TOML", id="not TOML"),
        pytest.param(TEXT + "\n[moons]", "has the unknown key 'moons'", id="system"),
        pytest.param(
            TEXT.replace("title", "name", 1), "unknown key 'name'", id="title"
        ),
        pytest.param("", "lacks calorimeter, cosmics, displacement", id="empty"),
        pytest.param('based_on = "belle3"', "Did you mean 'belle2'", id="parent"),
    ],
)
def test_a_bad_card_names_the_culprit(text, words):
    with pytest.raises(InvalidCard) as error:
        from_toml(text, origin="mine")

    assert str(error.value).startswith("detector card 'mine'")
    assert words in str(error.value)


def test_a_missing_number_is_named():
    card = tomllib.loads(TEXT)
    del card["klm"]["iron_loss"]

    with pytest.raises(InvalidCard, match="lacks iron_loss; add it"):
        from_toml(tomli_w.dumps(card), origin="mine")


def test_a_system_that_is_no_table_is_refused():
    card = tomllib.loads(TEXT) | {"tracking": 1}

    with pytest.raises(InvalidCard, match="must be a table, got 1"):
        from_toml(tomli_w.dumps(card), origin="mine")


def test_unknown_detector():
    with pytest.raises(UnknownName, match="Did you mean 'belle2_phase2'"):
        load("belle2_phase3")


def test_the_periods_differ_as_they_should():
    """Phase 2: one ladder per layer and no single-photon line of 0.5 GeV."""
    phase_2, full = load("belle2_phase2"), load("belle2")

    assert phase_2.tracking.ladders.shape[0] == 6
    assert full.tracking.ladders.shape[0] == 8 + 12 + 7 + 10 + 12 + 16
    assert np.asarray(phase_2.calorimeter.gaps).shape == (
        np.asarray(full.calorimeter.gaps).shape
    )
