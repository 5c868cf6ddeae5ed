"""Records of published limits: what loads, and how a damaged record is refused."""

from __future__ import annotations

import numpy as np
import pytest

from darksector.errors import InvalidCard, UnknownName
from darksector.limits import published

CARD = """
title = "A search"
reference = "arXiv:1606.03501"
experiment = "BaBar"
luminosity = 514
model = "lmu_ltau"
final_state = "mu+ mu- mu+ mu-"
coupling = "gprime"
confidence_level = 0.9
kind = "observed"
facility = "e+e- collider"
shape = "curve"
source = "Fig. 3"
read_by = "digitised"
"""
OUTLINE = CARD.replace('"curve"', '"contour"')
POINTS = "mass_gev,gprime\n1.0,0.002\n2.0,0.003\n"


@pytest.fixture
def record(tmp_path):
    def write(card=CARD, points=POINTS):
        (tmp_path / "mine.toml").write_text(card)
        (tmp_path / "mine.csv").write_text(points)
        return published.read(tmp_path, "mine")

    return write


def test_a_record_becomes_a_frozen_value(record):
    limit = record()

    assert limit.luminosity == 514.0
    assert limit.inspire is None
    assert limit.mass.tolist() == [1.0, 2.0]
    assert limit.values.tolist() == [0.002, 0.003]


def test_an_unknown_luminosity_is_none(record):
    assert record(CARD.replace("luminosity = 514\n", "")).luminosity is None


def test_babar_muonic_dark_force():
    """BaBar reaches below 1e-3 just above the dimuon threshold (arXiv:1606.03501)."""
    limit = published.load("lmu_ltau_4mu_babar2016")

    assert limit.coupling == "gprime"
    assert 0.2 < limit.mass[np.argmin(limit.values)] < 0.3
    assert limit.values.min() < 1e-3


def test_a_misspelt_key_names_the_right_one():
    with pytest.raises(UnknownName, match="Did you mean 'lmu_ltau_4mu_babar2016'"):
        published.load("lmu_ltau_4mu_babar")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param('title = "A search"\n', "", "lacks.*title", id="missing"),
        pytest.param("kind", "year = 2016\nkind", "unknown field 'year'", id="unknown"),
        pytest.param("arXiv:1606.03501", "PRD 94", "arXiv:NUMBER", id="reference"),
        pytest.param('"observed"', '"seen"', "observed, expected", id="kind"),
        pytest.param('"e+e- collider"', '"LEP"', "one of e.* cosmology", id="facility"),
        pytest.param('"curve"', '"line"', "one of curve, contour", id="shape"),
        pytest.param('shape = "curve"\n', "", "lacks the field 'shape'", id="no shape"),
        pytest.param("0.9", "90", "between 0 and 1", id="percent"),
        pytest.param("0.9", '"90 %"', "between 0 and 1", id="text for a number"),
        pytest.param("514", "-1", "fb", id="luminosity"),
        pytest.param('"BaBar"', '" "', "non-empty string", id="empty"),
        pytest.param('"BaBar"', "3", "non-empty string", id="number for a text"),
        pytest.param("514", "", "not valid TOML", id="syntax"),
    ],
)
def test_a_bad_field_is_named_with_its_file(record, old, new, message):
    with pytest.raises(InvalidCard, match=rf"mine\.toml.*{message}"):
        record(card=CARD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        pytest.param("", "first line must be", id="empty file"),
        pytest.param("mass,coupling\n1,2\n", "first line must be", id="header"),
        pytest.param("mass_gev,gprime\n", "one line or more", id="no points"),
        pytest.param("mass_gev,gprime\n1,x\n", "two numbers", id="text"),
        pytest.param("mass_gev,gprime\n1,2,3\n", "two numbers", id="three columns"),
        pytest.param("mass_gev,gprime\n1,0\n", "> 0", id="zero coupling"),
        pytest.param("mass_gev,gprime\n1,nan\n", "finite", id="nan"),
        pytest.param("mass_gev,gprime\n2,1\n1,1\n", "must increase", id="unsorted"),
        pytest.param("mass_gev,gprime\n2,1\n2,1\n", "must increase", id="twice"),
    ],
)
def test_a_bad_curve_is_named_with_its_file(record, points, message):
    with pytest.raises(InvalidCard, match=rf"mine\.csv.*{message}"):
        record(points=points)


@pytest.mark.parametrize(
    ("kind", "facility"),
    [("theory", "cosmology"), ("recast", "astrophysics"), ("theory", "astrophysics")],
)
def test_theory_and_stars_may_have_no_confidence_level(record, kind, facility):
    card = CARD.replace("confidence_level = 0.9\n", "")
    card = card.replace("observed", kind).replace("e+e- collider", facility)

    assert record(card).confidence_level is None


def test_data_of_an_experiment_have_a_confidence_level(record):
    card = CARD.replace("confidence_level = 0.9\n", "")

    with pytest.raises(InvalidCard, match=r"mine\.toml lacks .*'confidence_level'"):
        record(card)


def test_a_contour_may_turn_back_in_mass(record):
    limit = record(OUTLINE, "mass_gev,gprime\n1,1\n2,3\n1,2\n")

    assert limit.shape == "contour"
    assert limit.mass.tolist() == [1.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("vertices", "message"),
    [
        pytest.param("1,1\n2,1\n", "three vertices or more, got 2", id="a line"),
        pytest.param("1,1\n2,1\n2,2\n1,1\n", "repeats the first", id="closed twice"),
        pytest.param("1,1\n2,-1\n2,2\n", "finite and > 0", id="negative"),
    ],
)
def test_a_bad_contour_is_named_with_its_file(record, vertices, message):
    with pytest.raises(InvalidCard, match=rf"mine\.csv.*{message}"):
        record(OUTLINE, f"mass_gev,gprime\n{vertices}")


def test_a_card_without_curve_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_text(CARD)

    with pytest.raises(InvalidCard, match=r"mine\.csv cannot be read"):
        published.read(tmp_path, "mine")
