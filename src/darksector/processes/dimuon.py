"""e+e- -> mu+ mu-: the reference cross-section of every e+e- collider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.particles import PDG
from darksector.processes._annihilation import LeptonPair


@final
@dataclass(frozen=True)
class Dimuon(LeptonPair):
    """e+e- -> mu- mu+ through one photon."""

    lepton: ClassVar[str] = "mu"
    title: ClassVar[str] = "e+e- -> mu+mu-"
    references: ClassVar[tuple[str, ...]] = ("inspire:Kuraev:1985hb",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["mu"], -PDG["mu"])


PROCESS = Dimuon
