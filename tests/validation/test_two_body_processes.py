"""Cross-sections of two-body final states against the tables of physics/*.md.

Two ways: the generator within its cuts, whose statistical error (three of them) adds to
the tolerance of the table; and Gauss-Legendre nodes in cosθ over |M|², without error.
"""

from __future__ import annotations

from functools import cache
from math import acos, cos, log, pi, radians, sqrt

import jax.numpy as jnp
import numpy as np
import pytest

from darksector.machines import symmetric
from darksector.models.alp import Alp
from darksector.models.dark_higgs import DarkHiggs
from darksector.models.dark_photon import DarkPhoton
from darksector.models.monopole import Monopole
from darksector.particles import ALPHA, ELECTRONIC_WIDTH, MASS
from darksector.phasespace.cuts import GeneratorCut
from darksector.phasespace.two_body import at_rest, colliding, two_body
from darksector.processes.aprime_higgs import AprimeHiggs
from darksector.processes.bhabha import Bhabha
from darksector.processes.diphoton import Diphoton
from darksector.processes.gamma_alp import GammaAlp
from darksector.processes.gamma_aprime import GammaAprime
from darksector.processes.gamma_dark_matter import GammaDarkMatter
from darksector.processes.isr_resonance import IsrResonance
from darksector.processes.monopole_pair import MonopolePair
from darksector.processes.pseudoscalar_gamma import PseudoscalarGamma
from darksector.units import GEV2_FB

S = 10.58**2  # GeV², of every number in the tables
MACHINE = symmetric(10.58)
NB, PB = 1e6, 1e3  # fb
DARK, ALPS = "physics/dark-photon.md section 6 row", "physics/alp-monopole.md"
ALL_ANGLES = {"isr": False, "photon_angle_min": 0.0}
LIGHT = 0.01  # GeV, stands for a massless A' or a: m²/s = 1e-6


def within(largest_cosine, particle="gamma"):
    """Return the cut |cosθ*| < `largest_cosine`."""
    angle = acos(largest_cosine)
    return (GeneratorCut("theta_cms", (particle,), angle, pi - angle),)


def differential(process, cosines):
    """Return dσ/dcosθ* of slot 0, fb, from |M|² in the rest frame of the collision."""
    s = jnp.full(len(cosines), S)
    m1, m2 = process.masses(process.parameters())
    final = two_body(at_rest(s), (m1**2, m2**2), jnp.asarray(cosines), 0 * s)
    external = [p.array() for p in (*colliding(s), *final)]
    msq = np.asarray(process.msq(jnp.stack(external, axis=1)))
    kallen = (S - m1**2 - m2**2) ** 2 - 4 * m1**2 * m2**2
    return msq / (2 * S) * sqrt(kallen) / (16 * pi * S) * GEV2_FB


def integral(process, largest_cosine=1.0):
    """Return the cross-section with |cosθ*| below a bound, fb."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    return largest_cosine * weights @ differential(process, largest_cosine * nodes)


@pytest.fixture
def generated(agrees):
    """Return a check of a generator's cross-section, with three statistical errors."""

    def check(process, published, *, source, rel, cuts=(), scale=1.0):
        ours = process.cross_section(MACHINE, precision=5e-4, cuts=cuts)
        rel = rel + 3 * ours.error_fb / ours.value_fb
        agrees(ours.value_fb * scale, published, source=source, rel=rel)

    return check


@pytest.mark.parametrize(
    ("mass", "published"),
    [
        pytest.param(LIGHT, 43.94 * NB, id="row 1, massless"),
        pytest.param(9.0, 242.2 * NB, id="row 1, 9 GeV"),
        pytest.param(5.0, 59.40 * NB, id="row 2, 5 GeV"),
    ],
)
def test_dark_photon_at_all_angles(mass, published, generated):
    """Collinear photons, down to the electron mass, are 3/4 of it."""
    process = GammaAprime(DarkPhoton(mass=mass, epsilon=1.0), **ALL_ANGLES)

    generated(process, published, source=f"{DARK}s 1, 2", rel=1e-3)


@pytest.mark.parametrize(("mass", "published"), [(LIGHT, 1.8303), (5.0, 3.2775)])
def test_dark_photon_at_wide_angle(mass, published, generated):
    process = GammaAprime(DarkPhoton(mass=mass, epsilon=1.0), isr=False)

    generated(process, published * NB, source=f"{DARK} 3", rel=1e-3, cuts=within(0.6))


