"""Scalar S that couples to leptons in proportion to their masses.

References: arXiv:1606.04943 (leptonic Higgs portal), arXiv:2005.01885 (BaBar).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

from darksector.models._widths import LEPTON_PAIRS, require_positive, scalar_to_dirac
from darksector.models.base import Model
from darksector.particles import HIGGS_VEV, MASS


@final
@dataclass(frozen=True)
class LeptophilicScalar(Model):
    r"""Scalar with :math:`L = -\xi \sum_l (m_l/v)\, \bar l l S`.

    Parameters
    ----------
    mass
        Mass of the S, GeV.
    xi
        Coupling ξ in units of the Yukawa couplings of the Higgs boson.

    Raises
    ------
    OutOfDomain
        If mass or xi is not positive.

    Notes
    -----
    At tree level.  Photon pairs, through loops of leptons, would add 5 % of the e⁺e⁻
    width at 0.1 GeV, growing as the square of the mass up to the muon threshold.  Below
    2 mₑ the S counts as stable.
    """

    mass: float
    xi: float

    title: ClassVar[str] = "leptophilic scalar"
    coupling: ClassVar[str] = "xi"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1606.04943", "arXiv:2005.01885")
    invisible: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        require_positive("LeptophilicScalar", mass=self.mass, xi=self.xi)

    @classmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the names of all decay channels, open or closed."""
        return tuple(LEPTON_PAIRS)

    def partial_widths(self) -> Mapping[str, float]:
        r"""Return :math:`\Gamma = \xi^2 m_l^2 m \beta^3 / (8\pi v^2)` of open pairs, GeV."""
        yukawas = {
            name: (self.xi * MASS[lepton] / HIGGS_VEV, MASS[lepton])
            for name, lepton in LEPTON_PAIRS.items()
        }
        widths = {
            name: scalar_to_dirac(self.mass, yukawa**2, lepton)
            for name, (yukawa, lepton) in yukawas.items()
        }
        return {name: width for name, width in widths.items() if width > 0}


MODEL = LeptophilicScalar
