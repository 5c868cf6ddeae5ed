"""e+e- -> e+e- tau+ tau-: two photons off the beams, with every other tree diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.particles import PDG
from darksector.processes._two_photon import TwoPhotonPair


@final
@dataclass(frozen=True)
class TwoPhotonDitau(TwoPhotonPair):
    """e+e- -> e- e+ tau- tau+, all twelve diagrams; the taus are stable."""

    lepton: ClassVar[str] = "tau"
    title: ClassVar[str] = "e+e- -> e+e- tau+tau-"
    references: ClassVar[tuple[str, ...]] = ("inspire:Berends:1984gf",)
    final_state: ClassVar[tuple[int, ...]] = (
        PDG["e"],
        -PDG["e"],
        PDG["tau"],
        -PDG["tau"],
    )


PROCESS = TwoPhotonDitau
