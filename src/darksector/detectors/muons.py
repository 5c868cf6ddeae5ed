"""Muon identification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, modulus, polar


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Muons:
    """Numbers of the muon identification; angles in degrees, momenta in GeV."""

    theta_min: jax.Array
    theta_max: jax.Array
    p_min: jax.Array
    efficiency: jax.Array


def muon_probability(muons: Muons, p: Momentum) -> jax.Array:
    """Return the probability that the track of a muon is identified as one."""
    theta = jnp.rad2deg(polar(p))
    inside = (theta > muons.theta_min) & (theta < muons.theta_max)
    return jnp.where(inside & (modulus(p) > muons.p_min), muons.efficiency, 0.0)
