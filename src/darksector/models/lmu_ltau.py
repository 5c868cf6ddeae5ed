"""Z' of a gauged L_mu - L_tau symmetry: couples to muons, taus, their neutrinos.

References: arXiv:1403.2727 (Shuve), arXiv:1609.04026 (Altmannshofer).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log, pi, sqrt
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from darksector.amplitudes.vacuum import lepton_loop
from darksector.errors import OutOfDomain
from darksector.models.base import Model
from darksector.particles import ALPHA, MASS

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_UNIT, _UNIT_WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2  # quadrature on [0, 1]


@final
@dataclass(frozen=True)
class LmuLtau(Model):
    """Vector mediator with purely vectorial charges (mu, tau) = (+1, -1).

    Parameters
    ----------
    mass
        Mass of the Z', GeV.
    gprime
        Gauge coupling g', dimensionless; fields couple as g' * charge.
    dark_matter_mass
        Mass of a Dirac fermion chi with vector coupling to the Z', GeV; None for none.
    dark_coupling
        Coupling g_D of chi, dimensionless.

    Raises
    ------
    OutOfDomain
        If mass or gprime is not positive, or the dark matter is given by halves.
    """

    mass: float
    gprime: float
    dark_matter_mass: float | None = None
    dark_coupling: float = 0.0

    title: ClassVar[str] = "L_mu - L_tau Z'"
    coupling: ClassVar[str] = "gprime"
    references: ClassVar[tuple[str, ...]] = (
        *("arXiv:1403.2727", "arXiv:1609.04026", "arXiv:1801.04847"),
        "arXiv:2006.11225",
    )
    invisible: ClassVar[frozenset[str]] = frozenset(
        {"nu_mu nu_mu", "nu_tau nu_tau", "chi chi"}
    )

    def __post_init__(self) -> None:
        if not 0 < self.mass < inf:
            msg = (
                f"LmuLtau needs a finite mass > 0 GeV, got {self.mass}: "
                "the massless limit has no decay width."
            )
            raise OutOfDomain(msg)
        if not 0 < self.gprime < inf:
            msg = f"LmuLtau needs a finite gprime > 0, got {self.gprime}."
            raise OutOfDomain(msg)
        if (self.dark_matter_mass is not None) != (self.dark_coupling > 0) or (
            self.dark_matter_mass or 0.0
        ) < 0:
            msg = (
                "LmuLtau needs both dark_matter_mass >= 0 GeV and dark_coupling > 0, "
                f"or neither; got {self.dark_matter_mass} and {self.dark_coupling}."
            )
            raise OutOfDomain(msg)

    @classmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the names of all decay channels, open or closed."""
        return ("nu_mu nu_mu", "nu_tau nu_tau", "mu+ mu-", "tau+ tau-", "chi chi")

    def partial_widths(self) -> Mapping[str, float]:
        """Return Γ(Z'→l⁺l⁻), Γ(Z'→νν̄), Γ(Z'→χχ̄), GeV (arXiv:1801.04847 eq. 2.13)."""
        unit = self.mass / (12 * pi)
        widths = {
            "nu_mu nu_mu": self.gprime**2 * unit / 2,
            "nu_tau nu_tau": self.gprime**2 * unit / 2,
        }
        pairs = {
            "mu+ mu-": (self.gprime, MASS["mu"]),
            "tau+ tau-": (self.gprime, MASS["tau"]),
        }
        if self.dark_matter_mass is not None:
            pairs["chi chi"] = (self.dark_coupling, self.dark_matter_mass)
        for name, (coupling, mass) in pairs.items():
            r = (mass / self.mass) ** 2
            if 4 * r < 1:
                widths[name] = coupling**2 * unit * (1 + 2 * r) * sqrt(1 - 4 * r)
        return widths

    def delta_a_mu(self) -> float:
        """Return the one-loop contribution to (g-2)/2 of the muon (arXiv:1403.2727)."""
        return self.gprime**2 * _delta_a_mu(self.mass)

    def kinetic_mixing(self) -> complex:
        r"""Return the one-loop γ-Z' mixing at :math:`q^2 = m_{Z'}^2`, dimensionless.

        .. math:: \epsilon = \frac{e g'}{2\pi^2} \int_0^1 x(1-x)
                  \ln\frac{m_\tau^2 - x(1-x)q^2}{m_\mu^2 - x(1-x)q^2} dx

        Source: arXiv:2006.11225 eq. 7.
        """
        return kinetic_mixing(self.mass**2, self.gprime)


def kinetic_mixing(q2: float, gprime: float) -> complex:
    """Return the one-loop mixing at momentum transfer q2, GeV² (arXiv:2006.11225 eq. 7)."""
    logarithm = log(MASS["tau"] / MASS["mu"]) / 3
    loops = lepton_loop(q2, MASS["tau"]) - lepton_loop(q2, MASS["mu"])
    return sqrt(4 * pi * ALPHA) * gprime / (2 * pi**2) * (logarithm + complex(loops))


def gprime_for_delta_a_mu(
    masses: NDArray[np.float64], delta: float
) -> NDArray[np.float64]:
    """Return the g' at which the Z' contributes `delta` to (g-2)/2 of the muon, ``(m,)``."""
    return np.sqrt([delta / _delta_a_mu(float(m)) for m in masses])


def _delta_a_mu(mass: float) -> float:
    m2, x = MASS["mu"] ** 2, _UNIT
    integrand = 2 * m2 * x**2 * (1 - x) / (x**2 * m2 + (1 - x) * mass**2)
    return float(_UNIT_WEIGHTS @ integrand) / (8 * pi**2)


@final
@dataclass(frozen=True)
class GMinusTwo:
    """Measured minus predicted (g-2)/2 of the muon as it stood in one year."""

    year: int
    difference: float
    error: float
    reference: str


G_MINUS_TWO = (
    GMinusTwo(2019, 27.06e-10, 7.26e-10, "arXiv:1802.02995"),
    GMinusTwo(2021, 251e-11, 59e-11, "arXiv:2104.03281"),
    GMinusTwo(2025, 38e-11, 63e-11, "arXiv:2505.21476"),
)

MODEL = LmuLtau
