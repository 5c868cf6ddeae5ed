"""Tree amplitudes from vertices on fermion lines, and their spin sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import NamedTuple, final

import jax
import jax.numpy as jnp

from darksector.amplitudes.spinors import (
    Leg,
    Spinor,
    Vector,
    added,
    conjugate,
    contract,
    current,
    propagate,
    scalar,
    scaled,
    slash,
    slash_row,
    vector,
)
from darksector.kinematics import Momentum, dot, light_dot, squared, total
from darksector.phasespace.two_body import Pair

Amplitude = Callable[..., jax.Array]  # wave functions of the legs to M
Current = Callable[..., Vector]  # wave functions of the legs to a vector
Vertex = Callable[[Spinor], Spinor]  # what a vertex does to a column spinor

UNROLLED = 1  # spin states per compiled step: more is faster, but compiles longer


class Incoming(NamedTuple):
    """A momentum that a vertex brings into a fermion line.

    `light` marks a real photon, whose propagators are then computed without
    cancellation; `mass` is the fermion's mass from this vertex on where it changes.
    """

    momentum: Momentum
    light: bool = False
    mass: jax.Array | float | None = None


@final
@dataclass(frozen=True)
class FermionLine:
    """A fermion line with some vertices in every order; see `fermion_line`."""

    propagators: dict[tuple[int, ...], tuple[Momentum, jax.Array | float, jax.Array]]
    vertices: int

    def __call__(self, row: Spinor, column: Spinor, *vertices: Vertex) -> jax.Array:
        """Return the sum over all orders of the vertices between two end spinors."""
        partial: dict[tuple[int, ...], Spinor] = {(): column}
        everything = tuple(range(self.vertices))
        for size in range(1, self.vertices):
            for subset in combinations(everything, size):
                psi = self._last_vertex(partial, subset, vertices)
                partial[subset] = propagate(
                    *self.propagators[subset][:2], psi, self.propagators[subset][2]
                )
        return scalar(row, self._last_vertex(partial, everything, vertices))

    @staticmethod
    def _last_vertex(
        partial: dict[tuple[int, ...], Spinor],
        subset: tuple[int, ...],
        vertices: Sequence[Vertex],
    ) -> Spinor:
        terms = [
            vertices[i](partial[tuple(j for j in subset if j != i)]) for i in subset
        ]
        result = terms[0]
        for term in terms[1:]:
            result = added(result, term)
        return result


def fermion_line(
    p_in: Momentum, mass: jax.Array | float, *incoming: Incoming
) -> FermionLine:
    r"""Return a line that absorbs vertices in every order: a gauge-invariant set.

    .. math:: \bar\psi \sum_\mathrm{orders} V_n S(p+k_1+\dots) \dots V_2 S(p+k_1) V_1
              \chi, \quad S(q) = (q̸+m)/(q^2-m^2)

    Subsets of vertices share their propagators and partial lines, as in the recursion
    of Berends and Giele (Nucl. Phys. B306 (1988) 759).

    Parameters
    ----------
    p_in
        Momentum that enters the line with its arrow: p of an incoming fermion, -p of an
        outgoing antifermion.
    mass
        Mass of the fermion at the start, GeV.
    incoming
        What each vertex brings, in the order of the vertices given to the line.
    """
    p_out = total((p_in, *(k.momentum for k in incoming)))
    everything = tuple(range(len(incoming)))
    propagators = {}
    for size in range(1, len(incoming)):
        for subset in combinations(everything, size):
            p = total((p_in, *(incoming[i].momentum for i in subset)))
            m = _mass_after(mass, [incoming[i] for i in subset])
            rest = [incoming[i] for i in everything if i not in subset]
            first = incoming[subset[0]] if size == 1 else None
            if first is not None and first.light:
                inverse = 2 * light_dot(p_in, first.momentum, mass)
            elif len(rest) == 1 and rest[0].light:
                inverse = -2 * light_dot(p_out, rest[0].momentum, m)
            else:
                inverse = squared(p) - m**2
            propagators[subset] = (p, m, inverse)
    return FermionLine(propagators, len(incoming))


def emission_current(
    pair: Pair, mass: jax.Array | float, k: Momentum, k2: jax.Array | float
) -> Callable[[Spinor, Spinor, Vector | None], Vector]:
    r"""Return the vector current of a produced pair that emits one boson from either leg.

    .. math:: \bar u\,[\,V S(p+k)\gamma^\mu + \gamma^\mu S(-\bar p-k) V\,]\,v

    Parameters
    ----------
    pair
        Outgoing fermion and antifermion.
    mass
        Their mass, GeV.
    k, k2
        Momentum and mass squared of the boson, GeV².

    Returns
    -------
    Function of both spinors and the polarisation; `None` stands for a scalar, V = 1.
    """
    before, after = pair.first + k, -pair.second - k
    slashed, slashed_after = vector(before), vector(after)
    inverse = 1 / (k2 + 2 * dot(pair.first, k))
    inverse_after = 1 / (k2 + 2 * dot(pair.second, k))

    def emitted(row: Spinor, column: Spinor, boson: Vector | None) -> Vector:
        left = row if boson is None else slash_row(row, boson)
        right = column if boson is None else slash(boson, column)
        moved = added(slash_row(left, slashed), scaled(left, mass))
        moved_after = added(slash(slashed_after, right), scaled(right, mass))
        return added(
            scaled(current(moved, column), inverse),
            scaled(current(row, moved_after), inverse_after),
        )

    return emitted


def absorb(v: Vector) -> Vertex:
    """Return a vector vertex: a polarisation, or a current over its propagator."""
    return lambda psi: slash(v, psi)


def spin_sum(
    amplitude: Amplitude,
    legs: Sequence[Leg],
    *,
    parity: bool = True,
    unrolled: int = UNROLLED,
) -> jax.Array:
    r"""Return Σ\|M\|² over all spin states of the legs, shape ``(n,)``.

    Parameters
    ----------
    amplitude
        Amplitude of one spin configuration.
    legs
        Wave functions of the external particles; the first must be a fermion.
    parity
        Parity times time reversal maps a tree amplitude without widths and with parity
        onto that of all canonical spins flipped: half the sum suffices.
    unrolled
        Spin configurations in one compiled step; the rest is a loop.
    """
    return _over_spins(lambda *w: _size(amplitude(*w)), legs, parity, unrolled)


def annihilation_sum(
    produced: Current,
    beams: Pair,
    legs: Sequence[Leg],
    *,
    parity: bool = True,
    unrolled: int = UNROLLED,
) -> jax.Array:
    r"""Return Σ\|v̄γ_μu Tᵘ\|² over the spins of the beams and of the legs of T.

    The spins of the beams are summed in closed form,

    .. math:: 4\,[\,2\,\mathrm{Re}(p_1\cdot T)(p_2\cdot T^*) - (s/2)\,T\cdot T^*],

    exact for massive electrons and any T, as the vector current is conserved or not.
    """
    first, second = vector(beams.first), vector(beams.second)
    s = squared(beams.first + beams.second)

    def term(*waves: Spinor) -> jax.Array:
        made = produced(*waves)
        mirrored = conjugate(made)
        crossed = contract(first, made) * contract(second, mirrored)
        return 8 * crossed.real - 2 * s * contract(made, mirrored).real

    return _over_spins(term, legs, parity, unrolled)


def _over_spins(
    term: Callable[..., jax.Array],
    legs: Sequence[Leg],
    parity: bool,
    unrolled: int,
) -> jax.Array:
    """Sum a term over spins: a loop over the first legs, the last ones unrolled.

    Unrolled legs share their work and need no look-ups, but compile longer.
    """
    counts = [leg[0].shape[0] for leg in legs]
    looped = next(i for i in range(len(legs) + 1) if prod(counts[i:]) <= unrolled)
    outer = list(product(*map(range, counts[:looped])))
    inner = list(product(*map(range, counts[looped:])))
    if parity:
        which = outer if looped else inner
        which[:] = [state for state in which if state[0] == 0]

    def add(subtotal: jax.Array, state: jax.Array) -> tuple[jax.Array, None]:
        fixed = [_state(leg, state[i]) for i, leg in enumerate(legs[:looped])]
        for states in inner:
            rest = map(_state, legs[looped:], states)
            subtotal = subtotal + term(*fixed, *rest)
        return subtotal, None

    subtotal = jnp.zeros(legs[0][0].shape[1])
    if looped:
        subtotal, _ = jax.lax.scan(add, subtotal, jnp.asarray(outer))
    else:
        subtotal, _ = add(subtotal, jnp.zeros(0))
    return (2.0 if parity else 1.0) * subtotal


def _state(leg: Leg, index: jax.Array | int) -> Spinor:
    a, b, c, d = leg
    return (a[index], b[index], c[index], d[index])


def _size(amplitude: jax.Array) -> jax.Array:
    return amplitude.real**2 + amplitude.imag**2


def _mass_after(
    mass: jax.Array | float, passed: Sequence[Incoming]
) -> jax.Array | float:
    changes = [k.mass for k in passed if k.mass is not None]
    return changes[0] if changes else mass
