"""Spin-correlated tau decays against the full amplitude e+e- -> 6 fermions.

The twin puts both taus on their mass shell and keeps their numerators, so that no spin
density matrix, no analyser and no frame appears in it.  V-A currents: Tsai 1971.
"""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
import qed_slow as slow
from numpy.testing import assert_allclose

from darksector.generators.tau import DIMENSION, rest_frame_decay, spin_weight
from darksector.kinematics import boost, dot, momentum, recoil_mass2
from darksector.machines import symmetric
from darksector.particles import MASS
from darksector.phasespace.channels import Pair
from darksector.processes.ditau import Ditau

EVENTS, SQRT_S = 6, 10.58
TAU, MU = MASS["tau"], MASS["mu"]


@pytest.fixture
def pairs(wide_points):
    """Return beams and taus in a frame with the beams along any axis, and decays."""
    points = jnp.asarray(wide_points((TAU, TAU), n=EVENTS, sqrt_s=SQRT_S))
    particles = [momentum(points[:, i]) for i in range(4)]
    u = jnp.asarray(np.random.default_rng(4).random((EVENTS, DIMENSION)))
    decays = rest_frame_decay(u[:, :5]), rest_frame_decay(u[:, 5:])
    return points, Pair(*particles[:2]), Pair(*particles[2:]), decays


def rate(decay):
    """Return (p_tau·p_nubar)(p_mu·p_nu) in the rest frame, up to a constant."""
    return decay.antineutrino.e * dot(decay.lepton, decay.neutrino)


def full_amplitude(beams, taus, minus, plus):
    """Return Σ|M|² over all spins; `minus`, `plus` list muon, its neutrino, tau's."""
    left = (slow.ONE - slow.GAMMA5) / 2
    (mu, nu_bar, nu), (mu_bar, nu_mu, nu_tau_bar) = minus, plus
    numerator = slow.slash(taus[0]) + TAU * slow.ONE
    anti_numerator = -slow.slash(taus[1]) + TAU * slow.ONE
    gamma_left = np.array([g @ left for g in slow.GAMMA])
    chain = np.einsum(
        "aij,jk,mkl,ln,bnp->ambip",
        *(gamma_left, numerator, slow.GAMMA, anti_numerator, gamma_left),
    )
    total = 0
    for spins in itertools.product((0, 1), repeat=8):
        a, b, c, d, e, f, g, h = spins
        source = slow.current(
            slow.bar(slow.v(beams[1], slow.M_E, b)), slow.u(beams[0], slow.M_E, a)
        )
        first = slow.bar(slow.u(mu, MU, c)) @ gamma_left @ slow.v(nu_bar, 0, d)
        second = slow.bar(slow.u(nu_mu, 0, e)) @ gamma_left @ slow.v(mu_bar, MU, f)
        line = np.einsum(
            "i,ambip,p->amb",
            slow.bar(slow.u(nu, 0, g)),
            chain,
            slow.v(nu_tau_bar, 0, h),
        )
        low = [slow.METRIC @ vector for vector in (first, source, second)]
        total += abs(np.einsum("amb,a,m,b", line, *low)) ** 2
    return float(total)


def test_correlated_rate_is_that_of_the_full_amplitude(pairs):
    """Point by point, up to one constant: 1e-8."""
    points, beams, taus, decays = pairs
    masses = (MU, 0.0, 0.0)
    lab = [
        [boost(p, tau).array() for p in decay[:3]]
        for tau, decay in zip(taus, decays, strict=True)
    ]
    twins = [
        full_amplitude(
            [slow.on_shell(p, slow.M_E) for p in points[i, :2]],
            [slow.on_shell(p, TAU) for p in points[i, 2:]],
            *(
                [slow.on_shell(p[i], m) for p, m in zip(side, masses, strict=True)]
                for side in lab
            ),
        )
        for i in range(EVENTS)
    ]

    weight = spin_weight(beams, taus, *(d.antineutrino for d in decays))
    ours = weight * Ditau().msq(points) * rate(decays[0]) * rate(decays[1])

    ratio = np.asarray(ours) / twins
    assert_allclose(ratio / ratio[0], 1, rtol=1e-8)
    assert np.ptp(np.asarray(weight)) > 0.5  # the correlation is not small


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
        beams, Pair(taus.slot(0), taus.slot(1)), *(d.antineutrino for d in decays)
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
    visible = sum(boost(d.lepton, taus.slot(i)).array() for i, d in enumerate(decays))
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
