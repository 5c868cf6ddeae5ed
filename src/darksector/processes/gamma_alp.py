"""e+e- -> gamma a: an axion-like particle radiated off the annihilation photon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from darksector.models.alp import Alp
from darksector.particles import PDG
from darksector.processes._pseudoscalar import PhotonToPseudoscalar


@final
@dataclass(frozen=True)
class GammaAlp(PhotonToPseudoscalar):
    """e+e- -> gamma a with massive electrons (arXiv:1709.00009).

    Parameters
    ----------
    model
        The axion-like particle; its coupling to the Z is left out.
    isr
        Whether the beams radiate.
    running_alpha
        Whether the photon propagator carries the vacuum polarisation.
    """

    model: Alp
    isr: bool = True
    running_alpha: bool = False

    title: ClassVar[str] = "e+e- -> gamma a"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1709.00009",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["gamma"], PDG["a"])
    needs_model: ClassVar[bool] = True

    def parameters(self) -> dict[str, float]:
        """Return the mass, GeV, and the coupling, GeV^-1."""
        return {
            "mass": self.model.mass,
            "coupling": self.model.g_agg,
            "falling": 0.0,
            "running": float(self.running_alpha),
        }


PROCESS = GammaAlp
