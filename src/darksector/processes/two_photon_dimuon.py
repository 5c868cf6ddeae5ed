"""e+e- -> e+e- mu+mu-: two photons off the beams, with every other tree diagram.

The peaks reach down to the electron mass: photon virtualities from 1e-11 GeV², muons
along the photons, pairs of small mass.  One channel knows all of them analytically.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar, NamedTuple, final

import jax
import jax.numpy as jnp

from darksector.amplitudes.qed import Amplitude, spin_sum, two_vectors
from darksector.amplitudes.spinors import (
    Spinor,
    antifermion_in,
    antifermion_out,
    current,
    divided,
    fermion_in,
    fermion_out,
)
from darksector.kinematics import (
    Momentum,
    momentum_transfer,
    squared,
    to_rest_frame,
    total,
)
from darksector.particles import MASS, PDG, charge_squared
from darksector.phasespace import mappings
from darksector.phasespace.channels import (
    Pair,
    at_rest,
    two_body,
    two_body_volume,
)
from darksector.processes.base import Parameters, Process, Sampled

_ME, _M = MASS["e"], MASS["mu"]


@final
@dataclass(frozen=True)
class TwoPhotonDimuon(Process):
    """e+e- -> e- e+ mu- mu+, all twelve diagrams.

    Parameters
    ----------
    isr
        Whether the beams radiate.
    dimuon_mass_min
        Smallest mass of the muon pair, GeV.
    """

    isr: bool = True
    dimuon_mass_min: float = 0.5

    title: ClassVar[str] = "e+e- -> e+e- mu+mu-"
    references: ClassVar[tuple[str, ...]] = ("inspire:Kuraev:1985hb",)
    final_state: ClassVar[tuple[int, ...]] = (
        PDG["e"],
        -PDG["e"],
        PDG["mu"],
        -PDG["mu"],
    )
    dimension: ClassVar[int] = 8

    def parameters(self) -> dict[str, float]:
        """Return the cut on the mass of the muon pair, GeV."""
        return {"mass_min": max(self.dimuon_mass_min, 2 * _M)}

    def threshold(self) -> float:
        """Return the smallest mass of the final state, GeV."""
        return 2 * _ME + max(self.dimuon_mass_min, 2 * _M)

    def isr_scale(self, s: float) -> float:
        """Return the geometric mean of Q², GeV²: a beam that hardly turns hardly radiates.

        A scale of s, right for annihilation, would overstate the radiation tenfold.
        """
        del s
        return _ISR_SCALE

    def conventions(self) -> dict[str, str]:
        """Add the cut on the muon pair."""
        cut = f"m(mu mu) > {self.dimuon_mass_min:g} GeV"
        return {**Process.conventions(self), "dimuon mass": cut}

    @staticmethod
    def sample(u: jax.Array, s: jax.Array, parameters: Parameters) -> Sampled:
        """Return points: both scattered electrons first, the muon pair takes the rest."""
        energy = jnp.sqrt(s) / 2
        losses = _losses(u[:, 0], u[:, 1], energy, parameters)
        electron = _scatter(u[:, 2], u[:, 3], energy, losses.electron, sign=1.0)
        positron = _scatter(u[:, 4], u[:, 5], energy, losses.positron, sign=-1.0)
        pair = at_rest(s) - electron.momentum - positron.momentum
        mass2 = squared(pair)
        open_ = (mass2 > parameters["mass_min"] ** 2) & (pair.e > 0)
        pair = jax.tree.map(lambda a, b: jnp.where(open_, a, b), pair, at_rest(s))
        mass2 = squared(pair)
        velocity = jnp.sqrt(1 - 4 * _M**2 / mass2)
        cosine = mappings.two_peaks(u[:, 6], velocity)
        beam = two_body(
            at_rest(s), (_ME**2, _ME**2), jnp.ones_like(s), jnp.zeros_like(s)
        )
        axis = to_rest_frame(beam.first - electron.momentum, pair)
        minus, plus = two_body(
            pair, (_M**2, _M**2), cosine.value, 2 * pi * u[:, 7], axis
        )
        volume = losses.volume * electron.volume * positron.volume
        volume = (
            volume * two_body_volume(mass2, _M**2, _M**2) * cosine.inverse_density / 2
        )
        momenta = (electron.momentum, positron.momentum, minus, plus)
        return Sampled(momenta, jnp.where(open_, volume, 0.0))

    @staticmethod
    def squared_amplitude(
        beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the twelve diagrams, GeV^-4."""
        electron, positron, minus, plus = final
        legs = [
            fermion_out(minus, _M),
            antifermion_out(plus, _M),
            fermion_out(electron, _ME),
            antifermion_out(positron, _ME),
            fermion_in(beams.first, _ME),
            antifermion_in(beams.second, _ME),
        ]
        return charge_squared() ** 4 / 4 * spin_sum(_amplitude(beams, final), legs)


