"""Spin-correlated tau pairs against Pythia 8 and its matrix elements of tau decays.

Source: P. Ilten, arXiv:1211.6730 (tau decays of Pythia 8).  Everything that the two have
in common is compared: production through one photon, spins, and, after our form factor
of the pion is replaced by Pythia's, the two-pion mode.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import stats
from tau_pairs import MACHINE, P_VALUE, SQRT_S, tau_pairs
from tau_slow import PI, PI0, breit_wigner, rho_line

from darksector.generators import tau

EVENTS, OURS = 2500, 1 << 17
PRODUCTS = {"mu": "13 14 16", "pi": "16 211", "rho": "16 111 211"}


@cache
def pythia_events(modes):
    """Return four-momenta ``(n, 4)`` by PDG code."""
    pythia8 = pytest.importorskip("pythia8mc")
    pythia = pythia8.Pythia("", False)
    minus, plus = (PRODUCTS[name] for name in modes)
    only = (
        [f"15:onIfMatch={minus}"]
        if minus == plus
        else [f"15:onPosIfMatch={minus}", f"15:onNegIfMatch={plus}"]
    )
    for setting in (
        *("Beams:idA=11", "Beams:idB=-11", f"Beams:eCM={SQRT_S}", "PDF:lepton=off"),
        *("PartonLevel:ISR=off", "PartonLevel:FSR=off", "PartonLevel:MPI=off"),
        *("WeakSingleBoson:ffbar2gmZ=on", "WeakZ0:gmZmode=1", "23:mMin=1."),
        *("PhaseSpace:mHatMin=1.", "23:onMode=off", "23:onIfAny=15"),
        *("15:m0=1.77686", "15:onMode=off", *only),
        *("111:mayDecay=off", "211:mayDecay=off", "13:mayDecay=off"),
        *("Print:quiet=on", "Random:setSeed=on", "Random:seed=7"),
    ):
        assert pythia.readString(setting), setting
    assert pythia.init()
    found = {}
    for _ in range(EVENTS):
        assert pythia.next()
        for p in pythia.event:
            if p.isFinal():
                found.setdefault(p.id(), []).append((p.e(), p.px(), p.py(), p.pz()))
    return {code: np.array(p) for code, p in found.items()}


def our_events(modes):
    """Return four-momenta by PDG code, and weights."""
    u = np.random.default_rng(21).random((OURS, tau.dimension(modes)))
    events = tau.decay(u, tau_pairs(OURS, seed=20), MACHINE, modes)
    slots = {
        code: np.asarray(events.momenta[:, i]) for i, code in enumerate(events.pdg)
    }
    return slots, np.asarray(events.weights)


def pythia_form_factor(s):
    """Return |F|² of the two pions: HMETau2TwoMesonsViaVector of Pythia 8.3."""
    lines = ((0.7746, 0.1490, 1.0), (1.4080, 0.5020, -0.167), (1.700, 0.235, 0.050))
    return abs(sum(a * breit_wigner(s, (PI, PI0), m, g) for m, g, a in lines)) ** 2


def angle(p, q):
    """Return the cosine of the opening angle of two momenta."""
    norm = np.linalg.norm(p[:, 1:], axis=1) * np.linalg.norm(q[:, 1:], axis=1)
    return (p[:, 1:] * q[:, 1:]).sum(axis=1) / norm


def asymmetry(slots):
    """Return the share of the energy of the rho that the charged pion has more."""
    charged, neutral = slots[-211][:, 0], slots[111][:, 0]
    return (charged - neutral) / (charged + neutral)


OBSERVABLES = {
    ("pi", "pi"): {
        "energy": lambda p: p[-211][:, 0],
        "product of energies": lambda p: p[-211][:, 0] * p[211][:, 0],
        "opening angle": lambda p: angle(p[-211], p[211]),
    },
    ("mu", "pi"): {
        "energy of the muon": lambda p: p[13][:, 0],
        "product of energies": lambda p: p[13][:, 0] * p[211][:, 0],
        "opening angle": lambda p: angle(p[13], p[211]),
    },
    ("rho", "pi"): {
        "share of energy": asymmetry,
        "share times energy": lambda p: asymmetry(p) * (p[211][:, 0] - SQRT_S / 4),
        "opening angle": lambda p: angle(p[-211] + p[111], p[211]),
        "angle of the pions": lambda p: angle(p[-211], p[211]),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("modes", OBSERVABLES, ids=" ".join)
def test_distributions_are_those_of_pythia(modes):
    """χ² in twelve bins of equal content."""
    theirs = pythia_events(modes)
    slots, weights = our_events(modes)
    if modes[0] == "rho":
        hadrons = slots[-211] + slots[111]
        s = hadrons[:, 0] ** 2 - (hadrons[:, 1:] ** 2).sum(axis=1)
        weights = weights * pythia_form_factor(s) / abs(rho_line(s, (PI, PI0))) ** 2

    for name, observable in OBSERVABLES[modes].items():
        ours, data = observable(slots), observable(theirs)
        order = np.argsort(ours)
        cumulative = np.cumsum(weights[order]) / weights.sum()
        inner = np.interp(np.arange(1, 12) / 12, cumulative, ours[order])
        edges = np.concatenate([[-np.inf], inner, [np.inf]])
        counts = np.histogram(data, edges)[0]
        shares = np.histogram(ours, edges, weights=weights)[0] / weights.sum()
        errors = np.histogram(ours, edges, weights=weights**2)[0] / weights.sum() ** 2

        expected = EVENTS * shares
        chi2 = ((counts - expected) ** 2 / (expected + EVENTS**2 * errors)).sum()
        assert stats.chi2.sf(chi2, 11) > P_VALUE, name


@pytest.mark.slow
def test_pythia_tells_correlated_from_uncorrelated_taus():
    """The test above has the power to see the spins: without them it would fail."""
    theirs = pythia_events(("pi", "pi"))
    slots, _ = our_events(("pi", "pi"))
    shuffled = {-211: slots[-211], 211: np.roll(slots[211], 1, axis=0)}

    product = OBSERVABLES["pi", "pi"]["product of energies"]
    test = stats.ks_2samp(product(theirs), product(shuffled))
    assert test.pvalue < P_VALUE
