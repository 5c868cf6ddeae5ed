"""What the processes share in which a photon off the beams recoils against new particles.

Closer to the beams than `photon_angle_min`, photons belong to the structure function
(docs/decisions/0004-matching-of-photons.md).
"""

from __future__ import annotations

from math import inf, pi, sin, sqrt

import jax

from darksector.amplitudes.qed import (
    FermionLine,
    Incoming,
    absorb,
    fermion_line,
    spin_sum,
)
from darksector.amplitudes.spinors import (
    Leg,
    Spinor,
    Vector,
    antifermion_in,
    fermion_in,
    massive_vector,
    photon,
)
from darksector.errors import OutOfDomain
from darksector.kinematics import Momentum
from darksector.particles import MASS, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.two_body import Pair
from darksector.processes._resolved import resolved
from darksector.processes.base import Parameters, Process

ME = MASS["e"]
LEAST_ANGLE = 1e-3  # rad; below, the structure function has no collinear logarithm


class PhotonOffBeams(Process):
    """A process with a photon at an angle to the beams, down to zero without `isr`.

    Leaves declare `isr` and `photon_angle_min`, the smallest angle of a photon with
    either beam, rad, in the rest frame of the hard collision.
    """

    photon_angle_min: float

    def __post_init__(self) -> None:
        least = LEAST_ANGLE if self.isr else 0.0
        if not least <= self.photon_angle_min < pi / 2:
            msg = (
                f"photon_angle_min must be within [{least:g}, π/2) rad, got "
                f"{self.photon_angle_min}; for collinear photons, turn isr off."
            )
            raise OutOfDomain(msg)

    def parameters(self) -> dict[str, float]:
        """Return the cuts on the photon: energy fraction and 1 - cosθ."""
        versine = 2 * sin(self.photon_angle_min / 2) ** 2
        return {"v_min": 0.0, "versine_min": versine}

    def isr_scale(self, s: float) -> float:
        """Return s sin²(θ/2): collinear photons up to the cut on the observable one."""
        return s * sin(self.photon_angle_min / 2) ** 2 if self.isr else s

    def conventions(self) -> dict[str, str]:
        """Add the cut on the angle of the photon."""
        cut = f"angle to beams > {self.photon_angle_min:g} rad"
        return {**Process.conventions(self), "photon": cut}

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return where the photon, slot 0, is resolved."""
        return resolved(final[0], s, parameters)


class PhotonRecoil(PhotonOffBeams):
    """A process with a photon off the beams that may be soft, down to a least energy.

    Leaves declare `photon_energy_min` as well, the smallest photon energy in the rest
    frame of the hard collision, as a fraction of the beam energy there.
    """

    photon_energy_min: float

    def __post_init__(self) -> None:
        PhotonOffBeams.__post_init__(self)
        if not 0 < self.photon_energy_min < 1:
            msg = (
                "photon_energy_min must be within (0, 1) of the beam energy, got "
                f"{self.photon_energy_min}; softer photons diverge."
            )
            raise OutOfDomain(msg)

    def parameters(self) -> dict[str, float]:
        """Return the cuts on the photon: energy fraction and 1 - cosθ."""
        cuts = PhotonOffBeams.parameters(self)
        return {**cuts, "v_min": self.photon_energy_min}

    def threshold(self) -> float:
        """Return the smallest collision energy, GeV, with the least energy of photons."""
        return Process.threshold(self) / sqrt(1 - self.photon_energy_min)

    def conventions(self) -> dict[str, str]:
        """Add the cuts on the photon."""
        inherited = PhotonOffBeams.conventions(self)
        energy = f"2 E*/sqrt(s) > {self.photon_energy_min:g}"
        return {**inherited, "photon": f"{energy}, {inherited['photon']}"}


class VectorGamma(PhotonRecoil):
    """e+e- -> gamma V, V on its mass shell and coupled to the vector current of electrons.

    `parameters` of a leaf has the mass, GeV, and the coupling to electrons.
    """

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of the photon and the vector, GeV."""
        return (0.0, parameters["mass"])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return the channel of a photon along either beam."""
        return ((Split((0,), (1,), peak=along_beams(parameters)),),)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of both diagrams, dimensionless."""
        gamma, boson = final
        line = radiating_line(beams, gamma, boson)

        def amplitude(
            electron: Spinor, positron: Spinor, emitted: Vector, made: Vector
        ) -> jax.Array:
            return line(positron, electron, absorb(made), absorb(emitted))

        legs = [*incoming(beams), photon(gamma)]
        legs.append(massive_vector(boson, parameters["mass"]))
        coupling2 = charge_squared() * parameters["coupling"] ** 2
        return coupling2 / 4 * spin_sum(amplitude, legs, unrolled=6)


def require_mass_min(title: str, mass_min: float) -> None:
    """Raise OutOfDomain unless the smallest mass is above that of two electrons, GeV.

    Radiation down to s' costs ds'/s' where the cross-section is 1/s' and the final state
    has no mass of its own.
    """
    if not 2 * ME < mass_min < inf:
        msg = (
            f"{title} needs a finite mass_min above {2 * ME:.4g} GeV, got {mass_min}: "
            "radiation from the beams down to smaller masses has no end."
        )
        raise OutOfDomain(msg)


def along_beams(parameters: Parameters) -> Peak:
    """Return the peak of a photon along the beams, from the smallest angle on."""
    return Peak(0, pole2=ME**2, both=True, least=parameters["versine_min"])


def incoming(beams: Pair) -> list[Leg]:
    """Return the wave functions of electron and positron."""
    return [fermion_in(beams.first, ME), antifermion_in(beams.second, ME)]


def radiating_line(beams: Pair, gamma: Momentum, recoil: Momentum) -> FermionLine:
    """Return the line of the beams with two vertices: recoiling vector, photon."""
    return fermion_line(
        beams.first, ME, Incoming(-recoil), Incoming(-gamma, light=True)
    )
