"""Slow twin of the signals: `qed_slow` with scalars, axial vectors and more photons.

Every diagram is written out; photons and massive vectors are summed with their tensors.
"""

from __future__ import annotations

import itertools

import numpy as np
from qed_slow import (
    E2,
    GAMMA,
    GAMMA5,
    M_E,
    M_MU,
    METRIC,
    ONE,
    SPINS,
    bar,
    current,
    dot,
    propagator,
    sandwich,
    two_vertices,
    u,
    v,
)


def vector_tensor(k, mass):
    """Return Σ ε ε* of a massive vector, both indices down."""
    low = METRIC @ k
    return -METRIC + np.outer(low, low) / np.longdouble(mass) ** 2


def pair_and_boson(momenta, lepton, mass, coupling, *, spin):
    """Return |M|² of e-(1) e+(2) -> l-(3) l+(4) X(5), X off either lepton."""
    p1, p2, p3, p4, k = momenta
    s = dot(p1 + p2, p1 + p2)
    vertices = GAMMA if spin == 1 else ONE[None]
    tensor = vector_tensor(k, mass) if spin == 1 else np.ones((1, 1))
    before, after = propagator(p3 + k, lepton), propagator(-p4 - k, lepton)
    line = np.array(
        [[x @ before @ gamma + gamma @ after @ x for x in vertices] for gamma in GAMMA]
    )
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        source = METRIC @ current(bar(v(p2, M_E, b)), u(p1, M_E, a)) / s
        made = source @ sandwich(bar(u(p3, lepton, c)), line, v(p4, lepton, d))
        total += (made @ tensor @ made.conj()).real
    return E2**2 * coupling**2 * total / 4


def pair_gamma(momenta, lepton):
    """Return |M|² of e-(1) e+(2) -> l-(3) l+(4) gamma(5): four diagrams."""
    p1, p2, p3, p4, k = momenta
    s, s_pair = dot(p1 + p2, p1 + p2), dot(p3 + p4, p3 + p4)
    leptons = two_vertices(-p4, lepton, p1 + p2, -k)
    electrons = two_vertices(p1, M_E, -(p3 + p4), -k)
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        e_in, p_in = u(p1, M_E, a), bar(v(p2, M_E, b))
        out, back = bar(u(p3, lepton, c)), v(p4, lepton, d)
        made = METRIC @ current(out, back) / s_pair
        source = METRIC @ current(p_in, e_in) / s
        amplitude = source @ sandwich(out, leptons, back)
        amplitude = amplitude + made @ sandwich(p_in, electrons, e_in)
        total += -(amplitude @ METRIC @ amplitude.conj()).real
    return E2**3 * total / 4


def emu_mediator(momenta, mass, couplings, *, spin, sign=-1):
    """Return |M|² of e-(1) e+(2) -> mu-(3) e+(4) X(5): four diagrams."""
    p1, p2, p3, p4, k = momenta
    even, odd = couplings
    if spin == 1:
        vertices = [gamma @ (even * ONE + odd * GAMMA5) for gamma in GAMMA]
        tensor = vector_tensor(k, mass)
    else:  # the conjugate of e-bar (a + b γ5) mu
        vertices, tensor = [even * ONE - odd * GAMMA5], np.ones((1, 1))
    t, s = dot(p2 - p4, p2 - p4), dot(p1 + p2, p1 + p2)
    electron, muon = propagator(p3 + k, M_E), propagator(p1 - k, M_MU)
    exchange = np.array(
        [[x @ electron @ g + g @ muon @ x for x in vertices] for g in GAMMA]
    )
    muon = propagator(-p4 - k, M_MU)
    annihilation = np.array(
        [[x @ electron @ g + g @ muon @ x for x in vertices] for g in GAMMA]
    )
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        e_in, p_in = u(p1, M_E, a), bar(v(p2, M_E, b))
        mu_out, p_out = bar(u(p3, M_MU, c)), v(p4, M_E, d)
        turned = METRIC @ current(p_in, p_out) / t
        annihilated = METRIC @ current(p_in, e_in) / s
        made = turned @ sandwich(mu_out, exchange, e_in)
        made = made + sign * annihilated @ sandwich(mu_out, annihilation, p_out)
        total += (made @ tensor @ made.conj()).real
    return E2**2 * total / 4


