"""What searches with photons rest on: numbers that join several parts of the package.

Rows of section 6 of physics/dark-photon.md, V numbers of that of physics/alp-monopole.md.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import acos, pi, radians, sqrt

import numpy as np
import pytest

from darksector.execution import stream
from darksector.generators.decay import Mode, decay
from darksector.kinematics import polar
from darksector.limits import published, relic
from darksector.machines import load, symmetric
from darksector.models._hadrons import r_ratio
from darksector.models.alp import Alp
from darksector.models.dark_photon import DarkPhoton, annihilation_cross_section
from darksector.particles import PDG
from darksector.phasespace.cuts import GeneratorCut
from darksector.processes.dimuon import Dimuon
from darksector.processes.gamma_alp import GammaAlp
from darksector.processes.gamma_aprime import GammaAprime
from darksector.processes.gamma_dark_matter import GammaDarkMatter
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import bayesian_upper_limit, expected_band
from darksector.units import GEV2_FB

DARK, ALPS = "physics/dark-photon.md", "physics/alp-monopole.md"
SQRT_S = 10.58
SYMMETRIC = symmetric(SQRT_S)
LIGHT = 0.01  # GeV, stands for a massless A' or a: m²/s = 1e-6
CM3_S = GEV2_FB * 1e-39 * 2.99792458e10  # cm³/s in a GeV^-2, of a cross-section times c


def central(largest_cosine):
    angle = acos(largest_cosine)
    return GeneratorCut("theta_cms", ("gamma",), angle, pi - angle)


def rate(process, machine, *cuts, precision=3e-3):
    """Return a cross-section, fb, to a relative statistical precision."""
    return process.cross_section(machine, precision=precision, cuts=cuts).value_fb


def counting(signal, background):
    signal, background = np.atleast_1d(signal), np.atleast_1d(background)
    return CountingModel(
        signal.astype(float), background.astype(float), 0.0 * signal, systematics=()
    )


# ---- counting and Gaussian limits


def test_row_21_a_gaussian_measurement(agrees):
    """Poisson counts of 10^10 events are Gaussian: a skewness of 1e-5."""
    central_value, error = -0.2931e-6, 0.6508e-6
    background = 1e10
    per_epsilon2 = sqrt(background) / error
    observed = np.array([round(background + central_value * per_epsilon2)])

    model = counting(per_epsilon2, background)
    limit = bayesian_upper_limit(model, observed, confidence_level=0.9)[0]

    source = f"{DARK} row 21 (derived; flat prior in epsilon^2 >= 0)"
    agrees(sqrt(limit), 9.522e-4, source=source, rel=1e-3)


def test_row_22_no_event_and_no_background(agrees):
    limit = bayesian_upper_limit(
        counting(1.0, 0.0), np.array([0]), confidence_level=0.9
    )

    agrees(limit[0], 2.3026, source=f"{DARK} row 22 (ln 10)", rel=1e-3)


@pytest.mark.parametrize("background", [1e4, 1e6])
def test_row_22_median_of_many_background_events(background, agrees):
    median = expected_band(counting(1.0, background), confidence_level=0.9)[0, 2]

    source = f"{DARK} row 22 (derived: 1.645 sqrt(B))"
    agrees(median / sqrt(background), 1.645, source=source, rel=2e-2)


@pytest.mark.parametrize(
    ("luminosity", "published_ratio"),
    [
        pytest.param(0.445, 18.308, id="445 pb-1"),
        pytest.param(20.0, 7.0711, id="20 fb-1"),
    ],
)
def test_v18_scaling_with_luminosity(luminosity, published_ratio, agrees):
    """Couplings g ~ sqrt(sigma) against that of 50 ab^-1, quoted without a tolerance.

    0.1 %: a median limit is 1.645 sqrt(B) up to 1/sqrt(B), for the least background of
    10^6 events; with more, that of 50 ab^-1 would lose digits in double precision.
    """
    exposure = np.array([luminosity, 50e3])
    model = counting(exposure, 1e6 * exposure / luminosity)
    sigma = expected_band(model, confidence_level=0.9)[:, 2]

    source = f"{ALPS} V18 (L^(-1/4) with much background)"
    agrees(sqrt(sigma[0] / sigma[1]), published_ratio, source=source, rel=1e-3)


# ---- cross-sections


def test_row_10_muon_pairs(agrees):
    ours = rate(Dimuon(isr=False), SYMMETRIC, precision=2e-4) / 1e6

    agrees(ours, 0.7759, source=f"{DARK} row 10 (Born)", rel=1e-3)


def test_row_26_dark_photon_among_muon_pairs_of_initial_radiation(agrees):
    """The background is a virtual photon: a massless A' that couples with epsilon = 1.

    It is counted in 100 MeV about the mass, where it falls as 1/m: on average that of the
    middle within 0.1 %.
    """
    model = DarkPhoton(mass=1.0, epsilon=1e-3)
    photon = DarkPhoton(mass=1e-3, epsilon=1.0)
    window = GeneratorCut("mass", ("mu-", "mu+"), 0.95, 1.05)
    signal = rate(GammaAprime(model, isr=False), SYMMETRIC, central(0.9))
    process = GammaDarkMatter(photon, product="mu", isr=False)
    background = rate(process, SYMMETRIC, central(0.9), window) * 0.005 / 0.1

    ours = signal * model.branching_fraction("mu+ mu-") / background

    source = f"{DARK} row 26 (derived; arXiv:0906.0580)"
    agrees(ours, 0.0406, source=source, rel=2e-2)


def test_row_27_events_behind_the_limit_of_babar(agrees):
    """53 fb^-1 at 10.355 GeV, |cos theta*| < 0.6: excluded events per efficiency."""
    limit = published.load("dark_photon_invisible_babar2017")
    epsilon = np.interp(0.01, limit.mass, limit.values)
    process = GammaAprime(DarkPhoton(mass=0.01, epsilon=epsilon), isr=False)

    ours = rate(process, symmetric(10.355), central(0.6)) * limit.luminosity

    source = f"{DARK} row 27 (derived from arXiv:1702.03327)"
    agrees(ours, 91, source=source, rel=2e-2)


@pytest.mark.slow
def test_v17_the_limit_of_babar_on_alps(agrees):
    """Equal rates within |cos theta*| < 0.6: the recast of a limit on epsilon."""
    dark = GammaAprime(DarkPhoton(mass=LIGHT, epsilon=9.47e-4), isr=False)
    alp = GammaAlp(Alp(mass=LIGHT, g_agg=1.0), isr=False)

    rates = [rate(p, SYMMETRIC, central(0.6), precision=3e-4) for p in (dark, alp)]

    ours = sqrt(rates[0] / rates[1])

    agrees(ours, 1.658e-4, source=f"{ALPS} V17 (arXiv:1709.00009)", rel=1e-3)


def test_the_recorded_limits_of_babar_on_both_are_one_measurement(agrees):
    """g = 0.17514 epsilon (V17) between the records; both are rounded to three digits."""
    dark = published.load("dark_photon_invisible_babar2017")
    alp = published.load("alp_babar2017")

    ours = alp.values[0] / np.interp(LIGHT, dark.mass, dark.values)

    agrees(ours, 0.17514, source=f"{ALPS} V17 (arXiv:1709.00009)", rel=5e-3)


# ---- acceptance

BETA = 3.002 / 11.006  # head-on beams of 7.004 and 4.002 GeV, as the numbers have it


@cache
def three_photons():
    """Return 2^19 decayed events of an ALP of 1 GeV: 0.0007 on an acceptance."""
    her, ler = (SQRT_S / 2 * sqrt((1 + b) / (1 - b)) for b in (BETA, -BETA))
    machine = replace(
        load("superkekb"),
        energy_her=her,
        energy_ler=ler,
        half_crossing_angle=0.0,
        energy_spread_her=0.0,
        energy_spread_ler=0.0,
    )
    process = GammaAlp(Alp(mass=1.0, g_agg=1e-3), isr=False)
    events = process.generate(2**19, machine, seed=1)
    mode = Mode((PDG["gamma"],) * 2, (0.0, 0.0))
    u = stream(1, "acceptance").random((len(events.weights), mode.dimension))
    return decay(u, events, events.pdg.index(PDG["a"]), mode)


@pytest.mark.parametrize(("energy", "published_share"), [(0.65, 0.385), (1.0, 0.323)])
def test_v8_three_photons_in_the_barrel(energy, published_share, agrees):
    events = three_photons()
    inside = np.ones(len(events.weights), dtype=bool)
    for slot in events.final_slots():
        photon = events.slot(slot)
        theta = np.asarray(polar(photon))
        inside &= (radians(37.3) < theta) & (theta < radians(123.7))
        inside &= np.asarray(photon.e) > energy
    weights = np.asarray(events.weights)

    ours = weights[inside].sum() / weights.sum()

    assert len(events.final_slots()) == 3
    agrees(ours, published_share, source=f"{ALPS} V8 (derived)", abs=3e-3)


# ---- relic density


@pytest.mark.parametrize(
    ("kind", "dark_mass", "y", "digit"),
    [
        ("scalar", 0.01, 1.15e-11, 1e-13),
        pytest.param(
            *("scalar", 0.1, 1.32e-9, 1e-11),
            marks=pytest.mark.xfail(
                strict=True,
                reason="the compact table of the curve gives 1.307e-9, 1 % below",
            ),
        ),
        ("majorana", 0.01, 5.5e-12, 1e-13),
        ("majorana", 0.1, 6.3e-10, 1e-11),
        ("pseudo_dirac", 0.01, 4.9e-13, 1e-14),
        ("pseudo_dirac", 0.1, 4.7e-11, 1e-12),
    ],
)
def test_relic_targets(kind, dark_mass, y, digit, agrees):
    """The model's own y of a point on our line; one unit of the last digit quoted."""
    line = relic.relic_line(kind, alpha_dark=0.1)
    mass = 3 * dark_mass
    epsilon = np.exp(np.interp(np.log(mass), np.log(line.mass), np.log(line.high)))
    model = DarkPhoton(mass, epsilon, alpha_dark=0.1, dark_matter=kind)

    source = f"{DARK} section 5 (arXiv:1808.05219)"
    agrees(model.thermal_y, y, source=source, abs=digit)


