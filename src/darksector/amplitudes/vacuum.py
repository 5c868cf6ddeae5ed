"""Vacuum polarisation: lepton loops in closed form, hadrons from a parametrisation."""

from __future__ import annotations

from math import pi

import jax
import jax.numpy as jnp

import darksector.compilation  # noqa: F401  sets float64
from darksector.particles import ALPHA, MASS

# (upper end in |q²|, GeV²; A; B; C) of A + B ln(1 + C|q²|)
# Source: R. Kleiss et al., CERN 89-08 vol. 3 p. 129 (after H. Burkhardt), as listed in
# the PYTHIA 6.4 manual, arXiv:hep-ph/0603175
_HADRONS = (
    (0.09, 0.0, 0.00835, 1.0),
    (9.0, 0.0, 0.00238, 3.927),
    (1e4, 0.00165, 0.00299, 1.0),
    (jnp.inf, 0.00221, 0.00293, 1.0),
)


def lepton_loop(q2: jax.Array | float, mass: float) -> jax.Array:
    r"""Return the one-loop moment of a charged lepton, complex, dimensionless.

    .. math:: \int_0^1 x(1-x) \ln\frac{m^2 - x(1-x)q^2 - i0}{m^2} dx

    The closed form has a removable cancellation at small |q²|, where the series stands in.
    """
    q2 = jnp.asarray(q2)
    small = jnp.abs(q2) < 1e-4 * mass**2
    safe = jnp.where(small, mass**2, q2)
    ratio = 4 * mass**2 / safe
    root = jnp.sqrt(1 - ratio + 0j)
    log = jnp.log((root + 1) / (root - 1))
    log = jnp.where(safe > 4 * mass**2, log.real - 1j * pi, log)
    closed = -5 / 18 - ratio / 6 + root * (2 + ratio) / 12 * log
    y = q2 / mass**2
    return jnp.where(small, -y / 30 - y**2 / 280 + 0j, closed)


def delta_alpha(q2: jax.Array | float) -> jax.Array:
    r"""Return the real part of :math:`\Delta\alpha(q^2)`, dimensionless.

    :math:`\alpha(q^2) = \alpha / (1 - \Delta\alpha)`.  Hadronic resonances are smoothed:
    good to about 0.2 % of α away from them.
    """
    leptons = sum(lepton_loop(q2, MASS[name]).real for name in ("e", "mu", "tau"))
    return 2 * ALPHA / pi * leptons + _hadrons(jnp.abs(jnp.asarray(q2)))


def _hadrons(size: jax.Array) -> jax.Array:
    value = jnp.zeros_like(size)
    low = 0.0
    for high, a, b, c in _HADRONS:
        inside = (size >= low) & (size < high)
        value = jnp.where(inside, a + b * jnp.log1p(c * size), value)
        low = high
    return value


def photon_denominator(q2: jax.Array | float, running: jax.Array | float) -> jax.Array:
    """Return q² (1 - Δα(q²)), GeV²; `running` is 1 for α(q²) and 0 for α(0)."""

    def dressed(q2: jax.Array) -> jax.Array:
        return q2 * (1 - running * delta_alpha(q2))

    # Δα costs as much as a third of an amplitude: only where it runs
    return jax.lax.cond(running > 0, dressed, lambda q2: q2, jnp.asarray(q2))


SCHEME = "alpha(0) at vertices, vacuum polarisation in photons"
REFERENCE = "arXiv:hep-ph/0603175"
