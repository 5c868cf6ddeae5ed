r"""Vertices of new particles: what they turn wave functions into, couplings taken out."""

from __future__ import annotations

import jax

from darksector.amplitudes.spinors import Spinor, Vector, chiral, current, vector
from darksector.kinematics import Momentum
from darksector.phasespace.two_body import Pair

_JACOBIAN = -0.25j  # determinant of Cartesian by light-cone components


def anomaly(polarisation: Vector, q: Momentum, k: Momentum) -> Vector:
    r"""Return what a photon of momentum q turns into, with a pseudoscalar and a photon k.

    .. math:: T^\mu = \epsilon^{\mu\nu\rho\sigma} \varepsilon_\nu q_\rho k_\sigma

    The vertex of :math:`-\frac{g}{4} a F_{\mu\nu} \tilde F^{\mu\nu}`, with
    :math:`\tilde F^{\mu\nu} = \frac12 \epsilon^{\mu\nu\rho\sigma} F_{\rho\sigma}`, is
    g times it, up to a phase.

    Parameters
    ----------
    polarisation
        Polarisation of the outgoing photon.
    q, k
        Momenta of both photons, GeV.
    """
    return levi_civita(polarisation, vector(q), vector(k))


def levi_civita(a: Vector, b: Vector, c: Vector) -> Vector:
    r"""Return T with :math:`T\cdot d = \det(d, a, b, c)` of contravariant components."""
    plus, minus, up, down = (_cofactor(i, a, b, c) for i in range(4))
    scale = 2 * _JACOBIAN
    return (scale * minus, scale * plus, -scale * down, -scale * up)


def chiral_current(
    row: Spinor, column: Spinor, left: jax.Array | float, right: jax.Array | float
) -> Vector:
    r"""Return :math:`\bar\psi\gamma^\mu(c_L P_L + c_R P_R)\chi`: axial for -1 and 1."""
    return current(row, chiral(column, left, right))


def scalar_current(pair: Pair) -> Vector:
    r"""Return :math:`(p-\bar p)^\mu`, GeV, of an outgoing complex scalar and its antiscalar."""
    return vector(pair.first - pair.second)


def _cofactor(i: int, a: Vector, b: Vector, c: Vector) -> jax.Array:
    """Return the cofactor of component i of a first row above the rows a, b, c."""
    x, y, z = (j for j in range(4) if j != i)
    sign = -1.0 if i % 2 else 1.0
    minor = (
        a[x] * (b[y] * c[z] - b[z] * c[y])
        - a[y] * (b[x] * c[z] - b[z] * c[x])
        + a[z] * (b[x] * c[y] - b[y] * c[x])
    )
    return sign * minor
