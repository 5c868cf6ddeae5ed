"""Text to numbers at the edge; the messages teach the form."""

from __future__ import annotations

import pytest

from darksector import units
from darksector.errors import InvalidConfig


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("276/pb", 0.276),
        ("0.276/fb", 0.276),
        ("276000/nb", 0.276),
        ("50/ab", 50_000.0),
        (" 1.5e3 / pb ", 1.5),
        ("+12/fb", 12.0),
    ],
)
def test_luminosity(text, expected):
    assert units.luminosity(text) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("276", "a unit out of /nb, /pb, /fb, /ab", id="no unit"),
        pytest.param("276pb", "276/pb", id="no slash"),
        pytest.param("276/kg", "/nb, /pb, /fb, /ab", id="wrong unit"),
        pytest.param("276/PB", "/nb, /pb, /fb, /ab", id="capitals"),
        pytest.param("276 pb^-1", "276/pb", id="power"),
        pytest.param("/pb", "a number and a unit", id="no number"),
        pytest.param("", "a number and a unit", id="nothing"),
        pytest.param("1.2.3/pb", "'1.2.3' is not a number", id="two points"),
        pytest.param("-1/fb", "greater than zero", id="negative"),
        pytest.param("0/fb", "greater than zero", id="zero"),
        pytest.param("1e999/fb", "finite", id="infinite"),
        pytest.param("nan/fb", "not understood", id="not a number"),
    ],
)
def test_bad_luminosity(text, words):
    with pytest.raises(InvalidConfig) as error:
        units.luminosity(text)

    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,3,5", (1.0, 3.0, 5.0)),
        (" 1 , 3 ", (1.0, 3.0)),
        ("2", (2.0,)),
        ("0.5:2:0.5", (0.5, 1.0, 1.5, 2.0)),
        ("0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("1:1.9:0.5", (1.0, 1.5)),
        ("3:3:1", (3.0,)),
    ],
)
def test_masses(text, expected):
    assert units.grid(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("1:2", "start:stop:step", id="two parts"),
        pytest.param("1:2:3:4", "start:stop:step", id="four parts"),
        pytest.param("1:2:0", "step > 0", id="no step"),
        pytest.param("1:2:-1", "step > 0", id="backwards"),
        pytest.param("2:1:1", "stop >= start", id="empty"),
        pytest.param("0:1:1e-9", "fewer than", id="endless"),
        pytest.param("1,,2", "mass '' is not a number", id="gap"),
        pytest.param("one", "'one' is not a number", id="word"),
        pytest.param("1,nan", "finite", id="nan"),
        pytest.param("0:inf:1", "finite", id="infinite grid"),
    ],
)
def test_bad_masses(text, words):
    with pytest.raises(InvalidConfig) as error:
        units.grid(text)

    assert words in str(error.value)


def test_constants_are_those_of_the_si():
    """ħc = 197.326 980 4 MeV fm (PDG 2022); 1 fm² = 1e13 fb."""
    assert pytest.approx(0.1973269804e-13, rel=1e-10) == units.HBARC_GEV_CM
    assert pytest.approx((0.1973269804) ** 2 * 1e13, rel=1e-9) == units.GEV2_FB
