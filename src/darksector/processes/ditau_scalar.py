"""e+e- -> tau+ tau- S: a leptophilic scalar radiated off either tau."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.models.leptophilic_scalar import LeptophilicScalar
from darksector.particles import HIGGS_VEV, MASS, PDG
from darksector.processes._associated import AssociatedProduction


@final
@dataclass(frozen=True)
class DitauScalar(AssociatedProduction):
    """e+e- -> tau- tau+ S with massive taus (arXiv:2005.01885)."""

    model: LeptophilicScalar

    title: ClassVar[str] = "e+e- -> tau+tau- S"
    references: ClassVar[tuple[str, ...]] = ("arXiv:2005.01885",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["tau"], -PDG["tau"], PDG["S"])
    lepton: ClassVar[str] = "tau"
    spin: ClassVar[int] = 0

    def coupling(self) -> float:
        """Return ξ m_τ/v, dimensionless (arXiv:1606.04943)."""
        return self.model.xi * MASS["tau"] / HIGGS_VEV


PROCESS = DitauScalar
