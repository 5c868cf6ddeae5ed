"""e+e- -> mu+ mu- Z': a vector radiated off either muon."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar, final

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
    massive_vector,
)
from darksector.amplitudes.vacuum import photon_denominator
from darksector.kinematics import Momentum, select, squared
from darksector.models.lmu_ltau import LmuLtau
from darksector.particles import MASS, PDG, ZPRIME, charge_squared
from darksector.phasespace import mappings
from darksector.phasespace.channels import Pair, at_rest, two_body, two_body_volume
from darksector.processes.base import Parameters, Process, Sampled

_M = MASS["mu"]


@final
@dataclass(frozen=True)
class DimuonZprime(Process):
    """e+e- -> mu- mu+ Z' with massive muons (arXiv:1403.2727).

    Parameters
    ----------
    model
        The Z': its mass and coupling.
    isr
        Whether the beams radiate.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    """

    model: LmuLtau
    isr: bool = True
    running_alpha: bool = False

    title: ClassVar[str] = "e+e- -> mu+mu- Z'"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1403.2727",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["mu"], -PDG["mu"], ZPRIME)
    dimension: ClassVar[int] = 5
    needs_model: ClassVar[bool] = True

    def parameters(self) -> dict[str, float]:
        """Return the mass, GeV, and the coupling of the Z'."""
        return {
            "mass": self.model.mass,
            "coupling": self.model.gprime,
            "running": float(self.running_alpha),
        }

    def threshold(self) -> float:
        """Return 2 m_mu + m_Z', GeV."""
        return 2 * _M + self.model.mass

    @staticmethod
    def sample(u: jax.Array, s: jax.Array, parameters: Parameters) -> Sampled:
        """Return points from two channels: the Z' is emitted by either muon."""
        mass2 = jnp.asarray(parameters["mass"]) ** 2
        low = mass2 + 2 * parameters["mass"] * _M
        open_ = s > (2 * _M + parameters["mass"]) ** 2
        s = jnp.where(open_, s, (3 * _M + parameters["mass"]) ** 2)
        span = jnp.log(((jnp.sqrt(s) - _M) ** 2 - _M**2) / low)
        by_minus = u[:, 0] < 0.5
        fraction = jnp.where(by_minus, 2 * u[:, 0], 2 * u[:, 0] - 1)
        virtual = mappings.logarithmic(fraction, low, low * jnp.exp(span)).value + _M**2
        # two-body tree: e+e- -> emitter* + spectator, emitter* -> emitter + Z'
        emitter_star, spectator = two_body(
            at_rest(s), (virtual, _M**2), 2 * u[:, 1] - 1, 2 * pi * u[:, 2]
        )
        emitter, zprime = two_body(
            emitter_star, (_M**2, mass2), 2 * u[:, 3] - 1, 2 * pi * u[:, 4]
        )
        density = sum(
            _density(squared(muon + zprime), s, mass2, span) / 2
            for muon in (emitter, spectator)
        )
        minus = select(by_minus, emitter, spectator)
        plus = select(by_minus, spectator, emitter)
        return Sampled((minus, plus, zprime), jnp.where(open_, 1 / density, 0.0))

    @staticmethod
    def squared_amplitude(
        beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the two final-state diagrams, GeV^-2."""
        minus, plus, zprime = final
        legs = [
            fermion_out(minus, _M),
            antifermion_out(plus, _M),
            massive_vector(zprime, parameters["mass"]),
            fermion_in(beams.first, MASS["e"]),
            antifermion_in(beams.second, MASS["e"]),
        ]
        coupling2 = charge_squared() ** 2 * parameters["coupling"] ** 2
        return (
            coupling2 / 4 * spin_sum(_amplitude(beams, plus, zprime, parameters), legs)
        )


def _amplitude(
    beams: Pair, plus: Momentum, zprime: Momentum, parameters: Parameters
) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out."""
    incoming = beams.first + beams.second
    s = photon_denominator(squared(incoming), parameters["running"])

    def amplitude(
        minus: Spinor,
        antimuon: Spinor,
        emitted: Spinor,
        electron: Spinor,
        positron: Spinor,
    ) -> jax.Array:
        photon = divided(current(positron, electron), s)
        return two_vectors(
            (minus, antimuon), -plus, _M, (photon, incoming), (emitted, -zprime)
        )

    return amplitude


def _density(
    virtual: jax.Array, s: jax.Array, mass2: jax.Array, span: jax.Array
) -> jax.Array:
    """Return the density of one channel in units of the three-body phase space."""
    volume = two_body_volume(s, virtual, _M**2) * two_body_volume(virtual, _M**2, mass2)
    return 2 * pi / (volume * (virtual - _M**2) * span)


PROCESS = DimuonZprime
