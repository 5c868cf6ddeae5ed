"""e+e- -> M anti-M: a pair of magnetic monopoles through one photon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import jax

from darksector.amplitudes.portals import chiral_current
from darksector.amplitudes.qed import annihilation_sum
from darksector.amplitudes.spinors import (
    Spinor,
    Vector,
    antifermion_out,
    fermion_out,
)
from darksector.amplitudes.vacuum import photon_denominator
from darksector.kinematics import Momentum, squared, total
from darksector.models.monopole import Monopole
from darksector.particles import PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses, Split
from darksector.phasespace.two_body import Pair
from darksector.processes.base import Parameters, Process


@final
@dataclass(frozen=True)
class MonopolePair(Process):
    r"""e+e- -> M anti-M of spin 1/2, in the coupling convention of the model.

    ``dirac``: the current of an electric charge; ``beta2``: this times the velocity β of
    each monopole, :math:`\beta^2 = 1 - 4m^2/s`; ``beta3``: an axial current.

    Parameters
    ----------
    model
        The monopole, its charge and the convention.
    isr
        Whether the beams radiate.
    running_alpha
        Whether the photon propagator carries the vacuum polarisation.
    """

    model: Monopole
    isr: bool = True
    running_alpha: bool = False

    title: ClassVar[str] = "e+e- -> M anti-M"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1511.02200", "arXiv:1803.08453")
    final_state: ClassVar[tuple[int, ...]] = (PDG["M"], PDG["anti-M"])
    needs_model: ClassVar[bool] = True

    def parameters(self) -> dict[str, float]:
        """Return mass, GeV, charge over e, and what the convention makes of it."""
        return {
            "mass": self.model.mass,
            "charge": self.model.magnetic_charge,
            "left": -1.0 if self.model.convention == "beta3" else 1.0,
            "slowed": float(self.model.convention == "beta2"),
            "running": float(self.running_alpha),
        }

    def conventions(self) -> dict[str, str]:
        """Add the coupling convention."""
        return {**Process.conventions(self), "monopole": self.model.convention}

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the mass of the monopole twice, GeV."""
        return (parameters["mass"], parameters["mass"])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return the isotropic channel: flat in cosθ, unlike basf2's PairGen."""
        del parameters
        return ((Split((0,), (1,)),),)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the one diagram, dimensionless."""
        first, second = final
        mass, s = parameters["mass"], squared(total(beams))
        legs = [fermion_out(first, mass), antifermion_out(second, mass)]

        def produced(row: Spinor, column: Spinor) -> Vector:
            return chiral_current(row, column, parameters["left"], 1.0)

        slowing = 1 - parameters["slowed"] * 4 * mass**2 / s
        s = photon_denominator(s, parameters["running"])
        factor = (charge_squared() * parameters["charge"] / s) ** 2 * slowing
        return factor / 4 * annihilation_sum(produced, beams, legs)


PROCESS = MonopolePair
