"""Dark photon A': kinetic mixing with the photon, and optionally dark matter.

References: arXiv:1801.04847 (widths, R), arXiv:1707.03835 (dark matter).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi, sqrt
from types import MappingProxyType
from typing import ClassVar, final

from darksector.errors import OutOfDomain, UnknownName
from darksector.models._hadrons import REFERENCES
from darksector.models._widths import (
    KINETIC_MIXING,
    kinetic_mixing_widths,
    require_positive,
    vector_to_dirac,
    velocity,
)
from darksector.models.base import Model
from darksector.particles import ALPHA, MASS


def _dirac(mass: float, chi: float, _: float) -> float:
    return vector_to_dirac(mass, 4 * pi, chi)


def _majorana(mass: float, chi: float, _: float) -> float:
    return mass / 6 * velocity(mass, chi) ** 3


def _scalar(mass: float, chi: float, _: float) -> float:
    return mass / 12 * velocity(mass, chi) ** 3


def _pseudo_dirac(mass: float, chi: float, splitting: float) -> float:
    difference2, sum2 = (splitting / mass) ** 2, ((2 * chi + splitting) / mass) ** 2
    if sum2 >= 1:
        return 0.0
    return mass / 3 * sqrt(1 - difference2) ** 3 * (1 + sum2 / 2) * sqrt(1 - sum2)


# kind of dark matter: Γ(A'→χχ)/α_D, GeV, of (mass, dark_mass, splitting).
# Sources: arXiv:1707.03835 eqs. 5, 7 (Dirac, scalar); Majorana with L = (g_D/2) A'_μ
# χ̄γ^μγ⁵χ and pseudo-Dirac χ₁χ₂: derived (physics/dark-photon.md section 1)
DARK_MATTER: Mapping[str, Callable[[float, float, float], float]] = MappingProxyType(
    {
        "dirac": _dirac,
        "majorana": _majorana,
        "scalar": _scalar,
        "pseudo_dirac": _pseudo_dirac,
    }
)


@final
@dataclass(frozen=True)
class DarkPhoton(Model):
    r"""Massive vector that couples as :math:`\epsilon e J_{em}`.

    Parameters
    ----------
    mass
        Mass of the A', GeV.
    epsilon
        Kinetic mixing ε with the photon, dimensionless.
    alpha_dark
        Dark fine-structure constant α_D = g_D²/4π; used if there is dark matter.
    dark_matter
        ``none``, ``dirac``, ``majorana``, ``pseudo_dirac`` or ``scalar`` (complex).
    dark_mass
        Mass of the (lighter) dark-matter particle, GeV; None for a third of the A'.
    splitting
        Mass difference of the pseudo-Dirac pair χ₂ and χ₁, GeV; at most `dark_mass`.

    Raises
    ------
    OutOfDomain
        If a number is outside these ranges.
    UnknownName
        If there is no such kind of dark matter.

    Notes
    -----
    Below 2 mₑ only A' → 3γ is left, whose decay length is astronomical: without dark
    matter the A' counts as stable and leaves no trace.
    """

    mass: float
    epsilon: float
    alpha_dark: float = 0.5
    dark_matter: str = "none"
    dark_mass: float | None = None
    splitting: float = 0.0

    title: ClassVar[str] = "dark photon"
    coupling: ClassVar[str] = "epsilon"
    references: ClassVar[tuple[str, ...]] = (*REFERENCES, "arXiv:1707.03835")
    invisible: ClassVar[frozenset[str]] = frozenset({"chi chi"})

    def __post_init__(self) -> None:
        require_positive(
            "DarkPhoton",
            mass=self.mass,
            epsilon=self.epsilon,
            alpha_dark=self.alpha_dark,
        )
        known = ("none", *DARK_MATTER)
        if self.dark_matter not in known:
            kind = "dark matter"
            raise UnknownName(kind, self.dark_matter, known)
        if self.dark_mass is not None:
            require_positive("DarkPhoton", dark_mass=self.dark_mass)
        if self.dark_matter == "none" and self.dark_mass is not None:
            msg = (
                f"DarkPhoton got dark_mass {self.dark_mass} without dark matter; name "
                f"its kind with dark_matter, one of {', '.join(DARK_MATTER)}."
            )
            raise OutOfDomain(msg)
        largest = self.chi_mass if self.dark_matter == "pseudo_dirac" else 0.0
        if not 0 <= self.splitting <= largest:
            msg = (
                f"DarkPhoton with dark matter {self.dark_matter!r} needs a splitting "
                f"within [0, {largest:g}] GeV, got {self.splitting}: only pseudo_dirac "
                "dark matter is split, by at most the mass of its lighter particle."
            )
            raise OutOfDomain(msg)

    @property
    def chi_mass(self) -> float:
        """Mass of the (lighter) dark-matter particle, GeV; a third of the A' if open."""
        return self.mass / 3 if self.dark_mass is None else self.dark_mass

    @classmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the names of all decay channels, open or closed.

        ``chi1 chi2`` is a split pair whose χ₂ can decay to χ₁ e⁺e⁻: it may be seen.
        """
        return (*KINETIC_MIXING, "chi chi", "chi1 chi2")

    def partial_widths(self) -> Mapping[str, float]:
        """Return the widths to leptons, hadrons and dark matter, GeV."""
        widths = kinetic_mixing_widths(self.mass, self.epsilon)
        dark = self.dark_width()
        if dark > 0:
            seen = self.splitting > 2 * MASS["e"]
            widths["chi1 chi2" if seen else "chi chi"] = dark
        return widths

    def dark_width(self, mass: float | None = None) -> float:
        """Return Γ(A'→χχ), GeV, at a virtual mass, GeV; None for that of the A'."""
        if self.dark_matter == "none":
            return 0.0
        width = DARK_MATTER[self.dark_matter]
        virtual = self.mass if mass is None else mass
        return self.alpha_dark * width(virtual, self.chi_mass, self.splitting)

    @property
    def thermal_y(self) -> float:
        """Return y = ε² α_D (m_χ/m_A')⁴, which fixes the relic density, dimensionless."""
        return self.epsilon**2 * self.alpha_dark * (self.chi_mass / self.mass) ** 4


def annihilation_cross_section(y: float, dark_mass: float) -> float:
    r"""Return σv of :math:`\chi\bar\chi \to A'^* \to` a massless lepton pair, GeV⁻².

    .. math:: \sigma v = 16\pi\alpha y / m_\chi^2

    for Dirac and pseudo-Dirac fermions at rest and m_A' well above 2 m_χ.
    Source: arXiv:1707.03835 eqs. 28, 31.

    Raises
    ------
    OutOfDomain
        If y or the mass, GeV, is not positive.
    """
    require_positive("annihilation_cross_section", y=y, dark_mass=dark_mass)
    return 16 * pi * ALPHA * y / dark_mass**2


MODEL = DarkPhoton