def levi_civita():
    """Return the totally antisymmetric tensor."""
    tensor = np.zeros((4, 4, 4, 4))
    for order in itertools.permutations(range(4)):
        tensor[order] = np.linalg.det(np.eye(4)[list(order)])
    return tensor


def fusion_alp(momenta, coupling):
    """Return |M|² of e-(1) e+(2) -> e-(3) e+(4) a(5) by two spacelike photons."""
    p1, p2, p3, p4, _ = momenta
    q1, q2, tensor = p1 - p3, p2 - p4, levi_civita()
    vertex = np.einsum("mnrs,r,s->mn", tensor, q1, q2)
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        first = current(bar(u(p3, M_E, c)), u(p1, M_E, a)) / dot(q1, q1)
        second = current(bar(v(p2, M_E, b)), v(p4, M_E, d)) / dot(q2, q2)
        total += abs(first @ vertex @ second) ** 2
    return E2**2 * coupling**2 * total / 4


def three_vertices(p_in, mass, *incoming):
    """Return the matrices [mu, nu, rho] of a line with three vectors in six orders."""
    total = np.zeros((4, 4, 4, 4, 4), dtype=np.clongdouble)
    for order in itertools.permutations(range(3)):
        first, second, third = order
        after_first = propagator(p_in + incoming[first], mass)
        after_second = propagator(p_in + incoming[first] + incoming[second], mass)
        line = np.einsum(
            "aij,jk,bkl,lm,cmn->abcin",
            *(GAMMA, after_second, GAMMA, after_first, GAMMA),
        )
        axes = {third: 0, second: 1, first: 2}
        total += np.transpose(line, [axes[0], axes[1], axes[2], 3, 4])
    return total


def dimuon_gamma_gamma(momenta):
    """Return |M|² of e-(1) e+(2) -> mu-(3) mu+(4) gamma(5) gamma(6): twenty diagrams."""
    p1, p2, p3, p4, k1, k2 = momenta
    incoming, pair = p1 + p2, p3 + p4
    s, s_pair = dot(incoming, incoming), dot(pair, pair)
    muons = three_vertices(-p4, M_MU, incoming, -k1, -k2)
    electrons = three_vertices(p1, M_E, -pair, -k1, -k2)
    mixed = []
    for mine, other in ((k1, k2), (k2, k1)):
        q = incoming - mine
        off_beams = two_vertices(p1, M_E, -q, -mine)
        off_muons = two_vertices(-p4, M_MU, q, -other)
        mixed.append((off_beams, off_muons, dot(q, q)))
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        e_in, p_in = u(p1, M_E, a), bar(v(p2, M_E, b))
        mu_out, mu_back = bar(u(p3, M_MU, c)), v(p4, M_MU, d)
        source = METRIC @ current(p_in, e_in) / s
        made = METRIC @ current(mu_out, mu_back) / s_pair
        tensor = np.einsum("m,mnrij,i,j->nr", source, muons, mu_out, mu_back)
        tensor = tensor + np.einsum("m,mnrij,i,j->nr", made, electrons, p_in, e_in)
        for transposed, (off_beams, off_muons, q2) in enumerate(mixed):
            beams = METRIC @ sandwich(p_in, off_beams, e_in) / q2
            term = beams.T @ sandwich(mu_out, off_muons, mu_back)
            tensor = tensor + (term.T if transposed else term)
        lowered = METRIC @ tensor @ METRIC
        total += (lowered * tensor.conj()).sum().real
    return E2**4 * total / 4
