"""Leptonic tau decays with the exact spin correlation of the pair.

Source: Y. S. Tsai, Phys. Rev. D 4 (1971) 2821 (inspire:Tsai:1971vv).  A leptonic decay
analyses the spin completely: its rate is ∝ 1 ± ŝ·n with n the direction of the
antineutrino (neutrino) in the rest frame of the τ- (τ+).  So the correlated rate of both
decays is the production rate of two taus in *pure* spin states, one amplitude each.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, pi
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector.amplitudes.spinors import (
    Leg,
    Spinor,
    antifermion_in,
    antifermion_out,
    contract,
    current,
    fermion_in,
    fermion_out,
)
from darksector.compilation import in_blocks
from darksector.events import Events
from darksector.kinematics import (
    Momentum,
    boost,
    rotate_z_to,
    squared,
    to_rest_frame,
    total,
)
from darksector.machines import Machine
from darksector.particles import BR_TAU_MU, MASS, PDG
from darksector.phasespace.channels import Pair, at_rest, two_body

DIMENSION = 10  # five uniform numbers per tau
_SLOTS = (PDG["mu"], -PDG["nu_mu"], PDG["nu_tau"])
FINAL_STATE = _SLOTS + tuple(-code for code in _SLOTS)

_MT, _ML = MASS["tau"], MASS["mu"]
_R = (_ML / _MT) ** 2


class Decay(NamedTuple):
    """The products of one tau in its rest frame."""

    lepton: Momentum
    antineutrino: Momentum  # of the lepton's flavour; a neutrino for τ+
    neutrino: Momentum  # ν_τ; an antineutrino for τ+
    weight: jax.Array  # mean one over the uniform numbers


def rest_frame_decay(u: jax.Array) -> Decay:
    r"""Return unpolarised muonic decays at rest for numbers ``(n, 5)``.

    .. math:: d\Gamma \propto (p_\tau\cdot p_{\bar\nu})(p_\mu\cdot p_\nu)\, d\Phi_3
    """
    # y = m²(μ ν_τ)/m_τ², drawn from a Kumaraswamy density close to the true one
    share = (1 - (1 - u[:, 0]) ** (1 / _B)) ** (1 / _A)
    y = _R + (1 - _R) * share
    density = _A * _B * share ** (_A - 1) * (1 - share**_A) ** (_B - 1) / (1 - _R)
    tau = at_rest(jnp.full(u.shape[0], _MT**2))
    antineutrino, pair = two_body(
        tau, (0.0, y * _MT**2), 2 * u[:, 1] - 1, 2 * pi * u[:, 2]
    )
    lepton, neutrino = two_body(pair, (_ML**2, 0.0), 2 * u[:, 3] - 1, 2 * pi * u[:, 4])
    return Decay(lepton, antineutrino, neutrino, _rate(y) / (_NORM * density))


def spin_weight(beams: Pair, taus: Pair, minus: Momentum, plus: Momentum) -> jax.Array:
    """Return the correlated over the uncorrelated rate; its mean over decays is one.

    Parameters
    ----------
    beams, taus
        Momenta in the rest frame of the pair.
    minus, plus
        Momenta, in the rest frame of their tau, of the two neutrinos of the muon's
        flavour, which are the spin analysers.
    """
    row, column = fermion_out(taus.first, _MT), antifermion_out(taus.second, _MT)
    electron = fermion_in(beams.first, MASS["e"])
    positron = antifermion_in(beams.second, MASS["e"])
    # the τ+ is analysed against its neutrino: rate ∝ 1 - ŝ·n, and its v spinor with
    # index b describes a spin opposite to b: two signs that cancel
    analysed_row = _superpose(row, [jnp.conj(c) for c in _spin_along(minus)])
    analysed_column = _superpose(column, _spin_along(plus))
    sources = [current(_state(positron, a), _state(electron, b)) for a, b in _STATES]
    lines = [current(_state(row, a), _state(column, b)) for a, b in _STATES]
    pure = current(analysed_row, analysed_column)
    zero = jnp.zeros_like(taus.first.e)
    correlated = sum((_size(contract(source, pure)) for source in sources), zero)
    unpolarised = sum((_size(contract(a, b)) for a in sources for b in lines), zero)
    return 4 * correlated / unpolarised


def decay(u: NDArray[np.float64], taus: Events, machine: Machine) -> Events:
    """Return τ+τ- events with both taus decayed to muons, weights with (branching)².

    Parameters
    ----------
    u
        Uniform numbers ``(n, 10)``, n at most 1024 or a multiple of it.
    taus
        Events of τ- and τ+ in the laboratory.
    machine
        Gives the direction of the electron beam.
    """
    return _decay(jnp.asarray(u), taus, jnp.asarray(machine.p_her))


@jax.jit
def _decay(u: jax.Array, taus: Events, p_her: jax.Array) -> Events:
    return in_blocks(lambda part: _block(part[0], part[1], p_her), (u, taus))


def _block(u: jax.Array, taus: Events, p_her: jax.Array) -> Events:
    frame = total((taus.slot(0), taus.slot(1)))
    pair = Pair(*(to_rest_frame(taus.slot(i), frame) for i in (0, 1)))
    her = to_rest_frame(Momentum(*jnp.broadcast_to(p_her[:, None], (4, len(u)))), frame)
    decays = (rest_frame_decay(u[:, :5]), rest_frame_decay(u[:, 5:]))
    analysers = [d.antineutrino for d in decays]
    weight = spin_weight(_beams(squared(frame), her), pair, *analysers)
    products = [
        boost(boost(p, tau), frame).array()
        for tau, d in zip(pair, decays, strict=True)
        for p in d[:3]
    ]
    weight = weight * decays[0].weight * decays[1].weight * BR_TAU_MU**2
    return Events(
        momenta=jnp.stack(products, axis=1),
        weights=taus.weights * weight,
        p_beams=taus.p_beams,
        pdg=FINAL_STATE,
    )


def _beams(s: jax.Array, her: Momentum) -> Pair:
    """Return the beams of the hard collision along the direction of the electron beam."""
    m2 = MASS["e"] ** 2
    along_z = two_body(at_rest(s), (m2, m2), jnp.ones_like(s), jnp.zeros_like(s))
    return Pair(*(rotate_z_to(p, her) for p in along_z))


def _spin_along(n: Momentum) -> tuple[jax.Array, jax.Array]:
    """Return the two-component spinor of a spin along a momentum."""
    length = jnp.sqrt(n.x**2 + n.y**2 + n.z**2)
    x, y, z = n.x / length, n.y / length, n.z / length
    norm = jnp.sqrt(2 * (1 + jnp.abs(z)))  # two forms: neither divides by zero
    upper = jnp.where(z > 0, (1 + z) + 0j, x - 1j * y) / norm
    lower = jnp.where(z > 0, x + 1j * y, (1 - z) + 0j) / norm
    return upper, lower


def _superpose(leg: Leg, amplitudes: Sequence[jax.Array]) -> Spinor:
    a, b = amplitudes
    return tuple(a * part[0] + b * part[1] for part in leg)  # type: ignore[return-value]


def _state(leg: Leg, index: int) -> Spinor:
    return tuple(part[index] for part in leg)  # type: ignore[return-value]


def _size(amplitude: jax.Array) -> jax.Array:
    return amplitude.real**2 + amplitude.imag**2


def _rate(y: jax.Array) -> jax.Array:
    """Return dΓ/dy up to a constant, y = m²(μ ν_τ)/m_τ²."""
    return (1 - y) ** 2 * (y - _R) ** 2 / y


# ∫ _rate dy, the phase-space function of muon decay over 12 (Tsai 1971)
_NORM = (1 - 8 * _R + 8 * _R**3 - _R**4 - 12 * _R**2 * log(_R)) / 12
_A, _B = 1.9, 2.8  # shape of the proposal density; any value is unbiased
_STATES = ((0, 0), (0, 1), (1, 0), (1, 1))
