"""Scalar S that couples to muons only.

References: arXiv:2403.02841 (Belle II, four muons), arXiv:hep-ph/0503172 (loops).
"""

from __future__ import annotations

from cmath import asin, log, sqrt
from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import ClassVar, final

from darksector.models._widths import require_positive, scalar_to_dirac
from darksector.models.base import Model
from darksector.particles import ALPHA, MASS


@final
@dataclass(frozen=True)
class MuonphilicScalar(Model):
    r"""Scalar with :math:`L = -y\, \bar\mu\mu S`.

    Parameters
    ----------
    mass
        Mass of the S, GeV.
    yukawa
        Coupling y, dimensionless.

    Raises
    ------
    OutOfDomain
        If mass or yukawa is not positive.
    """

    mass: float
    yukawa: float

    title: ClassVar[str] = "muonphilic scalar"
    coupling: ClassVar[str] = "yukawa"
    references: ClassVar[tuple[str, ...]] = (
        "arXiv:2403.02841",
        "arXiv:hep-ph/0503172",
    )
    invisible: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        require_positive("MuonphilicScalar", mass=self.mass, yukawa=self.yukawa)

    @classmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the names of all decay channels, open or closed."""
        return ("mu+ mu-", "gamma gamma")

    def partial_widths(self) -> Mapping[str, float]:
        r"""Return the widths to muons and, through the muon loop, to photons, GeV.

        .. math:: \Gamma_{\gamma\gamma} = \frac{\alpha^2 y^2 m^3}{256 \pi^3 m_\mu^2}
                  |A_{1/2}(m^2/4m_\mu^2)|^2

        Source: arXiv:hep-ph/0503172, h → γγ with one muon in the loop.
        """
        loop = abs(loop_form_factor((self.mass / (2 * MASS["mu"])) ** 2)) ** 2
        photons = (ALPHA * self.yukawa / (16 * MASS["mu"])) ** 2 * self.mass**3 / pi**3
        widths = {"gamma gamma": photons * loop}
        muons = scalar_to_dirac(self.mass, self.yukawa**2, MASS["mu"])
        return {"mu+ mu-": muons, **widths} if muons > 0 else widths


def loop_form_factor(tau: float) -> complex:
    r"""Return :math:`A_{1/2}(\tau) = 2[\tau + (\tau-1) f(\tau)]/\tau^2`, dimensionless.

    Source: arXiv:hep-ph/0503172; a heavy fermion has 4/3.
    """
    if tau < 1e-3:  # the closed form cancels; the next term is 1e-7
        return complex(4 / 3 * (1 + 7 * tau / 30))
    if tau <= 1:
        function = asin(sqrt(tau)) ** 2
    else:
        root = sqrt(1 - 1 / tau)
        function = -((log((1 + root) / (1 - root)) - 1j * pi) ** 2) / 4
    return 2 * (tau + (tau - 1) * function) / tau**2


MODEL = MuonphilicScalar
