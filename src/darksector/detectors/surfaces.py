"""A tracking system as cylinders that measure or scatter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from darksector.detectors.tracker import Tracking


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Surfaces:
    """Cylinders that measure or scatter, from inside out; one number per surface.

    Parameters
    ----------
    radius, z_min, z_max
        Extent, cm.
    thickness
        x/X0 at normal incidence.
    sine, cosine
        Of the angle between the measuring wire or strip and the z axis.
    across, along
        Information, 1/cm²: perpendicular to the wire and along it.
    wire
        1 where the distance perpendicular to the track is measured, as in a drift cell,
        0 where it is the place on the surface.
    """

    radius: jax.Array
    z_min: jax.Array
    z_max: jax.Array
    thickness: jax.Array
    sine: jax.Array
    cosine: jax.Array
    across: jax.Array
    along: jax.Array
    wire: jax.Array


def surfaces(tracking: Tracking) -> Surfaces:
    """Return beam pipe, silicon layers, inner wall and layers of wires, in this order.

    Only the wires end in z: whoever asks says which of the others are crossed.
    """
    t = tracking
    pipe, wall, silicon = jnp.zeros(1), jnp.zeros(1), jnp.zeros_like(t.silicon_radius)
    endless = jnp.full(2 + t.silicon_radius.size, 1e4)
    zeros, ones = jnp.zeros_like(t.wire_radius), jnp.ones_like(t.wire_radius)
    stereo = jnp.deg2rad(t.wire_stereo)
    # each layer of wires carries the gas half-way to its neighbours
    middles = (t.wire_radius[1:] + t.wire_radius[:-1]) / 2
    edges = jnp.concatenate([t.wall[:1, 0], middles, t.wire_radius[-1:]])
    return Surfaces(
        radius=jnp.concatenate(
            [
                t.pipe[:, :2].mean(keepdims=True)[0],
                t.silicon_radius,
                t.wall[:1, 0],
                t.wire_radius,
            ]
        ),
        z_min=jnp.concatenate([-endless, t.wire_z_min]),
        z_max=jnp.concatenate([endless, t.wire_z_max]),
        thickness=jnp.concatenate(
            [
                t.pipe[:, 2].sum(keepdims=True),
                t.silicon_scale * t.silicon_x0,
                t.wall[:1, 1],
                jnp.diff(edges) / t.gas_x0,
            ]
        ),
        sine=jnp.concatenate([pipe, silicon, wall, jnp.sin(stereo)]),
        cosine=jnp.concatenate([pipe + 1, silicon + 1, wall + 1, jnp.cos(stereo)]),
        across=jnp.concatenate(
            [pipe, t.silicon_rphi**-2, wall, ones / t.wire_resolution**2]
        ),
        along=jnp.concatenate([pipe, t.silicon_z**-2, wall, zeros]),
        wire=jnp.concatenate([pipe, silicon, wall, ones]),
    )
