r"""Covariance of track parameters from the layers that a track crosses.

All segments of a scattered track are described by the perigee parameters
:math:`(d_0, \phi_0, \omega, z_0, \cot\theta)` of their own continuation to the axis.  In
these, nothing has to be transported between layers: from the outermost layer inwards, a
measurement adds :math:`h h^T/\sigma^2` to the information matrix and a scatterer adds
:math:`q\,g g^T` to the covariance, which is Kalman's filter for the track at the origin
(R. Frühwirth, Nucl. Instrum. Meth. A262 (1987) 444) and equals generalised least squares.
Energy loss is taken as corrected; its fluctuations are far below the resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr

from darksector.detectors.helix import CURVATURE
from darksector.detectors.surfaces import Surfaces, surfaces
from darksector.detectors.tracker import Tracking
from darksector.particles import MASS

_EDGE = 1.0  # a layer ends within this length, cm: about a drift cell
_TURN = 0.003  # and is reached within this share of its radius
# keeps the matrix regular without hits; 1e-8 of the errors: cm, rad, 1/cm, cm, 1
_PRIOR = (1e3, 1e2, 10.0, 2e3, 1e2)


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Crossing:
    """Where tracks cross a surface; components ``(..., n)``."""

    arc: jax.Array  # from the perigee, transverse, cm
    sine: jax.Array  # of half of the angle turned
    cosine: jax.Array
    there: jax.Array  # 1 where the surface is reached within its ends
    path: jax.Array  # x/X0


def _cross(s: Surfaces, omega: jax.Array, cot: jax.Array) -> _Crossing:
    turn = omega * s.radius / 2
    sine = jnp.minimum(turn, 0.995)  # the path through a layer touched stays finite
    cosine = jnp.sqrt(1 - sine**2)
    arc = 2 * jnp.arcsin(sine) / omega
    z = arc * cot
    there = (
        jax.nn.sigmoid((1 - turn) / _TURN)
        * ndtr((s.z_max - z) / _EDGE)
        * ndtr((z - s.z_min) / _EDGE)
    )
    return _Crossing(
        arc=arc,
        sine=sine,
        cosine=cosine,
        there=there,
        path=there * s.thickness * jnp.sqrt(1 + cot**2) / cosine,
    )


def _measured(
    s: Surfaces, c: _Crossing, omega: jax.Array, cot: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Return the derivatives ``(5, n)`` of the coordinates across and along a wire.

    The place on a cylinder moves by δ(rφ) and δz; a drift cell sees what is
    perpendicular to wire and track.
    """
    r, cos2 = s.radius, 1 - 2 * c.sine**2
    zero, one = jnp.zeros_like(c.arc), jnp.ones_like(c.arc)
    rphi = (-cos2 / c.cosine, r * one, -(r**2) / (2 * c.cosine), zero, zero)
    # the length of arc at which the cylinder is met moves too
    longer = (-c.sine / c.cosine, zero, (r / c.cosine - c.arc) / omega, zero, zero)
    z = tuple(
        cot * shift + own
        for shift, own in zip(longer, (zero, zero, zero, one, c.arc), strict=True)
    )
    norm = jnp.sqrt(1 + cot**2)
    along_wire = (-s.sine * c.sine + s.cosine * cot) / norm
    seen = 1 + s.wire * (c.cosine / norm / jnp.sqrt(1 - along_wire**2) - 1)
    across, along = (
        jnp.stack(
            [seen * (a * u + b * w) for u, w in zip(rphi, z, strict=True)], axis=-2
        )
        for a, b in ((s.cosine, -s.sine), (s.sine, s.cosine))
    )
    return across, along


