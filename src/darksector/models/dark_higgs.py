"""Dark Higgs boson h' that gives the dark photon A' its mass.

References: arXiv:0903.0363 (dark Higgs-strahlung at B factories).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from darksector.models._hadrons import REFERENCES
from darksector.models._widths import (
    kinetic_mixing_total,
    kinetic_mixing_widths,
    require_positive,
)
from darksector.models.base import Model
from darksector.particles import MASS

_STEPS = 20_000  # of ln q²: a few in the width of the φ


@final
@dataclass(frozen=True)
class DarkHiggs(Model):
    r"""Scalar with :math:`L = g_D m_{A'} h' A'_\mu A'^\mu`, and the A' itself.

    Parameters
    ----------
    mass
        Mass of the h', GeV.
    epsilon
        Kinetic mixing ε of the A' with the photon, dimensionless.
    mass_aprime
        Mass of the A', GeV.
    alpha_dark
        Dark fine-structure constant α_D = g_D²/4π.

    Raises
    ------
    OutOfDomain
        If one of them is not positive.

    Notes
    -----
    An h' lighter than the A' decays through loops, at order ε⁴: it counts as stable and
    leaves no trace.  Between once and twice the mass of the A' one of the two A' is
    virtual, which costs ε².
    """

    mass: float
    epsilon: float
    mass_aprime: float = 4.0
    alpha_dark: float = 0.1

    title: ClassVar[str] = "dark Higgs boson"
    coupling: ClassVar[str] = "epsilon"
    references: ClassVar[tuple[str, ...]] = ("arXiv:0903.0363", *REFERENCES)
    invisible: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        require_positive(
            "DarkHiggs",
            mass=self.mass,
            epsilon=self.epsilon,
            mass_aprime=self.mass_aprime,
            alpha_dark=self.alpha_dark,
        )

    @classmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the decay channels of the h'; ``A'*`` is a virtual A'."""
        return ("A' A'", "A' A'*")

    def partial_widths(self) -> Mapping[str, float]:
        r"""Return the width of the h', GeV.

        .. math:: \Gamma(h'\to A'A') = \frac{\alpha_D m_h^3}{8 m_A^2}
                  \sqrt{1-4x} (1 - 4x + 12x^2), \quad x = m_A^2/m_h^2

        Derived; the form of h → ZZ in the Standard Model.
        """
        if self.mass > 2 * self.mass_aprime:
            pair = self._pair_width(np.array([self.mass_aprime**2]))
            return {"A' A'": float(pair[0]) / 2}  # identical particles
        lightest = self.mass_aprime + 2 * MASS["e"]
        return {"A' A'*": self._virtual_width()} if self.mass > lightest else {}

    def aprime_widths(self) -> Mapping[str, float]:
        """Return the partial widths of the A' into known particles, GeV."""
        return kinetic_mixing_widths(self.mass_aprime, self.epsilon)

    def _pair_width(self, q2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the width to an A' and another vector of mass² q2, GeV, ``(n,)``."""
        h2, a2 = self.mass**2, self.mass_aprime**2
        kallen = np.maximum((h2 - a2 - q2) ** 2 - 4 * a2 * q2, 0.0)
        polarisations = 2 + (h2 - a2 - q2) ** 2 / (4 * a2 * q2)
        return self.alpha_dark * a2 / self.mass**3 * np.sqrt(kallen) * polarisations

    def _virtual_width(self) -> float:
        r"""Return the width to one real and one virtual A', GeV.

        .. math:: \frac{1}{\pi} \int dq^2
            \frac{q\,\Gamma_{A'}(q)}{(q^2-m_{A'}^2)^2}\, \Gamma(h'\to A' A'(q^2))

        Midpoint rule in ln q², since virtual photons prefer small masses.
        """
        low, high = 2 * log(2 * MASS["e"]), 2 * log(self.mass - self.mass_aprime)
        step = (high - low) / _STEPS
        q2 = np.exp(low + step * (np.arange(_STEPS) + 0.5))
        width = kinetic_mixing_total(np.sqrt(q2), self.epsilon)
        lorentzian = np.sqrt(q2) * width / (pi * (q2 - self.mass_aprime**2) ** 2)
        return float(np.sum(lorentzian * self._pair_width(q2) * q2)) * step


MODEL = DarkHiggs
