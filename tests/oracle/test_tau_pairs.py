"""Pairs of decayed taus: correlations in closed form, other particles, whole samples.

The correlation of the energies of two pions: Tsai, Phys. Rev. D 4 (1971) 2821.
"""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
import qed_slow as slow
from numpy.testing import assert_allclose
from tau_pairs import (
    GAMMA,
    MACHINE,
    P_VALUE,
    SQRT_S,
    histogram_p_value,
    mean_p_value,
    tau_pairs,
)
from tau_slow import LEFT, PI

from darksector.amplitudes.spinors import antifermion_out, fermion_out, scalar
from darksector.errors import OutOfDomain, UnknownName
from darksector.events import Events
from darksector.generators import tau
from darksector.generators._tau_modes import MODES
from darksector.generators._tau_spin import spin_weight, to_laboratory
from darksector.generators.tau_production import (
    PRODUCTIONS,
    uncorrelated,
    with_scalar,
)
from darksector.kinematics import momentum, to_rest_frame
from darksector.models.leptophilic_scalar import LeptophilicScalar
from darksector.models.lmu_ltau import LmuLtau
from darksector.particles import MASS, PDG, ZPRIME
from darksector.phasespace.two_body import Pair
from darksector.processes.ditau import Ditau
from darksector.processes.ditau_gamma import DitauGamma
from darksector.processes.ditau_scalar import DitauScalar
from darksector.processes.ditau_zprime import DitauZprime

N = 1 << 17
M_TAU = MASS["tau"]


def direction(p):
    space = np.stack([p.x, p.y, p.z])
    return space / np.linalg.norm(space, axis=0)


@pytest.fixture(scope="module")
def pion_pairs():
    u = np.random.default_rng(3).random((N, tau.dimension(("pi", "pi"))))
    found = tau.decay(u, tau_pairs(N, seed=2), MACHINE, ("pi", "pi"))
    return found, np.asarray(found.weights) / MODES["pi"].branching ** 2


def pion_cosines(found):
    """Return cosines of both pions to their tau's flight, from the energies alone."""
    ratio = (MASS["pi+"] / M_TAU) ** 2
    energy, p = M_TAU / 2 * (1 + ratio), M_TAU / 2 * (1 - ratio)
    beta = np.sqrt(1 - 1 / GAMMA**2)
    energies = np.asarray(found.momenta[:, [0, 2], 0])
    return (energies / GAMMA - energy).T / (beta * p)


def test_pion_energy_of_unpolarised_taus_is_flat(pion_pairs):
    found, weights = pion_pairs
    for cosine in pion_cosines(found):
        edges, shares = np.linspace(-1 - 1e-9, 1 + 1e-9, 21), np.full(20, 1 / 20)
        assert histogram_p_value(cosine, weights, edges, shares) > P_VALUE


def test_correlation_of_the_pion_energies(pion_pairs):
    """¼ (1 + κ c₋c₊), κ = (2 - γ⁻²)/(2 + γ⁻²): opposite helicities 2γ² times as often."""
    found, weights = pion_pairs
    minus, plus = pion_cosines(found)
    kappa = (2 - GAMMA**-2) / (2 + GAMMA**-2)

    assert mean_p_value(9 * weights * minus * plus, kappa) > P_VALUE
    edges = np.linspace(-1 - 1e-9, 1 + 1e-9, 6)
    middle = (edges[1:] + edges[:-1]) / 2
    shares = (1 + kappa * np.outer(middle, middle)) / 25
    cell = 5 * np.digitize(minus, edges[1:-1]) + np.digitize(plus, edges[1:-1])
    p_value = histogram_p_value(cell, weights, np.arange(26) - 0.5, shares.ravel())
    assert p_value > P_VALUE


def scalar_production(beams, final, row, column):
    return [scalar(row, column)]