def _kicks(
    s: Surfaces, c: _Crossing, omega: jax.Array, cot: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Return the changes ``(5, n)`` by a unit angle in and out of the bending plane.

    The momentum is kept, so that a change of the polar angle changes the curvature.
    """
    r, chord = s.radius, s.radius * c.cosine
    norm = jnp.sqrt(1 + cot**2)
    cos2 = 1 - 2 * c.sine**2
    zero = jnp.zeros_like(c.arc)
    bend = [norm * a for a in (chord, cos2, zero, cot * omega * r**2 / 2, zero)]
    d_cot, d_omega = norm**2, omega * cot
    tilt = [
        r**2 / 2 * d_omega,
        chord * d_omega,
        d_omega + zero,
        cot * (c.arc - chord) / omega * d_omega - c.arc * d_cot,
        d_cot + zero,
    ]
    return jnp.stack(bend, axis=-2), jnp.stack(tilt, axis=-2)


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Passages:
    """What tracks meet at every surface, from inside out; last axis ``n``.

    Parameters
    ----------
    hits, weights
        Derivatives of both coordinates in the parameters, ``(surfaces, 2, 5, n)``, and
        information of these, 1/cm².
    kicks
        Changes of the parameters by unit deflections, ``(surfaces, 2, 5, n)``.
    path
        x/X0.
    deflection
        (13.6 MeV / β p)², times the square of the scale of scattering.
    beta2
        Squared velocity.
    """

    hits: jax.Array
    weights: jax.Array
    kicks: jax.Array
    path: jax.Array
    deflection: jax.Array
    beta2: jax.Array


def passages(tracking: Tracking, pt: jax.Array, cot: jax.Array) -> Passages:
    """Return the passages of muons of positive charge with p_T, GeV, and cot θ."""
    column = jax.tree.map(lambda a: a[:, None], surfaces(tracking))
    omega = CURVATURE * tracking.field / pt
    met = _cross(column, omega, cot)
    p2 = pt**2 * (1 + cot**2)
    beta2 = p2 / (p2 + MASS["mu"] ** 2)
    matrices = jnp.stack([column.across, column.along], axis=1)
    return Passages(
        hits=jnp.stack(_measured(column, met, omega, cot), axis=1),
        weights=matrices * met.there[:, None],
        kicks=jnp.stack(_kicks(column, met, omega, cot), axis=1),
        path=met.path,
        deflection=(tracking.scattering_scale * 0.0136) ** 2 / (beta2 * p2),
        beta2=beta2,
    )


def information(seen: Passages, crossed: jax.Array) -> jax.Array:
    r"""Return the inverse covariance of the parameters, ``(5, 5, n)``.

    Parameters
    ----------
    seen
        What the tracks would meet.
    crossed
        Share of each surface that is there: ``(surfaces,)`` or ``(surfaces, n)``.

    Notes
    -----
    The width of multiple scattering is that of Highland, Lynch and Dahl (Particle Data
    Group, Passage of particles through matter, eq. 34.16) with the logarithm of the
    whole path, as one logarithm per thin layer makes the sum too small:
    :math:`\theta_0 = \frac{13.6\,\mathrm{MeV}}{\beta p}\sqrt{x/X_0}\,
    (1 + 0.038 \ln\frac{X}{X_0\beta^2})`.
    """
    crossed = crossed.reshape(seen.path.shape[0], -1)
    path = seen.path * crossed
    total = jnp.maximum(path.sum(axis=0), 1e-5)  # some meet nothing
    spread = seen.deflection * path * (1 + 0.038 * jnp.log(total / seen.beta2)) ** 2
    prior = jnp.diag(jnp.asarray(_PRIOR) ** -2.0)
    start = jnp.broadcast_to(prior[:, :, None], (5, 5, total.size))
    steps = (seen.hits, seen.weights * crossed[:, None], seen.kicks, spread)
    return jax.lax.scan(_inwards, start, steps, reverse=True)[0]


def _inwards(
    known: jax.Array, step: tuple[jax.Array, jax.Array, jax.Array, jax.Array]
) -> tuple[jax.Array, None]:
    """Take the information matrix ``(5, 5, n)`` through one surface."""
    hits, weights, kicks, spread = step
    for h, weight in zip(hits, weights, strict=True):
        known = known + weight * h[:, None] * h[None]
    for g in kicks:
        seen = (known * g).sum(axis=1)
        share = spread / (1 + spread * (g * seen).sum(axis=0))
        known = known - share * seen[:, None] * seen[None]
    return known, None


def factor(information_: jax.Array) -> list[list[jax.Array]]:
    r"""Return the upper triangle F with F Fᵀ the covariance, as rows of ``(n,)``.

    With the Cholesky factor M of the information, F is the transpose of its inverse.
    """
    m: list[list[jax.Array]] = []
    for i in range(5):
        row: list[jax.Array] = []
        for j in range(i):
            dot = sum(row[k] * m[j][k] for k in range(j))
            row.append((information_[i, j] - dot) / m[j][j])
        row.append(jnp.sqrt(information_[i, i] - sum(a * a for a in row)))
        m.append(row)
    inverse: list[list[jax.Array]] = []
    for i in range(5):
        row = [
            -sum(m[i][k] * inverse[k][j] for k in range(j, i)) / m[i][i]
            for j in range(i)
        ]
        inverse.append([*row, 1 / m[i][i]])
    return [[inverse[j][i] for j in range(i, 5)] for i in range(5)]


def covariance(information_: jax.Array) -> jax.Array:
    """Return the covariance ``(n, 5, 5)``: cm, rad, 1/cm, cm and 1."""
    rows = factor(information_)
    zero = jnp.zeros_like(rows[0][0])
    upper = jnp.stack([jnp.stack([zero] * i + rows[i]) for i in range(5)])
    return jnp.einsum("ijn,kjn->nik", upper, upper)
