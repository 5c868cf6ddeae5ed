"""Widths, fractions and kinematics of the dark photon: numbers of physics/dark-photon.md."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import qed_slow as slow

from darksector.errors import OutOfDomain, UnknownName
from darksector.kinematics import (
    Momentum,
    boost,
    polar,
    recoil_mass2,
    to_rest_frame,
)
from darksector.machines import load, symmetric
from darksector.models._hadrons import r_ratio
from darksector.models.dark_photon import (
    DARK_MATTER,
    DarkPhoton,
    annihilation_cross_section,
)
from darksector.particles import MASS

NOTE = "physics/dark-photon.md"
MACHINE = load("superkekb")


def single_photon(energy):
    return jnp.array([[energy, 0.0, 0.0, energy]])


def frame():
    """Return a frame that moves along z alone with the velocity of the machine."""
    one, zero = jnp.ones(1), jnp.zeros(1)
    return Momentum(one, zero, zero, one * MACHINE.boost[2])


def photon(energy, theta_deg):
    theta = np.deg2rad(theta_deg)
    return Momentum(
        jnp.array([energy]),
        jnp.array([energy * np.sin(theta)]),
        jnp.zeros(1),
        jnp.array([energy * np.cos(theta)]),
    )


@pytest.mark.parametrize(
    ("energy", "mass"), [(2.26543, 8.0), (3.58868, 6.0), (2.0, 8.3436)]
)
def test_row_5_recoil_of_a_photon(energy, mass, agrees):
    beams = jnp.asarray(symmetric(10.58).p_beams)[None]

    ours = np.sqrt(recoil_mass2(beams, single_photon(energy))[0])

    agrees(ours, mass, source=f"{NOTE} row 5 (derived)", rel=1e-5)


@pytest.mark.parametrize(
    ("quantity", "published"), [("sqrt_s", 10.5796), ("beta_gamma", 0.2868)]
)
def test_row_6_collision_energy_and_boost(quantity, published, agrees):
    source = f"{NOTE} row 6 (basf2 generators/scripts/beamparameters.py)"
    agrees(getattr(MACHINE, quantity), published, source=source, abs=1e-4)


@pytest.mark.parametrize(("theta", "energy"), [(12.4, 6.936), (155.1, 4.081)])
def test_row_7_photon_energy_in_the_laboratory(theta, energy, agrees):
    """The photon of the published energy has half the collision energy at rest."""
    at_rest = to_rest_frame(photon(energy, theta), frame())
    ours = energy * MACHINE.sqrt_s / 2 / float(at_rest.e[0])

    agrees(ours, energy, source=f"{NOTE} row 7 (derived)", rel=1e-3)


def test_row_8_partner_of_a_photon_at_90_degrees(agrees):
    zero = jnp.zeros(1)
    total = boost(Momentum(zero + MACHINE.sqrt_s, zero, zero, zero), frame())
    unit = to_rest_frame(photon(1.0, 90.0), frame())
    lost = photon(MACHINE.sqrt_s / 2 / float(unit.e[0]), 90.0)

    ours = np.rad2deg(polar(total - lost)[0])

    agrees(ours, 59.5, source=f"{NOTE} row 8 (derived)", abs=0.1)


def test_row_11_width_and_decay_length(agrees):
    aprime = DarkPhoton(mass=0.1, epsilon=1e-4)
    source = f"{NOTE} row 11 (derived; FORESEE, DarkCast)"

    agrees(aprime.partial_widths()["e+ e-"], 2.4325e-12, source=source, rel=1e-3)
    agrees(aprime.ctau, 81.12e-4, source=source, rel=1e-3)


@pytest.mark.parametrize(
    ("row", "mass", "channel", "published", "tolerance"),
    [
        (12, 0.25, "mu+ mu-", 0.4204, 1e-3),
        (12, 0.5, "e+ e-", 0.401, 2e-2),
        (13, 1.2, "e+ e-", 0.330, 5e-2),
        (13, 2.0, "e+ e-", 0.239, 5e-2),
    ],
)
def test_rows_12_13_branching_fractions(
    row, mass, channel, published, tolerance, agrees
):
    ours = DarkPhoton(mass=mass, epsilon=1e-3).branching_fraction(channel)

    source = f"{NOTE} row {row} (arXiv:1801.04847, DarkCast)"
    agrees(ours, published, source=source, rel=tolerance)


def test_row_14_decay_length(agrees):
    ours = DarkPhoton(mass=1.0, epsilon=1e-3).ctau

    agrees(ours, 2.55e-6, source=f"{NOTE} row 14 (DarkCast)", rel=3e-2)


@pytest.mark.parametrize(
    ("kind", "published"),
    [("dirac", 0.151832), ("majorana", 0.0345072), ("scalar", 0.0172536)],
)
def test_row_15_width_to_dark_matter(kind, published, agrees):
    aprime = DarkPhoton(1.0, 1e-3, alpha_dark=0.5, dark_matter=kind, dark_mass=1 / 3)

    source = f"{NOTE} row 15 (arXiv:1707.03835 eqs. 5, 7; Majorana derived)"
    agrees(aprime.dark_width(), published, source=source, rel=1e-5)


def test_row_16_visible_remainder(agrees):
    aprime = DarkPhoton(1.0, 1e-3, alpha_dark=0.5, dark_matter="dirac")

    ours = 1 - aprime.invisible_fraction()

    agrees(ours, 5.10e-8, source=f"{NOTE} row 16 (derived)", rel=3e-2)


@pytest.mark.parametrize(("width", "published"), [("squared", 1.739), ("mass", 0.174)])
def test_row_25_recoil_resolution(width, published, agrees):
    """A photon of 2 % energy resolution, propagated by a difference of recoils."""
    machine = symmetric(10.58)
    energy = (machine.s - 25) / (2 * machine.sqrt_s)
    beams = jnp.asarray(machine.p_beams)[None]
    shifted = [
        float(recoil_mass2(beams, single_photon(energy * shift))[0])
        for shift in (0.99, 1.01)
    ]
    squared = shifted[0] - shifted[1]

    ours = squared if width == "squared" else squared / (2 * 5.0)

    agrees(ours, published, source=f"{NOTE} row 25 (derived)", rel=1e-3)


def test_row_28_annihilation(agrees):
    ours = annihilation_cross_section(1e-10, 0.1)

    source = f"{NOTE} row 28 (arXiv:1707.03835 eqs. 28, 31)"
    agrees(ours, 3.668e-9, source=source, rel=2e-3)


@pytest.mark.parametrize(
    ("low", "high", "published", "tolerance"),
    [
        pytest.param(0.995, 1.003, 1.24, 0.10, id="below the phi: interference"),
        pytest.param(1.045, 1.055, 1.27, 0.10, id="above the phi: interference"),
        pytest.param(2.0, 3.0, 2.28, 0.03, id="data"),
        pytest.param(3.0, 3.6, 2.25, 0.03, id="data below charm"),
        pytest.param(5.0, 7.0, 3.45, 0.04, id="perturbative"),
        pytest.param(7.0, 9.0, 3.60, 0.04, id="perturbative, four flavours"),
        pytest.param(9.0, 10.5, 3.57, 0.04, id="perturbative, below beauty"),
    ],
)
def test_ratio_of_hadrons_against_data(low, high, published, tolerance, agrees):
    """Tolerances: scatter of the data, and the theory error the note gives below 2 GeV."""
    ours = r_ratio(np.linspace(low, high, 101)).mean()

    source = f"{NOTE} section 4 (PDG 2020 data, arXiv:2201.01788)"
    agrees(ours, published, source=source, rel=tolerance)


def test_ratio_is_continuous_where_its_sources_meet():
    below, above = r_ratio(np.array([[2.0, 4.8], [2.0 + 1e-9, 4.8 + 1e-9]]))

    assert above == pytest.approx(below, rel=0.04)


def test_ratio_vanishes_below_two_pions():
    assert r_ratio(np.array([0.05, 0.27])).tolist() == [0.0, 0.0]


def pair_width(mass, first, second):
    """Return Γ/α of a vector current with unequal masses, spins and polarisations summed.

    Slow twin: spinors of Dirac matrices, and -g + kk/m² for the vector at rest.
    """
    energy = (mass**2 + first**2 - second**2) / (2 * mass)
    p = np.sqrt(energy**2 - first**2)
    p1, p2 = slow.on_shell([0, 0, 0, p], first), slow.on_shell([0, 0, 0, -p], second)
    total = 0.0
    for s1 in slow.SPINS:
        for s2 in slow.SPINS:
            current = np.array(
                [
                    slow.bar(slow.u(p1, first, s1)) @ g @ slow.v(p2, second, s2)
                    for g in slow.GAMMA
                ]
            )
            total += np.sum(np.abs(current[1:]) ** 2)  # spatial at rest
    return float(4 * np.pi * total * p / (3 * 8 * np.pi * mass**2))


@pytest.mark.parametrize(
    ("mass", "chi", "splitting"), [(1.0, 0.3, 0.1), (3.0, 0.9, 0.9), (0.5, 0.1, 0.0)]
)
def test_pseudo_dirac_width_against_dirac_matrices(mass, chi, splitting):
    ours = DARK_MATTER["pseudo_dirac"](mass, chi, splitting)

    assert ours == pytest.approx(pair_width(mass, chi, chi + splitting), rel=1e-10)


def test_unsplit_pseudo_dirac_is_dirac():
    widths = [
        DarkPhoton(1.0, 1e-3, dark_matter=kind).partial_widths()["chi chi"]
        for kind in ("dirac", "pseudo_dirac")
    ]

    assert widths[0] == pytest.approx(widths[1], rel=1e-12)


def test_a_split_pair_is_invisible_only_if_it_cannot_emit_electrons():
    def invisible(splitting):
        return DarkPhoton(
            1.0, 1e-3, dark_matter="pseudo_dirac", dark_mass=0.3, splitting=splitting
        ).invisible_fraction()

    assert invisible(MASS["e"]) == pytest.approx(1, abs=1e-6)
    assert invisible(3 * MASS["e"]) == 0


@pytest.mark.parametrize("kind", DARK_MATTER)
def test_closed_dark_channel(kind):
    aprime = DarkPhoton(1.0, 1e-3, dark_matter=kind, dark_mass=0.51)

    assert aprime.dark_width() == aprime.invisible_fraction() == 0
    assert aprime.dark_width(mass=2.0) > 0  # a virtual A' still decays to it


def test_virtual_width_is_that_of_a_heavier_dark_photon():
    light = DarkPhoton(1e-3, 1e-3, dark_matter="dirac", dark_mass=0.1)
    heavy = DarkPhoton(2.0, 1e-3, dark_matter="dirac", dark_mass=0.1)

    assert light.dark_width(mass=2.0) == heavy.dark_width()


def test_below_two_electrons_the_dark_photon_is_stable():
    aprime = DarkPhoton(mass=1e-3, epsilon=1e-3)

    assert aprime.partial_widths() == {}
    assert aprime.ctau == np.inf
    assert aprime.invisible_fraction() == 1


def test_thermal_y():
    aprime = DarkPhoton(0.3, 1e-4, alpha_dark=0.5, dark_matter="dirac", dark_mass=0.1)

    assert aprime.thermal_y == pytest.approx(1e-8 * 0.5 / 81)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mass": -1.0}, "finite mass > 0, got -1"),
        ({"epsilon": -1e-3}, "finite epsilon > 0, got -0.001"),
        ({"alpha_dark": 0.0}, "finite alpha_dark > 0, got 0"),
        ({"dark_mass": 0.1}, "without dark matter; name its kind .* dirac, majorana"),
        ({"dark_matter": "dirac", "dark_mass": -0.1}, "dark_mass > 0, got -0.1"),
        ({"dark_matter": "dirac", "splitting": 0.1}, r"\[0, 0\] GeV, got 0.1"),
        (
            {"dark_matter": "pseudo_dirac", "dark_mass": 0.1, "splitting": 0.2},
            r"within \[0, 0.1\] GeV, got 0.2",
        ),
        ({"dark_matter": "pseudo_dirac", "splitting": -0.1}, "got -0.1"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(OutOfDomain, match=message):
        DarkPhoton(**{"mass": 1.0, "epsilon": 1e-3, **options})


def test_unknown_dark_matter_suggests_a_known_one():
    with pytest.raises(UnknownName, match="Did you mean 'dirac'"):
        DarkPhoton(1.0, 1e-3, dark_matter="dirak")


def test_annihilation_of_massless_dark_matter_is_refused():
    with pytest.raises(OutOfDomain, match="dark_mass > 0, got 0"):
        annihilation_cross_section(1e-10, 0.0)
