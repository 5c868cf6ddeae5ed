"""e+e- -> A' h': a dark Higgs boson radiated off a virtual dark photon."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import ClassVar, final

import jax

from darksector.amplitudes.qed import annihilation_sum
from darksector.amplitudes.spinors import Vector, massive_vector
from darksector.kinematics import Momentum, squared, total
from darksector.models.dark_higgs import DarkHiggs
from darksector.particles import PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses, Split
from darksector.phasespace.two_body import Pair
from darksector.processes.base import Parameters, Process


@final
@dataclass(frozen=True)
class AprimeHiggs(Process):
    r"""e+e- -> A'* -> A' h' with massive electrons (arXiv:0903.0363).

    The vertex of :math:`g_D m_{A'} h' A'_\mu A'^\mu` is :math:`2 g_D m_{A'} g^{\mu\nu}`.

    Parameters
    ----------
    model
        The dark Higgs boson and the dark photon; widths do not enter.
    isr
        Whether the beams radiate.
    """

    model: DarkHiggs
    isr: bool = True

    title: ClassVar[str] = "e+e- -> A' h'"
    references: ClassVar[tuple[str, ...]] = ("arXiv:0903.0363",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["A'"], PDG["h'"])
    needs_model: ClassVar[bool] = True

    def parameters(self) -> dict[str, float]:
        """Return both masses, GeV, and the product of the couplings εe and 2g_D."""
        dark = sqrt(4 * pi * self.model.alpha_dark)
        return {
            "mass": self.model.mass,
            "mass_aprime": self.model.mass_aprime,
            "coupling": 2 * dark * self.model.epsilon * sqrt(charge_squared()),
        }

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of the A' and the h', GeV."""
        return (parameters["mass_aprime"], parameters["mass"])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return the isotropic channel."""
        del parameters
        return ((Split((0,), (1,)),),)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the one diagram, dimensionless."""
        mass = parameters["mass_aprime"]
        virtual = squared(total(beams)) - mass**2
        factor = parameters["coupling"] * mass / virtual

        def produced(made: Vector) -> Vector:
            return made  # q^μ q^ν of the propagator meets a conserved current

        legs = [massive_vector(final[0], mass)]
        spins = annihilation_sum(produced, beams, legs, parity=False)
        return factor**2 / 4 * spins


PROCESS = AprimeHiggs
