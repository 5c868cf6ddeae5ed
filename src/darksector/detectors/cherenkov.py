r"""Cherenkov light: angle, number of photons, and what they tell of the mass.

Angle and yield are those of the Particle Data Group, *Passage of particles through
matter*, Cherenkov radiation: :math:`\cos\theta_c = 1/(n\beta)` and
:math:`N \propto \sin^2\theta_c`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

LIGHT = 29.9792458  # cm/ns
_SOFT = 1e-3  # half-width in sin² of the onset of light: keeps its derivative finite


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Light:
    """What a particle radiates.

    Parameters
    ----------
    slowness
        1/β, dimensionless.
    sin2
        sin² of the Cherenkov angle, dimensionless; zero below the threshold.
    photons
        Expected number of photoelectrons.
    """

    slowness: jax.Array
    sin2: jax.Array
    photons: jax.Array


def light(
    p: jax.Array,
    mass: float,
    index: jax.Array | float,
    saturated: jax.Array | float,
) -> Light:
    """Return the light of a particle of momentum p, GeV, and `mass`, GeV.

    `saturated` is the number of photoelectrons at β = 1.
    """
    slowness = jnp.sqrt(1 + (mass / p) ** 2)
    room = 1 - (slowness / index) ** 2
    sin2 = (room + jnp.sqrt(room**2 + 4 * _SOFT**2)) / 2
    return Light(slowness, sin2, saturated * sin2 / (1 - 1 / index**2))


def angle_difference(a: Light, b: Light) -> jax.Array:
    """Return the Cherenkov angle of a minus that of b, rad."""
    sin_a, sin_b = jnp.sqrt(a.sin2), jnp.sqrt(b.sin2)
    cos_a, cos_b = (jnp.sqrt(jnp.maximum(1 - x.sin2, 0.0)) for x in (a, b))
    across = sin_a * cos_b - cos_a * sin_b
    return jnp.arctan2(across, cos_a * cos_b + sin_a * sin_b)


def shared_photons(a: Light, b: Light) -> jax.Array:
    """Return the harmonic mean of two yields: none if one particle gives no light."""
    return 2 * a.photons * b.photons / (a.photons + b.photons)


def counting2(a: Light, b: Light, background: jax.Array) -> jax.Array:
    """Return the squared separation by the number of photons alone, dimensionless."""
    return (a.photons - b.photons) ** 2 / ((a.photons + b.photons) / 2 + background)


def mean2(
    difference: jax.Array, photons: jax.Array, single: jax.Array, common: jax.Array
) -> jax.Array:
    r"""Return the squared separation of the mean of many photons, dimensionless.

    .. math:: d^2 = \frac{\Delta^2}{\sigma_1^2/N + \sigma_0^2}

    with the resolution of a single photon and what all photons of a track share.
    """
    return photons * difference**2 / (single**2 + photons * common**2)


def arrival_difference(
    a: Light,
    b: Light,
    *,
    flight: jax.Array | float,
    propagation: jax.Array | float,
    index: jax.Array | float,
) -> jax.Array:
    r"""Return how much later the photons of a come than those of b, ns.

    .. math:: \Delta t = \frac{L}{c} \Delta\frac{1}{\beta}
              + \frac{n D}{c} \Delta\frac{1}{\sin\theta_c}

    Flight over L, then direct photons along the bar over D, cm, of a track that crosses
    it at a right angle.  The heavier particle is late in both.
    """
    late = flight * (a.slowness - b.slowness)
    steep = 1 / jnp.sqrt(a.sin2) - 1 / jnp.sqrt(b.sin2)
    return (late + index * propagation * steep) / LIGHT
