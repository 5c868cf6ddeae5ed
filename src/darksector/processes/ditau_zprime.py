"""e+e- -> tau+ tau- Z': a vector radiated off either tau."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.models.lmu_ltau import LmuLtau
from darksector.particles import PDG, ZPRIME
from darksector.processes._associated import AssociatedProduction


@final
@dataclass(frozen=True)
class DitauZprime(AssociatedProduction):
    """e+e- -> tau- tau+ Z' with massive taus (arXiv:1403.2727)."""

    model: LmuLtau

    title: ClassVar[str] = "e+e- -> tau+tau- Z'"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1403.2727",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["tau"], -PDG["tau"], ZPRIME)
    lepton: ClassVar[str] = "tau"
    spin: ClassVar[int] = 1

    def coupling(self) -> float:
        """Return -g', dimensionless: taus have the charge -1 under L_mu - L_tau."""
        return -self.model.gprime


PROCESS = DitauZprime
