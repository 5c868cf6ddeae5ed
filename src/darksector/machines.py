"""Colliders: beams, boost and luminosity, from TOML cards with a source per number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from math import cos, hypot, inf, sin, sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector import cardfile
from darksector.beams import LuminousRegion, Ring
from darksector.cardfile import MACHINES, Card, Number, Origin
from darksector.errors import OutOfDomain
from darksector.history import Record, records
from darksector.particles import MASS

_BEAMS = ("energy_her", "energy_ler", "half_crossing_angle")
_SPREADS = ("energy_spread_her", "energy_spread_ler")
_OPTIONAL = ("circumference", "n_bunches", "peak_luminosity")
_RINGS = ("her", "ler")
_CENTRE = ("x", "y", "z")
_UNKNOWN = Ring()


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
        Field, or ``section.field``, to the origin of its number.
    references
        Papers to cite.
    her, ler
        Currents and optics, as far as they are known.
    circumference
        Length of a ring, cm; `None` if not known.
    n_bunches
        Number of bunches in each ring.
    peak_luminosity
        Record, or goal of a design, cm⁻² s⁻¹.
    luminous_region
        Where collisions happen; `None` puts all of them at the origin.
    data_sets
        What was recorded, with integrated luminosities in fb⁻¹.

    Raises
    ------
    OutOfDomain
        If an energy is not above the electron mass, a spread is negative, the crossing
        angle is not within [0, 0.5) rad, or an optional number is not positive.
    """

    title: str
    energy_her: float
    energy_ler: float
    half_crossing_angle: float
    energy_spread_her: float
    energy_spread_ler: float
    origins: Mapping[str, Origin] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    her: Ring = _UNKNOWN
    ler: Ring = _UNKNOWN
    circumference: float | None = None
    n_bunches: float | None = None
    peak_luminosity: float | None = None
    luminous_region: LuminousRegion | None = None
    data_sets: tuple[Record, ...] = ()

    def __post_init__(self) -> None:
        self._check_beams()
        for name in _SPREADS:
            if not 0 <= getattr(self, name) < inf:
                msg = (
                    "energy spreads must be finite and >= 0 GeV, got "
                    f"{self.energy_spread_her} and {self.energy_spread_ler}."
                )
                raise OutOfDomain(msg)
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value is not None and not 0 < value < inf:
                msg = (
                    f"{name} of {self.title} must be finite and > 0, got {value}; leave "
                    "it out if it is not known."
                )
                raise OutOfDomain(msg)

    def _check_beams(self) -> None:
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
    _check_sections(card)
    entries = cardfile.numbers(card, (*_BEAMS, *_SPREADS), optional=_OPTIONAL)
    needed = [f.name for f in fields(LuminousRegion) if f.name not in _CENTRE]
    found = {
        "": entries,
        **{name: _section(card, name, Ring, required=()) for name in _RINGS},
        "luminous_region": _section(
            card, "luminous_region", LuminousRegion, required=needed
        ),
    }
    values = {section: _values(card, section, of) for section, of in found.items()}
    region = values["luminous_region"]
    return Machine(
        title=str(card.tables["title"]),
        origins={
            _path(section, name): entry.origin
            for section, of in found.items()
            for name, entry in of.items()
        },
        references=tuple(card.tables["references"]),
        her=Ring(**values["her"]),
        ler=Ring(**values["ler"]),
        luminous_region=LuminousRegion(**region) if region else None,
        data_sets=records(card, "data_sets"),
        **values[""],
    )


def _check_sections(card: Card) -> None:
    sections = (*_RINGS, "luminous_region", "data_sets")
    cardfile.check_keys(
        card.tables,
        ("title", "references", *_BEAMS, *_SPREADS),
        where=card.where(),
        optional=(*_OPTIONAL, *sections),
    )


def _section(
    card: Card, section: str, kind: type, *, required: Collection[str]
) -> dict[str, Number]:
    """Return the entries of a section that a card may leave out."""
    if section not in card.tables:
        return {}
    optional = [f.name for f in fields(kind) if f.name not in required]
    return cardfile.numbers(card, required, section=section, optional=optional)


def _path(section: str, name: str) -> str:
    return f"{section}.{name}" if section else name


def _values(
    card: Card, section: str, entries: Mapping[str, Number]
) -> dict[str, float]:
    return {
        name: cardfile.scalar(entry, card.where(_path(section, name)))
        for name, entry in entries.items()
    }


def _beam(energy: float, angle: float, *, forward: float) -> NDArray[np.float64]:
    p = sqrt(energy**2 - MASS["e"] ** 2)
    return np.array([energy, p * sin(angle), 0.0, forward * p * cos(angle)])
