"""Scalars, the LFV mediator, the dark Higgs and the monopole: numbers of the notes."""

from __future__ import annotations

from math import inf, pi, sqrt

import numpy as np
import pytest
import qed_slow as slow
from scipy.integrate import dblquad, quad

from darksector.errors import OutOfDomain, UnknownName
from darksector.models.alp import Alp
from darksector.models.dark_higgs import DarkHiggs
from darksector.models.leptophilic_scalar import LeptophilicScalar
from darksector.models.lfv_mediator import LfvMediator
from darksector.models.lmu_ltau import LmuLtau
from darksector.models.monopole import Monopole
from darksector.models.muonphilic_scalar import MuonphilicScalar, loop_form_factor
from darksector.particles import ALPHA, HIGGS_VEV, MASS

ZPRIME = "physics/zprime.md"
MONOPOLE = "physics/alp-monopole.md V24 (derived)"


@pytest.mark.parametrize(
    ("mass", "channel", "published"),
    [
        (3.6, "tau+ tau-", 0.53719),
        (3.6, "mu+ mu-", 0.46280),
        (4.0, "tau+ tau-", 0.96487),
        (4.0, "mu+ mu-", 0.03513),
    ],
)
def test_v16_leptophilic_fractions(mass, channel, published, agrees):
    ours = LeptophilicScalar(mass, 1.0).branching_fraction(channel)

    agrees(ours, published, source=f"{ZPRIME} V16 (derived)", rel=1e-4)


@pytest.mark.parametrize(
    ("mass", "published"), [(0.1, 1.15), (0.3, 2.51e-5), (1.0, 2.88e-6)]
)
def test_v17_leptophilic_decay_length(mass, published, agrees):
    ours = LeptophilicScalar(mass, 1.0).ctau

    agrees(ours, published, source=f"{ZPRIME} V17 (derived)", rel=1e-2)


def test_leptophilic_loop_is_as_small_as_its_note_says():
    """Photons through loops of leptons: 5 % of the width to electrons at 0.1 GeV."""
    mass = 0.1
    scalar = LeptophilicScalar(mass, 1.0)
    loops = sum(loop_form_factor((mass / (2 * MASS[x])) ** 2) for x in ("mu", "tau"))
    loops += loop_form_factor((mass / (2 * MASS["e"])) ** 2)
    photons = ALPHA**2 * mass**3 / (256 * pi**3 * HIGGS_VEV**2) * abs(loops) ** 2

    assert photons / scalar.width == pytest.approx(0.05, abs=0.01)


def test_muonphilic_width_to_muons():
    """Far above threshold: y² m/8π."""
    width = MuonphilicScalar(9.0, 1e-3).partial_widths()["mu+ mu-"]

    assert width == pytest.approx(1e-6 * 9.0 / (8 * pi), rel=1e-3)


def test_muonphilic_width_to_photons_follows_from_the_running_of_alpha():
    """A light S shifts the mass in (α/3π) ln m of the vacuum polarisation.

    That is a coupling g S F²/4 with g = 2αy/3πm, whose width is that of an ALP.
    """
    width = MuonphilicScalar(0.01, 1.0).partial_widths()["gamma gamma"]
    g = 2 * ALPHA / (3 * pi * MASS["mu"])

    assert width == pytest.approx(Alp(0.01, g).width, rel=2e-3)


@pytest.mark.parametrize("tau", [1e-9, 1e-2, 0.5, 0.99])
def test_loop_against_feynman_parameters(tau):
    """Slow twin below threshold: 4 ∫∫ (1-4xy)/(1-4τxy) over the triangle x + y < 1."""
    expected, _ = dblquad(
        lambda y, x: 4 * (1 - 4 * x * y) / (1 - 4 * tau * x * y),
        0,
        1,
        0,
        lambda x: 1 - x,
    )

    assert loop_form_factor(tau) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("tau", [1.01, 3.0, 500.0])
def test_cut_of_the_loop(tau):
    """Above threshold the pole 4τxy = 1 of the same integral gives the imaginary part."""
    beta = sqrt(1 - 1 / tau)
    line, _ = quad(lambda x: 1 / x, (1 - beta) / 2, (1 + beta) / 2)

    assert loop_form_factor(tau).imag == pytest.approx(pi / tau * (1 - 1 / tau) * line)


