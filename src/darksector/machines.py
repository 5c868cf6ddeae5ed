"""Colliders: beams, boost and luminosity, from TOML cards with a source per number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import cos, hypot, inf, sin, sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector import cardfile
from darksector.cardfile import MACHINES, Origin
from darksector.errors import OutOfDomain
from darksector.particles import MASS


@final
@dataclass(frozen=True)
class Machine:
    """An asymmetric e+e- collider with beams in the horizontal plane.

    Parameters
    ----------
    title
        Name for people.
    energy_her, energy_ler
        Energies of the electron (HER) and positron (LER) beams, GeV.
    half_crossing_angle
        Angle of each beam with the z axis, rad; electrons travel towards +z and +x.
    energy_spread_her, energy_spread_ler
        Gaussian energy spreads, GeV.
    origins
        Field to the origin of its number.
    references
        Papers to cite.

    Raises
    ------
    OutOfDomain
        If an energy is not above the electron mass, a spread is negative, or the
        crossing angle is not within [0, 0.5) rad.
    """

    title: str
    energy_her: float
    energy_ler: float
    half_crossing_angle: float
    energy_spread_her: float
    energy_spread_ler: float
    origins: Mapping[str, Origin] = field(default_factory=dict)
    references: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lowest = MASS["e"]
        if not (lowest < self.energy_her < inf and lowest < self.energy_ler < inf):
            msg = (
                f"beam energies must be finite and above {lowest:.2e} GeV, got "
                f"{self.energy_her} (HER) and {self.energy_ler} (LER)."
            )
            raise OutOfDomain(msg)
        if not 0 <= self.half_crossing_angle < 0.5:
            msg = (
                "half_crossing_angle must be within [0, 0.5) rad, got "
                f"{self.half_crossing_angle}; 83 mrad full crossing is 0.0415."
            )
            raise OutOfDomain(msg)
        if not (
            0 <= self.energy_spread_her < inf and 0 <= self.energy_spread_ler < inf
        ):
            msg = (
                "energy spreads must be finite and >= 0 GeV, got "
                f"{self.energy_spread_her} and {self.energy_spread_ler}."
            )
            raise OutOfDomain(msg)

    @property
    def p_her(self) -> NDArray[np.float64]:
        """Four-momentum of the electron beam in the laboratory, ``(4,)``, GeV."""
        return _beam(self.energy_her, self.half_crossing_angle, forward=1.0)

    @property
    def p_ler(self) -> NDArray[np.float64]:
        """Four-momentum of the positron beam in the laboratory, ``(4,)``, GeV."""
        return _beam(self.energy_ler, self.half_crossing_angle, forward=-1.0)

    @property
    def p_beams(self) -> NDArray[np.float64]:
        """Total four-momentum of the beams, ``(4,)``, GeV."""
        return self.p_her + self.p_ler

    @property
    def s(self) -> float:
        """Collision energy squared, GeV²."""
        energy, *momentum = self.p_beams
        return float(energy**2 - sum(p**2 for p in momentum))

    @property
    def sqrt_s(self) -> float:
        """Collision energy, GeV."""
        return sqrt(self.s)

    @property
    def boost(self) -> NDArray[np.float64]:
        """Velocity of the centre of mass in the laboratory, ``(3,)``, in units of c."""
        return self.p_beams[1:] / self.p_beams[0]

    @property
    def beta_gamma(self) -> float:
        """Boost βγ of the centre of mass, dimensionless."""
        return float(np.linalg.norm(self.p_beams[1:])) / self.sqrt_s

    @property
    def sqrt_s_spread(self) -> float:
        """Gaussian spread of the collision energy, GeV, at first order."""
        # d(s)/dE of a beam is 2 (E_other - p_other·n): with m_e neglected s/(2E)
        her = self.energy_spread_her * self.sqrt_s / (2 * self.energy_her)
        ler = self.energy_spread_ler * self.sqrt_s / (2 * self.energy_ler)
        return hypot(her, ler)


def symmetric(sqrt_s: float) -> Machine:
    """Return an ideal head-on collider of the given collision energy, GeV.

    Examples
    --------
    >>> round(symmetric(10.58).sqrt_s, 9)
    10.58
    """
    return Machine(
        title=f"symmetric {sqrt_s:g} GeV",
        energy_her=sqrt_s / 2,
        energy_ler=sqrt_s / 2,
        half_crossing_angle=0.0,
        energy_spread_her=0.0,
        energy_spread_ler=0.0,
    )


def load(name: str) -> Machine:
    """Return the machine of a packaged card, or of a file ending in .toml.

    Raises
    ------
    UnknownName
        If there is no such card.
    InvalidCard
        If the card lacks a number, has an unknown key, or a number has no source.
    """
    return from_toml(MACHINES.text(name), origin=name)


def from_toml(text: str, *, origin: str) -> Machine:
    """Return the machine that a card declares; `origin` names it in errors."""
    card = cardfile.resolve(text, MACHINES, origin=origin)
    names = {f.name for f in fields(Machine)} - {"title", "origins", "references"}
    wanted = {"title", "references", *names}
    cardfile.check_keys(card.tables, wanted, where=card.where())
    entries = cardfile.numbers(card, names)
    return Machine(
        title=str(card.tables["title"]),
        origins={name: entry.origin for name, entry in entries.items()},
        references=tuple(card.tables["references"]),
        **{name: float(entry.value) for name, entry in entries.items()},
    )


def _beam(energy: float, angle: float, *, forward: float) -> NDArray[np.float64]:
    p = sqrt(energy**2 - MASS["e"] ** 2)
    return np.array([energy, p * sin(angle), 0.0, forward * p * cos(angle)])
