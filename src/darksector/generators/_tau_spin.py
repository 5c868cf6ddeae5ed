"""Spin correlation of a tau pair: production in pure spin states."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from darksector.amplitudes.spinors import Leg, Spinor, antifermion_out, fermion_out
from darksector.compilation import in_blocks
from darksector.generators._tau_spectra import spin_along
from darksector.generators.tau_production import Production, annihilation
from darksector.kinematics import (
    Momentum,
    boost,
    momentum,
    rotate_z_to,
    squared,
    to_rest_frame,
    total,
)
from darksector.particles import MASS
from darksector.phasespace.two_body import Pair, at_rest, two_body

_MT = MASS["tau"]


def spin_weight(
    beams: Pair,
    final: tuple[Momentum, ...],
    minus: Momentum,
    plus: Momentum,
    production: Production = annihilation,
) -> jax.Array:
    """Return the correlated over the uncorrelated rate; its mean over decays is one.

    Parameters
    ----------
    beams, final
        Momenta of one frame, `final` those of τ-, τ+ and whatever else was made.
    minus, plus
        The spin analysers in the rest frame of their tau, reached from that frame by a
        pure boost; only their directions count.
    production
        The amplitudes, see `tau_production`.

    Notes
    -----
    Within [0, 2] where neither tau alone is polarised, as in `annihilation`: turning one
    analyser round takes w to 2 - w.  Within [0, 4] always.
    """
    row, column = fermion_out(final[0], _MT), antifermion_out(final[1], _MT)
    # the τ+ is analysed against its analyser: rate ∝ 1 - ŝ·n, and its v spinor with
    # index b describes a spin opposite to b: two signs that cancel
    up, down = spin_along(minus)
    rows = _with_states(row, (jnp.conj(up), jnp.conj(down)), (0, 0, 1, 1))
    columns = _with_states(column, spin_along(plus), (0, 1, 0, 1))
    amplitudes = production(beams, final, rows, columns)
    sizes = sum((a.real**2 + a.imag**2 for a in amplitudes), jnp.zeros(()))
    return 4 * sizes[0] / sizes[1:].sum(axis=0)


@partial(jax.jit, static_argnums=0)
def pair_weights(
    production: Production,
    momenta: jax.Array,
    analysers: tuple[Momentum, Momentum],
    p_her: jax.Array,
) -> jax.Array:
    """Return the spin weights of laboratory momenta, the taus in the first slots.

    The analysers belong to rest frames reached from that of all particles.
    """

    def weigh(part: tuple[jax.Array, tuple[Momentum, Momentum]]) -> jax.Array:
        lab = _slots(part[0])
        frame = total(lab)
        final = tuple(to_rest_frame(p, frame) for p in lab)
        beam = Momentum(*jnp.broadcast_to(p_her[:, None], (4, frame.e.shape[0])))
        beams = _beams(squared(frame), to_rest_frame(beam, frame))
        return spin_weight(beams, final, *part[1], production)

    return in_blocks(weigh, (momenta, analysers))


@jax.jit
def to_laboratory(
    index: jax.Array | int, products: tuple[Momentum, ...], momenta: jax.Array
) -> jax.Array:
    """Return the products ``(n, k, 4)`` of the tau in slot `index`, given at its rest."""

    def move(part: tuple[tuple[Momentum, ...], jax.Array]) -> jax.Array:
        frame = total(_slots(part[1]))
        # the spins are those of two boosts, so the momenta must be as well
        tau = to_rest_frame(momentum(part[1][:, index]), frame)
        moved = [boost(boost(p, tau), frame).array() for p in part[0]]
        return jnp.stack(moved, axis=1)

    return in_blocks(move, (products, momenta))


def _slots(momenta: jax.Array) -> tuple[Momentum, ...]:
    return tuple(momentum(momenta[:, i]) for i in range(momenta.shape[1]))


def _beams(s: jax.Array, her: Momentum) -> Pair:
    """Return the beams of the hard collision along the direction of the electron beam."""
    m2 = MASS["e"] ** 2
    along_z = two_body(at_rest(s), (m2, m2), jnp.ones_like(s), jnp.zeros_like(s))
    return Pair(*(rotate_z_to(p, her) for p in along_z))


def _with_states(
    leg: Leg, spin: tuple[jax.Array, jax.Array], states: tuple[int, ...]
) -> Spinor:
    """Return spinors ``(1 + states, n)``: along a spin, then in the states of a leg."""
    chosen = jnp.asarray(states)
    a, b, c, d = (
        jnp.concatenate([(spin[0] * p[0] + spin[1] * p[1])[None], p[chosen]])
        for p in leg
    )
    return (a, b, c, d)
