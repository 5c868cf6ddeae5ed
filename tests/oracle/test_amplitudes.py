"""Fast squared amplitudes against Dirac matrices, point by point.

Tolerances were set before the comparison: 1e-9 far from peaks.  At the peaks of the
photon exchange double precision loses ten digits to gauge cancellations, one hundred
thousand per photon; there 1e-4, small beside the statistical precision of 1e-3.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import qed_slow as slow
from numpy.testing import assert_allclose

from darksector.machines import symmetric
from darksector.models.lmu_ltau import LmuLtau
from darksector.processes.dimuon import Dimuon
from darksector.processes.dimuon_gamma import DimuonGamma
from darksector.processes.dimuon_zprime import DimuonZprime
from darksector.processes.ditau import Ditau
from darksector.processes.two_photon_dimuon import TwoPhotonDimuon

E, MU, TAU = slow.M_E, slow.M_MU, slow.M_TAU
ZPRIME = LmuLtau(mass=3.0, gprime=0.3)


def twin(name, momenta):
    if name == "dimuon":
        return slow.pair(momenta, MU)
    if name == "ditau":
        return slow.pair(momenta, TAU)
    if name == "dimuon_zprime":
        return slow.dimuon_zprime(momenta, ZPRIME.mass, ZPRIME.gprime)
    return getattr(slow, name)(momenta)


CASES = {
    "dimuon": (Dimuon(), (MU, MU)),
    "ditau": (Ditau(), (TAU, TAU)),
    "dimuon_gamma": (DimuonGamma(), (MU, MU, 0.0)),
    "dimuon_zprime": (DimuonZprime(ZPRIME), (MU, MU, 3.0)),
    "two_photon_dimuon": (TwoPhotonDimuon(), (E, E, MU, MU)),
}


def slowly(name, points, masses):
    all_masses = (E, E, *masses)
    values = [
        twin(
            name, [slow.on_shell(p, m) for p, m in zip(event, all_masses, strict=True)]
        )
        for event in points
    ]
    return np.array(values, dtype=float)


@pytest.mark.parametrize("name", CASES)
def test_squared_amplitude(name, wide_points):
    process, masses = CASES[name]
    points = wide_points(masses, n=8)

    ours = process.msq(jnp.asarray(points))

    assert_allclose(ours, slowly(name, points, masses), rtol=1e-9)


@pytest.mark.parametrize("name", ["dimuon_gamma", "two_photon_dimuon"])
def test_squared_amplitude_at_the_peaks(name):
    """Points as generated: beams along z, virtualities from 1e-11 GeV²."""
    process, masses = CASES[name]
    machine = symmetric(10.58)
    generated = type(process)(isr=False).generate(32, machine, seed=2)
    inside = np.asarray(generated.momenta)[np.asarray(generated.weights) > 0][:8]
    beams = np.broadcast_to(np.stack([machine.p_her, machine.p_ler]), (8, 2, 4))
    points = np.concatenate([beams, inside], axis=1)

    ours = process.msq(jnp.asarray(points))

    assert_allclose(ours, slowly(name, points, masses), rtol=1e-4)


def test_spin_sums_of_the_twin():
    """Σ u ū = p̸ + m and Σ v v̄ = p̸ - m: the twin must be right by itself."""
    p = slow.on_shell([0, 0.3, -1.2, 2.0], MU)

    particles = sum(
        np.outer(s, slow.bar(s)) for s in (slow.u(p, MU, k) for k in (0, 1))
    )
    anti = sum(np.outer(s, slow.bar(s)) for s in (slow.v(p, MU, k) for k in (0, 1)))

    assert_allclose(
        particles.astype(complex), slow.slash(p) + MU * slow.ONE, atol=1e-15
    )
    assert_allclose(anti.astype(complex), slow.slash(p) - MU * slow.ONE, atol=1e-15)


def test_exchange_sign_is_that_of_bhabha_scattering(wide_points):
    """2e⁴[(s²+u²)/t² + (t²+u²)/s² + 2u²/(st)], Peskin and Schroeder problem 5.2."""
    event = wide_points((E, E), n=1)[0]
    p = [slow.on_shell(q, E) for q in event]
    s, t, u = (slow.dot(q, q) for q in (p[0] + p[1], p[0] - p[2], p[0] - p[3]))

    textbook = (s**2 + u**2) / t**2 + (t**2 + u**2) / s**2 + 2 * u**2 / (s * t)

    assert slow.bhabha(p) == pytest.approx(float(2 * slow.E2**2 * textbook), rel=1e-5)
    assert slow.bhabha(p, sign=1) != pytest.approx(
        float(2 * slow.E2**2 * textbook), rel=1e-2
    )


def test_relative_sign_of_identical_electrons_matters(wide_points):
    """The comparison above would see a wrong sign."""
    event = wide_points((E, E, MU, MU), n=1)[0]
    p = [slow.on_shell(q, m) for q, m in zip(event, (E, E, E, E, MU, MU), strict=True)]

    right, wrong = (slow.two_photon_dimuon(p, sign=sign) for sign in (-1, 1))

    assert wrong != pytest.approx(float(right), rel=1e-3)