def test_loop_is_continuous_at_threshold():
    below, above = (loop_form_factor(1 + shift) for shift in (-1e-12, 1e-12))

    assert below == pytest.approx(above, abs=1e-5)


def test_loop_is_continuous_where_the_series_ends():
    below, above = (loop_form_factor(1e-3 * shift) for shift in (1 - 1e-9, 1 + 1e-9))

    assert below == pytest.approx(above, rel=2e-7)


def emu_width(mass, spin, even, odd):
    """Return the width to one charge state by Dirac matrices, spin sums written out."""
    m_e, m_mu = MASS["e"], MASS["mu"]
    energy = (mass**2 + m_e**2 - m_mu**2) / (2 * mass)
    p = np.sqrt(energy**2 - m_e**2)
    p1, p2 = slow.on_shell([0, 0, 0, p], m_e), slow.on_shell([0, 0, 0, -p], m_mu)
    chiral = even * slow.ONE + odd * slow.GAMMA5
    vertices = [chiral] if spin == 0 else [g @ chiral for g in slow.GAMMA[1:]]
    total = sum(
        abs(slow.bar(slow.u(p1, m_e, s1)) @ vertex @ slow.v(p2, m_mu, s2)) ** 2
        for vertex in vertices
        for s1 in slow.SPINS
        for s2 in slow.SPINS
    )
    return float(total * p / ((2 * spin + 1) * 8 * pi * mass**2))


@pytest.mark.parametrize("spin", [0, 1])
@pytest.mark.parametrize("angle", [0.0, 0.4, pi / 2, -pi / 4])
@pytest.mark.parametrize("mass", [0.12, 1.0])
def test_lfv_width_against_dirac_matrices(mass, angle, spin):
    mediator = LfvMediator(mass, 1e-2, spin=spin, chirality_angle=angle)
    widths = mediator.partial_widths()

    assert set(widths) == {"e- mu+", "e+ mu-"}
    expected = emu_width(mass, spin, *mediator.couplings)
    for width in widths.values():
        assert width == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("spin", "published"), [(0, 1 / (8 * pi)), (1, 1 / (12 * pi))])
def test_lfv_width_without_lepton_masses(spin, published):
    """One charge state, far above threshold."""
    width = LfvMediator(100.0, 1.0, spin=spin).partial_widths()["e- mu+"]

    assert width == pytest.approx(published * 100.0, rel=1e-4)


def test_lfv_mediator_is_stable_below_threshold():
    mediator = LfvMediator(0.1, 1e-3)

    assert mediator.ctau == inf
    assert mediator.invisible_fraction() == 1


@pytest.mark.parametrize("spin", [0, 1])
def test_lfv_mediator_can_be_invisible(spin):
    mediator = LfvMediator(1.0, 1e-6, spin=spin, dark_mass=0.1, dark_coupling=1.0)

    assert mediator.invisible_fraction() == pytest.approx(1, abs=1e-11)


def test_vector_to_dark_matter_is_that_of_the_zprime():
    lfv = LfvMediator(1.0, 1e-3, dark_mass=0.3, dark_coupling=0.5)
    zprime = LmuLtau(1.0, 1e-3, dark_matter_mass=0.3, dark_coupling=0.5)

    ours, other = (model.partial_widths()["chi chi"] for model in (lfv, zprime))
    assert ours == pytest.approx(other, rel=1e-12)


def test_dark_higgs_to_light_dark_photons_is_goldstone_production():
    """For m_A' → 0 at fixed m_A'/g_D = v, as h → ZZ in the Standard Model: m³/32πv²."""
    mass_aprime, vev = 1e-3, 10.0
    alpha_dark = (mass_aprime / vev) ** 2 / (4 * pi)
    higgs = DarkHiggs(9.0, 1e-3, mass_aprime=mass_aprime, alpha_dark=alpha_dark)

    expected = 9.0**3 / (32 * pi * vev**2)
    assert higgs.partial_widths()["A' A'"] == pytest.approx(expected, rel=1e-6)


