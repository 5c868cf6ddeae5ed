"""Squared amplitudes of two-body final states against Dirac matrices and closed forms.

Tolerances were set before the comparison: 1e-9 for the same formula in two ways, 1e-6
for closed forms without the electron mass, which enters as m²/s = 2e-9 over sin²θ.
"""

from __future__ import annotations

from math import pi, sqrt

import jax.numpy as jnp
import numpy as np
import pytest
import qed_slow as slow
from numpy.testing import assert_allclose

from darksector.amplitudes import portals, spinors
from darksector.errors import OutOfDomain, UnknownName
from darksector.kinematics import momentum
from darksector.models.alp import Alp
from darksector.models.dark_higgs import DarkHiggs
from darksector.models.dark_photon import DarkPhoton
from darksector.models.monopole import Monopole
from darksector.particles import ELECTRONIC_WIDTH, MASS, PDG
from darksector.phasespace.two_body import Pair
from darksector.processes import _mediated, _pseudoscalar, _recoil, diphoton
from darksector.processes.aprime_higgs import AprimeHiggs
from darksector.processes.bhabha import Bhabha
from darksector.processes.diphoton import Diphoton
from darksector.processes.gamma_alp import GammaAlp
from darksector.processes.gamma_aprime import GammaAprime
from darksector.processes.gamma_dark_matter import GammaDarkMatter
from darksector.processes.isr_resonance import IsrResonance
from darksector.processes.monopole_pair import MonopolePair
from darksector.processes.pseudoscalar_gamma import PseudoscalarGamma

E, E2, S = slow.M_E, float(slow.E2), 10.58**2
APRIME, ALP = DarkPhoton(mass=2.0, epsilon=0.3), Alp(mass=2.0, g_agg=0.1)
HIGGS = DarkHiggs(mass=1.0, epsilon=0.3, mass_aprime=4.0, alpha_dark=0.2)
HIGGS_COUPLING = 2 * sqrt(4 * pi * 0.2 * E2) * 0.3
JPSI, ETA = MASS["J/psi"], MASS["eta"]
# Γ(V→ee) = g² m / 12π up to (m_e/m)⁴
JPSI_COUPLING = sqrt(12 * pi * ELECTRONIC_WIDTH["J/psi"] / JPSI)
ETA_COUPLING = E2 * 0.229 / S  # e² F, q²F = 0.229 GeV: physics/alp-monopole.md 3.2


def monopole(convention):
    return MonopolePair(Monopole(mass=3.0, magnetic_charge=2.0, convention=convention))


def slowed(momenta):
    return 4 * (1 - 4 * 3.0**2 / S) * slow.chiral_pair(momenta, 3.0, axial=False)


def mediated(kind, splitting=0.0):
    model = DarkPhoton(
        mass=3.0,
        epsilon=0.3,
        alpha_dark=0.2,
        dark_matter=kind,
        dark_mass=0.5,
        splitting=splitting,
    )
    couplings = E2 * 0.3**2 * 4 * pi * 0.2
    masses, pole = (0.5, 0.5 + splitting), (3.0, model.width)

    def twin(momenta):
        return couplings * slow.photon_and_pair(momenta, kind, masses, pole)

    return GammaDarkMatter(model), (0.0, *masses), twin


def leptons():
    pole = (2.0, APRIME.width)

    def twin(momenta):
        found = slow.photon_and_pair(momenta, "dirac", (slow.M_TAU,) * 2, pole)
        return (E2 * 0.3**2) ** 2 * found

    return GammaDarkMatter(APRIME, product="tau"), (0.0, *(slow.M_TAU,) * 2), twin


