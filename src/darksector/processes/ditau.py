"""e+e- -> tau+ tau-, with the spin correlation that the decays inherit."""

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
class Ditau(Process):
    """e+e- -> tau- tau+ through one photon.

    Parameters
    ----------
    isr
        Whether the beams radiate.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    """

    isr: bool = True
    running_alpha: bool = False

    title: ClassVar[str] = "e+e- -> tau+tau-"
    references: ClassVar[tuple[str, ...]] = ("inspire:Tsai:1971vv",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["tau"], -PDG["tau"])
    dimension: ClassVar[int] = 2

    def parameters(self) -> dict[str, float]:
        """Return whether the coupling runs, as 0 or 1."""
        return {"running": float(self.running_alpha)}

    def threshold(self) -> float:
        """Return 2 m_tau, GeV."""
        return 2 * MASS["tau"]

    @staticmethod
    def sample(u: jax.Array, s: jax.Array, parameters: Parameters) -> Sampled:
        """Return isotropic points."""
        return pair_sample(u, s, MASS["tau"])

    @staticmethod
    def squared_amplitude(
        beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the one diagram, dimensionless."""
        return pair_squared_amplitude(
            beams, final, MASS["tau"], running=parameters["running"]
        )


PROCESS = Ditau
