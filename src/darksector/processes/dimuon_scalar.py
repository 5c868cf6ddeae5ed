"""e+e- -> mu+ mu- S: a muonphilic scalar radiated off either muon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.models.muonphilic_scalar import MuonphilicScalar
from darksector.particles import PDG
from darksector.processes._associated import AssociatedProduction


@final
@dataclass(frozen=True)
class DimuonScalar(AssociatedProduction):
    """e+e- -> mu- mu+ S with massive muons (arXiv:2403.02841)."""

    model: MuonphilicScalar

    title: ClassVar[str] = "e+e- -> mu+mu- S"
    references: ClassVar[tuple[str, ...]] = ("arXiv:2403.02841",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["mu"], -PDG["mu"], PDG["S"])
    lepton: ClassVar[str] = "mu"
    spin: ClassVar[int] = 0

    def coupling(self) -> float:
        """Return the Yukawa coupling y, dimensionless."""
        return self.model.yukawa


PROCESS = DimuonScalar
