"""e+e- -> mu+ mu- gamma gamma: two resolved photons, from the beams or the muons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import jax

from darksector.amplitudes.qed import (
    Amplitude,
    Incoming,
    absorb,
    emission_current,
    fermion_line,
    spin_sum,
)
from darksector.amplitudes.spinors import (
    Spinor,
    antifermion_in,
    antifermion_out,
    current,
    divided,
    fermion_in,
    fermion_out,
    photon,
)
from darksector.amplitudes.vacuum import photon_denominator
from darksector.kinematics import Momentum, squared, total
from darksector.particles import MASS, PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.mappings import Emission, Pole
from darksector.phasespace.two_body import Pair
from darksector.processes._resolved import ResolvedPhotons, resolved
from darksector.processes.base import Parameters

_ME, _MMU = MASS["e"], MASS["mu"]
_PHOTONS = ((2, 3), (3, 2))  # both orders of their slots
_LEPTONS = ((0, 1), (1, 0))


@final
@dataclass(frozen=True)
class DimuonGammaGamma(ResolvedPhotons):
    """e+e- -> mu- mu+ gamma gamma, all twenty diagrams, with cuts on both photons.

    The second photon of `dimuon_gamma`: a sample of one or the other, not both.
    """

    title: ClassVar[str] = "e+e- -> mu+mu- gamma gamma"
    references: ClassVar[tuple[str, ...]] = ("inspire:Kuraev:1985hb",)
    final_state: ClassVar[tuple[int, ...]] = (
        *(PDG["mu"], -PDG["mu"]),
        *(PDG["gamma"], PDG["gamma"]),
    )

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of mu-, mu+ and the photons, GeV."""
        del parameters
        return (_MMU, _MMU, 0.0, 0.0)

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return channels for two, one or no photons off the beams."""
        propagator = Pole(at=0.9 * _MMU**2)
        apart = tuple(
            (
                Split((0, a), (1, b), first_mass=propagator, second_mass=propagator),
                Split((0,), (a,)),
                Split((1,), (b,)),
            )
            for a, b in _PHOTONS
        )
        together = tuple(
            (
                Split((muon, *_PHOTONS[0]), (other,), first_mass=propagator),
                Split((muon, a), (b,), first_mass=propagator),
                Split((muon,), (a,)),
            )
            for a, b in _PHOTONS
            for muon, other in _LEPTONS
        )
        return (*_off_beams(parameters, propagator), *apart, *together)

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return where both photons are resolved."""
        return resolved(final[2], s, parameters) & resolved(final[3], s, parameters)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the twenty diagrams, GeV^-4."""
        minus, plus, first, second = final
        legs = [
            fermion_out(minus, _MMU),
            antifermion_out(plus, _MMU),
            photon(first),
            photon(second),
            fermion_in(beams.first, _ME),
            antifermion_in(beams.second, _ME),
        ]
        amplitude = two_photon_amplitude(beams, final, parameters["running"])
        return charge_squared() ** 4 / 4 * spin_sum(amplitude, legs)


def two_photon_amplitude(
    beams: Pair, final: tuple[Momentum, ...], running: jax.Array | float
) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out.

    Both photons come from the muons, both from the beams, or one from either.
    """
    minus, plus, *photons = final
    incoming, pair = total(beams), minus + plus
    s = photon_denominator(squared(incoming), running)
    s_pair = photon_denominator(squared(pair), running)
    light = [Incoming(-k, light=True) for k in photons]
    muons = fermion_line(-plus, _MMU, Incoming(incoming), *light)
    electrons = fermion_line(beams.first, _ME, Incoming(-pair), *light)
    one_each = [
        _one_each(beams, plus, both, running)
        for both in (Pair(*photons), Pair(*photons[::-1]))
    ]

    def amplitude(lepton: Spinor, antilepton: Spinor, *others: Spinor) -> jax.Array:
        first, second, electron, positron = others
        vertices = absorb(first), absorb(second)
        source = absorb(divided(current(positron, electron), s))
        made = absorb(divided(current(lepton, antilepton), s_pair))
        result = muons(lepton, antilepton, source, *vertices)
        result = result + electrons(positron, electron, made, *vertices)
        ends = (lepton, antilepton, electron, positron)
        result = result + one_each[0](*ends, first, second)
        return result + one_each[1](*ends, second, first)

    return amplitude


def _one_each(
    beams: Pair, plus: Momentum, photons: Pair, running: jax.Array | float
) -> Amplitude:
    """Return the amplitude of the first photon off the beams, the second off a muon."""
    left = total(beams) - photons.first
    q2 = photon_denominator(squared(left), running)
    # incoming particles are outgoing antiparticles of the opposite momentum
    crossed = Pair(-beams.second, -beams.first)
    radiating = emission_current(crossed, _ME, photons.first, 0.0)
    light = Incoming(-photons.second, light=True)
    muons = fermion_line(-plus, _MMU, Incoming(left), light)

    def amplitude(
        lepton: Spinor, antilepton: Spinor, electron: Spinor, *others: Spinor
    ) -> jax.Array:
        positron, first, second = others
        source = absorb(divided(radiating(positron, electron, first), q2))
        return muons(lepton, antilepton, source, absorb(second))

    return amplitude


def _off_beams(parameters: Parameters, propagator: Pole) -> tuple[Channel, ...]:
    """Return channels whose first photon follows the beams, the second any particle."""
    soft, least = Emission(parameters["v_min"]), parameters["versine_min"]
    along = Peak(0, pole2=_ME**2, both=True, least=least)
    channels: list[Channel] = []
    for a, b in _PHOTONS:
        rest = tuple(sorted((0, 1, b)))
        first = Split((a,), rest, second_mass=soft, peak=along)
        for beam in (0, 1):
            peak = Peak(beam, pole2=_ME**2)
            second = Split((b,), (0, 1), second_mass=soft, peak=peak)
            channels.append((first, second, Split((0,), (1,))))
        for muon, other in _LEPTONS:
            radiating = Split((muon, b), (other,), first_mass=propagator)
            channels.append((first, radiating, Split((muon,), (b,))))
    return tuple(channels)


PROCESS = DimuonGammaGamma