@pytest.mark.parametrize(
    ("mass", "cosine", "published"), [(5.0, 0.5, 3.2916), (8.0, 0.0, 6.7141)]
)
def test_dark_photon_angular_distribution(mass, cosine, published, agrees):
    process = GammaAprime(DarkPhoton(mass=mass, epsilon=1.0))

    ours = differential(process, np.array([cosine]))[0] / NB

    agrees(ours, published, source=f"{DARK} 4", rel=5e-4)


def test_two_photons(generated):
    source = f"{DARK} 9, {ALPS} V12 (tree level)"
    cuts = within(cos(radians(10)))

    generated(Diphoton(isr=False), 4.5248 * NB, source=source, rel=1e-3, cuts=cuts)


@pytest.mark.parametrize(
    ("degrees", "published", "rel"),
    [
        pytest.param(10, 286.76, 1e-3, id="V12"),
        pytest.param(30, 24.65, 1e-3, id="section 3.1"),
    ],
)
def test_bhabha_scattering(degrees, published, rel, generated):
    cuts = within(cos(radians(degrees)), "e-")

    generated(
        Bhabha(isr=False), published * NB, source=f"{ALPS} V12", rel=rel, cuts=cuts
    )


@pytest.mark.parametrize(
    ("mass", "published"),
    [(LIGHT, 0.118393), (1.0, 0.115248), (5.0, 0.0554649), (8.0, 0.00929842)],
)
def test_alp_strahlung(mass, published, agrees):
    ours = integral(GammaAlp(Alp(mass=mass, g_agg=1e-3))) / PB

    agrees(ours, published, source=f"{ALPS} V4", rel=1e-4)


def test_alp_strahlung_as_generated(generated):
    process = GammaAlp(Alp(mass=5.0, g_agg=1e-3), isr=False)

    generated(process, 0.0554649 * PB, source=f"{ALPS} V4", rel=1e-4)


def test_alp_angular_distribution(agrees):
    process = GammaAlp(Alp(mass=1.0, g_agg=1e-3))

    ours = differential(process, np.array([0.7]))[0] / PB

    agrees(ours, 0.0643951, source=f"{ALPS} V5", rel=1e-4)


def test_equal_rates_of_dark_photon_and_alp(agrees):
    aprime = integral(GammaAprime(DarkPhoton(mass=LIGHT, epsilon=1.0)), 0.6)
    alp = integral(GammaAlp(Alp(mass=LIGHT, g_agg=1.0)), 0.6)

    agrees(sqrt(aprime / alp), 0.17514, source=f"{ALPS} V17", rel=1e-3)


@pytest.mark.parametrize(("meson", "published"), [("eta", 4.129), ("eta'", 4.88)])
def test_bare_meson_photon(meson, published, agrees):
    ours = integral(PseudoscalarGamma(meson=meson))

    agrees(ours, published, source=f"{ALPS} V14 and section 3.2", rel=3e-3)


def test_vacuum_polarisation_of_meson_photon(agrees):
    """Theirs is known to 0.002; ours, good to 0.2 % of α, to 0.004."""
    dressed = integral(PseudoscalarGamma(meson="eta", running_alpha=True))
    ours = dressed / integral(PseudoscalarGamma(meson="eta"))

    agrees(ours, 1.075, source="arXiv:hep-ex/0605018", abs=2e-3 + 4e-3)


@pytest.mark.parametrize(
    ("meson", "measured", "error"), [("eta", 4.5, 1.15), ("eta'", 5.4, 0.85)]
)
def test_measured_meson_photon(meson, measured, error, agrees):
    ours = integral(PseudoscalarGamma(meson=meson, running_alpha=True))

    agrees(ours, measured, source="arXiv:hep-ex/0605018 (at 10.58 GeV)", abs=error)


def test_radiative_return_to_the_jpsi(generated):
    """The table has Γ_ee = B × Γ = 5.971 % × 92.6 keV (Particle Data Group)."""
    scale = 0.05971 * 92.6e-6 / ELECTRONIC_WIDTH["J/psi"]
    process = IsrResonance("J/psi", **ALL_ANGLES)

    generated(process, 35.53 * PB, source=f"{ALPS} V15", rel=5e-3, scale=scale)


@pytest.mark.parametrize("name", ["rho0", "omega", "phi", "psi(2S)"])
def test_radiative_return_to_other_mesons(name, generated):
    r""":math:`12\pi^2\Gamma_{ee} W/(ms)`, W the spectrum of photons of all angles."""
    mass, width = MASS[name], ELECTRONIC_WIDTH[name]
    x = 1 - mass**2 / S
    spectrum = ALPHA / (pi * x) * (log(S / MASS["e"] ** 2) - 1) * (2 - 2 * x + x**2)
    formula = 12 * pi**2 * width / (mass * S) * spectrum * GEV2_FB

    source = f"{ALPS} 3.3 (lowest order)"
    generated(IsrResonance(name, **ALL_ANGLES), formula, source=source, rel=1e-3)


