"""Tree amplitudes from vector vertices on fermion lines, and their spin sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import jax
import jax.numpy as jnp

from darksector.amplitudes.spinors import (
    Leg,
    Spinor,
    propagate,
    scalar,
    slash,
)
from darksector.kinematics import Momentum

Amplitude = Callable[..., jax.Array]  # wave functions of the legs to M


def two_vectors(
    line: tuple[Spinor, Spinor],
    p_in: Momentum,
    mass: float,
    first: tuple[Spinor, Momentum],
    second: tuple[Spinor, Momentum],
) -> jax.Array:
    r"""Return a fermion line that absorbs two vectors in both orders.

    .. math:: \bar\psi [\,V̸_1 S(p+k_2) V̸_2 + V̸_2 S(p+k_1) V̸_1\,] \chi,
              \quad S(q) = (q̸+m)/(q^2-m^2)

    Parameters
    ----------
    line
        Row and column spinor at the ends of the line.
    p_in
        Momentum that enters the line with its arrow: p of an incoming fermion, -p of an
        outgoing antifermion.
    mass
        Mass of the fermion, GeV.
    first, second
        Each a vector (polarisation, or current over propagator) with the momentum that
        it brings into the line.
    """
    row, column = line
    (v1, k1), (v2, k2) = first, second
    after_second = slash(v1, propagate(p_in + k2, mass, slash(v2, column)))
    after_first = slash(v2, propagate(p_in + k1, mass, slash(v1, column)))
    return scalar(row, after_second) + scalar(row, after_first)


def spin_sum(amplitude: Amplitude, legs: Sequence[Leg]) -> jax.Array:
    """Return Σ|M|² over all spin states of the legs, shape ``(n,)``.

    The first leg must be a fermion: parity times time reversal maps each tree amplitude
    without widths onto that of all canonical spins flipped, so half the sum suffices.
    """
    counts = [leg[0].shape[0] for leg in legs]
    combinations = [c for c in product(*map(range, counts)) if c[0] == 0]

    def add(subtotal: jax.Array, states: jax.Array) -> tuple[jax.Array, None]:
        waves = [tuple(part[states[i]] for part in leg) for i, leg in enumerate(legs)]
        value = amplitude(*waves)
        return subtotal + value.real**2 + value.imag**2, None

    start = jnp.zeros(legs[0][0].shape[1])
    # scan, not a Python loop: compile time would grow with the number of states
    subtotal, _ = jax.lax.scan(add, start, jnp.asarray(combinations))
    return 2.0 * subtotal