class _Losses(NamedTuple):
    electron: jax.Array
    positron: jax.Array
    volume: jax.Array  # Jacobian of the two energies, GeV²


class _Scattered(NamedTuple):
    momentum: Momentum
    volume: jax.Array  # d³p/((2π)³ 2E) over density, per GeV of energy


def _losses(
    u: jax.Array, v: jax.Array, energy: jax.Array, parameters: Parameters
) -> _Losses:
    """Draw the energy losses: m² < 4ωω' for every direction of the electrons."""
    largest = energy - _ME
    # logarithmic, not the dσ/dm² ∝ m^-4 of the total: searches look at large masses
    scale2 = mappings.logarithmic(u, parameters["mass_min"] ** 2, 4 * largest**2)
    half = jnp.sqrt(scale2.value) / 2
    reach = jnp.log(largest / half)
    rapidity = mappings.flat(v, -reach, reach)
    first = half * jnp.exp(rapidity.value)
    second = half * jnp.exp(-rapidity.value)
    # dω dω' = ωω' dln(4ωω') dη = d(4ωω')/4 dη
    volume = scale2.inverse_density * rapidity.inverse_density / 4
    return _Losses(first, second, volume)


def _scatter(
    u: jax.Array, v: jax.Array, energy: jax.Array, loss: jax.Array, *, sign: float
) -> _Scattered:
    """Draw the direction of a scattered electron, flat in ln Q² from its true minimum."""
    left = energy - loss
    p_in = jnp.sqrt(energy**2 - _ME**2)
    p_out = jnp.sqrt(jnp.maximum(left**2 - _ME**2, 1e-30))
    low = 2 * _ME**2 * loss**2 / (p_in * p_out + energy * left - _ME**2)
    high = low + 4 * p_in * p_out
    q2 = mappings.logarithmic(u, low, high)
    versine = (q2.value - low) / (2 * p_in * p_out)
    sine = p_out * jnp.sqrt(versine * (2 - versine))
    phi = 2 * pi * v
    momentum = Momentum(
        left, sine * jnp.cos(phi), sine * jnp.sin(phi), sign * p_out * (1 - versine)
    )
    # d³p/(2E (2π)³) = p dE dcosθ dφ / (2 (2π)³), dcosθ = dQ²/(2 p p')
    volume = p_out / (2 * (2 * pi) ** 2) * q2.inverse_density / (2 * p_in * p_out)
    return _Scattered(momentum, volume)


def _amplitude(beams: Pair, final: tuple[Momentum, ...]) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out."""
    electron, positron, minus, plus = final
    q1, q2 = beams.first - electron, beams.second - positron
    pair, scattered = minus + plus, electron + positron
    t1 = -momentum_transfer(beams.first, electron, _ME)
    t2 = -momentum_transfer(beams.second, positron, _ME)
    incoming = total(beams)
    s, s_pair, s_scattered = squared(incoming), squared(pair), squared(scattered)

    def amplitude(
        muon: Spinor, antimuon: Spinor, e_out: Spinor, p_out: Spinor, *beam: Spinor
    ) -> jax.Array:
        e_in, p_in = beam
        turn1 = (divided(current(e_out, e_in), t1), q1)
        turn2 = (divided(current(p_in, p_out), t2), q2)
        dimuon = (divided(current(muon, antimuon), s_pair), -pair)
        source = (divided(current(p_in, e_in), s), incoming)
        bhabha = (divided(current(e_out, p_out), s_scattered), -scattered)
        exchange = (
            two_vectors((muon, antimuon), -plus, _M, turn1, turn2)
            + two_vectors((e_out, e_in), beams.first, _ME, turn2, dimuon)
            + two_vectors((p_in, p_out), -positron, _ME, turn1, dimuon)
        )
        annihilation = (
            two_vectors((p_in, e_in), beams.first, _ME, bhabha, dimuon)
            + two_vectors((e_out, p_out), -positron, _ME, source, dimuon)
            + two_vectors((muon, antimuon), -plus, _M, source, bhabha)
        )
        return exchange - annihilation  # one exchange of identical fermions

    return amplitude


_ISR_SCALE = 3e-5  # GeV²; measured: exp<ln Q²> = 2.8e-5 for m(mu mu) > 0.5 GeV

PROCESS = TwoPhotonDimuon
