"""Amplitudes of tau pairs in given spin states, alone and beside one other particle.

A production is a function of the beams, of the momenta of τ-, τ+ and all other particles,
and of the spinors ū(τ-) and v(τ+).  It returns one amplitude per state of all other
spins, up to a common factor.  The spinors may carry more axes in front of that of the
events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType

import jax

from darksector.amplitudes.qed import Incoming, absorb, emission_current, fermion_line
from darksector.amplitudes.spinors import (
    Leg,
    Spinor,
    Vector,
    antifermion_in,
    contract,
    current,
    divided,
    fermion_in,
    massive_vector,
    photon,
)
from darksector.kinematics import Momentum, squared
from darksector.particles import MASS, PDG, ZPRIME
from darksector.phasespace.two_body import Pair

Amplitudes = list[jax.Array]
Production = Callable[[Pair, tuple[Momentum, ...], Spinor, Spinor], Amplitudes]

_ME, _MT = MASS["e"], MASS["tau"]


def annihilation(
    beams: Pair, final: tuple[Momentum, ...], row: Spinor, column: Spinor
) -> Amplitudes:
    """Return the amplitudes of e+e- → γ* → τ-τ+, one per spin state of the beams."""
    del final
    return _annihilated(beams, current(row, column))


def with_photon(
    beams: Pair, final: tuple[Momentum, ...], row: Spinor, column: Spinor
) -> Amplitudes:
    """Return the amplitudes of e+e- → τ-τ+γ, all four diagrams with a constant α."""
    minus, plus, gamma = final
    incoming, pair = beams.first + beams.second, minus + plus
    light = Incoming(-gamma, light=True)
    taus = fermion_line(-plus, _MT, Incoming(incoming), light)
    electrons = fermion_line(beams.first, _ME, Incoming(-pair), light)
    made = absorb(divided(current(row, column), squared(pair)))
    found = []
    for electron, positron in _beam_states(beams):
        source = absorb(divided(current(positron, electron), squared(incoming)))
        for emitted in map(absorb, _states(photon(gamma))):
            from_taus = taus(row, column, source, emitted)
            found.append(from_taus + electrons(positron, electron, made, emitted))
    return found


def with_scalar(
    beams: Pair, final: tuple[Momentum, ...], row: Spinor, column: Spinor
) -> Amplitudes:
    """Return the amplitudes of e+e- → τ-τ+S, the scalar radiated off either tau."""
    *taus, boson = final
    emitted = emission_current(Pair(*taus), _MT, boson, squared(boson))
    return _annihilated(beams, emitted(row, column, None))


def with_vector(
    beams: Pair, final: tuple[Momentum, ...], row: Spinor, column: Spinor
) -> Amplitudes:
    """Return the amplitudes of e+e- → τ-τ+Z', the vector radiated off either tau."""
    *taus, boson = final
    mass2 = squared(boson)
    emitted = emission_current(Pair(*taus), _MT, boson, mass2)
    return [
        amplitude
        for polarisation in _states(massive_vector(boson, mass2**0.5))
        for amplitude in _annihilated(beams, emitted(row, column, polarisation))
    ]


def uncorrelated(
    beams: Pair, final: tuple[Momentum, ...], row: Spinor, column: Spinor
) -> Amplitudes:
    """Return amplitudes that make all spin weights one: an approximation, for any pair.

    u†u = 2E whatever the spin.
    """
    del beams, final
    return [a * b for a in row for b in column]


# what is right beside the taus that these particles were made with
PRODUCTIONS: Mapping[tuple[int, ...], Production] = MappingProxyType(
    {
        (): annihilation,
        (PDG["gamma"],): with_photon,
        (PDG["S"],): with_scalar,
        (ZPRIME,): with_vector,
    }
)


def _annihilated(beams: Pair, made: Vector) -> Amplitudes:
    return [contract(current(p, e), made) for e, p in _beam_states(beams)]


def _beam_states(beams: Pair) -> list[tuple[Spinor, Spinor]]:
    electrons = _states(fermion_in(beams.first, _ME))
    return list(product(electrons, _states(antifermion_in(beams.second, _ME))))


def _states(leg: Leg) -> list[Spinor]:
    a, b, c, d = leg
    return list(zip(a, b, c, d, strict=True))
