r"""Energy that an electron radiates in thin material.

The spectrum of photons with the share y of the electron's energy is that of complete
screening (Y.-S. Tsai, Rev. Mod. Phys. 46 (1974) 815; Particle Data Group, Passage of
particles through matter, eq. 34.29), per radiation length

.. math:: \frac{dN}{dy} = \frac{1}{y}\left(\frac43 - \frac43 y + y^2\right)

so that no photon harder than y is radiated in :math:`t` radiation lengths with the
probability :math:`e^{-t F(y)}`, :math:`F(y) = \int_y^1 dN`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

_STEPS = 5  # of Newton's method, which starts at the limit of soft photons


def hardest_photon(path: jax.Array, log_chance: jax.Array) -> jax.Array:
    """Return the share of the energy that the hardest photon takes.

    Parameters
    ----------
    path
        Thickness crossed, radiation lengths.
    log_chance
        Logarithm of the probability that no photon is harder: minus infinity to 0.

    Notes
    -----
    The softer photons are left out; the mean loss lacks a share of the order of `path`.
    """
    wanted = -log_chance / path
    v = jnp.maximum(0.75 * (wanted - 0.5) + 1, 0.5 * wanted)
    for _ in range(_STEPS):
        v = jnp.maximum(v - (_harder(v) - wanted) / _slope(v), 0.0)
    return jnp.exp(-v)


def _harder(v: jax.Array) -> jax.Array:
    """Return F of y = exp(-v)."""
    return 4 / 3 * (v + jnp.expm1(-v)) - jnp.expm1(-2 * v) / 2


def _slope(v: jax.Array) -> jax.Array:
    return -4 / 3 * jnp.expm1(-v) + jnp.exp(-2 * v)
