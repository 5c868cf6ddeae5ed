"""Mediator X of spin 0 or 1 that turns an electron into a muon.

References: arXiv:1610.08060, arXiv:1701.08767 (both of spin 0); a vector is an option.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, inf, pi, sin, sqrt
from typing import ClassVar, final

from darksector.errors import OutOfDomain
from darksector.models._widths import (
    require_pair,
    require_positive,
    scalar_to_dirac,
    vector_to_dirac,
)
from darksector.models.base import Model
from darksector.particles import MASS

_DECAYS = ("e- mu+", "e+ mu-")


@final
@dataclass(frozen=True)
class LfvMediator(Model):
    r"""Real mediator with flavour-changing couplings to e and μ.

    Spin 1: :math:`L = X_\alpha \bar e \gamma^\alpha (g_V + g_A\gamma^5) \mu + h.c.`;
    spin 0: :math:`L = X \bar e (a + b\gamma^5) \mu + h.c.`

    Parameters
    ----------
    mass
        Mass of the X, GeV.
    g_emu
        Strength g of the coupling, dimensionless.
    spin
        0 or 1.
    chirality_angle
        Angle φ, rad: (g_V, g_A) or (a, b) = g (cos φ, sin φ); 0 is vector or scalar,
        π/2 axial or pseudoscalar, ±π/4 chiral.
    dark_mass
        Mass of a Dirac fermion that X decays to, GeV; None for none.
    dark_coupling
        Vector or scalar coupling of this fermion.  A fully invisible X has one far
        above g_emu.

    Raises
    ------
    OutOfDomain
        If mass or g_emu is not positive, the spin is neither 0 nor 1, the angle is not
        finite, or the dark matter is given by halves.

    Notes
    -----
    At tree level: below m_e + m_μ the X counts as stable and leaves no trace.
    """

    mass: float
    g_emu: float
    spin: int = 1
    chirality_angle: float = 0.0
    dark_mass: float | None = None
    dark_coupling: float = 0.0

    title: ClassVar[str] = "lepton-flavour-violating mediator"
    coupling: ClassVar[str] = "g_emu"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1610.08060", "arXiv:1701.08767")
    invisible: ClassVar[frozenset[str]] = frozenset({"chi chi"})

    def __post_init__(self) -> None:
        require_positive("LfvMediator", mass=self.mass, g_emu=self.g_emu)
        require_pair("LfvMediator", self.dark_mass, dark_coupling=self.dark_coupling)
        if self.spin not in {0, 1}:
            msg = f"LfvMediator needs spin 0 or 1, got {self.spin}."
            raise OutOfDomain(msg)
        if not -inf < self.chirality_angle < inf:
            msg = f"LfvMediator needs a finite angle, got {self.chirality_angle} rad."
            raise OutOfDomain(msg)

    @property
    def couplings(self) -> tuple[float, float]:
        """Return (g_V, g_A) for spin 1 or (a, b) for spin 0, dimensionless."""
        angle = self.chirality_angle
        return self.g_emu * cos(angle), self.g_emu * sin(angle)

    @classmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the names of all decay channels, open or closed."""
        return (*_DECAYS, "chi chi")

    def partial_widths(self) -> Mapping[str, float]:
        """Return the widths to both charge states of e μ and to dark matter, GeV."""
        widths: dict[str, float] = {}
        if self.mass > MASS["e"] + MASS["mu"]:
            widths = dict.fromkeys(_DECAYS, self._width_emu())
        if self.dark_mass is not None:
            to_dirac = vector_to_dirac if self.spin else scalar_to_dirac
            dark = to_dirac(self.mass, self.dark_coupling**2, self.dark_mass)
            if dark > 0:
                widths["chi chi"] = dark
        return widths

    def _width_emu(self) -> float:
        r"""Return the width to one charge state, GeV.

        With :math:`x_i = m_i^2/M^2`, :math:`\lambda = \lambda(1, x_e, x_\mu)`:

        .. math:: \Gamma_1 = \frac{M\sqrt\lambda}{24\pi}
            \{(g_V^2+g_A^2)[2 - x_e - x_\mu - (x_e-x_\mu)^2]
            + 6 (g_V^2-g_A^2)\sqrt{x_e x_\mu}\}

        .. math:: \Gamma_0 = \frac{M\sqrt\lambda}{8\pi}
            \{a^2[1-(\sqrt{x_e}+\sqrt{x_\mu})^2] + b^2[1-(\sqrt{x_e}-\sqrt{x_\mu})^2]\}

        Derived; equal masses give the usual widths of a vector and a scalar.
        """
        even2, odd2 = (g**2 for g in self.couplings)
        re, rmu = MASS["e"] / self.mass, MASS["mu"] / self.mass
        plus, minus = 1 - (re + rmu) ** 2, 1 - (re - rmu) ** 2
        scale = self.mass * sqrt(plus * minus) / (8 * pi)
        if self.spin == 0:
            return scale * (even2 * plus + odd2 * minus)
        both = 2 - re**2 - rmu**2 - (re**2 - rmu**2) ** 2
        return scale / 3 * ((even2 + odd2) * both + 6 * (even2 - odd2) * re * rmu)


MODEL = LfvMediator
