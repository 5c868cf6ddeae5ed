"""e+e- -> e+e- gamma: the photon is alone where both leptons leave along the beams.

The peaks reach down to the electron mass: virtualities of the exchanged photon from
1e-11 GeV², the photon along each of four leptons, pairs of small mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import jax
import jax.numpy as jnp

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
from darksector.errors import OutOfDomain
from darksector.kinematics import Momentum, momentum_transfer, squared, total
from darksector.particles import MASS, PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.mappings import Emission, Pole
from darksector.phasespace.two_body import Pair
from darksector.processes._recoil import require_mass_min
from darksector.processes._resolved import ResolvedPhotons, resolved
from darksector.processes.base import Parameters

_ME = MASS["e"]
_TURNED = {0: 1, 1: 0}  # the lepton that the exchanged photon hits: the spectator
_UNROLLED = 2  # 1.1 for 1.4 μs per event; more takes seconds to compile
_TURNING = 1e-5  # exp⟨ln|t|⟩/s, measured at 10.58 GeV with the photon at its defaults
_LEAST_ANGLE = 1e-3  # rad; below, |t| reaches 1e-20 GeV² and gauge cancellations fail


@final
@dataclass(frozen=True)
class BhabhaGamma(ResolvedPhotons):
    """e+e- -> e- e+ gamma, all eight diagrams, with cuts on the photon alone.

    Parameters
    ----------
    mass_min
        Smallest mass of the final state, GeV, where the beams radiate.

    Raises
    ------
    OutOfDomain
        If a photon at less than 1 mrad is asked for, even without `isr`: |t| then goes
        towards m⁶/s² ~ 1e-24 GeV², where double precision loses the amplitude.
    """

    mass_min: float = 1.0

    title: ClassVar[str] = "e+e- -> e+e- gamma"
    references: ClassVar[tuple[str, ...]] = ("arXiv:hep-ph/0607181",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["e"], -PDG["e"], PDG["gamma"])

    def __post_init__(self) -> None:
        ResolvedPhotons.__post_init__(self)
        require_mass_min(self.title, self.mass_min)
        if self.photon_angle_min < _LEAST_ANGLE:
            msg = (
                f"photon_angle_min must be at least {_LEAST_ANGLE:g} rad where electrons "
                f"may turn by nothing, got {self.photon_angle_min}."
            )
            raise OutOfDomain(msg)

    def threshold(self) -> float:
        """Return the smallest mass of the final state, GeV."""
        return self.mass_min

    def isr_scale(self, s: float) -> float:
        """Return the typical |t|, GeV²: a beam that hardly turns hardly radiates."""
        return min(_TURNING * s, ResolvedPhotons.isr_scale(self, s)) if self.isr else s

    def conventions(self) -> dict[str, str]:
        """Add the cut on the mass of the final state."""
        cut = f"m(e- e+ gamma) > {self.mass_min:g} GeV"
        return {**ResolvedPhotons.conventions(self), "mass": cut}

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of e-, e+ and the photon, GeV."""
        del parameters
        return (_ME, _ME, 0.0)

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return channels: exchange with the photon off the lepton hit, annihilation."""
        along_beams = Peak(0, pole2=_ME**2, both=True, least=parameters["versine_min"])
        left = Emission(parameters["v_min"])
        radiated = Split((2,), (0, 1), second_mass=left, peak=along_beams)
        found: list[Channel] = [(radiated, Split((0,), (1,)))]
        for hit, spectator in _TURNED.items():
            turned = Split(
                (spectator,),
                (hit, 2),
                second_mass=Pole(at=0.9 * _ME**2),
                peak=Peak(spectator),
            )
            found += [
                (radiated, Split((spectator,), (hit,), peak=Peak(spectator))),
                (turned, Split((2,), (hit,), peak=Peak(hit, pole2=_ME**2))),
            ]
        return tuple(found)

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
        """Return |M|² of the eight diagrams, GeV^-2."""
        electron, positron, gamma = final
        legs = [
            fermion_out(electron, _ME),
            antifermion_out(positron, _ME),
            fermion_in(beams.first, _ME),
            antifermion_in(beams.second, _ME),
            photon(gamma),
        ]
        amplitude = _amplitude(beams, final, parameters["running"])
        terms = spin_sum(amplitude, legs, unrolled=_UNROLLED)
        return charge_squared() ** 3 / 4 * terms


def _amplitude(
    beams: Pair, final: tuple[Momentum, ...], running: jax.Array | float
) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out."""
    electron, positron, gamma = final
    incoming, pair = total(beams), electron + positron
    q1, q2 = beams.first - electron, beams.second - positron
    virtualities = (
        -momentum_transfer(beams.first, electron, _ME),
        -momentum_transfer(beams.second, positron, _ME),
        squared(incoming),
        squared(pair),
    )
    t1, t2, s, s_pair = photon_denominator(jnp.stack(virtualities), running)
    light = Incoming(-gamma, light=True)
    turned1 = fermion_line(beams.first, _ME, Incoming(q2), light)
    turned2 = fermion_line(-positron, _ME, Incoming(q1), light)
    annihilated = fermion_line(beams.first, _ME, Incoming(-pair), light)
    produced = fermion_line(-positron, _ME, Incoming(incoming), light)

    def amplitude(
        e_out: Spinor, p_out: Spinor, e_in: Spinor, p_in: Spinor, emitted: Vector
    ) -> jax.Array:
        off = absorb(emitted)
        hit1 = absorb(divided(current(e_out, e_in), t1))
        hit2 = absorb(divided(current(p_in, p_out), t2))
        source = absorb(divided(current(p_in, e_in), s))
        made = absorb(divided(current(e_out, p_out), s_pair))
        exchange = turned1(e_out, e_in, hit2, off) + turned2(p_in, p_out, hit1, off)
        annihilation = annihilated(p_in, e_in, made, off)
        annihilation = annihilation + produced(e_out, p_out, source, off)
        return exchange - annihilation  # one exchange of identical fermions

    return amplitude


PROCESS = BhabhaGamma
