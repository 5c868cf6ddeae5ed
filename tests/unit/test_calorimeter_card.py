"""What a card may say of a calorimeter."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from darksector.detectors.calorimeter import check
from darksector.detectors.card import load

CARD = load("belle2").calorimeter
NUMBERS = {f.name: np.asarray(getattr(CARD, f.name)) for f in fields(CARD)}


def test_the_card_is_a_calorimeter():
    assert list(check(NUMBERS)) == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        pytest.param(
            "gaps",
            [[31.4, 32.2], [32.0, 130.7]],
            "overlap: one ends at 32.2 after the next starts at 32",
            id="overlapping gaps",
        ),
        pytest.param(
            "gaps",
            [[32.2, 31.4], [128.7, 130.7]],
            "has 32.2 to 31.4",
            id="negative gap",
        ),
        pytest.param(
            "cracks", [[1.0, 2.0]], "has 1 to 2; order it in the acceptance", id="crack"
        ),
        pytest.param("gaps", [1.0, 2.0], "give rows of 2 numbers", id="gap shape"),
        pytest.param("gap_softness", [0.1], "give one for each gap", id="gap softness"),
        pytest.param("inefficiency", 1.5, "is 1.5; a share is at most 1", id="loss"),
        pytest.param("inefficiency", -0.1, "must not be negative", id="negative loss"),
        pytest.param("crack_softness", 0.0, "must be above 0", id="step"),
        pytest.param("barrel_min", 130.0, "is 130 to 128.7", id="barrel"),
        pytest.param("theta_min", -3.0, "is -3 to 155.1", id="acceptance"),
        pytest.param("region_edges", [129.7, 31.8], "increasing order", id="regions"),
        pytest.param(
            "background_levels", [0.0, 1.0], "2 levels of background", id="levels"
        ),
        pytest.param("time_constants", [1.0], "give 3 numbers", id="time"),
        pytest.param("endcap_backward", 104.2, "give a negative z", id="endcap"),
        pytest.param("rings", NUMBERS["rings"][::-1], "order the rings", id="rings"),
        pytest.param(
            "rings", NUMBERS["rings"] * -1, "give a positive number", id="crystals"
        ),
    ],
)
def test_a_bad_card_is_told(key, value, words):
    found = check({**NUMBERS, key: np.asarray(value)})

    assert any(words in complaint for _, complaint in found)
