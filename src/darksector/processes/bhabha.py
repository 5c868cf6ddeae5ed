"""e+e- -> e+e-: Bhabha scattering at more than a smallest angle."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin
from typing import ClassVar, final

import jax

from darksector.amplitudes.qed import spin_sum
from darksector.amplitudes.spinors import (
    Spinor,
    antifermion_in,
    antifermion_out,
    contract,
    current,
    fermion_in,
    fermion_out,
)
from darksector.amplitudes.vacuum import photon_denominator
from darksector.errors import OutOfDomain
from darksector.kinematics import Momentum, modulus, momentum_transfer, squared, total
from darksector.particles import PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.two_body import Pair
from darksector.processes._recoil import LEAST_ANGLE, ME, require_mass_min
from darksector.processes.base import Parameters, Process


@final
@dataclass(frozen=True)
class Bhabha(Process):
    """e+e- -> e- e+ with massive electrons: exchange, annihilation, interference.

    Parameters
    ----------
    isr
        Whether the beams radiate.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    angle_min
        Smallest angle of electron and positron with either beam in the rest frame of
        the hard collision, rad; the total cross-section diverges.
    mass_min
        Smallest mass of the pair, GeV; radiation of the beams could leave less.

    Raises
    ------
    OutOfDomain
        If the angle is not within [0.001, π/2), or the mass not above 2 mₑ.
    """

    isr: bool = True
    running_alpha: bool = False
    angle_min: float = 0.1
    mass_min: float = 1.0

    title: ClassVar[str] = "e+e- -> e+e-"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1808.10567",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["e-"], PDG["e+"])

    def __post_init__(self) -> None:
        if not LEAST_ANGLE <= self.angle_min < pi / 2:
            msg = (
                f"angle_min must be within [{LEAST_ANGLE:g}, π/2) rad, got "
                f"{self.angle_min}: scattering by smaller angles diverges."
            )
            raise OutOfDomain(msg)
        require_mass_min(self.title, self.mass_min)

    def threshold(self) -> float:
        """Return the smallest mass of the pair, GeV."""
        return self.mass_min

    def parameters(self) -> dict[str, float]:
        """Return the smallest 1 - cosθ, and whether the coupling runs, 0 or 1."""
        versine = 2 * sin(self.angle_min / 2) ** 2
        return {"versine_min": versine, "running": float(self.running_alpha)}

    def isr_scale(self, s: float) -> float:
        """Return the smallest momentum transfer, GeV², where most scatterings are."""
        return s * sin(self.angle_min / 2) ** 2

    def conventions(self) -> dict[str, str]:
        """Add the cuts on the scattering angle and the mass of the pair."""
        own = {
            "scattering": f"angle to beams > {self.angle_min:g} rad",
            "pair mass": f"m(e+ e-) > {self.mass_min:g} GeV",
        }
        return {**Process.conventions(self), **own}

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the electron mass twice, GeV."""
        del parameters
        return (ME, ME)

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return the channel of photon exchange; its density is 1/t², as is |M|²."""
        peak = Peak(0, power=2, least=parameters["versine_min"])
        return ((Split((0,), (1,), peak=peak),),)

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return where the electron is off both beams; the positron is opposite."""
        del s
        p = modulus(final[0])
        return p - abs(final[0].z) >= parameters["versine_min"] * p

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of both diagrams, dimensionless."""
        electron, positron = final
        t = -momentum_transfer(beams.first, electron, ME)
        s = photon_denominator(squared(total(beams)), parameters["running"])
        t = photon_denominator(t, parameters["running"])

        def amplitude(
            e_in: Spinor, p_in: Spinor, e_out: Spinor, p_out: Spinor
        ) -> jax.Array:
            exchange = contract(current(e_out, e_in), current(p_in, p_out)) / t
            annihilation = contract(current(p_in, e_in), current(e_out, p_out)) / s
            return exchange - annihilation  # one exchange of identical fermions

        legs = [
            fermion_in(beams.first, ME),
            antifermion_in(beams.second, ME),
            fermion_out(electron, ME),
            antifermion_out(positron, ME),
        ]
        return charge_squared() ** 2 / 4 * spin_sum(amplitude, legs)


PROCESS = Bhabha