def test_production_of_a_process_replaces_annihilation(wide_points):
    """Taus of a scalar beside another particle: 1 + c₋c₊ - n₋⊥·n₊⊥, in their frame.

    Holds event by event, and the frame of the spins is that of all three particles.
    """
    points = jnp.asarray(wide_points((M_TAU, M_TAU, 1.0), n=64, sqrt_s=SQRT_S))[:, 2:]
    taus = Events(
        momenta=points,
        weights=jnp.ones(64),
        p_beams=points.sum(axis=1),
        pdg=(15, -15, 9900025),
    )
    u = np.random.default_rng(8).random((64, tau.dimension(("pi", "pi"))))

    found = tau.decay(u, taus, MACHINE, ("pi", "pi"), production=scalar_production)

    frame = taus.slot(0) + taus.slot(1)
    pions = []
    for slot, mother in ((0, 0), (2, 1)):
        flight = to_rest_frame(taus.slot(mother), frame)
        pion = to_rest_frame(to_rest_frame(found.slot(slot), frame), flight)
        pions.append(direction(pion))
    axis = direction(to_rest_frame(taus.slot(0), frame))
    along = (pions[0] * axis).sum(axis=0) * (pions[1] * axis).sum(axis=0)
    expected = 1 + 2 * along - (pions[0] * pions[1]).sum(axis=0)
    weights = np.asarray(found.weights) / MODES["pi"].branching ** 2
    assert weights == pytest.approx(expected, abs=1e-9)
    assert found.pdg == (-211, 16, 211, -16, 9900025)
    assert np.array_equal(found.momenta[:, 4], points[:, 2])


@pytest.mark.parametrize(
    ("process", "boson"),
    [
        (Ditau(), None),
        (DitauGamma(), 0.0),
        (DitauScalar(LeptophilicScalar(mass=2.0, xi=1.0)), 2.0),
        (DitauZprime(LmuLtau(mass=3.0, gprime=1.0)), 3.0),
    ],
    ids=["alone", "photon", "scalar", "vector"],
)
def test_amplitudes_of_all_tau_spins_are_the_process(process, boson, wide_points):
    """Σ over the spins ∝ |M|² of the process, point by point."""
    masses = (M_TAU, M_TAU) if boson is None else (M_TAU, M_TAU, boson)
    points = jnp.asarray(wide_points(masses, n=8, sqrt_s=SQRT_S))
    beams, final = external(points)
    rows, columns = fermion_out(final[0], M_TAU), antifermion_out(final[1], M_TAU)
    production = PRODUCTIONS[process.final_state[2:]]

    total = 0
    for a, b in itertools.product((0, 1), repeat=2):
        row, column = (tuple(c[i] for c in leg) for leg, i in ((rows, a), (columns, b)))
        for amplitude in production(beams, final, row, column):
            total = total + abs(np.asarray(amplitude)) ** 2

    ratio = total / np.asarray(process.msq(points))
    assert_allclose(ratio / ratio[0], 1, rtol=1e-9)


def external(points):
    particles = [momentum(points[:, i]) for i in range(points.shape[1])]
    return Pair(*particles[:2]), tuple(particles[2:])


def full_amplitude_with_scalar(points, pions, neutrinos):
    """Return Σ|M|² of e+e- → τ-τ+S, both τ → π ν, taus on their mass shell."""
    electron, positron, minus, plus, k = points
    line, anti_line = slow.slash(minus) + M_TAU * slow.ONE, M_TAU * slow.ONE
    anti_line = anti_line - slow.slash(plus)
    before = slow.propagator(minus + k, M_TAU) @ slow.GAMMA
    after = slow.GAMMA @ slow.propagator(-plus - k, M_TAU)
    hadrons = [np.einsum("a,aij", slow.METRIC @ pion, LEFT) for pion in pions]
    chain = hadrons[0] @ line @ (before + after) @ anti_line @ hadrons[1]
    total = 0
    for a, b, c, d in itertools.product((0, 1), repeat=4):
        sink = slow.bar(slow.u(neutrinos[0], 0, a)) @ chain @ slow.v(neutrinos[1], 0, b)
        source = slow.current(
            slow.bar(slow.v(positron, slow.M_E, c)), slow.u(electron, slow.M_E, d)
        )
        total += abs(slow.dot(sink, source)) ** 2
    return float(total)


def test_correlation_beside_a_scalar_is_that_of_the_full_amplitude(wide_points):
    points = wide_points((M_TAU, M_TAU, 2.0), n=6, sqrt_s=SQRT_S)
    beams, final = external(jnp.asarray(points))
    taus = Events(
        momenta=jnp.asarray(points[:, 2:]),
        weights=jnp.ones(6),
        p_beams=jnp.asarray(points[:, 2:].sum(axis=1)),
        pdg=(PDG["tau"], -PDG["tau"], PDG["S"]),
    )
    u = jnp.asarray(np.random.default_rng(8).random((6, 4)))
    rest = [tau.rest_frame_decay(part, MODES["pi"]) for part in (u[:, :2], u[:, 2:])]
    weight = spin_weight(beams, final, *(d.analyser for d in rest), with_scalar)
    masses = (slow.M_E, slow.M_E, M_TAU, M_TAU, 2.0)

    twins = []
    products = [
        np.asarray(to_laboratory(i, d.products, taus.momenta))
        for i, d in enumerate(rest)
    ]
    for i in range(6):
        on_shell = [slow.on_shell(p, m) for p, m in zip(points[i], masses, strict=True)]
        pions = [slow.on_shell(side[i, 0], PI) for side in products]
        neutrinos = [slow.on_shell(side[i, 1], 0.0) for side in products]
        twins.append(full_amplitude_with_scalar(on_shell, pions, neutrinos))

    process = DitauScalar(LeptophilicScalar(mass=2.0, xi=1.0))
    ratio = np.asarray(weight * process.msq(jnp.asarray(points))) / twins
    assert_allclose(ratio / ratio[0], 1, rtol=1e-9)
    assert np.ptp(np.asarray(weight)) > 0.3


