"""Tau decays to three pions, exact in the spin, and to four, a declared model.

Source of the three-pion current: J. H. Kühn and A. Santamaria, Z. Phys. C 48 (1990) 445
(inspire:Kuhn:1990ad), eqs. for a1 → ρπ; numbers as in TAUOLA.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import ClassVar, NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np

from darksector.generators._tau_mesons import M2, Decay, Mode, first_decay
from darksector.generators._tau_spectra import (
    RHO,
    Table,
    a1_propagator,
    analyser,
    draw,
    form_factor,
    tabulate,
    transverse_to,
)
from darksector.kinematics import Momentum, breakup_velocity, dot, select, squared
from darksector.phasespace.two_body import at_rest, two_body

# Four pions are given the shape of the ρ(1450) with a constant width: an assumption;
# mass and width, GeV, of the Particle Data Group, PTEP 2022 083C01
RHO_PRIME_MASS, RHO_PRIME_WIDTH = 1.465, 0.400
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_GRID = (_POINTS + 1) / 2  # on (0, 1)
_SHARES = np.outer(_WEIGHTS, _WEIGHTS) / 4


@final
@dataclass(frozen=True)
class ThreePions(Mode):
    r"""τ → π π π' ν_τ with two like pions, through a1 → ρπ.

    .. math:: J = B_{a_1}(Q^2)\,[B_\rho(s_{13}) (p_1 - p_3)_\perp
                + B_\rho(s_{23}) (p_2 - p_3)_\perp]

    Parameters
    ----------
    codes, branching
        See `Mode`; the like pions come first.
    like, odd
        Masses of the like pions and of the other, GeV.
    """

    codes: tuple[int, ...]
    branching: float
    like: float
    odd: float
    dimension: ClassVar[int] = 8

    def current(self, first: Momentum, second: Momentum, odd: Momentum) -> Momentum:
        """Return J, GeV, complex."""
        hadrons = first + second + odd
        masses = (self.like, self.odd)
        parts = [
            transverse_to(p - odd, hadrons).scaled(
                form_factor(squared(p + odd), masses, RHO)
            )
            for p in (first, second)
        ]
        return (parts[0] + parts[1]).scaled(a1_propagator(squared(hadrons)))

    def density(self, s: jax.Array) -> jax.Array:
        """Return dΓ/dQ² up to a constant: the Dalitz plot integrated at each Q²."""
        grid, zero = jnp.asarray(_GRID), jnp.zeros((s.shape[0], *_SHARES.shape))
        s3 = s[:, None, None] + zero
        along_z = (zero + 1, zero)  # K⁰ averaged over the orientation: closed form
        pions = self._pions(
            at_rest(s3), (grid[:, None] + zero, *along_z, grid + zero, zero)
        )
        j = self.current(*pions)
        size = -dot(j, _conjugate(j)).real / self._dalitz_density(s3, pions)
        average = (M2 - s) * (M2 + 2 * s) / s * (size * _SHARES).sum(axis=(1, 2))
        return _flux(s) * average / (6 * sqrt(M2))

    def table(self) -> Table:
        """Return the spectrum of Q²."""
        return tabulate(self.density, ((2 * self.like + self.odd) ** 2, M2))

    def decay(self, u: jax.Array, table: Table, charge: jax.Array | int) -> Decay:
        """Return the pions, the odd one last, and the neutrino."""
        s, spread = draw(table, u[:, 0])
        neutrino, hadrons = first_decay(0.0, s, u[:, 1:3])
        swapped, share = u[:, 3] < 0.5, (2 * u[:, 3]) % 1
        partner, spectator, odd = self._pions(
            hadrons, (share, u[:, 4], u[:, 5], u[:, 6], u[:, 7])
        )
        pions = (
            select(swapped, spectator, partner),
            select(swapped, partner, spectator),
            odd,
        )
        j = self.current(*pions)
        k = analyser(_seen_by(charge, j), neutrino)
        drawn = self._dalitz_density(s, pions)
        weight = _flux(s) * k.e * spread / (drawn * table.integral)
        return Decay((*pions, neutrino), k, weight)

    def _pions(
        self, hadrons: Momentum, u: tuple[jax.Array, ...]
    ) -> tuple[Momentum, Momentum, Momentum]:
        """Return a ρ's like pion, the other like pion and the ρ's odd pion."""
        like2, odd2 = self.like**2, self.odd**2
        low, high = self._angles(squared(hadrons))
        rho = RHO[0]
        s13 = rho.mass**2 + rho.mass * rho.width * jnp.tan(low + (high - low) * u[0])
        pair, spectator = two_body(hadrons, (s13, like2), 2 * u[1] - 1, 2 * pi * u[2])
        partner, odd = two_body(pair, (like2, odd2), 2 * u[3] - 1, 2 * pi * u[4])
        return partner, spectator, odd

    def _angles(self, s: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the range of the angle in which a Breit-Wigner is flat."""
        rho = RHO[0]
        scale = rho.mass * rho.width
        low = ((self.like + self.odd) ** 2 - rho.mass**2) / scale
        high = ((jnp.sqrt(s) - self.like) ** 2 - rho.mass**2) / scale
        return jnp.arctan(jnp.asarray(low)), jnp.arctan(high)

    def _dalitz_density(
        self, s: jax.Array, pions: tuple[Momentum, Momentum, Momentum]
    ) -> jax.Array:
        """Return the density of `_pions` in s13 and s23, either pion with the ρ, GeV⁻⁴."""
        first, second, odd = pions
        low, high = self._angles(s)
        m2, scale = RHO[0].mass ** 2, RHO[0].mass * RHO[0].width
        total = jnp.zeros_like(s)
        for p in (first, second):
            pair2 = squared(p + odd)
            peak = scale / ((pair2 - m2) ** 2 + scale**2) / (high - low)
            across = breakup_velocity(pair2, self.like**2, self.odd**2)
            across = across * breakup_velocity(s, pair2, self.like**2) * s
            total = total + peak / across / 2
        return total


