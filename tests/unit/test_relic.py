"""Relic lines: the definition of y inverted, and what scales how."""

from __future__ import annotations

import numpy as np
import pytest

from darksector.errors import OutOfDomain, UnknownName
from darksector.limits import published, relic
from darksector.models.dark_photon import DARK_MATTER, DarkPhoton

every_kind = pytest.mark.parametrize("kind", relic.TARGETS)


@every_kind
def test_a_dark_photon_on_the_line_has_the_y_of_the_target(kind):
    """The model's own y, at the ratio of the targets, returns their values."""
    target = published.load(relic.TARGETS[kind][0])
    line = relic.relic_line(kind, alpha_dark=0.5)

    y = [
        DarkPhoton(mass, eps, alpha_dark=0.5, dark_matter=kind).thermal_y
        for mass, eps in zip(line.mass, line.high, strict=True)
    ]

    assert y == pytest.approx(target.values.tolist(), rel=1e-12)
    assert line.mass == pytest.approx(3 * target.mass)


@every_kind
def test_at_fixed_y_the_mixing_falls_with_the_root_of_alpha_dark(kind):
    weak = relic.relic_line(kind, alpha_dark=0.1).high
    strong = relic.relic_line(kind, alpha_dark=0.4).high

    assert weak == pytest.approx(2 * strong, rel=1e-12)


def test_a_heavier_dark_photon_needs_more_mixing():
    """y grows by the propagator, from 5/9 to 15/16 squared, and R^4 by 256/81."""
    near = relic.relic_line("scalar", alpha_dark=0.1)
    far = relic.relic_line("scalar", alpha_dark=0.1, mass_ratio=8.0)

    growth = (15 / 16) / (5 / 9) * (8 / 3) ** 2
    assert far.high == pytest.approx(growth * near.high, rel=1e-12)
    assert far.mass == pytest.approx(8 / 3 * near.mass)


def test_lines_are_ordered_lines_without_a_lower_edge():
    lines = relic.relic_lines(alpha_dark=0.1)

    assert [line.low for line in lines] == [None, None, None]
    assert all(np.all(np.diff(line.mass) > 0) for line in lines)
    middle = [np.interp(0.3, line.mass, line.high) for line in lines]
    assert middle == sorted(middle)


def test_the_label_names_kind_assumptions_and_paper():
    label = relic.relic_line("majorana", alpha_dark=0.1).label

    for words in ("Majorana", r"\alpha_D = 0.1", r"= 3\,m_\chi", "arXiv:1808.05219"):
        assert words in label


def test_targets_are_kinds_of_dark_matter_of_the_model():
    assert set(relic.TARGETS) < set(DARK_MATTER)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha_dark": 0.0}, r"alpha_dark within \(0, 1\], got 0"),
        ({"alpha_dark": 1.5}, r"alpha_dark within \(0, 1\], got 1.5"),
        ({"alpha_dark": 0.1, "mass_ratio": 2.0}, "mass_ratio above 2, got 2"),
        ({"alpha_dark": 0.1, "mass_ratio": np.inf}, "finite mass_ratio .* got inf"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(OutOfDomain, match=message):
        relic.relic_lines(**options)


def test_an_unknown_kind_suggests_a_known_one():
    with pytest.raises(UnknownName, match="Did you mean 'scalar'"):
        relic.relic_line("scaler", alpha_dark=0.1)
