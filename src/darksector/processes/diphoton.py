"""e+e- -> gamma gamma: annihilation into two photons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import jax

from darksector.amplitudes.qed import Incoming, absorb, fermion_line, spin_sum
from darksector.amplitudes.spinors import Spinor, Vector, photon
from darksector.kinematics import Momentum
from darksector.particles import PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses, Split
from darksector.phasespace.two_body import Pair
from darksector.processes._recoil import (
    ME,
    PhotonOffBeams,
    along_beams,
    incoming,
    require_mass_min,
)
from darksector.processes.base import Parameters


@final
@dataclass(frozen=True)
class Diphoton(PhotonOffBeams):
    """e+e- -> gamma gamma with massive electrons, both diagrams.

    Parameters
    ----------
    isr
        Whether the beams radiate further, collinear photons.
    photon_angle_min
        Smallest angle of the photons with the beams in the rest frame of the hard
        collision, rad; 0 for all angles, which leaves no room for `isr`.
    mass_min
        Smallest mass of the photon pair, GeV; radiation of the beams could leave less.

    Raises
    ------
    OutOfDomain
        If a cut is outside of its range.
    """

    isr: bool = True
    photon_angle_min: float = 0.1
    mass_min: float = 1.0

    title: ClassVar[str] = "e+e- -> gamma gamma"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1808.10567",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["gamma"], PDG["gamma"])

    def __post_init__(self) -> None:
        PhotonOffBeams.__post_init__(self)
        require_mass_min(self.title, self.mass_min)

    def threshold(self) -> float:
        """Return the smallest mass of the photon pair, GeV."""
        return self.mass_min

    def conventions(self) -> dict[str, str]:
        """Add the cut on the mass of the pair."""
        cut = f"m(gamma gamma) > {self.mass_min:g} GeV"
        return {**PhotonOffBeams.conventions(self), "pair mass": cut}

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return two zeros, GeV."""
        del parameters
        return (0.0, 0.0)

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return the channel of photons along the beams."""
        return ((Split((0,), (1,), peak=along_beams(parameters)),),)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of both diagrams, dimensionless."""
        del parameters
        brought = (Incoming(-k, light=True) for k in final)
        line = fermion_line(beams.first, ME, *brought)

        def amplitude(electron: Spinor, positron: Spinor, *both: Vector) -> jax.Array:
            return line(positron, electron, *map(absorb, both))

        legs = [*incoming(beams), *map(photon, final)]
        return charge_squared() ** 2 / 4 * spin_sum(amplitude, legs)


PROCESS = Diphoton
