"""e+e- -> tau+ tau-: its decays are in generators/tau.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.particles import PDG
from darksector.processes._annihilation import LeptonPair


@final
@dataclass(frozen=True)
class Ditau(LeptonPair):
    """e+e- -> tau- tau+ through one photon."""

    lepton: ClassVar[str] = "tau"
    title: ClassVar[str] = "e+e- -> tau+tau-"
    references: ClassVar[tuple[str, ...]] = ("inspire:Tsai:1971vv",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["tau"], -PDG["tau"])


PROCESS = Ditau