def test_row_28_in_units_of_cosmology(agrees):
    ours = annihilation_cross_section(1e-10, 0.1) * CM3_S

    source = f"{DARK} row 28 (arXiv:1707.03835 eqs. 28, 31)"
    agrees(ours, 4.28e-26, source=source, rel=2e-3)


@pytest.mark.parametrize(("dark_mass", "y"), [(0.01, 4.9e-13), (0.1, 4.7e-11)])
def test_pseudo_dirac_target_has_a_thermal_cross_section(dark_mass, y, agrees):
    """A few 1e-26 cm^3/s, whatever the mass: known here to an order of magnitude.

    An independent way to y: no freeze-out is solved, the propagator of the A' is that at
    rest, (1 - 4/9)^-2 = 3.24, and all annihilations are to electrons.
    """
    ours = annihilation_cross_section(y, dark_mass) * (1 - 4 / 9) ** -2 * CM3_S

    source = f"{DARK} section 5 (canonical 3e-26 cm^3/s)"
    agrees(np.log10(ours), np.log10(3e-26), source=source, abs=0.5)


# ---- hadrons


@pytest.mark.parametrize(
    ("low", "high", "right", "wrong"),
    [
        pytest.param(0.995, 1.003, 1.185, 0.85, id="below the phi"),
        pytest.param(1.045, 1.055, 1.38, 1.64, id="above the phi"),
    ],
)
def test_sign_of_the_omega_phi_interference(low, high, right, wrong, agrees):
    """Weight -2 of the interference gives the first value, +2 the second.

    1 %: the average over the interval is not specified there.
    """
    ours = r_ratio(np.linspace(low, high, 101)).mean()

    assert abs(ours - right) < abs(ours - wrong) / 10
    agrees(ours, right, source=f"{DARK} section 4 (DarkCast)", rel=1e-2)
