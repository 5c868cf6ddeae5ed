"""Two-body widths that several models share."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, pi, sqrt
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from darksector.errors import OutOfDomain
from darksector.models._hadrons import r_ratio
from darksector.particles import ALPHA, MASS

LEPTON_PAIRS: Mapping[str, str] = MappingProxyType(
    {"e+ e-": "e", "mu+ mu-": "mu", "tau+ tau-": "tau"}
)
KINETIC_MIXING = (*LEPTON_PAIRS, "hadrons")


def require_positive(model: str, **values: float) -> None:
    """Raise `OutOfDomain` unless every value is finite and above zero."""
    for name, value in values.items():
        if not 0 < value < inf:
            msg = f"{model} needs a finite {name} > 0, got {value}."
            raise OutOfDomain(msg)


def require_pair(model: str, dark_mass: float | None, **coupling: float) -> None:
    """Raise `OutOfDomain` unless a dark mass and its coupling come together."""
    ((name, value),) = coupling.items()
    given = dark_mass is not None
    if given != (value != 0) or not (
        0 <= (dark_mass or 0.0) < inf and 0 <= value < inf
    ):
        msg = (
            f"{model} needs both a finite dark_mass >= 0 GeV and {name} > 0, or neither; "
            f"got {dark_mass} and {value}."
        )
        raise OutOfDomain(msg)


def velocity(mass: float, daughter: float) -> float:
    """Return the velocity of each of two equal daughters; 0 for a closed channel."""
    ratio2 = (2 * daughter / mass) ** 2
    return sqrt(1 - ratio2) if ratio2 < 1 else 0.0


def vector_to_dirac(mass: float, coupling2: float, daughter: float) -> float:
    r"""Return :math:`\frac{g^2 m}{12\pi}(1+2r^2)\sqrt{1-4r^2}`, GeV.

    Source: arXiv:1801.04847 eq. 2.13; `coupling2` is g² of a vectorial coupling.
    """
    r2 = (daughter / mass) ** 2
    return coupling2 * mass / (12 * pi) * (1 + 2 * r2) * velocity(mass, daughter)


def scalar_to_dirac(mass: float, coupling2: float, daughter: float) -> float:
    r"""Return :math:`\frac{y^2 m}{8\pi}\beta^3`, GeV, for a scalar Yukawa coupling y."""
    return coupling2 * mass / (8 * pi) * velocity(mass, daughter) ** 3


def kinetic_mixing_widths(mass: float, epsilon: float) -> dict[str, float]:
    r"""Return the open widths of a dark photon into known particles, GeV.

    .. math:: \Gamma_{had} = \frac{\alpha\epsilon^2 m}{3} R(m^2)

    Sources: arXiv:1801.04847 eqs. 2.13, 2.16; R is that of point-like muons.
    """
    coupling2 = 4 * pi * ALPHA * epsilon**2
    found = {
        name: vector_to_dirac(mass, coupling2, MASS[lepton])
        for name, lepton in LEPTON_PAIRS.items()
    }
    ratio = float(r_ratio(np.array([mass]))[0])
    found["hadrons"] = coupling2 * mass / (12 * pi) * ratio
    return {name: width for name, width in found.items() if width > 0}


def kinetic_mixing_total(
    masses: NDArray[np.float64], epsilon: float
) -> NDArray[np.float64]:
    """Return the sum of `kinetic_mixing_widths`, GeV, for many masses, ``(n,)``."""
    coupling2 = 4 * pi * ALPHA * epsilon**2
    factor = r_ratio(masses)
    for lepton in LEPTON_PAIRS.values():
        r2 = (MASS[lepton] / masses) ** 2
        factor = factor + (1 + 2 * r2) * np.sqrt(np.maximum(1 - 4 * r2, 0.0))
    return coupling2 * masses / (12 * pi) * factor
