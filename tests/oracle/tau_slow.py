"""Slow twin of tau decays: Dirac matrices, currents of mesons, no spin density matrix.

V-A currents: Tsai, Phys. Rev. D 4 (1971) 2821; current of three pions: Kühn and
Santamaria, Z. Phys. C 48 (1990) 445, with the numbers of TAUOLA.
"""

from __future__ import annotations

import itertools

import numpy as np
import qed_slow as slow

from darksector.particles import MASS

TAU, MU = MASS["tau"], MASS["mu"]
PI, PI0, K = MASS["pi+"], MASS["pi0"], MASS["K+"]
MASSES = {
    "e": (MASS["e"], 0.0, 0.0),
    "mu": (MU, 0.0, 0.0),
    "pi": (PI, 0.0),
    "K": (K, 0.0),
    "rho": (PI, PI0, 0.0),
    "Kpi0": (K, PI0, 0.0),
    "3pi": (PI, PI, PI, 0.0),
    "pi2pi0": (PI0, PI0, PI, 0.0),
}
LEFT = np.array([g @ (slow.ONE - slow.GAMMA5) / 2 for g in slow.GAMMA])


def breit_wigner(s, masses, mass, width):
    def momentum3(s):
        up, down = (masses[0] + masses[1]) ** 2, (masses[0] - masses[1]) ** 2
        return ((s - up) * (s - down) / (4 * s)) ** 1.5

    running = width * mass**2 / s * momentum3(s) / momentum3(mass**2)
    return mass**2 / (mass**2 - s - 1j * np.sqrt(s) * running)


def rho_line(s, masses):
    first = breit_wigner(s, masses, 0.773, 0.145)
    return (first - 0.145 * breit_wigner(s, masses, 1.370, 0.510)) / (1 - 0.145)


def a1_line(s):
    def g(s):
        if s < (0.773 + PI) ** 2:
            d = s - 9 * PI0**2
            return 4.1 * d**3 * (1 - 3.3 * d + 5.8 * d**2)
        return s * (1.623 + 10.38 / s - 9.32 / s**2 + 0.65 / s**3)

    return 1.251**2 / (1.251**2 - s - 1j * 1.251 * 0.599 * g(s) / g(1.251**2))


def hadron_current(products):
    """Return the current of one, two or three mesons, as Kühn and Santamaria write it."""
    q = sum(products)
    q2 = slow.dot(q, q)
    if len(products) == 1:
        return q
    if len(products) == 2:
        difference = products[0] - products[1]
        return difference - slow.dot(difference, q) / q2 * q
    masses = [np.sqrt(slow.dot(p, p)) for p in products[1:]]
    total = 0
    for like in products[:2]:
        difference, pair = like - products[2], like + products[2]
        line = rho_line(slow.dot(pair, pair), masses)
        total = total + line * (difference - slow.dot(difference, q) / q2 * q)
    return a1_line(q2) * total


def currents(name, products, plus):
    """Return the currents of a decay, one per spin state of all but the tau's neutrino."""
    if name not in ("e", "mu"):
        return [hadron_current(products)]
    (lepton, other), mass = products, MASS[name]
    found = []
    for a, b in itertools.product((0, 1), repeat=2):
        if plus:
            row, column = slow.bar(slow.u(other, 0, a)), slow.v(lepton, mass, b)
        else:
            row, column = slow.bar(slow.u(lepton, mass, a)), slow.v(other, 0, b)
        found.append(row @ LEFT @ column)
    return found


def full_amplitude(beams, taus, modes, decays):
    """Return Σ|M|² over all spins; the tau's neutrino is the last product of a decay."""
    numerator = slow.slash(taus[0]) + TAU * slow.ONE
    anti_numerator = -slow.slash(taus[1]) + TAU * slow.ONE
    chain = np.einsum(
        "aij,jk,mkl,ln,bnp->ambip", LEFT, numerator, slow.GAMMA, anti_numerator, LEFT
    )
    lines = [
        np.einsum(
            "i,ambip,p->amb",
            slow.bar(slow.u(decays[0][-1], 0, a)),
            chain,
            slow.v(decays[1][-1], 0, b),
        )
        for a, b in itertools.product((0, 1), repeat=2)
    ]
    sources = [
        slow.current(
            slow.bar(slow.v(beams[1], slow.M_E, b)), slow.u(beams[0], slow.M_E, a)
        )
        for a, b in itertools.product((0, 1), repeat=2)
    ]
    ends = [
        currents(name, decay[:-1], plus)
        for name, decay, plus in zip(modes, decays, (False, True), strict=True)
    ]
    total = 0
    for line, source, *both in itertools.product(lines, sources, *ends):
        low = [slow.METRIC @ vector for vector in (both[0], source, both[1])]
        total += abs(np.einsum("amb,a,m,b", line, *low)) ** 2
    return float(total)