CASES = {
    "diphoton": (
        Diphoton(),
        (0.0, 0.0),
        lambda p: slow.photon_and_vector(p, 0, np.sqrt(slow.E2)),
    ),
    "gamma_aprime": (
        GammaAprime(APRIME),
        (0.0, 2.0),
        lambda p: slow.photon_and_vector(p, 2.0, 0.3 * np.sqrt(slow.E2)),
    ),
    "isr_resonance": (
        IsrResonance(),
        (0.0, JPSI),
        lambda p: slow.photon_and_vector(p, JPSI, JPSI_COUPLING),
    ),
    "gamma_alp": (
        GammaAlp(ALP),
        (0.0, 2.0),
        lambda p: slow.photon_and_pseudoscalar(p, 0.1),
    ),
    "pseudoscalar_gamma": (
        PseudoscalarGamma(meson="eta"),
        (0.0, ETA),
        lambda p: slow.photon_and_pseudoscalar(p, ETA_COUPLING),
    ),
    "bhabha": (Bhabha(), (E, E), slow.bhabha),
    "aprime_higgs": (
        AprimeHiggs(HIGGS),
        (4.0, 1.0),
        lambda p: slow.aprime_higgs(p, 4.0, HIGGS_COUPLING),
    ),
    "monopole dirac": (
        monopole("dirac"),
        (3.0, 3.0),
        lambda p: 4 * slow.chiral_pair(p, 3.0, axial=False),
    ),
    "monopole beta2": (monopole("beta2"), (3.0, 3.0), slowed),
    "monopole beta3": (
        monopole("beta3"),
        (3.0, 3.0),
        lambda p: 4 * slow.chiral_pair(p, 3.0, axial=True),
    ),
    "dirac dark matter": mediated("dirac"),
    "majorana dark matter": mediated("majorana"),
    "scalar dark matter": mediated("scalar"),
    "split dark matter": mediated("pseudo_dirac", splitting=0.2),
    "leptons": leptons(),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_squared_amplitude(case, wide_points):
    process, masses, twin = case
    points = wide_points(masses, n=8)
    all_masses = (E, E, *masses)
    exact = [
        [slow.on_shell(p, m) for p, m in zip(event, all_masses, strict=True)]
        for event in points
    ]

    ours = process.msq(jnp.asarray(points))

    theirs = np.array([twin(event) for event in exact], dtype=float)
    assert_allclose(ours, theirs, rtol=1e-9)


def longitudinal(k):
    """Return k itself as the only polarisation of a vector."""
    return tuple(component[None] for component in spinors.vector(k))


WITH_PHOTONS = {
    name: (case, module)
    for name, case in CASES.items()
    for module in [
        {
            Diphoton: diphoton,
            GammaAprime: _recoil,
            IsrResonance: _recoil,
            GammaAlp: _pseudoscalar,
            PseudoscalarGamma: _pseudoscalar,
            GammaDarkMatter: _mediated,
        }.get(type(case[0]))
    ]
    if module is not None
}


def gauge_over_physical(monkeypatch, case, module, wave):
    """Return |M|² with slot 0 or 1 polarised along its momentum, over the true one."""
    process, points = case
    p = [momentum(jnp.asarray(points[:, i])) for i in range(points.shape[1])]
    beams, final = Pair(*p[:2]), tuple(p[2:])
    numbers, kernel = process.parameters(), process.kernel()
    physical = kernel.squared_amplitude(beams, final, numbers)
    true = getattr(module, wave)
    replaced = final[0] if wave == "photon" else final[1]

    def polarised(k, *mass):
        return longitudinal(k) if k is replaced else true(k, *mass)

    monkeypatch.setattr(module, wave, polarised)
    return np.asarray(kernel.squared_amplitude(beams, final, numbers) / physical)


@pytest.mark.parametrize("name", WITH_PHOTONS)
def test_photon_ward_identity(name, monkeypatch, wide_points):
    (process, masses, _), module = WITH_PHOTONS[name]
    case = (process, wide_points(masses, n=8))

    ratio = gauge_over_physical(monkeypatch, case, module, "photon")

    assert (ratio < 1e-9**2).all()


def test_dark_photon_ward_identity(monkeypatch, wide_points):
    """The electron current is conserved, so the mass of the A' does not matter."""
    case = (GammaAprime(APRIME), wide_points((0.0, 2.0), n=8))

    ratio = gauge_over_physical(monkeypatch, case, _recoil, "massive_vector")

    assert (ratio < 1e-9**2).all()


def test_levi_civita_is_a_determinant():
    rng = np.random.default_rng(1)
    a, b, c, d = rng.normal(size=(4, 16, 4))
    vectors = [spinors.vector(momentum(jnp.asarray(x))) for x in (a, b, c, d)]

    made = spinors.contract(portals.levi_civita(*vectors[:3]), vectors[3])

    expected = np.linalg.det(np.stack([d, a, b, c], axis=1))
    assert_allclose(made, expected, atol=1e-12)


def cosine(points):
    beam, first = points[:, 0, 1:], points[:, 2, 1:]
    lengths = np.linalg.norm(beam, axis=1) * np.linalg.norm(first, axis=1)
    return (beam * first).sum(axis=1) / lengths


def invariants(points):
    metric = np.array([1, -1, -1, -1])
    t, u = (((points[:, 0] - points[:, i]) ** 2 * metric).sum(axis=1) for i in (2, 3))
    return t, u


def test_two_photons_of_massive_electrons(wide_points):
    """Peskin and Schroeder eq. 5.105: exact in the electron mass."""
    points = wide_points((0.0, 0.0), n=8)
    t, u = invariants(points)
    k1, k2, m2 = (E**2 - t) / 2, (E**2 - u) / 2, E**2

    ours = Diphoton().msq(jnp.asarray(points))

    inverse = 1 / k1 + 1 / k2
    closed = k2 / k1 + k1 / k2 + 2 * m2 * inverse - (m2 * inverse) ** 2
    assert_allclose(ours, 2 * E2**2 * closed, rtol=1e-9)


@pytest.mark.parametrize("mass", [0.01, 2.0, 9.0])
def test_dark_photon_angular_law(mass, wide_points):
    """dσ/dc = (2πα²ε²/s)(1-x)[1+c²+4x/(1-x)²]/(1-c²), physics/dark-photon.md 1."""
    points = wide_points((0.0, mass), n=8)
    c, x = cosine(points), mass**2 / S

    ours = GammaAprime(DarkPhoton(mass=mass, epsilon=1.0)).msq(jnp.asarray(points))

    law = (1 + c**2 + 4 * x / (1 - x) ** 2) / (1 - c**2)
    assert_allclose(ours, 4 * E2**2 * law, rtol=1e-6)  # 32πs/(1-x) dσ/dc


def test_massless_bhabha_scattering(wide_points):
    """2e⁴[(s²+u²)/t² + (t²+u²)/s² + 2u²/(st)], Peskin and Schroeder problem 5.2."""
    points = wide_points((E, E), n=8)
    t, u = invariants(points)

    ours = Bhabha().msq(jnp.asarray(points))

    closed = (S**2 + u**2) / t**2 + (t**2 + u**2) / S**2 + 2 * u**2 / (S * t)
    assert_allclose(ours, 2 * E2**2 * closed, rtol=1e-6)


def test_alp_strahlung_of_massive_electrons(wide_points):
    """e²g²k²(2 - β²sin²θ)/2: physics/alp-monopole.md 1.3 with the velocity β of beams."""
    points = wide_points((0.0, 2.0), n=8)
    k, beta2 = (S - 4) / (2 * sqrt(S)), 1 - 4 * E**2 / S

    ours = GammaAlp(ALP).msq(jnp.asarray(points))

    law = 2 - beta2 * (1 - cosine(points) ** 2)
    assert_allclose(ours, E2 * 0.1**2 * k**2 / 2 * law, rtol=1e-9)


def test_dark_higgsstrahlung(wide_points):
    """C²m²/(s-m²)² [s/2 + 2m_e² + 2(p₁k)(p₂k)/m²]: contraction of two tensors."""
    points = wide_points((4.0, 1.0), n=8)
    metric = np.array([1, -1, -1, -1])
    p1k, p2k = ((points[:, i] * points[:, 2] * metric).sum(axis=1) for i in (0, 1))

    ours = AprimeHiggs(HIGGS).msq(jnp.asarray(points))

    closed = S / 2 + 2 * E**2 + 2 * p1k * p2k / 4.0**2
    factor = (HIGGS_COUPLING * 4.0 / (S - 4.0**2)) ** 2
    assert_allclose(ours, factor * closed, rtol=1e-9)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        pytest.param(
            lambda: Diphoton(photon_angle_min=0.0), "turn isr off", id="collinear"
        ),
        pytest.param(
            lambda: Diphoton(mass_min=0.0), "mass_min above", id="massless photons"
        ),
        pytest.param(
            lambda: GammaAprime(APRIME, photon_energy_min=0.0),
            "softer photons diverge",
            id="soft photons",
        ),
        pytest.param(
            lambda: Bhabha(angle_min=0.0), "smaller angles diverge", id="forward"
        ),
        pytest.param(
            lambda: Bhabha(mass_min=1e-3), "mass_min above", id="massless electrons"
        ),
        pytest.param(
            lambda: PseudoscalarGamma("eta", mass_min=0.5), "mass of the eta", id="eta"
        ),
        pytest.param(
            lambda: PseudoscalarGamma("K+"), "pseudoscalar meson is called", id="kaon"
        ),
        pytest.param(
            lambda: IsrResonance("Upsilon(4S)"), "resonance is called", id="resonance"
        ),
        pytest.param(
            lambda: GammaDarkMatter(APRIME, product="pi+"),
            "product of the A' is called",
            id="pions",
        ),
        pytest.param(
            lambda: GammaDarkMatter(APRIME, product="chi"),
            "needs dark matter",
            id="no dark matter",
        ),
        pytest.param(
            lambda: GammaDarkMatter(DarkPhoton(mass=1.0, epsilon=1e-6)),
            "too narrow",
            id="narrow",
        ),
    ],
)
def test_impossible_options_are_refused(build, text):
    with pytest.raises((OutOfDomain, UnknownName), match=text):
        build()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("dirac", ("chi", "anti-chi")),
        ("scalar", ("chi", "anti-chi")),
        ("majorana", ("chi", "chi")),
        ("pseudo_dirac", ("chi", "chi2")),
    ],
)
def test_codes_and_conventions_of_dark_matter(kind, names):
    process, *_ = mediated(kind)

    assert process.final_state == (PDG["gamma"], *(PDG[name] for name in names))
    assert process.conventions()["width"].startswith("constant in the propagator")
    assert process.conventions()["pair"] == f"dark matter, {kind}"


def test_codes_of_other_options():
    assert IsrResonance("phi").final_state == (PDG["gamma"], PDG["phi"])
    assert PseudoscalarGamma("eta'").final_state == (PDG["gamma"], PDG["eta'"])
    assert GammaDarkMatter(APRIME).final_state == (PDG["gamma"], 13, -13)
    assert GammaDarkMatter(APRIME, product="e").final_state == (PDG["gamma"], 11, -11)
