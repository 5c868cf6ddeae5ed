"""e+e- -> tau+ tau- gamma: one resolved photon, from the beams or the taus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.particles import PDG
from darksector.processes._radiative import LeptonPairGamma


@final
@dataclass(frozen=True)
class DitauGamma(LeptonPairGamma):
    """e+e- -> tau- tau+ gamma, all four diagrams, with cuts on the photon."""

    lepton: ClassVar[str] = "tau"
    title: ClassVar[str] = "e+e- -> tau+tau- gamma"
    references: ClassVar[tuple[str, ...]] = ("inspire:Kuraev:1985hb",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["tau"], -PDG["tau"], PDG["gamma"])


PROCESS = DitauGamma
