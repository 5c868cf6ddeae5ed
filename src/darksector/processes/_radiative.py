"""What the processes e+e- -> l- l+ gamma share: one resolved photon, four diagrams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax

from darksector.amplitudes.qed import (
    Amplitude,
    Incoming,
    absorb,
    fermion_line,
    spin_sum,
)
from darksector.amplitudes.spinors import (
    Spinor,
    Vector,
    antifermion_in,
    antifermion_out,
    current,
    divided,
    fermion_in,
    fermion_out,
    photon,
)
from darksector.amplitudes.vacuum import photon_denominator
from darksector.kinematics import Momentum, squared
from darksector.particles import MASS, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.mappings import Emission, Pole
from darksector.phasespace.two_body import Pair
from darksector.processes._resolved import ResolvedPhotons, resolved
from darksector.processes.base import Parameters

_ME = MASS["e"]


@dataclass(frozen=True)
class LeptonPairGamma(ResolvedPhotons):
    """e+e- -> l- l+ gamma; a leaf names the lepton."""

    lepton: ClassVar[str]

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of l-, l+ and the photon, GeV."""
        del parameters
        return (MASS[cls.lepton], MASS[cls.lepton], 0.0)

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return channels for a photon off the beams and off either lepton."""
        least, mass2 = parameters["v_min"], MASS[cls.lepton] ** 2
        along_beams = Peak(0, pole2=_ME**2, both=True, least=parameters["versine_min"])
        from_beams = Split((2,), (0, 1), second_mass=Emission(least), peak=along_beams)
        propagator = Pole(at=0.9 * mass2)
        return (
            (from_beams, Split((0,), (1,))),
            (Split((0, 2), (1,), first_mass=propagator), Split((0,), (2,))),
            (Split((1, 2), (0,), first_mass=propagator), Split((1,), (2,))),
        )

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return where the photon is resolved."""
        return resolved(final[2], s, parameters)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the four diagrams, GeV^-2."""
        minus, plus, gamma = final
        mass = MASS[cls.lepton]
        legs = [
            fermion_out(minus, mass),
            antifermion_out(plus, mass),
            fermion_in(beams.first, _ME),
            antifermion_in(beams.second, _ME),
            photon(gamma),
        ]
        amplitude = _amplitude(beams, final, mass, parameters["running"])
        return charge_squared() ** 3 / 4 * spin_sum(amplitude, legs)


def _amplitude(
    beams: Pair,
    final: tuple[Momentum, ...],
    mass: float,
    running: jax.Array | float,
) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out."""
    minus, plus, gamma = final
    incoming, pair = beams.first + beams.second, minus + plus
    s = photon_denominator(squared(incoming), running)
    s_pair = photon_denominator(squared(pair), running)
    light = Incoming(-gamma, light=True)
    leptons = fermion_line(-plus, mass, Incoming(incoming), light)
    electrons = fermion_line(beams.first, _ME, Incoming(-pair), light)

    def amplitude(
        lepton: Spinor,
        antilepton: Spinor,
        electron: Spinor,
        positron: Spinor,
        emitted: Vector,
    ) -> jax.Array:
        annihilation = absorb(divided(current(positron, electron), s))
        production = absorb(divided(current(lepton, antilepton), s_pair))
        from_leptons = leptons(lepton, antilepton, annihilation, absorb(emitted))
        return from_leptons + electrons(positron, electron, production, absorb(emitted))

    return amplitude
