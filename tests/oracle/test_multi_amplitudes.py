"""Processes with more identical particles against Dirac matrices, and symmetries.

Tolerances were set before the comparison: 1e-9 far from peaks; at the peaks 1e-4, as in
`test_amplitudes`.  A polarisation replaced by its momentum is compared in units of E²:
1e-9 in |M|² is more than ten digits.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import qed_slow as slow
import qed_slow_multi as twins
from numpy.testing import assert_allclose

from darksector.amplitudes.spinors import vector
from darksector.kinematics import momentum
from darksector.machines import symmetric
from darksector.phasespace.two_body import Pair
from darksector.processes import bhabha_gamma, triphoton
from darksector.processes.bhabha_gamma import BhabhaGamma
from darksector.processes.triphoton import Triphoton
from darksector.processes.two_photon_dielectron import TwoPhotonDielectron

E = slow.M_E
CASES = {
    "triphoton": (Triphoton(isr=False, photon_angle_min=0.0), (0.0, 0.0, 0.0)),
    "bhabha_gamma": (BhabhaGamma(isr=False, photon_angle_min=0.01), (E, E, 0.0)),
    "two_photon_dielectron": (TwoPhotonDielectron(isr=False), (E, E, E, E)),
}


def slowly(name, points, masses):
    twin, all_masses = getattr(twins, name), (E, E, *masses)
    return np.array(
        [
            twin([slow.on_shell(p, m) for p, m in zip(event, all_masses, strict=True)])
            for event in points
        ],
        dtype=float,
    )


@pytest.mark.parametrize("name", CASES)
def test_squared_amplitude(name, wide_points):
    process, masses = CASES[name]
    points = wide_points(masses, n=8)

    ours = process.msq(jnp.asarray(points))

    assert_allclose(ours, slowly(name, points, masses), rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_squared_amplitude_at_the_peaks(name):
    """Events with their weights taken out: along the beams, soft, collinear."""
    process, masses = CASES[name]
    machine = symmetric(10.58)
    final = np.asarray(process.generate(8, machine, seed=1).momenta)
    beams = np.broadcast_to(np.stack([machine.p_her, machine.p_ler]), (8, 2, 4))
    points = np.concatenate([beams, final], axis=1)

    ours = process.msq(jnp.asarray(points))

    assert_allclose(ours, slowly(name, points, masses), rtol=1e-4)


def test_the_sign_between_identical_electrons_matters(wide_points):
    points = wide_points((E, E, 0.0), n=4)
    all_masses = (E, E, E, E, 0.0)
    wrong = [
        twins.bhabha_gamma(
            [slow.on_shell(p, m) for p, m in zip(event, all_masses, strict=True)],
            sign=+1,
        )
        for event in points
    ]

    right = CASES["bhabha_gamma"][0].msq(jnp.asarray(points))

    assert (abs(np.array(wrong, dtype=float) / right - 1) > 0.01).all()


@pytest.mark.parametrize(
    ("name", "slots"),
    [
        ("triphoton", (2, 3)),
        ("triphoton", (3, 4)),
        ("two_photon_dielectron", (2, 4)),
        ("two_photon_dielectron", (3, 5)),
    ],
)
def test_identical_particles_may_be_exchanged(name, slots, wide_points):
    process, masses = CASES[name]
    points = wide_points(masses, n=8)
    order = np.arange(points.shape[1])
    order[list(slots)] = slots[::-1]

    exchanged = process.msq(jnp.asarray(points[:, order]))

    assert_allclose(exchanged, process.msq(jnp.asarray(points)), rtol=1e-9)


def test_charge_conjugation_of_bhabha(wide_points):
    """e- and e+ exchanged, in the initial and in the final state."""
    points = wide_points((E, E, 0.0), n=8)
    process, _ = CASES["bhabha_gamma"]

    mirrored = process.msq(jnp.asarray(points[:, [1, 0, 3, 2, 4]]))

    assert_allclose(mirrored, process.msq(jnp.asarray(points)), rtol=1e-9)


def longitudinal(k):
    """Return the momentum over the energy in place of both polarisations."""
    parts = vector(k.scaled(1 / k.e))
    return tuple(jnp.stack((part, 0 * part)) for part in parts)


@pytest.mark.parametrize("module", [triphoton, bhabha_gamma], ids=lambda m: m.__name__)
def test_ward_identity(module, wide_points, monkeypatch):
    process, masses = CASES[module.__name__.rpartition(".")[2]]
    external = [momentum(jnp.asarray(wide_points(masses, n=8)[:, i])) for i in range(5)]
    arguments = Pair(*external[:2]), tuple(external[2:]), process.parameters()
    right = process.squared_amplitude(*arguments)

    monkeypatch.setattr(module, "photon", longitudinal)
    wrong = process.squared_amplitude(*arguments)

    assert (wrong < 1e-9 * right).all()


def test_three_photons_without_electron_mass(wide_points):
    """Closed form of Berends and Kleiss (1981); the mass adds m²/(s sin²θ) ~ 1e-6."""
    points = wide_points((0.0, 0.0, 0.0), n=32)
    minus, plus, photons = points[:, 0], points[:, 1], points[:, 2:]
    metric = np.array([1.0, -1, -1, -1])
    near = np.einsum("nim,nm->ni", photons * metric, minus)
    far = np.einsum("nim,nm->ni", photons * metric, plus)
    s = 10.58**2
    terms = (near * far * (near**2 + far**2)).sum(axis=1) / (near * far).prod(axis=1)
    expected = float(slow.E2) ** 3 * s * terms

    ours = CASES["triphoton"][0].msq(jnp.asarray(points))

    assert_allclose(ours, expected, rtol=1e-5)
