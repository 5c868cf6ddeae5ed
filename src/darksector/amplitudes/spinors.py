r"""Wave functions of external particles and the few products they need.

Chiral basis, :math:`\gamma^\mu = \begin{pmatrix} 0 & \sigma^\mu \\ \bar\sigma^\mu & 0
\end{pmatrix}`.  Spin is quantised along z in the particle's rest frame reached by a pure
boost ("canonical spin"): no angles, no branches, no singular direction.  Right for
unpolarised sums, and the frame in which spin density matrices of decays are written.

Every object is a tuple of component arrays ``(n,)``.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, dot, modulus

Spinor = tuple[jax.Array, jax.Array, jax.Array, jax.Array]
Leg = tuple[jax.Array, jax.Array, jax.Array, jax.Array]  # each (states, n)


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
    first = (jnp.zeros_like(x), 1.0 + sign * x * x * a, sign * b, -sign * x)
    second = (jnp.zeros_like(x), b, sign + y * y * a, -y)
    return _stack(first, second)


def massive_vector(k: Momentum, mass: jax.Array | float) -> Leg:
    """Return three real polarisation vectors of a massive vector: boosted unit vectors."""
    scale = 1.0 / (mass * (k.e + mass))
    one, zero = jnp.ones_like(k.e), jnp.zeros_like(k.e)
    states = []
    for component, unit in (
        (k.x, (one, zero, zero)),
        (k.y, (zero, one, zero)),
        (k.z, (zero, zero, one)),
    ):
        space = [
            u + component * q * scale
            for u, q in zip(unit, (k.x, k.y, k.z), strict=True)
        ]
        states.append((component / mass, *space))
    return _stack(*states)


def vector(k: Momentum) -> Spinor:
    """Return the components of a four-vector: a polarisation, or k for a Ward identity."""
    return (k.e, k.x, k.y, k.z)


def slash(k: Spinor, psi: Spinor) -> Spinor:
    r"""Return :math:`\gamma\cdot k\,\psi` for a column spinor."""
    k0, k1, k2, k3 = k
    a, b, c, d = psi
    minus, plus = k0 - k3, k0 + k3
    down, up = k1 - 1j * k2, k1 + 1j * k2
    return (
        minus * c - down * d,
        plus * d - up * c,
        plus * a + down * b,
        up * a + minus * b,
    )


def current(row: Spinor, column: Spinor) -> Spinor:
    r"""Return the contravariant vector :math:`\bar\psi\gamma^\mu\chi`."""
    a, b, c, d = row
    w, x, y, z = column
    # row = (R, L) components of psi-bar: R gamma^mu acts on the lower half of chi
    upper0, upper1 = a * y + b * z, a * z + b * y
    upper2, upper3 = 1j * (b * y - a * z), a * y - b * z
    lower0, lower1 = c * w + d * x, c * x + d * w
    lower2, lower3 = 1j * (d * w - c * x), c * w - d * x
    return (upper0 + lower0, upper1 - lower1, upper2 - lower2, upper3 - lower3)


def scalar(row: Spinor, column: Spinor) -> jax.Array:
    r"""Return the number :math:`\bar\psi\chi`."""
    a, b, c, d = (r * s for r, s in zip(row, column, strict=True))
    return a + b + c + d


def contract(a: Spinor, b: Spinor) -> jax.Array:
    """Return the Minkowski product of two four-vectors."""
    return a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]


def divided(a: Spinor, by: jax.Array) -> Spinor:
    """Return a vector or spinor divided by a number."""
    return (a[0] / by, a[1] / by, a[2] / by, a[3] / by)


def propagate(p: Momentum, mass: float, psi: Spinor) -> Spinor:
    r"""Return :math:`(\gamma\cdot p + m)\psi / (p^2 - m^2)`."""
    moved = slash(vector(p), psi)
    inverse = 1.0 / (dot(p, p) - mass**2)
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
