"""What the decays of the tau are made of: mass spectra, resonances, spin analysers.

Source of the resonances: J. H. Kühn and A. Santamaria, Z. Phys. C 48 (1990) 445
(inspire:Kuhn:1990ad), model 1, with the numbers of its implementation in TAUOLA.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np

from darksector.kinematics import Momentum, breakup_velocity, dot, modulus, squared
from darksector.particles import MASS

CELLS = 1024  # of equal probability: what a draw interpolates in
FLAT = 0.05  # share of a flat density in what is drawn: keeps weights small in tails


class Table(NamedTuple):
    """A density, tabulated: its integral and its quantiles."""

    integral: jax.Array
    quantiles: jax.Array  # (CELLS + 1,), GeV²


class Drawn(NamedTuple):
    """Numbers drawn from a table."""

    value: jax.Array
    inverse_density: jax.Array  # of the drawing; its mean is the width of the range


def tabulate(
    density: Callable[[jax.Array], jax.Array], bounds: tuple[float, float]
) -> Table:
    """Return the table of a density of s, GeV², by two-point Gauss-Legendre panels."""
    edges = np.linspace(*bounds, CELLS + 1)
    half = np.diff(edges) / 2
    nodes = (edges[:-1] + half)[:, None] + half[:, None] * np.array([-1, 1]) / 3**0.5
    values = np.asarray(jax.jit(density)(jnp.asarray(nodes.ravel())))
    cumulative = np.cumsum(half * values.reshape(nodes.shape).sum(axis=1))
    shares = np.concatenate([[0.0], cumulative / cumulative[-1]])
    shares = (1 - FLAT) * shares + FLAT * np.linspace(0, 1, CELLS + 1)
    quantiles = np.interp(np.linspace(0, 1, CELLS + 1), shares, edges)
    return Table(jnp.asarray(cumulative[-1]), jnp.asarray(quantiles))


def draw(table: Table, u: jax.Array) -> Drawn:
    """Return numbers whose density is close to that of the table."""
    cell = jnp.clip((u * CELLS).astype(int), 0, CELLS - 1)
    low = table.quantiles[cell]
    width = table.quantiles[cell + 1] - low
    return Drawn(low + width * (u * CELLS - cell), CELLS * width)


@final
@dataclass(frozen=True)
class Resonance:
    """A resonance in two mesons with a P-wave width.

    Parameters
    ----------
    mass, width
        On the peak, GeV.
    strength
        Relative strength in a form factor, dimensionless and real.
    """

    mass: float
    width: float
    strength: float = 1.0


# Kühn and Santamaria, model 1: FPIKM of TAUOLA
RHO = (Resonance(0.773, 0.145), Resonance(1.370, 0.510, -0.145))

A1_MASS, A1_WIDTH = 1.251, 0.599  # GeV, Kühn and Santamaria


def form_factor(
    s: jax.Array, masses: tuple[float, float], resonances: Sequence[Resonance]
) -> jax.Array:
    r"""Return the form factor of two mesons, 1 at s = 0 for widths that vanish there.

    .. math:: F = \sum_i \frac{a_i}{\sum a}
        \frac{m_i^2}{m_i^2 - s - i\sqrt s\,\Gamma_i(s)},\quad
        \Gamma_i(s) = \Gamma_i \frac{m_i^2}{s} \frac{p^3(s)}{p^3(m_i^2)}
    """
    m1, m2 = (m**2 for m in masses)
    momentum = breakup_velocity(s, m1, m2) * jnp.sqrt(s)
    value = jnp.zeros_like(s) + 0j
    for resonance in resonances:
        m = resonance.mass
        peak = breakup_velocity(jnp.asarray(m**2), m1, m2) * m
        scale = resonance.width * m**2 * (momentum / peak) ** 3 / jnp.sqrt(s)
        value = value + resonance.strength * m**2 / (m**2 - s - 1j * scale)
    return value / sum(resonance.strength for resonance in resonances)


def a1_propagator(s: jax.Array) -> jax.Array:
    """Return the Breit-Wigner of the a1 with its width into three pions."""
    m2 = A1_MASS**2
    width = A1_WIDTH * _three_pion_width(s) / _three_pion_width(jnp.asarray(m2))
    return m2 / (m2 - s - 1j * A1_MASS * width)


def _three_pion_width(s: jax.Array) -> jax.Array:
    """Return g(Q²) of Kühn and Santamaria: GFUN of TAUOLA."""
    above = s - 9 * MASS["pi0"] ** 2
    low = 4.1 * above**3 * (1 - 3.3 * above + 5.8 * above**2)
    high = 1.623 * s + 10.38 - 9.32 / s + 0.65 / s**2
    return jnp.where(s < (RHO[0].mass + MASS["pi+"]) ** 2, low, high)


def transverse_to(p: Momentum, frame: Momentum) -> Momentum:
    """Return the part of p that is orthogonal to `frame`, GeV."""
    return p - frame.scaled(dot(p, frame) / squared(frame))


def spin_along(n: Momentum) -> tuple[jax.Array, jax.Array]:
    """Return the two-component spinor of a spin along a momentum."""
    length = modulus(n)
    x, y, z = n.x / length, n.y / length, n.z / length
    norm = jnp.sqrt(2 * (1 + jnp.abs(z)))  # two forms: neither divides by zero
    upper = jnp.where(z > 0, (1 + z) + 0j, x - 1j * y) / norm
    lower = jnp.where(z > 0, x + 1j * y, (1 - z) + 0j) / norm
    return upper, lower


def analyser(current: Momentum, neutrino: Momentum) -> Momentum:
    r"""Return the light-like K of τ- → ν + hadrons: the rate is ∝ K⁰ + ŝ·K, GeV³.

    .. math:: M = \bar u_\nu J_\mu\gamma^\mu P_L u_\tau
                = \nu^\dagger (J^0 + \boldsymbol\sigma\cdot\mathbf J)\, \xi,\quad
              K^\mu = w^\dagger\sigma^\mu w,\quad
              w = (J^0 + \boldsymbol\sigma\cdot\mathbf J)^\dagger \nu

    Parameters
    ----------
    current, neutrino
        The current, complex, and p_ν in the rest frame of the τ-.

    Notes
    -----
    For a real current :math:`K = 2 (p_\nu\cdot J) J - J^2 p_\nu`.
    """
    up, down = spin_along(Momentum(neutrino.e, -neutrino.x, -neutrino.y, -neutrino.z))
    t, x, y, z = (jnp.conj(c) for c in (current.e, current.x, current.y, current.z))
    w0 = (t + z) * up + (x - 1j * y) * down
    w1 = (x + 1j * y) * up + (t - z) * down
    size0, size1 = w0.real**2 + w0.imag**2, w1.real**2 + w1.imag**2
    across = 2 * jnp.conj(w0) * w1
    k = Momentum(size0 + size1, across.real, across.imag, size0 - size1)
    return k.scaled(neutrino.e)
