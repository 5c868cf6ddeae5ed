"""Signals with three particles against the numbers of the physics notes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import radians

import numpy as np
import pytest

from darksector.kinematics import recoil_mass2, squared
from darksector.machines import load, symmetric
from darksector.models.alp import Alp
from darksector.models.leptophilic_scalar import LeptophilicScalar
from darksector.models.lfv_mediator import LfvMediator
from darksector.models.lmu_ltau import LmuLtau
from darksector.models.muonphilic_scalar import MuonphilicScalar
from darksector.phasespace.cuts import GeneratorCut
from darksector.processes.dimuon_scalar import DimuonScalar
from darksector.processes.ditau_scalar import DitauScalar
from darksector.processes.ditau_zprime import DitauZprime
from darksector.processes.emu_mediator import EmuMediator
from darksector.processes.fusion_alp import FusionAlp
from darksector.processes.upsilon_transition import UpsilonTransition

MACHINE = symmetric(10.58)


@pytest.mark.parametrize(("mass", "published"), [(1.0, 50313), (3.0, 5640.7)])
def test_v12_ditau_zprime(mass, published, agrees):
    process = DitauZprime(LmuLtau(mass=mass, gprime=1.0), isr=False)
    ours = process.cross_section(MACHINE).value_fb

    source = "physics/zprime.md V12 (quadrature of eq. 5)"
    agrees(ours, published, source=source, rel=5e-3)


@pytest.mark.parametrize(
    ("mass", "published"), [(0.5, 2.462), (2.0, 0.5706), (4.0, 0.09499)]
)
def test_v13_ditau_scalar(mass, published, agrees):
    process = DitauScalar(LeptophilicScalar(mass=mass, xi=1.0), isr=False)
    ours = process.cross_section(MACHINE).value_fb

    source = "physics/zprime.md V13 (quadrature; arXiv:2005.01885)"
    agrees(ours, published, source=source, rel=5e-3)


def test_couplings_scale_cross_sections():
    """A muonphilic scalar: quadratic in y."""
    weak, strong = (
        DimuonScalar(MuonphilicScalar(mass=1.0, yukawa=y), isr=False).cross_section(
            MACHINE, precision=1e-2
        )
        for y in (0.1, 1.0)
    )

    assert strong.value_fb == pytest.approx(100 * weak.value_fb, rel=1e-9)


NOTES = replace(
    load("superkekb"),
    energy_her=7.0,
    energy_ler=4.0,
    energy_spread_her=0.0,
    energy_spread_ler=0.0,
)
LEPTONS_SEEN = tuple(
    GeneratorCut("theta_lab", (name,), low=radians(32), high=radians(125))
    for name in ("mu-", "e+")
)


@pytest.mark.parametrize(
    ("mass", "published", "error"),
    [
        (1.0, 847551, 3993),
        pytest.param(3.0, 160775, 1135, marks=pytest.mark.slow),
        pytest.param(5.0, 48461, 317, marks=pytest.mark.slow),
        (7.0, 16561, 77),
    ],
)
def test_flavour_violating_vector(mass, published, error, agrees):
    """Both leptons within 32-125 degrees, beams of 7 and 4 GeV, one charge state."""
    process = EmuMediator(LfvMediator(mass=mass, g_emu=1.0), isr=False)
    ours = process.cross_section(NOTES, precision=2e-3, cuts=LEPTONS_SEEN).value_fb

    source = "physics/zprime.md eq. 10 (Monte Carlo, own derivation)"
    agrees(ours, published, source=source, abs=error + 2e-2 * published)


@pytest.mark.slow
def test_chirality_hardly_matters_above_the_lepton_masses():
    """Massless leptons: g_V² + g_A² alone; a vector's masses change that by 1e-3."""
    sigmas = [
        EmuMediator(
            LfvMediator(mass=5.0, g_emu=1.0, chirality_angle=angle), isr=False
        ).cross_section(NOTES, precision=2e-3, cuts=LEPTONS_SEEN)
        for angle in (0.0, 0.785)
    ]

    assert sigmas[1].value_fb == pytest.approx(sigmas[0].value_fb, rel=1e-2)


@cache
def fusion(mass, *cuts):
    process = FusionAlp(Alp(mass=mass, g_agg=1e-3), isr=False)
    return process.cross_section(MACHINE, precision=2e-3, cuts=cuts).value_fb / 1e3


FUSION = (
    pytest.param(0.2, 2.39, 2.13, marks=pytest.mark.slow),
    pytest.param(0.3, 2.020, 1.772, marks=pytest.mark.slow),
    (1.0, 1.0559, 0.844),
    pytest.param(3.0, 0.3706, 0.2524, marks=pytest.mark.slow),
    pytest.param(5.0, 0.15413, 0.0938, marks=pytest.mark.slow),
    (8.0, 0.03420, 0.0176),
)


def test_v13_photon_fusion(agrees):
    source = "physics/alp-monopole.md V13 (exact tree, 1.056 pb)"
    agrees(fusion(1.0), 1.056, source=source, rel=1e-2)


@pytest.mark.parametrize(("mass", "published", "_"), FUSION)
def test_photon_fusion(mass, published, _, agrees):
    """The notes' own error at 0.2 GeV is 0.8 %; elsewhere below 0.3 %."""
    source = "physics/alp-monopole.md section 1.4 (exact tree), pb"
    agrees(fusion(mass), published, source=source, rel=1e-2)


@pytest.mark.parametrize(("mass", "_", "published"), FUSION)
def test_photon_fusion_with_both_electrons_lost(mass, _, published, agrees):
    """Both electrons within 10 degrees of their beams; three digits are given."""
    lost = (
        GeneratorCut("theta_beam_cms", (name,), high=radians(10))
        for name in ("e-", "e+")
    )

    source = "physics/alp-monopole.md section 1.4 (both e within 10 deg), pb"
    agrees(fusion(mass, *lost), published, source=source, rel=1e-2)


@pytest.fixture(scope="module")
def transitions():
    """Masses of, and recoiling against, the pion pair at the Upsilon(3S), GeV."""
    machine = symmetric(10.3551)
    events = UpsilonTransition().generate(65536, machine, seed=1)
    pair = events.slot(0) + events.slot(1)
    recoil2 = recoil_mass2(events.p_beams, pair.array())
    return np.sqrt(np.asarray(squared(pair))), np.sqrt(np.asarray(recoil2))


def test_largest_pion_pair_mass(transitions, agrees):
    """65536 events come within 1e-3 of the end of the spectrum."""
    source = "physics/alp-monopole.md section 5 (m(3S) - m(1S))"
    agrees(transitions[0].max(), 0.8947, source=source, abs=1e-3)


def test_recoil_peaks_at_the_upsilon(transitions, agrees):
    recoil = transitions[1]

    source = "physics/alp-monopole.md section 5 (PDG: m = 9.4604 GeV)"
    agrees(np.mean(recoil), 9.460, source=source, abs=5e-4)
    assert np.ptp(recoil) < 1e-9


def test_transition_rate_is_what_is_declared(agrees):
    found = UpsilonTransition(sigma_peak=1e6).cross_section(symmetric(10.3551))

    source = "physics/alp-monopole.md section 5 (PDG 2026: B = 4.37 %)"
    agrees(found.value_fb, 4.37e4, source=source, rel=3e-3)
