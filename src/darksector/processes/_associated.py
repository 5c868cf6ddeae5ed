"""What the processes e+e- -> l- l+ X share: a mediator radiated off either lepton."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax

from darksector.amplitudes.qed import annihilation_sum, emission_current
from darksector.amplitudes.spinors import (
    Spinor,
    Vector,
    antifermion_out,
    fermion_out,
    massive_vector,
)
from darksector.amplitudes.vacuum import photon_denominator
from darksector.kinematics import Momentum, squared
from darksector.particles import MASS, charge_squared
from darksector.phasespace.channels import Channel, Masses, Split
from darksector.phasespace.mappings import Pole
from darksector.phasespace.two_body import Pair
from darksector.processes.base import Parameters, Process


@dataclass(frozen=True)
class AssociatedProduction(Process):
    """e+e- -> l- l+ X with massive leptons and X a vector or a scalar.

    Parameters
    ----------
    model
        The mediator: its mass and coupling.
    isr
        Whether the beams radiate.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    """

    model: Any
    isr: bool = True
    running_alpha: bool = False

    lepton: ClassVar[str]
    spin: ClassVar[int]
    needs_model: ClassVar[bool] = True

    def coupling(self) -> float:
        """Return the coupling of the mediator to the lepton, dimensionless."""
        raise NotImplementedError

    def parameters(self) -> dict[str, float]:
        """Return the mass, GeV, and the coupling of the mediator."""
        return {
            "mass": self.model.mass,
            "coupling": self.coupling(),
            "running": float(self.running_alpha),
        }

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of l-, l+ and the mediator, GeV."""
        lepton = MASS[cls.lepton]
        return (lepton, lepton, parameters["mass"])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return two channels: the mediator is emitted by either lepton."""
        del parameters
        propagator = Pole(at=MASS[cls.lepton] ** 2)
        return (
            (Split((0, 2), (1,), first_mass=propagator), Split((0,), (2,))),
            (Split((1, 2), (0,), first_mass=propagator), Split((1,), (2,))),
        )

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the two final-state diagrams, GeV^-2."""
        minus, plus, boson = final
        lepton, mass = MASS[cls.lepton], parameters["mass"]
        emitted = emission_current(Pair(minus, plus), lepton, boson, mass**2)
        legs = [fermion_out(minus, lepton), antifermion_out(plus, lepton)]
        if cls.spin == 1:
            legs.append(massive_vector(boson, mass))

        def produced(row: Spinor, column: Spinor, *boson: Vector) -> Vector:
            return emitted(row, column, boson[0] if boson else None)

        s = squared(beams.first + beams.second)
        s = photon_denominator(s, parameters["running"])
        coupling2 = charge_squared() ** 2 * parameters["coupling"] ** 2
        return (
            coupling2 / (4 * s**2) * annihilation_sum(produced, beams, legs, unrolled=3)
        )
