"""Slow twin of the squared amplitudes: Dirac matrices, one event, a loop over the spins.

Dirac representation (the package has the chiral one), 80-bit numbers, vectors summed with
their polarisation tensor (the package has polarisation vectors), every diagram written
out, and the sign between identical electrons from exchanging two rows.
Feynman rules: Peskin and Schroeder, appendix A.1, with q = -e for every lepton.
"""

from __future__ import annotations

import itertools

import numpy as np

METRIC = np.diag([1, -1, -1, -1]).astype(np.longdouble)
E2 = 4 * np.pi / np.longdouble("137.035999")
M_E, M_MU, M_TAU = 0.51099895e-3, 0.1056583755, 1.77686
SPINS = (0, 1)


def _gamma():
    one, zero = np.eye(2), np.zeros((2, 2))
    pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    matrices = [np.block([[one, zero], [zero, -one]])]
    matrices += [np.block([[zero, s], [-s, zero]]) for s in pauli]
    return np.array(matrices).astype(np.clongdouble)


GAMMA = _gamma()
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
ONE = np.eye(4, dtype=np.clongdouble)


def dot(a, b):
    return a @ METRIC @ b


def slash(p):
    return np.einsum("m,mij->ij", METRIC @ p, GAMMA)


def on_shell(p, mass):
    """Return a momentum in 80 bits, with the energy that its mass asks for."""
    p = np.asarray(p).astype(np.longdouble)
    return np.concatenate([[np.sqrt(np.longdouble(mass) ** 2 + p[1:] @ p[1:])], p[1:]])


def u(p, mass, spin):
    return (slash(p) + mass * ONE)[:, spin] / np.sqrt(p[0] + mass)


def v(p, mass, spin):
    return (mass * ONE - slash(p))[:, 2 + spin] / np.sqrt(p[0] + mass)


def bar(spinor):
    return spinor.conj() @ GAMMA[0]


def current(row, column):
    return np.array([row @ gamma @ column for gamma in GAMMA])


def propagator(p, mass):
    return (slash(p) + mass * ONE) / (dot(p, p) - np.longdouble(mass) ** 2)


def two_vertices(p_in, mass, k_first, k_second):
    """Return the matrices [mu, nu] of a line that absorbs two vectors in both orders."""
    after_second = propagator(p_in + k_second, mass)
    after_first = propagator(p_in + k_first, mass)
    return np.array(
        [
            [
                GAMMA[mu] @ after_second @ GAMMA[nu]
                + GAMMA[nu] @ after_first @ GAMMA[mu]
                for nu in range(4)
            ]
            for mu in range(4)
        ]
    )


def sandwich(row, matrices, column):
    return np.einsum("i,mnij,j->mn", row, matrices, column)


def pair(momenta, mass):
    """Return |M|² of e-(1) e+(2) -> f(3) f̄(4)."""
    p1, p2, p3, p4 = momenta
    s = dot(p1 + p2, p1 + p2)
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        electrons = current(bar(v(p2, M_E, b)), u(p1, M_E, a))
        fermions = current(bar(u(p3, mass, c)), v(p4, mass, d))
        total += abs(dot(electrons, fermions) / s) ** 2
    return E2**2 * total / 4


def dimuon_gamma(momenta):
    """Return |M|² of e-(1) e+(2) -> mu-(3) mu+(4) gamma(5): four diagrams."""
    p1, p2, p3, p4, k = momenta
    s, s_pair = dot(p1 + p2, p1 + p2), dot(p3 + p4, p3 + p4)
    muons = two_vertices(-p4, M_MU, p1 + p2, -k)
    electrons = two_vertices(p1, M_E, -(p3 + p4), -k)
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        column_e, row_e = u(p1, M_E, a), bar(v(p2, M_E, b))
        row_mu, column_mu = bar(u(p3, M_MU, c)), v(p4, M_MU, d)
        produced = METRIC @ current(row_mu, column_mu) / s_pair
        annihilated = METRIC @ current(row_e, column_e) / s
        amplitude = annihilated @ sandwich(row_mu, muons, column_mu)
        amplitude = amplitude + produced @ sandwich(row_e, electrons, column_e)
        total += -(amplitude @ METRIC @ amplitude.conj()).real
    return E2**3 * total / 4


