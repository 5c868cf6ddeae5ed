r"""Collinear initial-state radiation: the electron structure function.

Source: E. A. Kuraev, V. S. Fadin, Sov. J. Nucl. Phys. 41 (1985) 466 (inspire:Kuraev:1985hb),
eq. 11; the soft part is exponentiated, the hard part is kept to second order in
:math:`\beta`.
"""

from __future__ import annotations

from math import pi
from typing import NamedTuple

import jax
import jax.numpy as jnp

from darksector.particles import ALPHA, MASS


class Radiated(NamedTuple):
    """Energy fractions kept by the two beams, and the weight of the draw."""

    electron: jax.Array
    positron: jax.Array
    weight: jax.Array


def beta(scale2: float | jax.Array) -> jax.Array:
    r"""Return :math:`\beta = (2\alpha/\pi)(\ln(Q^2/m_e^2) - 1)` for a scale Q², GeV²."""
    return 2 * ALPHA / pi * (jnp.log(scale2 / MASS["e"] ** 2) - 1)


def structure_function(x: jax.Array, scale2: float | jax.Array) -> jax.Array:
    r"""Return D(1-x, Q²) divided by its soft factor :math:`(\beta/2) x^{\beta/2-1}`.

    `x` is the energy fraction carried away by collinear photons.
    """
    b = beta(scale2)
    z = 1.0 - x
    soft = 1 + 3 * b / 8 - b**2 / 48 * (_log(scale2) / 3 + pi**2 - 47 / 8)
    hard = -b / 4 * (1 + z) + b**2 / 32 * (
        -4 * (1 + z) * jnp.log(x) - (1 + 3 * z**2) / x * jnp.log(z) - 5 - z
    )
    return soft + hard / (b / 2) * x ** (1 - b / 2)


def radiate(
    u: jax.Array,
    v: jax.Array,
    *,
    scale2: jax.Array | float,
    keep_min: jax.Array | float,
) -> Radiated:
    """Draw the energy fractions that both beams keep after collinear radiation.

    Parameters
    ----------
    u, v
        Uniform numbers, one per beam, ``(n,)``.
    scale2
        Scale Q² of the structure function, GeV².
    keep_min
        Smallest fraction that can matter: threshold over collision energy, squared.
    """
    first, second = (_draw(r, scale2, keep_min) for r in (u, v))
    return Radiated(first[0], second[0], first[1] * second[1])


_TAIL = 0.15  # share of the draws spent on hard radiation; any value is unbiased


def _draw(
    u: jax.Array, scale2: jax.Array | float, keep_min: jax.Array | float
) -> tuple[jax.Array, jax.Array]:
    """Return (kept fraction, weight) from a soft power law plus a 1/z tail."""
    half = beta(scale2) / 2
    span = jnp.log(1.0 / keep_min)
    hard = u < _TAIL
    kept = jnp.exp(-span * jnp.where(hard, u / _TAIL, 0.5))
    soft_x = jnp.where(hard, 0.5, (u - _TAIL) / (1 - _TAIL)) ** (1 / half)
    x = jnp.where(hard, 1.0 - kept, soft_x)
    allowed = x <= 1.0 - keep_min
    x = jnp.clip(x, 1e-300, 1.0 - keep_min)  # x = 0 only means "no visible radiation"
    z = 1.0 - x
    # densities relative to the soft power law half * x**(half-1), which has no maximum
    tail = x ** (1 - half) / half / (z * span)
    weight = structure_function(x, scale2) / ((1 - _TAIL) + _TAIL * tail)
    return z, jnp.where(allowed, weight, 0.0)


def _log(scale2: float | jax.Array) -> jax.Array:
    return jnp.log(scale2 / MASS["e"] ** 2)


ORDER = "collinear leading logarithms, soft part exponentiated, hard part to O(alpha^2)"
REFERENCE = "inspire:Kuraev:1985hb"