@pytest.mark.parametrize(
    ("convention", "published"),
    [("dirac", 555.5), ("beta2", 153.5), ("beta3", 112.7)],
)
def test_monopole_pair(convention, published, agrees):
    model = Monopole(mass=4.5, magnetic_charge=1.0, convention=convention)

    ours = integral(MonopolePair(model)) / PB

    agrees(ours, published, source=f"{ALPS} V24", rel=1e-3)


@pytest.mark.parametrize(
    ("mass_aprime", "published"), [(4.0, 7.43015e7), (8.0, 4.00902e8)]
)
def test_dark_higgsstrahlung(mass_aprime, published, agrees):
    model = DarkHiggs(mass=1.0, epsilon=1.0, mass_aprime=mass_aprime, alpha_dark=1.0)

    ours = integral(AprimeHiggs(model))

    agrees(ours, published, source="physics/zprime.md V24 (eq. 12)", rel=1e-4)


OFF_SHELL = (*within(0.9), GeneratorCut("e_cms", ("gamma",), low=2.0))


def mediated(mass, alpha_dark, kind="dirac", dark_mass=0.1):
    return DarkPhoton(
        mass=mass,
        epsilon=1e-3,
        alpha_dark=alpha_dark,
        dark_matter=kind,
        dark_mass=dark_mass,
    )


@pytest.mark.parametrize(
    ("kind", "published"), [("dirac", 0.01490), ("scalar", 0.00372)]
)
def test_heavy_mediator_without_width(kind, published, generated):
    """The table has no width: so does a small α_D, to which the rate is proportional."""
    process = GammaDarkMatter(mediated(20.0, 0.5e-3, kind), isr=False)
    source = f"{DARK} 17"

    generated(process, published, source=source, rel=5e-3, cuts=OFF_SHELL, scale=1e3)


def test_contact_interaction(generated):
    """A mediator of 10 TeV: ε e g_D/m² = 1/Λ²; s'/m² and the width are below 1e-7."""
    model = mediated(1e4, 1e-9)
    coupling2 = model.epsilon**2 * 4 * pi * ALPHA * 4 * pi * model.alpha_dark
    scale = model.mass**4 / (100.0**4 * coupling2)
    process = GammaDarkMatter(model, isr=False)

    source = f"{DARK} 19"
    generated(process, 31.10, source=source, rel=5e-3, cuts=OFF_SHELL, scale=scale)


def test_light_mediator(generated):
    process = GammaDarkMatter(mediated(1e-3, 0.5), isr=False)

    generated(process, 2.363, source=f"{DARK} 20", rel=5e-3, cuts=OFF_SHELL)


@cache
def on_shell(alpha_dark):
    """Return the cross-section of an A' of 3 GeV that decays to dark matter, fb."""
    model = mediated(3.0, alpha_dark, dark_mass=0.5)
    rate = integral(GammaAprime(model), 0.9)
    return rate * model.branching_fraction("chi chi")


@pytest.mark.parametrize(
    ("alpha_dark", "published", "rel"), [(1e-6, 1.0, 1e-4), (0.1, 1.0354, 1e-3)]
)
def test_narrow_and_broad_mediator(alpha_dark, published, rel, generated):
    model = mediated(3.0, alpha_dark, dark_mass=0.5)
    scale = 1 / on_shell(alpha_dark)

    generated(
        GammaDarkMatter(model, isr=False),
        published,
        source=f"{DARK} 18 (|cosθ*| < 0.9, E* > 2 GeV)",
        rel=rel,
        cuts=OFF_SHELL,
        scale=scale,
    )


def test_narrow_mediator_into_muons(generated):
    """Signal alone: the on-shell rate times the branching fraction."""
    model = DarkPhoton(mass=3.0, epsilon=1e-3)
    scale = 1 / integral(GammaAprime(model), 0.9)
    process = GammaDarkMatter(model, product="mu", isr=False)

    expected = model.branching_fraction("mu+ mu-")
    source = f"{ALPS} V27"
    generated(process, expected, source=source, rel=1e-2, cuts=OFF_SHELL, scale=scale)


def test_majorana_dark_matter_counts_identical_particles_once(generated):
    """Narrow: the branching fraction is 1, whatever the kind."""
    model = mediated(3.0, 1e-4, "majorana", dark_mass=0.5)
    scale = 1 / integral(GammaAprime(model), 0.9)
    process = GammaDarkMatter(model, isr=False)

    source = f"{ALPS} V27"
    generated(process, 1.0, source=source, rel=1e-2, cuts=OFF_SHELL, scale=scale)