def test_dark_higgs_with_one_virtual_dark_photon_against_quadrature():
    """Slow twin in the order of the formula, where the A' couples to electrons alone."""
    m_h, m_a, alpha_dark, epsilon = 0.08, 0.05, 0.1, 1e-3

    def integrand(log_q2):
        q = np.exp(log_q2 / 2)
        r2 = (MASS["e"] / q) ** 2
        visible = ALPHA * epsilon**2 * q / 3 * (1 + 2 * r2) * sqrt(1 - 4 * r2)
        dot = (m_h**2 - m_a**2 - q**2) / 2
        msq = 4 * 4 * pi * alpha_dark * m_a**2 * (2 + (dot / (m_a * q)) ** 2)
        p = sqrt(dot**2 - m_a**2 * q**2) / m_h
        pair = msq * p / (8 * pi * m_h**2)
        return q**2 * q * visible / (pi * (q**2 - m_a**2) ** 2) * pair

    low, high = 2 * np.log(2 * MASS["e"]), 2 * np.log(m_h - m_a)
    expected, _ = quad(integrand, low, high * (1 + 1e-14), epsrel=1e-8)
    higgs = DarkHiggs(m_h, epsilon, mass_aprime=m_a, alpha_dark=alpha_dark)

    assert higgs.partial_widths() == {"A' A'*": pytest.approx(expected, rel=1e-5)}


@pytest.mark.parametrize("mass", [0.5, 4.0])
def test_dark_higgs_lighter_than_the_dark_photon_is_invisible(mass):
    higgs = DarkHiggs(mass, 1e-3, mass_aprime=4.0)

    assert higgs.ctau == inf
    assert higgs.invisible_fraction() == 1
    assert sum(higgs.aprime_widths().values()) > 0


def test_a_virtual_dark_photon_costs_epsilon_squared():
    weak, strong = (DarkHiggs(6.0, eps, mass_aprime=4.0).width for eps in (1e-4, 1e-3))

    assert strong == pytest.approx(100 * weak)


@pytest.mark.parametrize(
    ("convention", "published"), [("beta2", 153.5 / 555.5), ("beta3", 112.7 / 555.5)]
)
def test_v24_velocity_factors_of_monopoles(convention, published, agrees):
    """Ratio of cross-sections to the Dirac form at 4.5 GeV; four digits are given."""
    beta = sqrt(1 - (2 * 4.5 / 10.58) ** 2)
    dirac, other = (
        Monopole(4.5, 1.0, name).velocity_factor(beta) for name in ("dirac", convention)
    )

    agrees(other / dirac, published, source=MONOPOLE, rel=1e-3)


def test_v24_coupling_of_monopoles(agrees):
    """σ = 4πα α_g/3s times the velocity factor."""
    monopole = Monopole(4.5, 1.0, "dirac")
    beta = sqrt(1 - (2 * 4.5 / 10.58) ** 2)
    point = 4 * pi * ALPHA * monopole.alpha_magnetic / (3 * 10.58**2) * 3.893794e8

    agrees(point * monopole.velocity_factor(beta), 555.5, source=MONOPOLE, rel=1e-3)


def test_monopoles_are_stable_and_seen():
    monopole = Monopole(4.5, 68.5)

    assert monopole.ctau == inf
    assert monopole.decay_length(5.0) == inf
    assert monopole.invisible_fraction() == 0
    assert monopole.alpha_magnetic == pytest.approx(68.5**2 * ALPHA)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LeptophilicScalar(1.0, -1.0), "finite xi > 0, got -1"),
        (lambda: MuonphilicScalar(-1.0, 1.0), "finite mass > 0, got -1"),
        (lambda: LfvMediator(1.0, 1.0, spin=2), "spin 0 or 1, got 2"),
        (lambda: LfvMediator(1.0, 1.0, chirality_angle=inf), "finite angle, got inf"),
        (lambda: LfvMediator(1.0, 1.0, dark_mass=0.1), "and dark_coupling > 0"),
        (lambda: DarkHiggs(1.0, 1.0, mass_aprime=-1.0), "mass_aprime > 0, got -1"),
        (lambda: DarkHiggs(1.0, 1.0, alpha_dark=0.0), "alpha_dark > 0, got 0"),
        (lambda: Monopole(1.0, -1.0), "finite magnetic_charge > 0, got -1"),
        (lambda: Monopole(1.0, 1.0).velocity_factor(1.1), r"within \[0, 1\].*got 1.1"),
    ],
)
def test_nonsense_is_refused(build, message):
    with pytest.raises(OutOfDomain, match=message):
        build()


def test_unknown_convention_lists_the_known_ones():
    with pytest.raises(UnknownName, match="Known: beta2, beta3, dirac"):
        Monopole(1.0, 1.0, convention="vector")