@pytest.mark.parametrize("code", [PDG["gamma"], ZPRIME])
def test_taus_are_found_in_any_slot(code, wide_points):
    """Another order of the slots is the same event."""
    mass = 0.0 if code == PDG["gamma"] else 1.5
    points = jnp.asarray(wide_points((M_TAU, M_TAU, mass), n=16, sqrt_s=SQRT_S))[:, 2:]
    u = np.random.default_rng(8).random((16, tau.dimension(("mu", "pi"))))
    found = []
    for order in ([0, 1, 2], [2, 1, 0]):
        taus = Events(
            momenta=points[:, np.array(order)],
            weights=jnp.ones(16),
            p_beams=points.sum(axis=1),
            pdg=tuple((15, -15, code)[i] for i in order),
        )
        found.append(tau.decay(u, taus, MACHINE, ("mu", "pi")))

    assert found[0].pdg == found[1].pdg == (13, -14, 16, 211, -16, code)
    assert_allclose(found[0].momenta, found[1].momenta, atol=1e-12)
    assert_allclose(found[0].weights, found[1].weights, rtol=1e-9)


def test_uncorrelated_taus_have_weights_of_one():
    taus = tau_pairs(64, seed=2)
    u = np.random.default_rng(3).random((64, 4))

    found = tau.decay(u, taus, MACHINE, ("pi", "pi"), production=uncorrelated)

    ratio = np.asarray(found.weights / taus.weights) / MODES["pi"].branching ** 2
    assert_allclose(ratio, 1, rtol=1e-12)


def test_events_keep_momentum_beams_and_codes():
    taus = tau_pairs(1024, seed=5)
    u = np.random.default_rng(6).random((1024, tau.dimension(("3pi", "rho"))))

    found = tau.decay(u, taus, MACHINE, ("3pi", "rho"))

    assert found.pdg == (-211, -211, 211, 16, 211, 111, -16)
    assert np.asarray(found.momenta.sum(axis=1)) == pytest.approx(
        np.asarray(taus.p_beams), abs=1e-9
    )


def test_samples_share_the_events_among_all_pairs_of_modes():
    taus = tau_pairs(256, seed=5)
    covered = sum(mode.branching for mode in MODES.values())

    found = list(tau.samples(taus, MACHINE, seed=1))

    assert sum(len(sample.weights) for sample in found) == 256
    assert len({sample.pdg for sample in found}) == len(found) > 10
    weights = np.concatenate([np.asarray(sample.weights) for sample in found])
    assert mean_p_value(weights / covered**2, 1) > P_VALUE
    assert sum(tau.mode_pairs().values()) == pytest.approx(covered**2)


def wrong_call(**changes):
    taus = tau_pairs(4, seed=1)
    arguments = {"u": np.zeros((4, 4)), "modes": ("pi", "pi"), "pdg": taus.pdg}
    arguments |= changes
    momenta = jnp.zeros((4, len(arguments["pdg"]), 4))
    events = Events(
        momenta=momenta,
        weights=taus.weights,
        p_beams=taus.p_beams,
        pdg=arguments["pdg"],
        mothers=arguments.get("mothers", ()),
    )
    return tau.decay(arguments["u"], events, MACHINE, arguments["modes"])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"modes": ("pi", "rh")}, UnknownName, "tau decay mode is called 'rh'"),
        ({"u": np.zeros((4, 5))}, OutOfDomain, "take 4 numbers"),
        ({"pdg": (15, 13)}, OutOfDomain, "one tau-"),
        ({"pdg": (15, -15, 22, 22)}, OutOfDomain, "production"),
        ({"pdg": (15, -15), "mothers": (-1, -1)}, OutOfDomain, "decay the taus first"),
    ],
    ids=["mode", "numbers", "no pair", "more particles", "decayed"],
)
def test_what_cannot_be_decayed_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        wrong_call(**changes)
