"""Slow twins with more identical particles: 3 photons, e e gamma, e e e e.

Written as `qed_slow`, of which they use the matrices: 80-bit numbers, every order of the
vertices written out, photons summed with their polarisation tensor, and the signs between
identical electrons from the permutation of the rows.
"""

from __future__ import annotations

import itertools

import numpy as np
from qed_slow import (
    E2,
    GAMMA,
    M_E,
    METRIC,
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


def triphoton(momenta):
    """Return |M|² of e-(1) e+(2) -> gamma(3) gamma(4) gamma(5): six diagrams."""
    p1, p2, *photons = momenta
    tensor = np.zeros((4, 4, 4, 4, 4), dtype=np.clongdouble)
    for order in itertools.permutations(range(3)):
        first, second, _ = (photons[i] for i in order)
        one, two = propagator(p1 - first, M_E), propagator(p1 - first - second, M_E)
        chain = np.einsum("cij,jk,bkl,lm,amn->abcin", GAMMA, two, GAMMA, one, GAMMA)
        # axis number `place` of the chain belongs to the photon order[place]
        tensor += np.transpose(chain, (*np.argsort(order), 3, 4))
    signs = np.einsum("a,b,c->abc", *[-np.diag(METRIC)] * 3)
    total = 0
    for a, b in itertools.product(SPINS, repeat=2):
        row, column = bar(v(p2, M_E, b)), u(p1, M_E, a)
        amplitude = np.einsum("i,abcin,n->abc", row, tensor, column)
        total += (signs * abs(amplitude) ** 2).sum()
    return E2**3 * total / 4


def radiating(row_a, row_b, ends, k):
    """Return the vector that contracts with a photon off either of two lines.

    Rows and ends are (spinor, momentum along the arrow); four diagrams.
    """
    (bar_a, p_a), (bar_b, p_b) = row_a, row_b
    (column_1, p_1), (column_2, p_2) = ends
    q_a, q_b = p_1 - p_a, p_2 - p_b
    from_a = METRIC @ current(bar_a, column_1) / dot(q_a, q_a)
    from_b = METRIC @ current(bar_b, column_2) / dot(q_b, q_b)
    off_a = sandwich(bar_a, two_vertices(p_1, M_E, q_b, -k), column_1)
    off_b = sandwich(bar_b, two_vertices(p_2, M_E, q_a, -k), column_2)
    return from_b @ off_a + from_a @ off_b


def bhabha_gamma(momenta, *, sign=-1):
    """Return |M|² of e-(1) e+(2) -> e-(3) e+(4) gamma(5): eight diagrams."""
    p1, p2, p3, p4, k = momenta
    total = 0
    for a, b, c, d in itertools.product(SPINS, repeat=4):
        ends = (u(p1, M_E, a), p1), (v(p4, M_E, d), -p4)
        out, back = (bar(u(p3, M_E, c)), p3), (bar(v(p2, M_E, b)), -p2)
        amplitude = radiating(out, back, ends, k)
        amplitude = amplitude + sign * radiating(back, out, ends, k)
        total += -(amplitude @ METRIC @ amplitude.conj()).real
    return E2**3 * total / 4


def parity(order):
    return np.linalg.det(np.eye(len(order))[list(order)])


def two_photon_dielectron(momenta):
    """Return |M|² of e-(1) e+(2) -> e-(3) e+(4) e-(5) e+(6): 36 diagrams."""
    p1, p2, p3, p4, p5, p6 = momenta
    arrows_out, arrows_in = (p3, p5, -p2), (p1, -p4, -p6)
    freed = [[p_in - p_out for p_in in arrows_in] for p_out in arrows_out]
    lines = {
        (order, m): two_vertices(
            arrows_in[order[m]],
            M_E,
            *(freed[i][order[i]] for i in range(3) if i != m),
        )
        for order in itertools.permutations(range(3))
        for m in range(3)
    }
    total = 0
    for a, b, c, d, e, f in itertools.product(SPINS, repeat=6):
        rows = bar(u(p3, M_E, a)), bar(u(p5, M_E, b)), bar(v(p2, M_E, c))
        columns = u(p1, M_E, d), v(p4, M_E, e), v(p6, M_E, f)
        amplitude = 0
        for (order, m), line in lines.items():
            i, j = (row for row in range(3) if row != m)
            photons = [
                METRIC
                @ current(rows[x], columns[order[x]])
                / dot(freed[x][order[x]], freed[x][order[x]])
                for x in (i, j)
            ]
            middle = sandwich(rows[m], line, columns[order[m]])
            amplitude += parity(order) * (photons[0] @ middle @ photons[1])
        total += abs(amplitude) ** 2
    return E2**4 * total / 4
