"""e+e- -> mu+ mu- gamma: one resolved photon, from the beams or the muons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.particles import PDG
from darksector.processes._radiative import LeptonPairGamma


@final
@dataclass(frozen=True)
class DimuonGamma(LeptonPairGamma):
    """e+e- -> mu- mu+ gamma, all four diagrams, with cuts on the photon."""

    lepton: ClassVar[str] = "mu"
    title: ClassVar[str] = "e+e- -> mu+mu- gamma"
    references: ClassVar[tuple[str, ...]] = ("inspire:Kuraev:1985hb",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["mu"], -PDG["mu"], PDG["gamma"])


PROCESS = DimuonGamma
