"""Four-momenta, boosts, invariants and recoils.

Kernels carry a four-momentum as four separate arrays (`Momentum`), which is the
layout in which the compiler vectorises; files and users see arrays ``(n, 4)`` in the
order (E, px, py, pz).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import darksector.compilation  # noqa: F401  sets float64

_TINY = 1e-300  # keeps a square root and its derivative finite


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Momentum:
    """A batch of four-vectors, GeV; components are real or complex arrays ``(n,)``."""

    e: jax.Array
    x: jax.Array
    y: jax.Array
    z: jax.Array

    def __add__(self, other: Momentum) -> Momentum:
        return Momentum(
            self.e + other.e, self.x + other.x, self.y + other.y, self.z + other.z
        )

    def __sub__(self, other: Momentum) -> Momentum:
        return self + (-other)

    def __neg__(self) -> Momentum:
        return Momentum(-self.e, -self.x, -self.y, -self.z)

    def scaled(self, factor: jax.Array | float) -> Momentum:
        """Return the vector times a number."""
        return Momentum(
            self.e * factor, self.x * factor, self.y * factor, self.z * factor
        )

    def array(self) -> jax.Array:
        """Return the components stacked as ``(n, 4)``."""
        return jnp.stack((self.e, self.x, self.y, self.z), axis=-1)


def momentum(array: Float[Array, "*n 4"]) -> Momentum:
    """Return the components of an array (E, px, py, pz), GeV, as a `Momentum`."""
    return Momentum(*(array[..., i] for i in range(4)))


def total(momenta: Iterable[Momentum]) -> Momentum:
    """Return the sum of four-momenta, GeV."""
    return reduce(add, momenta)


def dot(a: Momentum, b: Momentum) -> jax.Array:
    """Return the Minkowski product a·b, GeV², without complex conjugation."""
    return a.e * b.e - a.x * b.x - a.y * b.y - a.z * b.z


def squared(p: Momentum) -> jax.Array:
    """Return p², GeV²; may be negative."""
    return dot(p, p)


def spatial_dot(a: Momentum, b: Momentum) -> jax.Array:
    """Return the product of the three-momenta, GeV²."""
    return a.x * b.x + a.y * b.y + a.z * b.z


def modulus(p: Momentum) -> jax.Array:
    """Return |p|, GeV."""
    return jnp.sqrt(spatial_dot(p, p))


def transverse(p: Momentum) -> jax.Array:
    """Return the momentum transverse to the z axis, GeV."""
    return jnp.hypot(p.x, p.y)


def polar(p: Momentum) -> jax.Array:
    """Return the polar angle, rad."""
    return jnp.arctan2(transverse(p), p.z)


def cos_angle(a: Momentum, b: Momentum) -> jax.Array:
    """Return the cosine of the opening angle; 1 where a vector vanishes."""
    product = modulus(a) * modulus(b)
    safe = jnp.where(product > 0, product, 1.0)
    return jnp.where(product > 0, jnp.clip(spatial_dot(a, b) / safe, -1.0, 1.0), 1.0)


def azimuth_opening(a: Momentum, b: Momentum) -> jax.Array:
    """Return the angle between two momenta in the plane transverse to z, rad, [0, π]."""
    difference = jnp.arctan2(a.y, a.x) - jnp.arctan2(b.y, b.x)
    return jnp.abs(jnp.arctan2(jnp.sin(difference), jnp.cos(difference)))


def boost(p: Momentum, frame: Momentum) -> Momentum:
    """Return p, given in the rest frame of `frame`, in the frame where `frame` moves.

    `frame` is any timelike four-momentum, GeV; the boost velocity is its p/E.
    """
    mass = jnp.sqrt(squared(frame))
    along = spatial_dot(p, frame)
    energy = (p.e * frame.e + along) / mass
    factor = (p.e + energy) / (mass + frame.e)
    return Momentum(
        energy, p.x + factor * frame.x, p.y + factor * frame.y, p.z + factor * frame.z
    )


def to_rest_frame(p: Momentum, frame: Momentum) -> Momentum:
    """Return p in the rest frame of `frame`, GeV: the inverse of `boost`."""
    return boost(p, Momentum(frame.e, -frame.x, -frame.y, -frame.z))


def rotate_z_to(p: Momentum, axis: Momentum) -> Momentum:
    """Return p rotated by the rotation that takes the z axis to the direction of `axis`.

    The rotation is about the axis z × n; it is undefined only for n = -z.
    """
    norm = modulus(axis)
    nx, ny, nz = axis.x / norm, axis.y / norm, axis.z / norm
    across = nx * p.x + ny * p.y
    factor = p.z - across / (1.0 + nz)
    return Momentum(p.e, p.x + nx * factor, p.y + ny * factor, nz * p.z - across)


def recoil_mass2(
    p_beams: Float[Array, "#n 4"], p_visible: Float[Array, "n 4"]
) -> Float[Array, " n"]:
    r"""Squared mass of whatever recoils against the visible system, GeV².

    .. math:: M_\mathrm{rec}^2 = (p_{e^+} + p_{e^-} - p_\mathrm{vis})^2

    Parameters
    ----------
    p_beams
        Sum of the two beam four-momenta, GeV.
    p_visible
        Sum of the reconstructed four-momenta, GeV, in the frame of `p_beams`.

    Notes
    -----
    Negative values are kept: resolution puts light recoils below zero, and
    clipping them would bias the fit.  basf2 calls this ``m2Recoil``.

    Examples
    --------
    Half the collision energy in one photon leaves a massless recoil:

    >>> beams = jnp.array([[10.58, 0.0, 0.0, 0.0]])
    >>> photons = jnp.array([[5.29, 0.0, 0.0, 5.29]])
    >>> recoil_mass2(beams, photons)
    Array([0.], dtype=float64)
    """
    return squared(momentum(p_beams - p_visible))


def momentum_transfer(p: Momentum, q: Momentum, mass: float) -> jax.Array:
    r"""Return :math:`-(p-q)^2 \ge 0`, GeV², for two on-shell momenta of one mass.

    .. math:: -t = \frac{2 m^2 (E-E')^2}{|p||p'| + EE' - m^2}
              + \frac{2 |p \times p'|^2}{|p||p'| + p\cdot p'}

    Notes
    -----
    Written without the cancellation of :math:`2m^2 - 2 p\cdot q`, which loses all digits
    for an electron scattered by less than :math:`m_e/E`.  The second denominator
    vanishes only for exactly opposite momenta.
    """
    product = modulus(p) * modulus(q)
    longitudinal = mass**2 * (p.e - q.e) ** 2 / (product + p.e * q.e - mass**2)
    return 2 * (longitudinal + _cross2(p, q) / (product + spatial_dot(p, q)))


def _cross2(p: Momentum, q: Momentum) -> jax.Array:
    return (
        (p.y * q.z - p.z * q.y) ** 2
        + (p.z * q.x - p.x * q.z) ** 2
        + (p.x * q.y - p.y * q.x) ** 2
    )


def light_dot(p: Momentum, k: Momentum, mass: jax.Array | float) -> jax.Array:
    r"""Return p·k, GeV², for a massive on-shell p and a massless k, of either sign.

    .. math:: p\cdot k = \frac{m^2\omega^2 + |p \times k|^2}{E\omega + \vec p\cdot\vec k}

    Notes
    -----
    Written without the cancellation of :math:`E\omega - \vec p\cdot\vec k`, which loses
    all digits for a soft photon within :math:`m/E` of the particle.
    """
    along, energies = spatial_dot(p, k), p.e * k.e
    same = along * energies > 0
    exact = (mass * k.e) ** 2 + _cross2(p, k)
    return jnp.where(
        same, exact / jnp.where(same, energies + along, 1.0), energies - along
    )


def breakup_velocity(
    s: jax.Array, s1: jax.Array | float, s2: jax.Array | float
) -> jax.Array:
    r"""Return :math:`\lambda^{1/2}(s, s_1, s_2)/s`, dimensionless; 0 below threshold."""
    kallen = (s - s1 - s2) ** 2 - 4 * s1 * s2
    # not 1: the compiler may evaluate the condition and the value with other roundings
    safe = jnp.maximum(kallen, _TINY)
    open_channel = (kallen > 0) & (s > 0)
    return jnp.where(open_channel, jnp.sqrt(safe) / jnp.where(s > 0, s, 1.0), 0.0)


def select(mask: jax.Array, a: Momentum, b: Momentum) -> Momentum:
    """Return `a` where the mask holds and `b` elsewhere."""
    return jax.tree.map(lambda x, y: jnp.where(mask, x, y), a, b)