@final
@dataclass(frozen=True)
class FourPions(Mode):
    r"""τ → 4π ν_τ without spin correlation: a declared model, not a calculation.

    .. math:: d\Gamma \propto (1-x)^2 (1+2x)\, \left|\frac{1}{m^2 - Q^2 - i m\Gamma}\right|^2
        dQ^2\, d\Phi_4(Q^2),\ x = Q^2/m_\tau^2

    Parameters
    ----------
    codes, branching
        See `Mode`.
    masses
        Of the four pions, GeV.

    Notes
    -----
    A random direction stands for the spin analyser, so that the other tau sees none.
    """

    codes: tuple[int, ...]
    branching: float
    masses: tuple[float, float, float, float]
    dimension: ClassVar[int] = 13

    def density(self, s: jax.Array) -> jax.Array:
        """Return dΓ/dQ² up to a constant."""
        grid = jnp.asarray(_GRID)
        volume = self._pairs(s[:, None, None], grid[:, None], grid).volume
        return _four_pion_shape(s) * (volume * _SHARES).sum(axis=(1, 2))

    def table(self) -> Table:
        """Return the spectrum of Q²."""
        return tabulate(self.density, (sum(self.masses) ** 2, M2))

    def decay(self, u: jax.Array, table: Table, charge: jax.Array | int) -> Decay:
        """Return the pions in the order of the masses, and the neutrino."""
        del charge
        s, spread = draw(table, u[:, 0])
        neutrino, hadrons = first_decay(0.0, s, u[:, 1:3])
        pairs = self._pairs(s, u[:, 3], u[:, 4])
        m1, m2, m3, m4 = (m**2 for m in self.masses)
        cosines, angles = 2 * u[:, 5:13:2] - 1, 2 * pi * u[:, 6:13:2]
        one, two = two_body(
            hadrons, (pairs.first2, pairs.second2), cosines[:, 0], angles[:, 0]
        )
        pions = (
            *two_body(one, (m1, m2), cosines[:, 1], angles[:, 1]),
            *two_body(two, (m3, m4), cosines[:, 2], angles[:, 2]),
        )
        weight = _four_pion_shape(s) * pairs.volume * spread / table.integral
        axis = two_body(at_rest(s), (0.0, 0.0), cosines[:, 3], angles[:, 3]).first
        return Decay((*pions, neutrino), axis, weight)

    def _pairs(self, s: jax.Array, u1: jax.Array, u2: jax.Array) -> _Pairs:
        m1, m2, m3, m4 = self.masses
        free = jnp.sqrt(s) - sum(self.masses)
        first = m1 + m2 + free * u1
        second = m3 + m4 + free * (1 - u1) * u2
        volume = (
            free**2
            * (1 - u1)
            * first
            * second
            * breakup_velocity(s, first**2, second**2)
            * breakup_velocity(first**2, m1**2, m2**2)
            * breakup_velocity(second**2, m3**2, m4**2)
        )
        return _Pairs(first**2, second**2, volume)


class _Pairs(NamedTuple):
    """Squared masses of two pairs, GeV², and their four-body phase space, GeV⁴."""

    first2: jax.Array
    second2: jax.Array
    volume: jax.Array


def _four_pion_shape(s: jax.Array) -> jax.Array:
    x, m = s / M2, RHO_PRIME_MASS
    return (1 - x) ** 2 * (1 + 2 * x) / ((m**2 - s) ** 2 + (m * RHO_PRIME_WIDTH) ** 2)


def _flux(s: jax.Array) -> jax.Array:
    """Return the two phase-space factors around Q² that the Dalitz plot lacks, GeV⁻²."""
    return (1 - s / M2) / s


def _seen_by(charge: jax.Array | int, j: Momentum) -> Momentum:
    """Return J for the τ- and J* for the τ+: CP turns the momenta, which K then undoes."""
    return jax.tree.map(lambda c: c.real - 1j * charge * c.imag, j)


def _conjugate(p: Momentum) -> Momentum:
    return jax.tree.map(jnp.conj, p)
