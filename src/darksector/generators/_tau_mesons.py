"""Decay modes of the tau that are exact up to a form factor, and what a mode is.

Every mode here has a V-A current and a massless neutrino, so that it analyses the spin
completely: the rate of τ- is ∝ K·(p_τ - m_τ s) with a light-like K.

References: Y. S. Tsai, Phys. Rev. D 4 (1971) 2821 (inspire:Tsai:1971vv); resonances as
in `_tau_spectra`.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from math import pi
from typing import ClassVar, NamedTuple, final

import jax
import jax.numpy as jnp

from darksector.generators._tau_spectra import (
    Resonance,
    Table,
    analyser,
    draw,
    form_factor,
    tabulate,
    transverse_to,
)
from darksector.kinematics import Momentum, breakup_velocity
from darksector.particles import MASS
from darksector.phasespace.two_body import Pair, at_rest, two_body

M2 = MASS["tau"] ** 2


class Decay(NamedTuple):
    """The products of one tau in its rest frame."""

    products: tuple[Momentum, ...]
    analyser: Momentum  # rate ∝ 1 + ŝ·n for τ-, 1 - ŝ·n for τ+, n its direction
    weight: jax.Array  # mean one over the uniform numbers


class Mode(abc.ABC):
    """One way of a tau to decay.

    Leaves are frozen dataclasses with the PDG codes of the products of the τ-, whose
    last is the ν_τ, and the branching fraction.
    """

    codes: tuple[int, ...]
    branching: float
    dimension: ClassVar[int]  # uniform numbers per decay

    @abc.abstractmethod
    def table(self) -> Table:
        """Return the spectrum in the one mass that the decay draws first."""

    @abc.abstractmethod
    def decay(self, u: jax.Array, table: Table, charge: jax.Array | int) -> Decay:
        """Return unpolarised decays at rest for numbers ``(n, dimension)``."""


@final
@dataclass(frozen=True)
class Leptonic(Mode):
    r"""τ → l ν̄_l ν_τ; the antineutrino of the lepton analyses the spin.

    .. math:: d\Gamma \propto (p_\tau\cdot p_{\bar\nu})(p_l\cdot p_\nu)\, d\Phi_3
    """

    codes: tuple[int, ...]
    branching: float
    lepton: str
    dimension: ClassVar[int] = 5

    def density(self, s: jax.Array) -> jax.Array:
        """Return dΓ/ds up to a constant, s the squared mass of lepton and ν_τ."""
        y, r = s / M2, MASS[self.lepton] ** 2 / M2
        return (1 - y) ** 2 * (y - r) ** 2 / y

    def table(self) -> Table:
        """Return the spectrum of the squared mass of lepton and ν_τ."""
        return tabulate(self.density, (MASS[self.lepton] ** 2, M2))

    def decay(self, u: jax.Array, table: Table, charge: jax.Array | int) -> Decay:
        """Return lepton, its (anti)neutrino, and the (anti)neutrino of the tau."""
        del charge  # CP: the neutrino analyses the τ+
        s, spread = draw(table, u[:, 0])
        antineutrino, pair = first_decay(0.0, s, u[:, 1:3])
        lepton, neutrino = two_body(
            pair, (MASS[self.lepton] ** 2, 0.0), 2 * u[:, 3] - 1, 2 * pi * u[:, 4]
        )
        weight = self.density(s) * spread / table.integral
        return Decay((lepton, antineutrino, neutrino), antineutrino, weight)


@final
@dataclass(frozen=True)
class OneMeson(Mode):
    """τ → meson ν_τ; the meson analyses the spin."""

    codes: tuple[int, ...]
    branching: float
    mass: float
    dimension: ClassVar[int] = 2

    def table(self) -> Table:
        """Return an empty table: there is no mass to draw."""
        return Table(jnp.ones(()), jnp.zeros(0))

    def decay(self, u: jax.Array, table: Table, charge: jax.Array | int) -> Decay:
        """Return meson and neutrino."""
        del table, charge
        s = jnp.full(u.shape[0], self.mass**2)
        neutrino, meson = first_decay(0.0, s, u)
        return Decay((meson, neutrino), meson, jnp.ones(u.shape[0]))


@final
@dataclass(frozen=True)
class TwoMesons(Mode):
    r"""τ → meson meson ν_τ through vector resonances.

    .. math:: J = F(Q^2)\,\left(q - \frac{q\cdot Q}{Q^2} Q\right),\ q = p_1 - p_2,\quad
        \frac{d\Gamma}{dQ^2} \propto (1-x)^2 (1+2x)\, v^3 |F|^2,\ x = Q^2/m_\tau^2

    Parameters
    ----------
    codes, branching
        See `Mode`.
    masses
        Of the mesons, GeV.
    resonances
        Of the form factor F.

    Notes
    -----
    The scalar part of the current, ∝ m₁² - m₂², is left out.
    """

    codes: tuple[int, ...]
    branching: float
    masses: tuple[float, float]
    resonances: tuple[Resonance, ...]
    dimension: ClassVar[int] = 5

    def density(self, s: jax.Array) -> jax.Array:
        """Return dΓ/dQ² up to a constant."""
        x, velocity = s / M2, breakup_velocity(s, *(m**2 for m in self.masses))
        strength = jnp.abs(form_factor(s, self.masses, self.resonances)) ** 2
        return (1 - x) ** 2 * (1 + 2 * x) * velocity**3 * strength

    def table(self) -> Table:
        """Return the spectrum of Q²."""
        return tabulate(self.density, (sum(self.masses) ** 2, M2))

    def decay(self, u: jax.Array, table: Table, charge: jax.Array | int) -> Decay:
        """Return both mesons and the neutrino; angles need no weight."""
        del charge  # the phase of F is common: K is even, and CP makes it right for τ+
        s, spread = draw(table, u[:, 0])
        neutrino, hadrons = first_decay(0.0, s, u[:, 1:3])
        m1, m2 = (m**2 for m in self.masses)
        cosine = _cosine(u[:, 3], M2 / s - 1)
        first, second = two_body(
            hadrons, (m1, m2), cosine, 2 * pi * u[:, 4], axis=hadrons
        )
        current = transverse_to(first - second, hadrons)
        weight = self.density(s) * spread / table.integral
        return Decay((first, second, neutrino), analyser(current, neutrino), weight)


def first_decay(m2: float, s: jax.Array, u: jax.Array) -> Pair:
    """Return the isotropic decay of a tau at rest to squared masses m2 and s, GeV²."""
    tau = at_rest(jnp.full(s.shape[0], M2))
    return two_body(tau, (m2, s), 2 * u[:, 0] - 1, 2 * pi * u[:, 1])


def _cosine(u: jax.Array, b: jax.Array) -> jax.Array:
    """Return cosines with density ∝ 1 + b cos², b > 0: the root of a cubic."""
    root = jnp.sqrt(b)
    return 2 / root * jnp.sinh(jnp.arcsinh(1.5 * root * (1 + b / 3) * (2 * u - 1)) / 3)
