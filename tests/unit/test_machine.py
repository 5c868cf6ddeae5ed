"""Beams and cards; numbers of physics/machine-detector.md, section 1.3 (rows 10, 12)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.cardfile import STATUS
from darksector.errors import InvalidCard, OutOfDomain, UnknownName
from darksector.machines import Machine, from_toml, load, symmetric

CARD = """
title = "test ring"
references = []
energy_her = { value = 7.0, source = "test", status = "read" }
energy_ler = { value = 4.0, source = "test", status = "read" }
half_crossing_angle = { value = 0.0415, source = "test", status = "read" }
energy_spread_her = { value = 0.0, source = "test", status = "read" }
energy_spread_ler = { value = 0.0, source = "test", status = "read" }
"""


@pytest.mark.parametrize(
    ("quantity", "expected", "rel"),
    [
        pytest.param("sqrt_s", 10.5796, 1e-5, id="section 1.3, sqrt(s) of preset Y4S"),
        pytest.param("beta_gamma", 0.28678, 1e-4, id="section 1.3, boost"),
        pytest.param(
            "sqrt_s_spread", 4.98e-3, 2e-2, id="section 1.3, spread of sqrt(s)"
        ),
    ],
)
def test_superkekb(quantity, expected, rel):
    assert getattr(load("superkekb"), quantity) == pytest.approx(expected, rel=rel)


def test_superkekb_four_momentum_and_velocity():
    """Section 1.3: P = (11.0060; 0.4566, 0, 2.9994) GeV, beta = (0.04149, 0, 0.27253)."""
    ring = load("superkekb")

    assert_allclose(ring.p_beams, [11.0060, 0.4566, 0, 2.9994], atol=5e-5)
    assert_allclose(ring.boost, [0.04149, 0, 0.27253], atol=5e-6)


@pytest.mark.parametrize(
    ("energies", "angle", "expected", "beta_gamma"),
    [
        pytest.param((7.0, 4.0), 0.0415, 10.5739, 0.28674, id="nominal SuperKEKB"),
        pytest.param((7.2, 4.114), 0.0415, 10.8756, 0.286776, id="preset Y5S"),
    ],
)
def test_presets_of_basf2(energies, angle, expected, beta_gamma):
    """detector/beam_presets.csv, from basf2 generators/scripts/beamparameters.py."""
    ring = Machine("preset", *energies, angle, 0.0, 0.0)

    assert ring.sqrt_s == pytest.approx(expected, rel=1e-5)
    assert ring.beta_gamma == pytest.approx(beta_gamma, rel=1e-4)


def test_spread_is_that_of_drawn_energies():
    """First order in the spreads is enough: they are below one per mille."""
    ring = load("superkekb")
    rng = np.random.default_rng(1)
    her = ring.energy_her + ring.energy_spread_her * rng.normal(size=100_000)
    ler = ring.energy_ler + ring.energy_spread_ler * rng.normal(size=100_000)

    drawn = np.sqrt(2 * her * ler * (1 + np.cos(2 * ring.half_crossing_angle)))

    assert ring.sqrt_s_spread == pytest.approx(drawn.std(), rel=1e-2)


def test_beams_are_electrons_on_shell_that_meet():
    ring = load("superkekb")

    for beam in (ring.p_her, ring.p_ler):
        mass2 = beam[0] ** 2 - (beam[1:] ** 2).sum()
        assert mass2 == pytest.approx(0.51099895e-3**2, abs=1e-13)
    assert ring.p_her[3] > 0 > ring.p_ler[3]
    assert ring.p_her[1] > 0
    assert ring.p_ler[1] > 0


def test_symmetric_machine_is_at_rest():
    assert_allclose(symmetric(10.58).boost, 0, atol=1e-16)


def test_every_number_of_a_card_has_its_source():
    ring = load("superkekb")

    assert set(ring.origins) >= {
        *("energy_her", "energy_ler", "half_crossing_angle"),
        *("energy_spread_her", "energy_spread_ler", "ler.beta_y"),
        "luminous_region.sigma_z",
    }
    assert all(o.source and o.status in STATUS for o in ring.origins.values())


def test_card_is_read():
    ring = from_toml(CARD, origin="test")

    assert (ring.title, ring.energy_her, ring.references) == ("test ring", 7.0, ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            ("energy_ler", "energy_lre"), "unknown key 'energy_lre'", id="unknown key"
        ),
        pytest.param(
            ('energy_ler = { value = 4.0, source = "test", status = "read" }', ""),
            "lacks energy_ler",
            id="missing number",
        ),
        pytest.param(('title = "test ring"', ""), "lacks title", id="missing title"),
        pytest.param(
            (
                '{ value = 4.0, source = "test", status = "read" }',
                '{ value = 4.0, status = "read" }',
            ),
            r"line 5, \[energy_ler\] lacks source",
            id="missing source",
        ),
        pytest.param(
            ('{ value = 4.0, source = "test", status = "read" }', "4.0"),
            r"\[energy_ler\] must be a table",
            id="bare number",
        ),
        pytest.param(("= {", "{"), "is not valid TOML", id="not TOML"),
        pytest.param(
            ("value = 4.0", 'value = "four"'), "energy_ler", id="not a number"
        ),
        pytest.param(
            (
                'source = "test", status = "read" }\nhalf',
                'source = "", status = "read" }\nhalf',
            ),
            r"\[energy_ler\] must have a source",
            id="empty source",
        ),
        pytest.param(("value = 4.0", "value = nan"), "energ", id="not finite"),
    ],
)
def test_bad_card(change, message):
    with pytest.raises((InvalidCard, OutOfDomain), match=message):
        from_toml(CARD.replace(*change), origin="test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 4.0, 0.0, 0.0, 0.0), "beam energies"),
        ((7.0, -4.0, 0.0, 0.0, 0.0), "beam energies"),
        ((7.0, 4.0, 0.6, 0.0, 0.0), "half_crossing_angle"),
        ((7.0, 4.0, 0.0, -1.0, 0.0), "energy spreads"),
        ((float("inf"), 4.0, 0.0, 0.0, 0.0), "beam energies"),
        ((7.0, 4.0, 0.0, float("nan"), 0.0), "energy spreads"),
    ],
)
def test_impossible_machine(arguments, message):
    with pytest.raises(OutOfDomain, match=message):
        Machine("impossible", *arguments)


def test_unknown_machine():
    with pytest.raises(UnknownName, match="Did you mean 'superkekb'"):
        load("superkeb")
