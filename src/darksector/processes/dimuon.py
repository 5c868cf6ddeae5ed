"""e+e- -> mu+ mu-: the reference cross-section of every e+e- collider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import jax

from darksector.kinematics import Momentum
from darksector.particles import MASS, PDG
from darksector.phasespace.channels import Pair
from darksector.processes._annihilation import pair_sample, pair_squared_amplitude
from darksector.processes.base import Parameters, Process, Sampled


@final
@dataclass(frozen=True)
class Dimuon(Process):
    """e+e- -> mu- mu+ through one photon.

    Parameters
    ----------
    isr
        Whether the beams radiate.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    """

    isr: bool = True
    running_alpha: bool = False

    title: ClassVar[str] = "e+e- -> mu+mu-"
    references: ClassVar[tuple[str, ...]] = ("inspire:Kuraev:1985hb",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["mu"], -PDG["mu"])
    dimension: ClassVar[int] = 2

    def parameters(self) -> dict[str, float]:
        """Return whether the coupling runs, as 0 or 1."""
        return {"running": float(self.running_alpha)}

    def threshold(self) -> float:
        """Return 2 m_mu, GeV."""
        return 2 * MASS["mu"]

    @staticmethod
    def sample(u: jax.Array, s: jax.Array, parameters: Parameters) -> Sampled:
        """Return isotropic points."""
        return pair_sample(u, s, MASS["mu"])

    @staticmethod
    def squared_amplitude(
        beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the one diagram, dimensionless."""
        return pair_squared_amplitude(
            beams, final, MASS["mu"], running=parameters["running"]
        )


PROCESS = Dimuon
