"""What the processes through one annihilation photon share: pair production."""

from __future__ import annotations

from math import pi

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
from darksector.processes.base import Sampled


def pair_sample(u: jax.Array, s: jax.Array, mass: float) -> Sampled:
    """Return isotropic two-body points for numbers ``(n, 2)``."""
    open_ = s > (2 * mass) ** 2
    s = jnp.where(open_, s, (3 * mass) ** 2)
    m2 = mass**2
    pair = two_body(at_rest(s), (m2, m2), 2 * u[:, 0] - 1, 2 * pi * u[:, 1])
    return Sampled(tuple(pair), jnp.where(open_, two_body_volume(s, m2, m2), 0.0))


def pair_squared_amplitude(
    beams: Pair,
    final: tuple[Momentum, ...],
    mass: float,
    *,
    running: jax.Array | float,
) -> jax.Array:
    """Return |M|² of e+e- -> f f̄ through one photon, dimensionless."""
    minus, plus = final
    legs = [
        fermion_out(minus, mass),
        antifermion_out(plus, mass),
        fermion_in(beams.first, MASS["e"]),
        antifermion_in(beams.second, MASS["e"]),
    ]
    s = photon_denominator(squared(beams.first + beams.second), running)

    def amplitude(
        fermion: Spinor, antifermion: Spinor, electron: Spinor, positron: Spinor
    ) -> jax.Array:
        return contract(current(positron, electron), current(fermion, antifermion)) / s

    return charge_squared() ** 2 / 4 * spin_sum(amplitude, legs)
