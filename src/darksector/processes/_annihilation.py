"""What the processes through one annihilation photon share: a pair of leptons."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import jax
import jax.numpy as jnp

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
from darksector.kinematics import Momentum, squared
from darksector.particles import MASS, charge_squared
from darksector.phasespace.channels import Pair, at_rest, two_body, two_body_volume
from darksector.processes.base import Parameters, Process, Sampled


@dataclass(frozen=True)
class LeptonPair(Process):
    """e+e- -> l- l+ through one photon; a leaf names the lepton.

    Parameters
    ----------
    isr
        Whether the beams radiate.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    """

    isr: bool = True
    running_alpha: bool = False

    lepton: ClassVar[str]
    dimension: ClassVar[int] = 2

    def parameters(self) -> dict[str, float]:
        """Return the mass of the lepton, GeV, and whether the coupling runs, 0 or 1."""
        return {"lepton": MASS[self.lepton], "running": float(self.running_alpha)}

    def threshold(self) -> float:
        """Return twice the mass of the lepton, GeV."""
        return 2 * MASS[self.lepton]

    @staticmethod
    def sample(u: jax.Array, s: jax.Array, parameters: Parameters) -> Sampled:
        """Return isotropic points."""
        m2 = parameters["lepton"] ** 2
        open_ = s > 4 * m2
        s = jnp.where(open_, s, 9 * m2)
        pair = two_body(at_rest(s), (m2, m2), 2 * u[:, 0] - 1, 2 * pi * u[:, 1])
        return Sampled(tuple(pair), jnp.where(open_, two_body_volume(s, m2, m2), 0.0))

    @staticmethod
    def squared_amplitude(
        beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the one diagram, dimensionless."""
        minus, plus = final
        legs = [
            fermion_out(minus, parameters["lepton"]),
            antifermion_out(plus, parameters["lepton"]),
            fermion_in(beams.first, MASS["e"]),
            antifermion_in(beams.second, MASS["e"]),
        ]
        s = squared(beams.first + beams.second)
        s = photon_denominator(s, parameters["running"])

        def amplitude(
            fermion: Spinor, antifermion: Spinor, electron: Spinor, positron: Spinor
        ) -> jax.Array:
            source, sink = current(positron, electron), current(fermion, antifermion)
            return contract(source, sink) / s

        return charge_squared() ** 2 / 4 * spin_sum(amplitude, legs)
