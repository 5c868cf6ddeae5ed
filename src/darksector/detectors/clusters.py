"""What is measured of showers: energy, direction, time, and when two become one."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from darksector.detectors.calorimeter import Calorimeter
from darksector.detectors.crystals import Impact
from darksector.detectors.edges import normal_cdf
from darksector.detectors.objects import Cluster
from darksector.kinematics import Momentum

SOFTEST = 1e-6  # GeV; keeps what has no energy finite
_QUANTILE_99 = 2.5758293035489004  # 99 % of a Gaussian lie within this many sigma


def measure_cluster(
    calorimeter: Calorimeter, energy: jax.Array, spot: Impact, z: jax.Array
) -> Cluster:
    """Return the clusters of photons or electrons of given energies, GeV.

    The direction is that from the origin to the cluster, wherever the particle came from.

    Parameters
    ----------
    z
        Normal numbers ``(n, 4)`` or more: energy, θ, φ, time.
    """
    sigma_theta = resolution(calorimeter, calorimeter.theta_resolution, energy, spot)
    sigma_phi = resolution(calorimeter, calorimeter.phi_resolution, energy, spot)
    measured = _measured_energy(calorimeter, energy, spot, z[:, 0])
    theta = spot.theta + sigma_theta / 1000 * z[:, 1]
    phi = spot.phi + sigma_phi / 1000 * z[:, 2]
    transverse = measured * jnp.sin(theta)
    return Cluster(
        p=Momentum(
            measured,
            transverse * jnp.cos(phi),
            transverse * jnp.sin(phi),
            measured * jnp.cos(theta),
        ),
        time=spot.delay + time_resolution(calorimeter, energy) * z[:, 3],
    )


def _measured_energy(
    calorimeter: Calorimeter, energy: jax.Array, spot: Impact, z: jax.Array
) -> jax.Array:
    """Return the energy of clusters, GeV: a rising function of z, never negative.

    Gaussian, less what a shower that starts early leaves before the crystals.  That grows
    with the square of z, which makes the lower tail exponential.
    """
    sigma = resolution(calorimeter, calorimeter.energy_resolution, energy, spot) / 100
    early = jnp.maximum(-z - calorimeter.tail_start, 0.0)
    lost = calorimeter.tail_loss * early * early / jnp.maximum(energy, SOFTEST)
    shift = sigma * z - lost
    # below half of the energy the shift is bent so that it never exceeds the energy
    bent = 0.5 * jnp.exp(2 * jnp.minimum(shift + 0.5, 0.0))
    return energy * jnp.where(shift > -0.5, 1 + shift, bent)


def resolution(
    calorimeter: Calorimeter, table: jax.Array, energy: jax.Array, spot: Impact
) -> jax.Array:
    """Return the width that a table of the card gives, in the unit of the table.

    Parameters
    ----------
    table
        One of the three resolution tables of `calorimeter`.
    energy
        True energy, GeV.
    """
    at_level = _at_background(calorimeter, table)
    edges = jnp.deg2rad(calorimeter.region_edges)
    rows = [jnp.broadcast_to(at_level[0, k], energy.shape) for k in range(7)]
    for i in range(edges.size):  # few regions: cheaper than a gather for each photon
        beyond = spot.theta > edges[i]
        rows = [jnp.where(beyond, at_level[i + 1, k], rows[k]) for k in range(7)]
    threshold, below, a, b, c, d, q = rows
    root = 1 / jnp.sqrt(jnp.maximum(energy, threshold))
    value = root * (a * root + b) + c * jnp.sqrt(root) + d
    return jnp.where(energy > threshold, jnp.sqrt(value * value + q * q), below)


def _at_background(calorimeter: Calorimeter, table: jax.Array) -> jax.Array:
    """Return the rows ``(r, 7)`` at the level of the background."""
    levels = calorimeter.background_levels
    if levels.size == 1:
        return table[0]
    here = jnp.clip(calorimeter.background, levels[0], levels[-1])
    cell = jnp.clip(jnp.searchsorted(levels, here) - 1, 0, levels.size - 2)
    part = (here - levels[cell]) / (levels[cell + 1] - levels[cell])
    return (1 - part) * table[cell] + part * table[cell + 1]


def time_interval(calorimeter: Calorimeter, energy: jax.Array) -> jax.Array:
    """Return the half-width of the 99 % interval of the time of a crystal, ns."""
    a, b, c = calorimeter.time_constants
    u = calorimeter.background
    at_1_gev = (a + b * u + c * u * u) / 1000
    at_energy = at_1_gev / jnp.maximum(energy, SOFTEST)
    return jnp.maximum(at_energy, calorimeter.time_floor)


def time_resolution(calorimeter: Calorimeter, energy: jax.Array) -> jax.Array:
    """Return the width of the time of a cluster, which its hottest crystal gives, ns."""
    hottest = calorimeter.time_share * energy
    return time_interval(calorimeter, hottest) / _QUANTILE_99


def merging_probability(
    calorimeter: Calorimeter,
    first: tuple[Impact, jax.Array],
    second: tuple[Impact, jax.Array],
) -> jax.Array:
    """Return the probability that two particles make one cluster.

    Parameters
    ----------
    first, second
        Impact and energy, GeV, of each.

    Notes
    -----
    The angle between the impacts, in crystals at their mean distance, is averaged over the
    unknown position within a crystal; it falls with the angle, and grows with the ratio of
    the energies.  The card says where the numbers come from.
    """
    (a, energy_a), (b, energy_b) = first, second
    # half-angles: no cancellation for close pairs
    north = jnp.sin((a.theta - b.theta) / 2) ** 2
    east = jnp.sin((a.phi - b.phi) / 2) ** 2
    chord2 = north + jnp.sin(a.theta) * jnp.sin(b.theta) * east
    angle = 2 * jnp.arcsin(jnp.sqrt(jnp.clip(chord2, 0.0, 1.0)))
    crystals = angle * (a.distance + b.distance) / 2 / calorimeter.crystal_size
    half, growth, width = calorimeter.separation
    energy_a, energy_b = (jnp.maximum(e, SOFTEST) for e in (energy_a, energy_b))
    ratio = jnp.log(energy_a / energy_b)
    needed = half + growth * ratio * ratio
    return 1 - normal_cdf((crystals - needed) / width)
