r"""Wave functions of external particles and the few products they need.

Chiral basis, :math:`\gamma^\mu = \begin{pmatrix} 0 & \sigma^\mu \\ \bar\sigma^\mu & 0
\end{pmatrix}`.  Spin is quantised along z in the particle's rest frame reached by a pure
boost ("canonical spin"): no angles, no branches, no singular direction.  Right for
unpolarised sums, and the frame in which spin density matrices of decays are written.

Every object is a tuple of component arrays ``(n,)``.  Vectors have light-cone components
:math:`(V^0+V^3,\ V^0-V^3,\ V^1+iV^2,\ V^1-iV^2)`, with which each product below is at
most eight multiplications.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, modulus

Components = tuple[jax.Array, jax.Array, jax.Array, jax.Array]
Spinor = Components
Vector = Components
Leg = Components  # each component (states, n)


def fermion_out(p: Momentum, mass: jax.Array | float) -> Leg:
    """Return ū(p) for spin up and down: an outgoing fermion."""
    return _bar(_stack(*(_u(p, mass, spin) for spin in (0, 1))))


def fermion_in(p: Momentum, mass: jax.Array | float) -> Leg:
    """Return u(p) for spin up and down: an incoming fermion."""
    return _stack(*(_u(p, mass, spin) for spin in (0, 1)))


def antifermion_out(p: Momentum, mass: jax.Array | float) -> Leg:
    """Return v(p): an outgoing antifermion; state k is spin opposite to that of u."""
    return _stack(*(_v(p, mass, spin) for spin in (0, 1)))


def antifermion_in(p: Momentum, mass: jax.Array | float) -> Leg:
    """Return v̄(p): an incoming antifermion; state k is spin opposite to that of u."""
    return _bar(_stack(*(_v(p, mass, spin) for spin in (0, 1))))


def photon(k: Momentum) -> Leg:
    """Return two real transverse polarisation vectors of a massless vector.

    Source of the branch-free basis: Duff et al., JCGT 6 (2017) 1.
    """
    norm = modulus(k)
    x, y, z = k.x / norm, k.y / norm, k.z / norm
    sign = jnp.where(z >= 0, 1.0, -1.0)
    a = -1.0 / (sign + z)
    b = x * y * a
    zero = jnp.zeros_like(x)
    first = Momentum(zero, 1.0 + sign * x * x * a, sign * b, -sign * x)
    second = Momentum(zero, b, sign + y * y * a, -y)
    return _stack(vector(first), vector(second))


def massive_vector(k: Momentum, mass: jax.Array | float) -> Leg:
    """Return three real polarisation vectors of a massive vector: boosted unit vectors."""
    scale = 1.0 / (mass * (k.e + mass))
    one, zero = jnp.ones_like(k.e), jnp.zeros_like(k.e)
    units = ((one, zero, zero), (zero, one, zero), (zero, zero, one))
    states = []
    for component, unit in zip((k.x, k.y, k.z), units, strict=True):
        space = [
            u + component * q * scale
            for u, q in zip(unit, (k.x, k.y, k.z), strict=True)
        ]
        states.append(vector(Momentum(component / mass, *space)))
    return _stack(*states)


def vector(k: Momentum) -> Vector:
    """Return the components of a four-vector: a polarisation, or k for a Ward identity."""
    return (k.e + k.z, k.e - k.z, k.x + 1j * k.y, k.x - 1j * k.y)


def slash(k: Vector, psi: Spinor) -> Spinor:
    r"""Return :math:`\gamma\cdot k\,\psi` for a column spinor."""
    plus, minus, up, down = k
    a, b, c, d = psi
    return (
        minus * c - down * d,
        plus * d - up * c,
        plus * a + down * b,
        up * a + minus * b,
    )


def slash_row(row: Spinor, k: Vector) -> Spinor:
    r"""Return :math:`\bar\psi\,\gamma\cdot k` for a row spinor."""
    plus, minus, up, down = k
    a, b, c, d = row
    return (
        plus * c + up * d,
        down * c + minus * d,
        minus * a - up * b,
        plus * b - down * a,
    )


def chiral(psi: Spinor, left: jax.Array | float, right: jax.Array | float) -> Spinor:
    r"""Return :math:`(c_L P_L + c_R P_R)\,\psi`; the upper half is left-handed."""
    a, b, c, d = psi
    return (left * a, left * b, right * c, right * d)


def current(row: Spinor, column: Spinor) -> Vector:
    r"""Return the contravariant vector :math:`\bar\psi\gamma^\mu\chi`."""
    a, b, c, d = row
    w, x, y, z = column
    return (
        2 * (a * y + d * x),
        2 * (b * z + c * w),
        2 * (a * z - c * x),
        2 * (b * y - d * w),
    )


def scalar(row: Spinor, column: Spinor) -> jax.Array:
    r"""Return the number :math:`\bar\psi\chi`."""
    a, b, c, d = (r * s for r, s in zip(row, column, strict=True))
    return a + b + c + d


def contract(a: Vector, b: Vector) -> jax.Array:
    """Return the Minkowski product of two four-vectors."""
    return (a[0] * b[1] + a[1] * b[0] - a[2] * b[3] - a[3] * b[2]) / 2


def conjugate(v: Vector) -> Vector:
    """Return the complex conjugate of a four-vector."""
    plus, minus, up, down = (jnp.conj(component) for component in v)
    return (plus, minus, down, up)


def divided(a: Components, by: jax.Array) -> Components:
    """Return a vector or spinor divided by a number."""
    return scaled(a, 1.0 / by)


def scaled(a: Components, by: jax.Array | float) -> Components:
    """Return a vector or spinor times a number."""
    return (a[0] * by, a[1] * by, a[2] * by, a[3] * by)


def added(a: Components, b: Components) -> Components:
    """Return the sum of two vectors or two spinors."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])


def propagate(
    p: Momentum, mass: jax.Array | float, psi: Spinor, denominator: jax.Array
) -> Spinor:
    r"""Return :math:`(\gamma\cdot p + m)\psi` over :math:`p^2 - m^2`, GeV²."""
    inverse = 1.0 / denominator
    moved = slash(vector(p), psi)
    return tuple((s + mass * c) * inverse for s, c in zip(moved, psi, strict=True))  # type: ignore[return-value]


def _u(p: Momentum, mass: jax.Array | float, spin: int) -> Spinor:
    down, up = p.x - 1j * p.y, p.x + 1j * p.y
    scale = 1.0 / jnp.sqrt(2.0 * (p.e + mass))
    plus, minus = (p.e + p.z + mass) * scale, (p.e - p.z + mass) * scale
    if spin == 0:
        return (minus + 0j, -up * scale, plus + 0j, up * scale)
    return (-down * scale, plus + 0j, down * scale, minus + 0j)


def _v(p: Momentum, mass: jax.Array | float, spin: int) -> Spinor:
    a, b, c, d = _u(p, mass, spin)
    return (a, b, -c, -d)


def _bar(leg: Leg) -> Leg:
    a, b, c, d = (jnp.conj(part) for part in leg)
    return (c, d, a, b)


def _stack(*states: tuple[jax.Array, ...]) -> Leg:
    return tuple(jnp.stack(parts) for parts in zip(*states, strict=True))  # type: ignore[return-value]
