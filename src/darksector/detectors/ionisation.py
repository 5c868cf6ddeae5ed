r"""Ionisation in a gas: the restricted energy loss that a truncated mean measures.

.. math:: \frac{1}{\beta^2} \left[ \frac12 \ln \frac{2 m_e \beta^2\gamma^2 W}{I^2}
          - \frac{\beta^2}{2}\left(1 + \frac{W}{W_\mathrm{max}}\right)
          - \frac{\delta}{2} \right]

Particle Data Group, *Passage of particles through matter*, restricted energy loss rates;
the density effect δ in the parametrisation of Sternheimer, same review.
"""

from __future__ import annotations

from math import log

import jax
import jax.numpy as jnp

_ELECTRON = 510998.95  # eV


def restricted_loss(
    beta_gamma: jax.Array, *, excitation: jax.Array, cut: jax.Array, density: jax.Array
) -> jax.Array:
    """Return the energy loss below `cut`, in units of K Z/A, dimensionless.

    `excitation` and `cut` are in eV; `density` holds x0, x1, a, k and C of Sternheimer.
    W/W_max is neglected: the cut is far below the largest transfer.
    """
    beta2 = beta_gamma**2 / (1 + beta_gamma**2)
    speed = jnp.log(beta_gamma)
    logarithm = jnp.log(2 * _ELECTRON * cut / excitation**2) + 2 * speed
    return (logarithm - beta2 - density_effect(speed, density)) / (2 * beta2)


def density_effect(speed: jax.Array, density: jax.Array) -> jax.Array:
    """Return δ, dimensionless, at ln βγ for x0, x1, a, k and C of Sternheimer."""
    start, end, scale, power, constant = density
    x = speed / log(10)
    below_end = jnp.maximum(end - x, 1e-12)
    # exp and log are vectorised, a power is not
    bend = scale * jnp.exp(power * jnp.log(below_end))
    delta = 2 * speed - constant + bend
    return jnp.where(x > start, jnp.maximum(delta, 0.0), 0.0)
