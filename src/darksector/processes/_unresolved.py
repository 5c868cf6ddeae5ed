r"""Pairs of leptons without a resolved photon: what emission takes away.

Emission moves events, and makes none: what the processes with a resolved photon have is
missing without one (docs/decisions/0008-photon-matching-by-unitarity.md).
"""

from __future__ import annotations

from math import cos, log, pi, tan

import jax
import jax.numpy as jnp
import numpy as np

from darksector.errors import OutOfDomain
from darksector.particles import ALPHA
from darksector.processes.base import Parameters

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_UNIT, _UNIT_WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2  # quadrature on [0, 1]
_LEAST_ENERGY, _LEAST_ANGLE = 1e-3, 1e-3  # below, emission is more than likely


def require_resolution(energy: float | None, angle: float | None) -> None:
    """Raise OutOfDomain unless both numbers are absent or within their bounds.

    Parameters
    ----------
    energy
        Smallest photon energy over the beam energy, in the hard collision.
    angle
        Smallest angle with either beam in the same frame, rad.
    """
    if energy is None and angle is None:
        return
    if energy is None or angle is None:
        msg = (
            "a pair without resolved photons needs photon_energy_min and "
            f"photon_angle_min, got {energy} and {angle}; give both or neither."
        )
        raise OutOfDomain(msg)
    if not (_LEAST_ENERGY <= energy < 1 and _LEAST_ANGLE <= angle < pi / 2):
        msg = (
            f"photon_energy_min must be within [{_LEAST_ENERGY:g}, 1) and "
            f"photon_angle_min within [{_LEAST_ANGLE:g}, π/2) rad, got {energy} and "
            f"{angle}; one photon does not describe softer ones."
        )
        raise OutOfDomain(msg)


def initial_emission(energy_min: float, angle_min: float) -> float:
    r"""Return the probability that the beams emit a resolved photon, at order α.

    .. math:: \frac{\alpha}{\pi} \int_{v_{min}}^1 \frac{dv}{v}
              \left[(2-2v+v^2) \ln\frac{1+c}{1-c} - v^2 c\right],
              \quad c = \cos\theta_{min}

    The integrand is the exact emission off massless beams, Bonneau and Martin, Nucl.
    Phys. B27 (1971) 381, between the angles.
    """
    v, c = energy_min, cos(angle_min)
    logarithm = -2 * log(tan(angle_min / 2))
    spectrum = -2 * log(v) - 2 * (1 - v) + (1 - v**2) / 2
    return ALPHA / pi * (logarithm * spectrum - c * (1 - v**2) / 2)


def final_emission(s: jax.Array, mass: float, parameters: Parameters) -> jax.Array:
    r"""Return the probability that a lepton pair emits a resolved photon, at order α.

    With :math:`\mu = m^2/s`, :math:`b^2 = 1-4\mu/(1-v)`,
    :math:`\Lambda = \ln\frac{1+b}{1-b}`:

    .. math:: \frac{dP}{dv} = \frac{\alpha/\pi}{(1+2\mu)\sqrt{1-4\mu}}\,\frac1v
        \{[2-2v+v^2-8\mu^2-4\mu v]\Lambda - [v^2+(2+4\mu)(1-v)]\, b\}

    Derived from the trace of the two diagrams.  Photons follow the leptons,
    :math:`1+\cos^2\theta`, to the accuracy of decision record 0008.
    """
    ratio = jnp.maximum(mass**2 / s, 1e-300)
    low, high = parameters["v_min"], 1 - 4 * ratio
    span = jnp.maximum(jnp.log(jnp.maximum(high, 1e-300) / low), 0.0)
    v = low * jnp.exp(span[:, None] * _UNIT)
    rates = _final_rate(v, ratio[:, None])  # per ln v
    c = parameters["cos_max"]
    within = (3 * c + c**3) / 4
    return within * span * jnp.sum(rates * _UNIT_WEIGHTS, axis=1)


def _final_rate(v: jax.Array, ratio: jax.Array) -> jax.Array:
    """Return v dP/dv of `final_emission` over all angles."""
    b = jnp.sqrt(jnp.clip(1 - 4 * ratio / (1 - v), 0.0, 1 - 1e-15))
    logarithm = jnp.log((1 + b) / (1 - b))
    even = 2 - 2 * v + v**2 - 8 * ratio**2 - 4 * ratio * v
    odd = v**2 + (2 + 4 * ratio) * (1 - v)
    born = (1 + 2 * ratio) * jnp.sqrt(1 - 4 * ratio)
    return ALPHA / pi * (even * logarithm - odd * b) / born


def unresolved_share(s: jax.Array, mass: float, parameters: Parameters) -> jax.Array:
    """Return the share of pairs without a resolved photon, at order α."""
    return 1 - parameters["initial_emission"] - final_emission(s, mass, parameters)
