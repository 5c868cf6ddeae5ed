"""e+e- -> mu+ mu- Z': a vector radiated off either muon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.models.lmu_ltau import LmuLtau
from darksector.particles import PDG, ZPRIME
from darksector.processes._associated import AssociatedProduction


@final
@dataclass(frozen=True)
class DimuonZprime(AssociatedProduction):
    """e+e- -> mu- mu+ Z' with massive muons (arXiv:1403.2727)."""

    model: LmuLtau

    title: ClassVar[str] = "e+e- -> mu+mu- Z'"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1403.2727",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["mu"], -PDG["mu"], ZPRIME)
    lepton: ClassVar[str] = "mu"
    spin: ClassVar[int] = 1

    def coupling(self) -> float:
        """Return g', dimensionless."""
        return self.model.gprime


PROCESS = DimuonZprime