def dimuon_zprime(momenta, mass, coupling):
    """Return |M|² of e-(1) e+(2) -> mu-(3) mu+(4) Z'(5): two diagrams."""
    p1, p2, p3, p4, k = momenta
    s = dot(p1 + p2, p1 + p2)
    muons = two_vertices(-p4, M_MU, p1 + p2, -k)
    k_low = METRIC @ k
    tensor = -METRIC + np.outer(k_low, k_low) / np.longdouble(mass) ** 2
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        annihilated = METRIC @ current(bar(v(p2, M_E, b)), u(p1, M_E, a)) / s
        line = sandwich(bar(u(p3, M_MU, c)), muons, v(p4, M_MU, d))
        amplitude = annihilated @ line
        total += (amplitude @ tensor @ amplitude.conj()).real
    return E2**2 * coupling**2 * total / 4


def electron_lines(row_a, p_a, row_b, p_b, ends):
    """Return what two electron lines into `row_a` and `row_b` and a muon line make.

    `p_a`, `p_b` are the momenta that leave with the arrows; six diagrams.
    """
    (column_1, p_1), (column_2, p_2), (row_mu, column_mu, p3, p4) = ends
    q_a, q_b, pair_momentum = p_1 - p_a, p_2 - p_b, p3 + p4
    from_a = METRIC @ current(row_a, column_1) / dot(q_a, q_a)
    from_b = METRIC @ current(row_b, column_2) / dot(q_b, q_b)
    muons = current(row_mu, column_mu) / dot(pair_momentum, pair_momentum)
    muons = METRIC @ muons
    middle = sandwich(row_mu, two_vertices(-p4, M_MU, q_a, q_b), column_mu)
    off_a = sandwich(row_a, two_vertices(p_1, M_E, q_b, -pair_momentum), column_1)
    off_b = sandwich(row_b, two_vertices(p_2, M_E, q_a, -pair_momentum), column_2)
    return from_a @ middle @ from_b + from_b @ off_a @ muons + from_a @ off_b @ muons


def two_photon_dimuon(momenta, *, sign=-1):
    """Return |M|² of e-(1) e+(2) -> e-(3) e+(4) mu-(5) mu+(6): twelve diagrams."""
    p1, p2, p3, p4, p5, p6 = momenta
    total = 0
    for a, b, c, d, e, f in itertools.product(SPINS, repeat=6):
        muons = bar(u(p5, M_MU, e)), v(p6, M_MU, f), p5, p6
        ends = (u(p1, M_E, a), p1), (v(p4, M_E, d), -p4), muons
        out, back = (bar(u(p3, M_E, c)), p3), (bar(v(p2, M_E, b)), -p2)
        amplitude = electron_lines(*out, *back, ends)
        amplitude = amplitude + sign * electron_lines(*back, *out, ends)
        total += abs(amplitude) ** 2
    return E2**4 * total / 4


def bhabha(momenta, *, sign=-1):
    """Return |M|² of e-(1) e+(2) -> e-(3) e+(4), built like `two_photon_dimuon`."""
    p1, p2, p3, p4 = momenta
    t, s = dot(p1 - p3, p1 - p3), dot(p1 + p2, p1 + p2)
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        column_1, column_2 = u(p1, M_E, a), v(p4, M_E, d)
        out, back = bar(u(p3, M_E, c)), bar(v(p2, M_E, b))
        exchange = dot(current(out, column_1), current(back, column_2)) / t
        annihilation = dot(current(back, column_1), current(out, column_2)) / s
        total += abs(exchange + sign * annihilation) ** 2
    return E2**2 * total / 4


def _levi_civita():
    tensor = np.zeros((4, 4, 4, 4), dtype=np.longdouble)
    for order in itertools.permutations(range(4)):
        swaps = sum(a > b for a, b in itertools.combinations(order, 2))
        tensor[order] = (-1) ** swaps
    return tensor


