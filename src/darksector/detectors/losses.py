"""How photons escape the calorimeter, by origin, and how many convert before it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce
from operator import mul
from typing import final

import jax
import jax.numpy as jnp

from darksector.detectors.calorimeter import Calorimeter
from darksector.detectors.clusters import SOFTEST, resolution
from darksector.detectors.crystals import Impact
from darksector.detectors.edges import normal_cdf

_PAIRS = (
    7 / 9
)  # mean free path of a photon in radiation lengths, inverse (PDG, passage)


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Losses:
    """Probabilities that a particle leaves no cluster, by origin; each ``(n,)``.

    Parameters
    ----------
    outside
        Beyond the acceptance, or born behind the front faces.
    forward_gap, backward_gap
        Gaps below and above 90 degrees.
    crack
        Cracks between crystals that face the origin.
    walls
        Azimuthal walls of the endcaps.
    floor
        No interaction in the crystals.
    threshold
        Too little energy.
    elsewhere
        The inefficiency of the card.
    """

    outside: jax.Array
    forward_gap: jax.Array
    backward_gap: jax.Array
    crack: jax.Array
    walls: jax.Array
    floor: jax.Array
    threshold: jax.Array
    elsewhere: jax.Array

    def total(self) -> jax.Array:
        """Return the probability that any of them happens."""
        lost = jax.tree.leaves(self)
        return 1 - reduce(mul, [1 - part for part in lost])

    def shares(self) -> dict[str, jax.Array]:
        """Return the part of each origin in the losses; together they are one.

        Where several origins coincide they share in proportion to their probabilities.
        """
        parts = {name: getattr(self, name) for name in ORIGINS}
        whole = jnp.maximum(sum(parts.values(), 0.0), 1e-300)
        return {name: part / whole for name, part in parts.items()}


ORIGINS = tuple(field.name for field in fields(Losses))


def losses(calorimeter: Calorimeter, energy: jax.Array, spot: Impact) -> Losses:
    """Return why photons or electrons of given energies, GeV, leave no cluster.

    Notes
    -----
    Edges are Gaussian integrals, so that a gap loses as much as its width whatever their
    softness, and derivatives with respect to widths are right.  A flight from a displaced
    vertex is treated like one from the origin that meets the same point; across a crack it
    would be lost less often.
    """
    theta = jnp.rad2deg(spot.theta)
    path = calorimeter.depth / jnp.clip(spot.slant, 0.2, 1.0)
    forward, backward = _gaps(calorimeter, theta)
    return Losses(
        outside=_outside(calorimeter, theta, spot),
        forward_gap=forward,
        backward_gap=backward,
        crack=_cracks(calorimeter, theta),
        walls=_walls(calorimeter, theta, spot),
        floor=jnp.exp(-_PAIRS * path),
        threshold=_threshold(calorimeter, energy, spot),
        elsewhere=jnp.broadcast_to(calorimeter.inefficiency, theta.shape),
    )


def cluster_probability(
    calorimeter: Calorimeter, energy: jax.Array, spot: Impact
) -> jax.Array:
    """Return the probability that photons or electrons leave a cluster."""
    return 1 - losses(calorimeter, energy, spot).total()


def conversion_probability(calorimeter: Calorimeter, spot: Impact) -> jax.Array:
    """Return the probability that photons become e+e- before the tracker.

    Notes
    -----
    Layers inside the radius of the vertex are not crossed.  The flight of a displaced
    photon is taken as if it went straight outwards from the axis.  Conversions further
    out, in the outer wall of the drift chamber or in quartz bars, leave a cluster; their
    energy loss is in the tail of the resolution.
    """
    crossed = jnp.zeros_like(spot.start)
    for i in range(calorimeter.material.shape[0]):
        radius, thickness = calorimeter.material[i]
        crossed = crossed + jnp.where(spot.start < radius, thickness, 0.0)
    return -jnp.expm1(-_PAIRS * crossed / spot.sin_flight)


def _between(x: jax.Array, edges: jax.Array, softness: jax.Array) -> jax.Array:
    """Return how much of x lies between two edges; its integral is their distance."""
    return normal_cdf((x - edges[0]) / softness) - normal_cdf((x - edges[1]) / softness)


def _outside(calorimeter: Calorimeter, theta: jax.Array, spot: Impact) -> jax.Array:
    edges = jnp.stack((calorimeter.theta_min, calorimeter.theta_max))
    return 1 - spot.inside * _between(theta, edges, calorimeter.edge_softness)


def _gaps(calorimeter: Calorimeter, theta: jax.Array) -> tuple[jax.Array, jax.Array]:
    forward, backward = jnp.zeros_like(theta), jnp.zeros_like(theta)
    for edges, softness in zip(calorimeter.gaps, calorimeter.gap_softness, strict=True):
        lost = _between(theta, edges, softness)
        is_forward = edges.sum() < 180
        forward = forward + jnp.where(is_forward, lost, 0.0)
        backward = backward + jnp.where(is_forward, 0.0, lost)
    return forward, backward


def _cracks(calorimeter: Calorimeter, theta: jax.Array) -> jax.Array:
    lost = jnp.zeros_like(theta)
    for low, high in calorimeter.cracks:
        half = (high - low) / 2 * calorimeter.crack_leakage
        edges = (low + high) / 2 + jnp.stack((-half, half))
        lost = lost + _between(theta, edges, calorimeter.crack_softness)
    return lost


def _walls(calorimeter: Calorimeter, theta: jax.Array, spot: Impact) -> jax.Array:
    """Return the chance to pass an endcap within one of its walls, without interacting."""
    pitch = 2 * jnp.pi / calorimeter.wall_number
    from_wall = jnp.mod(spot.phi + pitch / 2, pitch) - pitch / 2
    offset = spot.distance * jnp.sin(spot.theta) * from_wall
    half = calorimeter.wall_thickness / 2
    inside = _between(offset, jnp.stack((-half, half)), calorimeter.wall_softness)
    barrel = (theta > calorimeter.barrel_min) & (theta < calorimeter.barrel_max)
    through = jnp.exp(-_PAIRS * calorimeter.wall_depth)
    return jnp.where(barrel, 0.0, inside * through)


def _threshold(calorimeter: Calorimeter, energy: jax.Array, spot: Impact) -> jax.Array:
    energy = jnp.maximum(energy, SOFTEST)
    sigma = resolution(calorimeter, calorimeter.energy_resolution, energy, spot) / 100
    return normal_cdf((calorimeter.energy_min / energy - 1) / sigma)
