"""Luminosities and mass grids, for every input."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darksector import units
from darksector.errors import InvalidConfig

number = st.floats(1e-6, 1e6)


@given(value=number, unit=st.sampled_from(["nb", "pb", "fb", "ab"]))
def test_a_luminosity_is_the_same_in_every_unit(value, unit):
    per_fb = {"nb": 1e-6, "pb": 1e-3, "fb": 1.0, "ab": 1e3}[unit]

    assert units.luminosity(f"{value!r}/{unit}") == value * per_fb
    assert units.luminosity(f" {value!r} / {unit} ") == value * per_fb


@given(text=st.text(max_size=20))
def test_any_text_is_a_positive_luminosity_or_a_clear_error(text):
    with suppress(InvalidConfig):
        assert 0 < units.luminosity(text) < float("inf")


@given(text=st.text(alphabet="0123456789.:,-+einfa ", max_size=12))
def test_any_text_is_a_grid_of_finite_masses_or_a_clear_error(text):
    with suppress(InvalidConfig):
        grid = units.grid(text)
        assert grid
        assert all(abs(mass) < float("inf") for mass in grid)


@given(
    start=st.integers(0, 10_000),
    step=st.integers(1, 1000),
    count=st.integers(1, 200),
    extra=st.integers(0, 999),
)
def test_a_grid_has_every_step_and_its_end(start, step, count, extra):
    """Thousandths of a GeV, so that the expected numbers are the nearest decimals."""
    stop = start + (count - 1) * step + extra % step
    text = ":".join(repr(n / 1000) for n in (start, stop, step))

    grid = units.grid(text)

    assert grid == pytest.approx([(start + i * step) / 1000 for i in range(count)])
    assert list(grid) == [round(mass, 12) for mass in grid]


@given(masses=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20))
def test_a_list_of_masses_reads_back(masses):
    assert units.grid(",".join(map(repr, masses))) == tuple(masses)
