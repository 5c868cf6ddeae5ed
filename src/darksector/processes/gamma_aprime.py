"""e+e- -> gamma A': a dark photon on its mass shell recoils against a photon."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, final

from darksector.models.dark_photon import DarkPhoton
from darksector.particles import PDG, charge_squared
from darksector.processes._recoil import PhotonRecoil, VectorGamma


@final
@dataclass(frozen=True)
class GammaAprime(VectorGamma):
    """e+e- -> gamma A' with massive electrons (arXiv:0903.3941).

    Parameters
    ----------
    model
        The dark photon; its width does not enter.
    isr
        Whether the beams radiate further, collinear photons.
    photon_energy_min
        Smallest photon energy in the rest frame of the hard collision, as a fraction of
        the beam energy there.
    photon_angle_min
        Smallest angle of the photon with either beam in the same frame, rad; 0 for all
        angles, which leaves no room for `isr`.
    """

    model: DarkPhoton
    isr: bool = True
    photon_energy_min: float = 0.01
    photon_angle_min: float = 0.1

    title: ClassVar[str] = "e+e- -> gamma A'"
    references: ClassVar[tuple[str, ...]] = ("arXiv:0903.3941", "arXiv:1007.4984")
    final_state: ClassVar[tuple[int, ...]] = (PDG["gamma"], PDG["A'"])
    needs_model: ClassVar[bool] = True

    def parameters(self) -> dict[str, float]:
        """Return the mass, GeV, the coupling εe to electrons and the photon's cuts."""
        coupling = self.model.epsilon * sqrt(charge_squared())
        numbers = {"mass": self.model.mass, "coupling": coupling}
        return {**PhotonRecoil.parameters(self), **numbers}


PROCESS = GammaAprime
