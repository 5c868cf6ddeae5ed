"""Signals and photon pairs against Dirac matrices, Ward identities and soft photons.

Tolerances were set before the comparison: 1e-9 far from peaks, 1e-4 at the peaks of the
photon exchange, as in test_amplitudes.py.
"""

from __future__ import annotations

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
import qed_slow as slow
import qed_slow_signals as signals
from numpy.testing import assert_allclose

from darksector.amplitudes.qed import absorb
from darksector.amplitudes.spinors import (
    antifermion_in,
    antifermion_out,
    fermion_in,
    fermion_out,
    photon,
    vector,
)
from darksector.kinematics import boost, momentum
from darksector.machines import symmetric
from darksector.models.alp import Alp
from darksector.models.leptophilic_scalar import LeptophilicScalar
from darksector.models.lfv_mediator import LfvMediator
from darksector.models.lmu_ltau import LmuLtau
from darksector.models.muonphilic_scalar import MuonphilicScalar
from darksector.phasespace.two_body import Pair
from darksector.processes._electron_muon import VectorKernel, electron_to_muon
from darksector.processes.dimuon_gamma import DimuonGamma
from darksector.processes.dimuon_gamma_gamma import (
    DimuonGammaGamma,
    two_photon_amplitude,
)
from darksector.processes.dimuon_scalar import DimuonScalar
from darksector.processes.ditau_gamma import DitauGamma
from darksector.processes.ditau_scalar import DitauScalar
from darksector.processes.ditau_zprime import DitauZprime
from darksector.processes.emu_mediator import EmuMediator
from darksector.processes.fusion_alp import FusionAlp

E, MU, TAU = slow.M_E, slow.M_MU, slow.M_TAU
YUKAWA = 2.0 * TAU / 246.22
CHIRAL = LfvMediator(mass=3.0, g_emu=0.5, chirality_angle=0.7)
SCALAR = LfvMediator(mass=3.0, g_emu=0.5, spin=0, chirality_angle=0.7)

CASES = {
    "ditau_zprime": (
        DitauZprime(LmuLtau(mass=3.0, gprime=0.3)),
        partial(signals.pair_and_boson, lepton=TAU, mass=3.0, coupling=0.3, spin=1),
        (TAU, TAU, 3.0),
    ),
    "ditau_scalar": (
        DitauScalar(LeptophilicScalar(mass=3.0, xi=2.0)),
        partial(signals.pair_and_boson, lepton=TAU, mass=3.0, coupling=YUKAWA, spin=0),
        (TAU, TAU, 3.0),
    ),
    "dimuon_scalar": (
        DimuonScalar(MuonphilicScalar(mass=3.0, yukawa=0.3)),
        partial(signals.pair_and_boson, lepton=MU, mass=3.0, coupling=0.3, spin=0),
        (MU, MU, 3.0),
    ),
    "emu_mediator, chiral vector": (
        EmuMediator(CHIRAL),
        partial(signals.emu_mediator, mass=3.0, couplings=CHIRAL.couplings, spin=1),
        (MU, E, 3.0),
    ),
    "emu_mediator, chiral scalar": (
        EmuMediator(SCALAR),
        partial(signals.emu_mediator, mass=3.0, couplings=SCALAR.couplings, spin=0),
        (MU, E, 3.0),
    ),
    "fusion_alp": (
        FusionAlp(Alp(mass=3.0, g_agg=1e-3)),
        partial(signals.fusion_alp, coupling=1e-3),
        (E, E, 3.0),
    ),
    "ditau_gamma": (
        DitauGamma(),
        partial(signals.pair_gamma, lepton=TAU),
        (TAU, TAU, 0.0),
    ),
    "dimuon_gamma_gamma": (
        DimuonGammaGamma(),
        signals.dimuon_gamma_gamma,
        (MU, MU, 0.0, 0.0),
    ),
}


def slowly(twin, points, masses):
    all_masses = (E, E, *masses)
    events = [
        [slow.on_shell(p, m) for p, m in zip(event, all_masses, strict=True)]
        for event in points
    ]
    return np.array([twin(event) for event in events], dtype=float)


@pytest.mark.parametrize("name", CASES)
def test_squared_amplitude(name, wide_points):
    process, twin, masses = CASES[name]
    points = wide_points(masses, n=4)

    ours = process.msq(jnp.asarray(points))

    assert_allclose(ours, slowly(twin, points, masses), rtol=1e-9)


@pytest.mark.parametrize("name", ["emu_mediator, chiral vector", "fusion_alp"])
def test_squared_amplitude_at_the_peaks(name):
    """Points as generated: photon virtualities from 1e-11 GeV²."""
    process, twin, masses = CASES[name]
    machine = symmetric(10.58)
    generated = type(process)(process.model, isr=False).generate(8, machine, seed=2)
    beams = np.broadcast_to(np.stack([machine.p_her, machine.p_ler]), (8, 2, 4))
    points = np.concatenate([beams, np.asarray(generated.momenta)], axis=1)

    ours = process.msq(jnp.asarray(points))

    assert_allclose(ours, slowly(twin, points, masses), rtol=1e-4)


