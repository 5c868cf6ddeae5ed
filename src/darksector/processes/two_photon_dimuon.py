"""e+e- -> e+e- mu+ mu-: two photons off the beams, with every other tree diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.particles import PDG
from darksector.processes._two_photon import TwoPhotonPair


@final
@dataclass(frozen=True)
class TwoPhotonDimuon(TwoPhotonPair):
    """e+e- -> e- e+ mu- mu+, all twelve diagrams."""

    lepton: ClassVar[str] = "mu"
    title: ClassVar[str] = "e+e- -> e+e- mu+mu-"
    references: ClassVar[tuple[str, ...]] = ("inspire:Kuraev:1985hb",)
    final_state: ClassVar[tuple[int, ...]] = (
        PDG["e"],
        -PDG["e"],
        PDG["mu"],
        -PDG["mu"],
    )


PROCESS = TwoPhotonDimuon
