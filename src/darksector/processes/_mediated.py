"""What the compiler sees of e+e- -> gamma A'* -> gamma pair: fermions, or scalars."""

from __future__ import annotations

from typing import final

import jax

from darksector.amplitudes.portals import chiral_current, scalar_current
from darksector.amplitudes.qed import absorb, spin_sum
from darksector.amplitudes.spinors import (
    Spinor,
    Vector,
    antifermion_out,
    fermion_out,
    photon,
)
from darksector.kinematics import Momentum, squared
from darksector.particles import charge_squared
from darksector.phasespace.channels import Channel, Masses, Split
from darksector.phasespace.mappings import Emission, Resonance
from darksector.phasespace.two_body import Pair
from darksector.processes._recoil import along_beams, incoming, radiating_line
from darksector.processes._resolved import resolved
from darksector.processes.base import Kernel, Parameters


class MediatedPair(Kernel):
    """A photon off the beams, slot 0, and a pair through a vector of constant width."""

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of the photon and the pair, GeV."""
        return (0.0, parameters["mass_first"], parameters["mass_second"])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return channels for the mediator on its mass shell and for soft photons."""
        peak = along_beams(parameters)
        resonance = Resonance(parameters["mass"], parameters["map_width"])
        emission = Emission(parameters["v_min"])
        decay = Split((1,), (2,))
        return (
            (Split((0,), (1, 2), second_mass=resonance, peak=peak), decay),
            (Split((0,), (1, 2), second_mass=emission, peak=peak), decay),
        )

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return where the photon is resolved."""
        return resolved(final[0], s, parameters)


@final
class FermionPair(MediatedPair):
    """A pair of fermions with a vector current, or an axial one."""

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of both diagrams, GeV^-2."""
        gamma, first, second = final
        line = radiating_line(beams, gamma, first + second)

        def amplitude(
            e_in: Spinor, p_in: Spinor, emitted: Vector, row: Spinor, column: Spinor
        ) -> jax.Array:
            made = absorb(chiral_current(row, column, parameters["left"], 1.0))
            return line(p_in, e_in, made, absorb(emitted))

        legs = [
            *incoming(beams),
            photon(gamma),
            fermion_out(first, parameters["mass_first"]),
            antifermion_out(second, parameters["mass_second"]),
        ]
        return _factor(first + second, parameters) * spin_sum(amplitude, legs)


@final
class ScalarPair(MediatedPair):
    """A complex scalar and its antiparticle."""

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of both diagrams, GeV^-2."""
        gamma, first, second = final
        line = radiating_line(beams, gamma, first + second)
        made = absorb(scalar_current(Pair(first, second)))

        def amplitude(electron: Spinor, positron: Spinor, emitted: Vector) -> jax.Array:
            return line(positron, electron, made, absorb(emitted))

        legs = [*incoming(beams), photon(gamma)]
        return _factor(first + second, parameters) * spin_sum(amplitude, legs)


def _factor(q: Momentum, parameters: Parameters) -> jax.Array:
    """Return the squared couplings and propagator, GeV^-4, with the mean over spins.

    The width stays out of the amplitudes, whose spin sums need real propagators.
    """
    mass, width = parameters["mass"], parameters["width"]
    propagator = (squared(q) - mass**2) ** 2 + (mass * width) ** 2
    return charge_squared() * parameters["coupling2"] / (4 * propagator)
