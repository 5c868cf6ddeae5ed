"""Widths, branching fractions, loops of the Z' against the numbers of physics/zprime.md."""

from __future__ import annotations

import numpy as np
import pytest

from darksector.models.lmu_ltau import (
    G_MINUS_TWO,
    LmuLtau,
    gprime_for_delta_a_mu,
    kinetic_mixing,
)
from darksector.particles import MASS

WIDTH = "physics/zprime.md V01 (arXiv:1801.04847 eq. 2.13; basf2 Lmu_minus_Ltau_UFO)"
FRACTION = "physics/zprime.md V02 (from V01's formula)"
LOOP = "physics/zprime.md V18 (arXiv:1403.2727)"
BAND_2021 = "physics/zprime.md V20 (arXiv:2104.03281: 251(59)e-11)"
MIXING = "physics/zprime.md V21 (arXiv:2006.11225 eq. 7)"


def zprime(mass):
    return LmuLtau(mass=mass, gprime=1.0)


def test_v01_width_to_muons(agrees):
    width = zprime(1.0).partial_widths()["mu+ mu-"]

    agrees(width, 2.65056858e-2, source=WIDTH, rel=1e-6)


@pytest.mark.parametrize(
    ("mass", "published"),
    [(0.1, 1.0), (0.3, 0.530249), (1.0, 0.500190), (4.0, 0.378765), (8.0, 0.335085)],
)
def test_v02_invisible_fraction(mass, published, agrees):
    agrees(zprime(mass).invisible_fraction(), published, source=FRACTION, rel=1e-5)


@pytest.mark.parametrize(
    ("lepton", "threshold"),
    [
        pytest.param("mu", 0.2113168, id="physics/zprime.md V04, muons"),
        pytest.param("tau", 3.55372, id="physics/zprime.md V04, taus"),
    ],
)
def test_v04_channels_open_at_threshold(lepton, threshold):
    """Nothing below; above, the fraction falls and keeps falling with phase space."""
    below, just_above, above = (
        zprime(threshold + shift).invisible_fraction() for shift in (-1e-6, 1e-6, 1e-2)
    )

    assert 2 * MASS[lepton] == pytest.approx(threshold, abs=1e-6)
    assert below > just_above > above
    assert f"{lepton}+ {lepton}-" not in zprime(threshold - 1e-6).partial_widths()
    if lepton == "mu":
        assert below == 1.0
    else:
        assert below == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize(
    ("mass", "published"), [(0.01, 9.9123e-3), (0.1, 2.8036e-3), (1.0, 8.6003e-5)]
)
def test_v18_muon_magnetic_moment(mass, published, agrees):
    agrees(zprime(mass).delta_a_mu(), published, source=LOOP, rel=1e-4)


@pytest.mark.parametrize(
    ("mass", "limit"),
    [
        pytest.param(1e-4, 1 / (8 * np.pi**2), id="light: g'^2/8 pi^2"),
        pytest.param(
            100.0, MASS["mu"] ** 2 / (12 * np.pi**2 * 1e4), id="heavy: m^2/12 pi^2 M^2"
        ),
    ],
)
def test_v18_limits_of_the_magnetic_moment(mass, limit, agrees):
    """The limits of physics/zprime.md eq. 7 hold up to O(m/M) or O(m²/M² ln)."""
    agrees(zprime(mass).delta_a_mu(), limit, source=LOOP, rel=5e-3)


def band(year, mass, pull):
    """Return the g' that explains (g-2) of one year, shifted by a number of sigma."""
    dated = next(entry for entry in G_MINUS_TWO if entry.year == year)
    delta = dated.difference + pull * dated.error
    return gprime_for_delta_a_mu(np.array([mass]), delta)[0]


@pytest.mark.parametrize(
    ("pull", "published"), [(-2, 3.933e-3), (0, 5.402e-3), (2, 6.550e-3)]
)
def test_v20_coupling_band_of_2021(pull, published, agrees):
    agrees(band(2021, 1.0, pull), published, source=BAND_2021, rel=1e-3)


@pytest.mark.parametrize(
    ("mass", "pull", "published"),
    [(1.0, -2, 3.8e-3), (1.0, 2, 7.0e-3), (0.1, -2, 6.7e-4), (0.1, 2, 1.22e-3)],
)
def test_coupling_band_of_2019(mass, pull, published, agrees):
    """The talk's band; the source gives two or three digits."""
    source = "physics/zprime.md eq. 7, band of 2019 (arXiv:1802.02995)"
    agrees(band(2019, mass, pull), published, source=source, rel=1e-2)


def test_upper_bound_of_2025(agrees):
    """The difference of 2025 is compatible with zero: two sigma above, an upper bound."""
    source = "physics/zprime.md eq. 7, WP25 (arXiv:2505.21476)"
    agrees(band(2025, 1.0, 2), 4.4e-3, source=source, rel=1e-2)


def test_v21_mixing_at_zero_momentum(agrees):
    agrees(abs(kinetic_mixing(0.0, 1.0)), 1.44329e-2, source=MIXING, rel=1e-4)


@pytest.mark.parametrize(
    ("part", "published"),
    [(abs, 1.07921e-2), (np.real, 7.2142e-3), (np.imag, 8.0265e-3)],
)
def test_v21_mixing_on_shell(part, published, agrees):
    """Signs of the two parts are convention: their sizes are compared."""
    ours = abs(part(zprime(1.0).kinetic_mixing()))

    agrees(ours, published, source=MIXING, rel=1e-4)


def test_on_shell_mixing_above_both_thresholds_has_cancelling_phases():
    """Far above 2 m_tau both loops have the same imaginary part (unitarity)."""
    epsilon = kinetic_mixing(1e6, 1.0)

    assert abs(epsilon.imag) < 1e-6 * abs(kinetic_mixing(0.0, 1.0))
