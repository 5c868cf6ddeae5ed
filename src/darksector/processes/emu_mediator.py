"""e+e- -> mu- e+ X: a mediator that turns an electron into a muon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.errors import OutOfDomain
from darksector.models.lfv_mediator import LfvMediator
from darksector.particles import MASS, PDG
from darksector.processes._electron_muon import (
    ElectronMuonKernel,
    ScalarKernel,
    VectorKernel,
)
from darksector.processes.base import Kernel, Process


@final
@dataclass(frozen=True)
class EmuMediator(ElectronMuonKernel, Process):
    """e+e- -> mu- e+ X with massive leptons, X of spin 1 or 0 and any chirality.

    Parameters
    ----------
    model
        The mediator: its mass, spin and couplings.
    isr
        Whether the beams radiate.

    Raises
    ------
    OutOfDomain
        If a muon could decay to e X: the process is then e+e- -> mu+ mu-.

    Notes
    -----
    One charge state: e- mu+ X has the same cross-section, with all charges and
    directions mirrored.  The positron is mostly lost along its beam; the radiation has
    the scale s, right where both leptons are seen.
    """

    model: LfvMediator
    isr: bool = True

    title: ClassVar[str] = "e+e- -> mu- e+ X"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1610.08060", "arXiv:1701.08767")
    final_state: ClassVar[tuple[int, ...]] = (PDG["mu"], -PDG["e"], PDG["X"])
    needs_model: ClassVar[bool] = True

    def __post_init__(self) -> None:
        lightest = MASS["mu"] - MASS["e"]
        if not self.model.mass > lightest:
            msg = (
                f"EmuMediator needs a mediator above {lightest:.5g} GeV, got "
                f"{self.model.mass:g}: a lighter one comes from decays of real muons."
            )
            raise OutOfDomain(msg)

    def kernel(self) -> type[Kernel]:
        """Return the compiled parts for the spin of the mediator."""
        return VectorKernel if self.model.spin == 1 else ScalarKernel

    def parameters(self) -> dict[str, float]:
        """Return the mass, GeV, and both couplings: (g_V, g_A) or (a, b)."""
        even, odd = self.model.couplings
        return {"mass": self.model.mass, "even": even, "odd": odd}

    def conventions(self) -> dict[str, str]:
        """Add the charge state."""
        return {
            **Process.conventions(self),
            "charge state": "mu- e+ X alone; e- mu+ X has the same cross-section",
        }


PROCESS = EmuMediator
