"""Photons in the electromagnetic calorimeter: gaps, efficiency and resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, polar


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Calorimeter:
    """Numbers of the calorimeter; angles in degrees, energies in GeV.

    `gaps` is shaped ``(g, 2)``.  The regions are separated by `region_edges` ``(r - 1,)``;
    each row ``(threshold, below, a, b, c, d)`` of a resolution table ``(r, 6)`` stands for
    a/E + b/E^(1/2) + c/E^(1/4) + d above the threshold and for a constant below: σ(E)/E in
    percent, σ(θ) and σ(φ) in mrad.
    """

    theta_min: jax.Array
    theta_max: jax.Array
    barrel_min: jax.Array
    barrel_max: jax.Array
    gaps: jax.Array
    inefficiency: jax.Array
    energy_min: jax.Array
    region_edges: jax.Array
    energy_resolution: jax.Array
    theta_resolution: jax.Array
    phi_resolution: jax.Array


def cluster_probability(calorimeter: Calorimeter, p: Momentum) -> jax.Array:
    """Return the probability that a photon or electron gives a cluster."""
    theta = jnp.rad2deg(polar(p))
    inside = (theta > calorimeter.theta_min) & (theta < calorimeter.theta_max)
    low, high = calorimeter.gaps[:, :1], calorimeter.gaps[:, 1:]
    in_gap = ((theta > low) & (theta < high)).any(axis=0)
    seen = inside & ~in_gap & (p.e > calorimeter.energy_min)
    return jnp.where(seen, 1 - calorimeter.inefficiency, 0.0)


def measure_cluster(calorimeter: Calorimeter, p: Momentum, z: jax.Array) -> Momentum:
    """Return the reconstructed massless four-momentum, GeV, for normal numbers ``(n, 3)``."""
    theta = polar(p)
    region = jnp.searchsorted(calorimeter.region_edges, jnp.rad2deg(theta))
    energy = p.e * (
        1 + _resolution(calorimeter.energy_resolution[region], p.e) / 100 * z[:, 0]
    )
    energy = jnp.maximum(energy, 0.0)
    theta = (
        theta + _resolution(calorimeter.theta_resolution[region], p.e) / 1000 * z[:, 1]
    )
    phi = jnp.arctan2(p.y, p.x)
    phi = phi + _resolution(calorimeter.phi_resolution[region], p.e) / 1000 * z[:, 2]
    pt = energy * jnp.sin(theta)
    return Momentum(
        energy, pt * jnp.cos(phi), pt * jnp.sin(phi), energy * jnp.cos(theta)
    )


def _resolution(rows: jax.Array, energy: jax.Array) -> jax.Array:
    threshold, below, a, b, c, d = rows.T
    e = jnp.maximum(energy, threshold)
    value = a / e + b / jnp.sqrt(e) + c / e**0.25 + d
    return jnp.where(energy > threshold, value, below)
