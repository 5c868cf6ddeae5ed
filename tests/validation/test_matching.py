"""Pairs with and without a resolved photon: their sum depends on no resolution.

docs/decisions/0008-photon-matching-by-unitarity.md.  The accuracy that it states, 0.5 %,
was the aim before any number was known.
"""

from __future__ import annotations

from functools import cache
from math import cos, pi, tan

import jax.numpy as jnp
import numpy as np
import pytest

from darksector.errors import OutOfDomain
from darksector.machines import symmetric
from darksector.particles import ALPHA, MASS
from darksector.phasespace.cuts import GeneratorCut
from darksector.processes._unresolved import final_emission, initial_emission
from darksector.processes.dimuon import Dimuon
from darksector.processes.dimuon_gamma import DimuonGamma
from darksector.processes.ditau import Ditau
from darksector.processes.ditau_gamma import DitauGamma

MACHINE = symmetric(10.58)
ACCURACY = 5e-3
# below, photons of most of the beam energy decide: see the decision record
MUONS = (GeneratorCut("mass", ("mu-", "mu+"), low=3.0),)
TAUS = (GeneratorCut("mass", ("tau-", "tau+"), low=4.0),)
EXTREMES = ((0.003, 0.05), (0.05, 0.5))
RESOLUTIONS = (
    *(
        pytest.param((energy, angle), id=f"{energy}, {angle} rad")
        for energy, angle in EXTREMES
    ),
    *(
        pytest.param(
            (energy, angle), id=f"{energy}, {angle} rad", marks=pytest.mark.slow
        )
        for energy in (0.003, 0.01, 0.05)
        for angle in (0.05, 0.1, 0.2, 0.5)
        if (energy, angle) not in EXTREMES
    ),
)


@cache
def summed(pair, photon, cuts, resolution):
    """Return the cross-section of pairs without plus with a resolved photon, fb."""
    energy, angle = resolution
    options = {"photon_energy_min": energy, "photon_angle_min": angle}
    without = pair(**options).cross_section(MACHINE, precision=1e-3, cuts=cuts)
    resolved = photon(**options).cross_section(MACHINE, precision=2e-3, cuts=cuts)
    return without.value_fb + resolved.value_fb


@cache
def inclusive(pair, cuts):
    return pair().cross_section(MACHINE, precision=5e-4, cuts=cuts).value_fb


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_dimuon_sum_does_not_depend_on_the_resolution(resolution, agrees):
    """θ from 0.05 to 0.5 rad, energies from 0.3 to 5 % of the beam."""
    reference = summed(Dimuon, DimuonGamma, MUONS, EXTREMES[0])
    ours = summed(Dimuon, DimuonGamma, MUONS, resolution)

    source = f"the same sum for {EXTREMES[0]}"
    agrees(ours, reference, source=source, rel=ACCURACY)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_dimuon_sum_is_the_inclusive_cross_section(resolution, agrees):
    ours = summed(Dimuon, DimuonGamma, MUONS, resolution)

    source = "dimuon with the structure function of scale s"
    agrees(ours, inclusive(Dimuon, MUONS), source=source, rel=ACCURACY)


@pytest.mark.slow
@pytest.mark.parametrize("resolution", EXTREMES)
def test_ditau_sum_is_the_inclusive_cross_section(resolution, agrees):
    ours = summed(Ditau, DitauGamma, TAUS, resolution)

    source = "ditau with the structure function of scale s"
    agrees(ours, inclusive(Ditau, TAUS), source=source, rel=ACCURACY)


def slow_final_emission(mass, v_min, steps=2000):
    """Return the double integral of the trace over both propagators' variables.

    x, y = 2p·k/s, 2p̄·k/s; the trace is that of the twin in tests/oracle, in closed form.
    """
    r = mass**2 / MACHINE.s
    born = (1 + 2 * r) * np.sqrt(1 - 4 * r)
    centres = (np.arange(steps) + 0.5) / steps
    v = v_min * ((1 - 4 * r) / v_min) ** centres
    b = np.sqrt(1 - 4 * r / (1 - v))
    rapidity = np.log((1 + b) / (1 - b))[:, None]
    # x/v = (1 + tanh)/2 maps both ends evenly
    eta = rapidity * (centres - 0.5)
    x = v[:, None] * (1 + np.tanh(eta)) / 2
    y = v[:, None] - x
    total = x + y
    trace = x / y + y / x + (2 * (1 - total) - 8 * r**2 - 4 * r * total) / (x * y)
    trace = trace - (2 * r + 4 * r**2) * (1 / x**2 + 1 / y**2)
    inner = (trace * 2 * x * y / v[:, None] * rapidity).mean(axis=1)
    measure = v * np.log((1 - 4 * r) / v_min)
    return ALPHA / (2 * pi) / born * (inner * measure).mean()


@pytest.mark.parametrize("lepton", ["mu", "tau"])
def test_final_emission_is_the_integrated_trace(lepton):
    mass, v_min = MASS[lepton], 0.01
    numbers = {"v_min": v_min, "cos_max": 1.0}
    ours = final_emission(jnp.asarray([MACHINE.s]), mass, numbers)[0]

    assert ours == pytest.approx(slow_final_emission(mass, v_min), rel=1e-4)


def test_initial_emission_is_the_integrated_spectrum():
    v_min, angle = 0.01, 0.1
    nodes, weights = np.polynomial.legendre.leggauss(100)
    v = np.exp(np.log(v_min) * (1 - nodes) / 2)
    c, logarithm = cos(angle), -2 * np.log(tan(angle / 2))
    spectrum = (2 - 2 * v + v**2) * logarithm - v**2 * c
    expected = ALPHA / pi * np.sum(spectrum * weights) * -np.log(v_min) / 2

    assert initial_emission(v_min, angle) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {"photon_energy_min": 0.01},
        {"photon_angle_min": 0.1},
        {"photon_energy_min": 1e-6, "photon_angle_min": 0.1},
        {"photon_energy_min": 0.01, "photon_angle_min": 2.0},
    ],
)
def test_half_a_resolution_is_an_error(options):
    with pytest.raises(OutOfDomain, match="photon_angle_min"):
        Dimuon(**options)