LEVI_CIVITA = _levi_civita()


def polarisations(k, mass):
    """Return what stands for the sum over polarisations, lower indices."""
    if mass == 0:
        return -METRIC
    low = METRIC @ k
    return -METRIC + np.outer(low, low) / np.longdouble(mass) ** 2


def photon_and_vector(momenta, mass, coupling):
    """Return |M|² of e-(1) e+(2) -> gamma(3) V(4): two diagrams."""
    p1, p2, k, q = momenta
    electrons = two_vertices(p1, M_E, -q, -k)
    photons, vectors = polarisations(k, 0), polarisations(q, mass)
    total = 0
    for a, b in itertools.product(SPINS, repeat=2):
        line = sandwich(bar(v(p2, M_E, b)), electrons, u(p1, M_E, a))
        total += np.einsum("mn,rs,mr,ns->", line, line.conj(), vectors, photons).real
    return E2 * coupling**2 * total / 4


def photon_and_pseudoscalar(momenta, coupling):
    """Return |M|² of e-(1) e+(2) -> gamma(3) a(4) for L = -(g/4) a F F̃."""
    p1, p2, k, _ = momenta
    q = p1 + p2
    vertex = np.einsum("mnrs,r,s->mn", LEVI_CIVITA, q, k)
    total = 0
    for a, b in itertools.product(SPINS, repeat=2):
        electrons = current(bar(v(p2, M_E, b)), u(p1, M_E, a)) / dot(q, q)
        made = electrons @ vertex
        total += -(made @ METRIC @ made.conj()).real
    return E2 * coupling**2 * total / 4


def aprime_higgs(momenta, mass, coupling):
    """Return |M|² of e-(1) e+(2) -> A'(3) h'(4); `coupling` is 2 g_D ε e."""
    p1, p2, k, _ = momenta
    virtual = dot(p1 + p2, p1 + p2) - np.longdouble(mass) ** 2
    tensor, total = polarisations(k, mass), 0
    for a, b in itertools.product(SPINS, repeat=2):
        made = current(bar(v(p2, M_E, b)), u(p1, M_E, a)) * mass / virtual
        total += (made @ tensor @ made.conj()).real
    return coupling**2 * total / 4


def chiral_pair(momenta, mass, axial):
    """Return |M|² of e-(1) e+(2) -> f(3) f̄(4), f with a vector or an axial current."""
    p1, p2, p3, p4 = momenta
    s = dot(p1 + p2, p1 + p2)
    vertex = GAMMA5 if axial else ONE
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        electrons = current(bar(v(p2, M_E, b)), u(p1, M_E, a))
        fermions = current(bar(u(p3, mass, c)), vertex @ v(p4, mass, d))
        total += abs(dot(electrons, fermions) / s) ** 2
    return E2**2 * total / 4


def pair_currents(kind, p, p_bar, mass, heavier):
    """Return the currents of a produced pair, one for each of its spin states."""
    if kind == "scalar":
        return [p - p_bar]
    vertex = GAMMA5 if kind == "majorana" else ONE
    return [
        current(bar(u(p, mass, a)), vertex @ v(p_bar, heavier, b))
        for a, b in itertools.product(SPINS, repeat=2)
    ]


def photon_and_pair(momenta, kind, masses, pole):
    """Return |M|² over e² and couplings of e-(1) e+(2) -> gamma(3) χ(4) χ̄(5).

    `masses` are those of the pair, `pole` is mass and width of the vector.
    """
    p1, p2, k, p, p_bar = momenta
    q, (mass, width) = p + p_bar, pole
    electrons = two_vertices(p1, M_E, -q, -k)
    denominator = dot(q, q) - np.longdouble(mass) ** 2 + 1j * mass * width
    total = 0
    for made in pair_currents(kind, p, p_bar, *masses):
        for a, b in itertools.product(SPINS, repeat=2):
            line = sandwich(bar(v(p2, M_E, b)), electrons, u(p1, M_E, a))
            emitted = (METRIC @ made) @ line / denominator
            total += -(emitted @ METRIC @ emitted.conj()).real
    return E2 * total / 4
