"""Charged tracks: acceptance, efficiency and resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, polar, transverse
from darksector.particles import MASS


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tracking:
    """Numbers of the tracking system; angles in degrees, momenta in GeV.

    The three resolution tables are shaped ``(angles, momenta)``: σ(p_T)/p_T in percent,
    σ(φ) in mrad and σ(cot θ) in 1e-3.  Outside the grid the nearest value holds.
    """

    theta_min: jax.Array
    theta_max: jax.Array
    pt_min: jax.Array
    efficiency: jax.Array
    theta_grid: jax.Array
    pt_grid: jax.Array
    pt_resolution: jax.Array
    phi_resolution: jax.Array
    cot_resolution: jax.Array


def track_probability(tracking: Tracking, p: Momentum) -> jax.Array:
    """Return the probability that a charged particle gives a track."""
    theta = jnp.rad2deg(polar(p))
    inside = (theta > tracking.theta_min) & (theta < tracking.theta_max)
    return jnp.where(inside & (transverse(p) > tracking.pt_min), tracking.efficiency, 0)


def measure_track(
    tracking: Tracking, p: Momentum, z: jax.Array, mass: float = MASS["mu"]
) -> Momentum:
    """Return the reconstructed four-momentum, GeV, for normal numbers ``(n, 3)``.

    Curvature, azimuth and dip are smeared independently; the energy is that of `mass`.
    """
    pt = transverse(p)
    theta = jnp.rad2deg(polar(p))
    cells = _locate(tracking.theta_grid, theta), _locate(tracking.pt_grid, pt)
    sigma_pt, sigma_phi, sigma_cot = (
        _bilinear(table, *cells)
        for table in (
            tracking.pt_resolution / 100,
            tracking.phi_resolution / 1000,
            tracking.cot_resolution / 1000,
        )
    )
    # the curvature is Gaussian, not the momentum
    new_pt = pt / (1 + sigma_pt * z[:, 0])
    phi = jnp.arctan2(p.y, p.x) + sigma_phi * z[:, 1]
    new_pz = new_pt * (p.z / pt + sigma_cot * z[:, 2])
    energy = jnp.sqrt(new_pt**2 + new_pz**2 + mass**2)
    return Momentum(energy, new_pt * jnp.cos(phi), new_pt * jnp.sin(phi), new_pz)


def _locate(grid: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the cell of x and the fraction of the way through it."""
    x = jnp.clip(x, grid[0], grid[-1])
    cell = jnp.clip(jnp.searchsorted(grid, x) - 1, 0, grid.size - 2)
    return cell, (x - grid[cell]) / (grid[cell + 1] - grid[cell])


def _bilinear(
    table: jax.Array, row: tuple[jax.Array, jax.Array], col: tuple[jax.Array, jax.Array]
) -> jax.Array:
    (i, f), (j, g) = row, col
    low = table[i, j] * (1 - g) + table[i, j + 1] * g
    high = table[i + 1, j] * (1 - g) + table[i + 1, j + 1] * g
    return low * (1 - f) + high * f
