"""Spin-correlated tau decays against the full amplitude of e+e- -> tau tau -> products.

The twin puts both taus on their mass shell and keeps their numerators, so that no spin
density matrix, no analyser and no frame appears in it.  V-A currents: Tsai 1971; current
of three pions: Kühn and Santamaria 1990.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import qed_slow as slow
from numpy.testing import assert_allclose
from tau_slow import MASSES, full_amplitude

from darksector.generators._tau_modes import MODES
from darksector.generators._tau_spin import spin_weight
from darksector.generators.tau import DIMENSION, rest_frame_decay
from darksector.kinematics import boost, dot, momentum, recoil_mass2
from darksector.machines import symmetric
from darksector.particles import MASS
from darksector.phasespace.two_body import Pair
from darksector.processes.ditau import Ditau

EVENTS, SQRT_S = 6, 10.58
TAU, MU = MASS["tau"], MASS["mu"]


def rate(name, decay):
    """Return the squared amplitude of a decay in the rest frame, up to a constant."""
    if name in ("e", "mu"):
        lepton, antineutrino, neutrino = decay.products
        return antineutrino.e * dot(lepton, neutrino)
    return decay.analyser.e


def amplitudes_of(modes, points, taus, decays):
    """Return the slow amplitude of each event from its momenta."""
    lab = [
        [boost(p, tau).array() for p in decay.products]
        for tau, decay in zip(taus, decays, strict=True)
    ]
    return [
        full_amplitude(
            [slow.on_shell(p, slow.M_E) for p in points[i, :2]],
            [slow.on_shell(p, TAU) for p in points[i, 2:]],
            modes,
            [
                [
                    slow.on_shell(p[i], m)
                    for p, m in zip(side, MASSES[name], strict=True)
                ]
                for side, name in zip(lab, modes, strict=True)
            ],
        )
        for i in range(EVENTS)
    ]


@pytest.mark.parametrize(
    "modes",
    [
        ("mu", "mu"),
        ("pi", "pi"),
        ("e", "pi"),
        ("K", "rho"),
        ("rho", "mu"),
        ("3pi", "pi"),
        ("pi2pi0", "3pi"),
        ("Kpi0", "pi2pi0"),
    ],
    ids=" ".join,
)
def test_correlated_rate_is_that_of_the_full_amplitude(modes, wide_points):
    """Point by point, up to one constant: 1e-9; beams along any axis."""
    points = jnp.asarray(wide_points((TAU, TAU), n=EVENTS, sqrt_s=SQRT_S))
    particles = [momentum(points[:, i]) for i in range(4)]
    beams, taus = Pair(*particles[:2]), Pair(*particles[2:])
    rng = np.random.default_rng(4)
    decays = [
        rest_frame_decay(
            jnp.asarray(rng.random((EVENTS, MODES[name].dimension))),
            MODES[name],
            charge=charge,
        )
        for name, charge in zip(modes, (-1, 1), strict=True)
    ]
    twins = amplitudes_of(modes, points, taus, decays)

    weight = spin_weight(beams, taus, *(d.analyser for d in decays))
    ours = weight * Ditau().msq(points)
    for name, decay in zip(modes, decays, strict=True):
        ours = ours * rate(name, decay)

    ratio = np.asarray(ours) / twins
    assert_allclose(ratio / ratio[0], 1, rtol=1e-9)
    assert np.ptp(np.asarray(weight)) > 0.3  # the correlation is not small
    assert float(weight.min()) >= 0
    assert float(weight.max()) <= 2 + 1e-12


def test_mean_spin_weight_is_one():
    """Averaged over the decays nothing is left of the correlation."""
    n = 1 << 15
    taus = Ditau(isr=False).generate(n, symmetric(SQRT_S), seed=1)
    machine = symmetric(SQRT_S)
    beams = Pair(
        *(
            momentum(jnp.broadcast_to(jnp.asarray(p), (n, 4)))
            for p in (machine.p_her, machine.p_ler)
        )
    )
    u = jnp.asarray(np.random.default_rng(9).random((n, DIMENSION)))
    decays = [rest_frame_decay(u[:, :5]), rest_frame_decay(u[:, 5:])]

    weight = spin_weight(
        beams, Pair(taus.slot(0), taus.slot(1)), *(d.analyser for d in decays)
    )

    weight = np.asarray(weight * decays[0].weight * decays[1].weight)
    error = weight.std() / np.sqrt(n)
    assert error < 0.01
    assert abs(weight.mean() - 1) < 3 * error


def michel_recoil_mass(n, seed):
    """Return recoil masses against both muons, GeV, drawn by rejection.

    Michel spectrum with the muon mass and rho = 3/4 (PDG, muon decay parameters, eq. 2):
    √(x²-x₀²) [x(1-x) + (2/9)ρ(4x²-3x-x₀²)], unpolarised; both taus along z.
    """
    rng = np.random.default_rng(seed)
    top = (TAU**2 + MU**2) / (2 * TAU)
    x0 = MU / top

    def lepton():
        kept = np.empty(0)
        while len(kept) < n:
            x, y = rng.uniform(x0, 1, 4 * n), rng.uniform(0, 0.2, 4 * n)
            shape = x * (1 - x) + (4 * x**2 - 3 * x - x0**2) / 6
            kept = np.concatenate([kept, x[y < np.sqrt(x**2 - x0**2) * shape]])
        energy, cosine = top * kept[:n], rng.uniform(-1, 1, n)
        p, phi = np.sqrt(energy**2 - MU**2), rng.uniform(0, 2 * np.pi, n)
        gamma = SQRT_S / (2 * TAU)
        sine = p * np.sqrt(1 - cosine**2)
        return np.array(
            [
                gamma * energy + np.sqrt(gamma**2 - 1) * p * cosine,
                sine * np.cos(phi),
                sine * np.sin(phi),
                gamma * p * cosine + np.sqrt(gamma**2 - 1) * energy,
            ]
        )

    visible = lepton() + lepton() * np.array([[1], [1], [1], [-1]])
    mass2 = (SQRT_S - visible[0]) ** 2 - (visible[1:] ** 2).sum(axis=0)
    return np.sqrt(mass2)


@pytest.fixture(scope="module")
def recoils():
    """Return the recoil masses of the twin, and ours with their weights."""
    n = 1 << 18
    taus = Ditau(isr=False).generate(n, symmetric(SQRT_S), seed=11)
    u = jnp.asarray(np.random.default_rng(11).random((n, DIMENSION)))
    decays = [rest_frame_decay(u[:, :5]), rest_frame_decay(u[:, 5:])]
    visible = sum(
        boost(d.products[0], taus.slot(i)).array() for i, d in enumerate(decays)
    )
    weight = np.asarray(taus.weights * decays[0].weight * decays[1].weight)
    mass = np.sqrt(np.asarray(recoil_mass2(taus.p_beams, visible)))
    return michel_recoil_mass(n, seed=3), mass, weight


@pytest.mark.parametrize("limit", [3.0, 5.0, 6.7, 9.0])
def test_recoil_mass_of_ditau_follows_the_michel_spectrum(limit, recoils):
    """P(M_rec < limit) without spin correlation, within three combined errors."""
    slow_mass, mass, weight = recoils

    twin = (slow_mass < limit).mean()
    ours = weight[mass < limit].sum() / weight.sum()

    effective = weight.sum() ** 2 / (weight**2).sum()
    error = np.sqrt(twin * (1 - twin) * (1 / slow_mass.size + 1 / effective))
    assert abs(ours - twin) < 3 * error