def test_relative_sign_of_electron_and_positron_matters(wide_points):
    """The comparison above would see a wrong sign."""
    _, twin, masses = CASES["emu_mediator, chiral vector"]
    points = wide_points(masses, n=1)

    right, wrong = (
        slowly(partial(twin, sign=sign), points, masses) for sign in (-1, 1)
    )

    assert wrong != pytest.approx(right, rel=1e-3)


def one_state(leg, state):
    return tuple(component[state] for component in leg)


@pytest.mark.parametrize("line", ["exchange", "annihilation"])
def test_current_of_the_changed_flavour_is_conserved(line, wide_points):
    """The photon's momentum in place of its current: both orders cancel to 1e-9."""
    points = wide_points((MU, E, 3.0), n=8)
    e_in, p_in, mu, positron, boson = (
        momentum(jnp.asarray(points[:, i])) for i in range(5)
    )
    lines = electron_to_muon(Pair(e_in, p_in), (mu, positron, boson))
    photon_momentum, column = {
        "exchange": (p_in - positron, fermion_in(e_in, E)),
        "annihilation": (p_in + e_in, antifermion_out(positron, E)),
    }[line]
    row = one_state(fermion_out(mu, MU), 0)
    numbers = {"even": 0.3, "odd": 0.8}
    wave = vector(momentum(jnp.asarray([[0.0, 0.6, 0.8, 0.3]])))
    emission = VectorKernel.vertex(numbers, wave)

    def contracted(v):
        absorbed = absorb(vector(v))
        return np.abs(
            getattr(lines, line)(row, one_state(column, 1), absorbed, emission)
        )

    other = momentum(jnp.asarray([[10.0, 1.0, -2.0, 3.0]]))
    assert (contracted(photon_momentum) < 1e-9 * contracted(other)).all()


@pytest.fixture
def four_body(wide_points):
    """Return external momenta of e+e- -> mu-mu+ gamma gamma far from every peak."""
    points = wide_points((MU, MU, 0.0, 0.0), n=8)
    return [momentum(jnp.asarray(points[:, i])) for i in range(6)]


def photon_pair(external, first, second):
    """Return |amplitude| for two polarisation vectors, and one state of each spin."""
    e_in, p_in, minus, plus, *_ = external
    amplitude = two_photon_amplitude(Pair(e_in, p_in), tuple(external[2:]), 0.0)
    ends = (
        one_state(fermion_out(minus, MU), 0),
        one_state(antifermion_out(plus, MU), 0),
    )
    beams = (one_state(fermion_in(e_in, E), 0), one_state(antifermion_in(p_in, E), 0))
    return np.abs(amplitude(*ends, first, second, *beams))


@pytest.mark.parametrize("which", [0, 1])
def test_photons_couple_to_a_conserved_current(which, four_body):
    """A photon's momentum in place of its polarisation: twenty diagrams cancel."""
    photons = four_body[4:]
    waves = [one_state(photon(k), 0) for k in photons]
    replaced = list(waves)
    replaced[which] = vector(photons[which])

    physical = photon_pair(four_body, *waves)
    longitudinal = photon_pair(four_body, *replaced) / photons[which].e

    assert (longitudinal < 1e-9 * physical.max()).all()


def test_photons_are_bosons(wide_points):
    points = wide_points((MU, MU, 0.0, 0.0), n=8)
    exchanged = points[:, [0, 1, 2, 3, 5, 4]]
    process = DimuonGammaGamma()

    ours, other = (process.msq(jnp.asarray(p)) for p in (points, exchanged))

    assert_allclose(ours, other, rtol=1e-12)


def test_soft_second_photon_factorises(wide_points):
    """|M|² -> -e² (Σ η p/(p·k))² |M(one photon)|² for photons of 1e-5 GeV; 1e-3."""
    energy, n = 1e-5, 8
    direction = np.random.default_rng(3).normal(size=(n, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    soft = energy * np.concatenate([np.ones((n, 1)), direction], axis=1)
    whole = wide_points((MU, MU, 0.0), n=1)
    rest = whole[:, :2].sum(axis=1) - soft
    mass = np.sqrt(rest[:, 0] ** 2 - (rest[:, 1:] ** 2).sum(axis=1))
    # energies of different directions agree: one hard final state in moving frames
    smaller = wide_points((MU, MU, 0.0), n=1, sqrt_s=mass[0])[0, 2:]
    frame = momentum(jnp.asarray(rest))
    hard = [boost(momentum(jnp.asarray(p)), frame).array() for p in smaller]

    beams = np.broadcast_to(whole[:, :2], (n, 2, 4))
    both = np.concatenate([beams, np.stack([*hard, soft], axis=1)], axis=1)
    one = DimuonGamma().msq(jnp.asarray(whole))
    ratio = DimuonGammaGamma().msq(jnp.asarray(both)) / one

    metric = np.diag([1.0, -1, -1, -1])
    charges = (1, -1, -1, 1)  # incoming e-, e+, outgoing mu-, mu+
    eikonal = sum(
        q * p / (soft @ metric @ p)[:, None]
        for q, p in zip(charges, whole[0, :4], strict=True)
    )
    size = -np.einsum("ni,ij,nj->n", eikonal, metric, eikonal)
    assert_allclose(ratio, float(slow.E2) * size, rtol=1e-3)
