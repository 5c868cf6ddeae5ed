"""Widths, decay lengths and angles of the ALP: numbers of physics/alp-monopole.md."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from darksector.errors import OutOfDomain, UnknownName
from darksector.models.alp import Alp
from darksector.particles import WIDTH

NOTE = "physics/alp-monopole.md"
SQRT_S = 10.58
BETA = 3.002 / 11.006  # head-on beams of 7.004 and 4.002 GeV
SPEED_OF_LIGHT = 2.99792458e10  # cm/s


def length_cms(alp):
    return alp.decay_length(alp.energy_cms(SQRT_S))


def test_v1_width_and_lifetime(agrees):
    alp = Alp(mass=1.0, g_agg=1e-3)
    source = f"{NOTE} V1 (derived from the vertex)"

    agrees(alp.width, 4.97359e-9, source=source, rel=1e-4)
    agrees(alp.ctau / SPEED_OF_LIGHT, 1.32341e-16, source=source, rel=1e-4)


def test_v2_decay_length(agrees):
    alp = Alp(mass=0.2, g_agg=1e-4)
    source = f"{NOTE} V2 (derived)"

    agrees(alp.ctau, 4.95937e-2, source=source, rel=1e-4)
    agrees(length_cms(alp), 1.31128, source=source, rel=1e-4)


def test_v3_decay_length_in_both_frames(agrees):
    alp = Alp(mass=0.05, g_agg=1e-3)
    source = f"{NOTE} V3 (derived)"
    agrees(length_cms(alp), 3.35801, source=source, rel=1e-4)
    for cosine, published in ((1.0, 4.44243), (-1.0, 2.53829)):
        ours = alp.decay_length(alp.energy_lab(SQRT_S, cosine, BETA))
        agrees(ours, published, source=source, rel=1e-4)


@pytest.mark.parametrize(
    ("mass", "coupling", "published"),
    [
        (0.05, 1.639e-4, 125),
        (0.1, 4.097e-5, 125),
        (0.2, 1.024e-5, 125),
        (0.1, 2.645e-5, 300),
        (0.1, 1.449e-4, 10),
    ],
)
def test_lines_of_equal_decay_length(mass, coupling, published, agrees):
    source = f"{NOTE} section 1.2 (derived)"
    agrees(length_cms(Alp(mass, coupling)), published, source=source, rel=1e-3)


@pytest.mark.parametrize(
    ("mass", "published"), [(0.2, 4.3319), (1.0, 21.598), (3.0, 63.324)]
)
def test_v6_smallest_opening_angle(mass, published, agrees):
    alp = Alp(mass, 1e-3)

    ours = np.rad2deg(alp.opening_angle(alp.energy_cms(SQRT_S)))

    agrees(ours, published, source=f"{NOTE} V6 (derived)", rel=1e-4)


def test_v7_energies(agrees):
    source = f"{NOTE} V7 (derived)"
    recoil = SQRT_S - Alp(9.7, 1e-3).energy_cms(SQRT_S)

    agrees(recoil, 0.84340, source=source, rel=1e-4)
    agrees(Alp(1.0, 1e-3).energy_cms(SQRT_S), 5.33726, source=source, rel=1e-4)


def hypercharge(mass, g_agz):
    unit = abs(Alp(mass, 1.0, benchmark="hypercharge").g_agz)
    return Alp(mass, g_agz / unit, benchmark="hypercharge")


def test_v16_z_width(agrees):
    ours = hypercharge(1e-4, 1e-3).z_width()

    source = f"{NOTE} V16 (derived, Lagrangian with 1/4)"
    agrees(ours, 6.2853e-4, source=source, rel=1e-4)


@pytest.mark.parametrize(("fraction", "g_agg"), [(1.46e-5, 2.20e-4), (2.2e-6, 8.52e-5)])
def test_z_branching_fraction_of_an_unresolved_diphoton(fraction, g_agg, agrees):
    ours = Alp(1e-3, g_agg, benchmark="hypercharge").z_width() / WIDTH["Z"]

    source = f"{NOTE} section 1.1 (derived for the limits of the Particle Data Group)"
    agrees(ours, fraction, source=source, rel=1e-2)


@pytest.mark.parametrize(
    ("benchmark", "published"), [("photon", 0.0), ("hypercharge", -1.097)]
)
def test_coupling_to_a_photon_and_a_z(benchmark, published, agrees):
    ours = Alp(1.0, 1.0, benchmark=benchmark).g_agz

    agrees(ours, published, source=f"{NOTE} section 1.1 (derived)", rel=1e-3)


def test_benchmarks_come_from_one_rotation():
    """From c_B and c_W of section 1.1: the product of the two ratios is -4."""
    fields = {name: Alp(1.0, 1.0, benchmark=name) for name in ("hypercharge", "su2")}

    assert fields["hypercharge"].g_agz * fields["su2"].g_agz == pytest.approx(-4)


def test_invisible_fraction_at_equal_widths(agrees):
    """Light dark matter takes half of the decays at y = g m/(2 sqrt 2)."""
    alp = Alp(1.0, 1e-3, yukawa=1e-3 / np.sqrt(8), dark_mass=1e-6)

    source = f"{NOTE} section 1.2 (textbook width of a pseudoscalar)"
    agrees(alp.invisible_fraction(), 0.5, source=source, rel=1e-9)


def test_dark_matter_is_closed_at_threshold():
    alp = Alp(1.0, 1e-3, yukawa=0.1, dark_mass=0.5)

    assert alp.invisible_fraction() == 0


def test_z_decay_is_closed_for_a_heavy_alp():
    assert Alp(92.0, 1e-3, benchmark="su2").z_width() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mass": -0.1}, "finite mass > 0, got -0.1"),
        ({"g_agg": 0.0}, "finite g_agg > 0, got 0"),
        ({"yukawa": 0.1}, "both a finite dark_mass >= 0 GeV and yukawa > 0"),
        ({"dark_mass": 0.1}, "or neither; got 0.1 and 0"),
        ({"dark_mass": 0.1, "yukawa": -1.0}, "got 0.1 and -1"),
        ({"dark_mass": -0.1, "yukawa": 1.0}, "got -0.1 and 1"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(OutOfDomain, match=message):
        Alp(**{"mass": 1.0, "g_agg": 1e-3, **options})


def test_unknown_benchmark_suggests_a_known_one():
    with pytest.raises(UnknownName, match="Did you mean 'hypercharge'"):
        Alp(1.0, 1e-3, benchmark="hyper")


def test_energies_below_the_mass_are_refused():
    alp = Alp(1.0, 1e-3)

    with pytest.raises(OutOfDomain, match=r"collision energy above the mass 1 GeV"):
        alp.energy_cms(0.9)
    with pytest.raises(OutOfDomain, match=r"energy 0.9 GeV is below the mass 1 GeV"):
        alp.opening_angle(0.9)
    for energy in (1.0, 0.0, inf):
        with pytest.raises(OutOfDomain, match="finite energy above the mass 1 GeV"):
            alp.decay_length(energy)
