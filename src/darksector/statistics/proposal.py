"""Densities close to a likelihood from which its nuisance parameters are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.special import log_ndtr

from darksector.statistics.fit import Fit
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.settings import LOG_NORMAL, POISSON
from darksector.statistics.yields import cells, jacobian

_JITTER = 1e-10  # of a unit diagonal: directions without curvature stay finite
_STEEPEST = 30.0  # standard deviations from a bound to a centre beyond it
_BLOCK = 256  # entries per block: derivatives of all bins by all parameters
_WIDER = 0.3  # relative excess width of one parameter, shared among many
_FEWEST = 1e-10  # events


@final
@dataclass(frozen=True)
class Proposal:
    r"""Truncated normal densities in warped parameters, one per entry.

    .. math:: \theta = c + s\, (e^{a u} - 1) / a, \quad u = u_0 + M z

    Parameters
    ----------
    centre, scale, bend
        Minima c, units of scale s and warps a of the parameters, ``(k, p)``.
    mean, spread
        Centre :math:`u_0`, ``(k, p)``, and upper triangular M, ``(k, p, p)``, zero for
        parameters that do not move.
    low, high
        Bounds of u, ``(k, p)``.
    moves
        Which parameters are drawn, ``(p,)``.
    log_volume
        Logarithm of the determinant of the derivative of c + s M z, ``(k,)``.
    log_mass
        Logarithm of the share of the volume that bounds leave, roughly, ``(k,)``.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    bend: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    moves: NDArray[np.bool_]
    log_volume: NDArray[np.float64]
    log_mass: NDArray[np.float64]

    @property
    def log_laplace(self) -> Float[np.ndarray, " k"]:
        """Logarithm of the integral of a likelihood that is one at its minimum."""
        return self.log_volume + self.log_mass + self.moves.sum() * log(2 * pi) / 2

    def part(self, rows: slice) -> Proposal:
        """Return some entries."""
        return Proposal(
            self.centre[rows],
            self.scale[rows],
            self.bend[rows],
            self.mean[rows],
            self.spread[rows],
            self.low[rows],
            self.high[rows],
            self.moves,
            self.log_volume[rows],
            self.log_mass[rows],
        )

    def warped(
        self, u: Float[np.ndarray, "k n p"]
    ) -> tuple[Float[np.ndarray, "k n p"], Float[np.ndarray, "k n"]]:
        """Return the parameters and the logarithm of their slope beyond ``log_volume``."""
        if not self.bend.any():
            return self.centre[:, None] + self.scale[:, None] * u, np.zeros(u.shape[:2])
        bend = self.bend[:, None, :]
        bent = np.expm1(bend * u) / np.where(bend > 0, bend, 1.0)
        step = np.where(bend > 0, bent, u)
        return self.centre[:, None] + self.scale[:, None] * step, (bend * u).sum(axis=2)


def propose(
    likelihood: ModelLikelihood, at: Fit, rows: Int[np.ndarray, " k"]
) -> Proposal:
    r"""Return a density like the likelihood around its minimum.

    In u the third derivatives of the likelihood by single parameters vanish, its slope
    is that of a minimum at a bound less the one of the warp, and its curvature the
    inverse of the covariance :math:`M M^T`.

    Parameters
    ----------
    likelihood
        Whose nuisance parameters are integrated.
    at
        Minima with the parameter of interest held.
    rows
        Which row each minimum belongs to.

    Notes
    -----
    For a gamma distribution the warp is :math:`a = 2/(3\sqrt{n})`, which is as good as
    the cube root of Wilson and Hilferty (Proc. Nat. Acad. Sci. 17 (1931) 684).
    """
    lower, upper = likelihood.lower, likelihood.upper
    moves = (lower < upper) & (np.arange(lower.size) != likelihood.poi)
    walled = moves & ((at.theta <= lower) | (at.theta >= upper))
    slope = _slope(likelihood, at, rows, walled)
    diagonal = np.einsum("kpp->kp", at.information)
    extra = np.maximum((slope / _STEEPEST) ** 2 - diagonal, 0.0) * walled
    curvature = diagonal + extra
    curvature = np.where(moves & (curvature > 0), curvature, 1.0)
    scale = 1 / np.sqrt(curvature)
    bend = _bend(likelihood, at, rows, scale)
    spread, log_volume = _whitening(at.information, extra, scale, moves)
    push = (bend - slope * scale) * moves
    mean = np.einsum("kpq,krq,kr->kp", spread, spread, push, optimize=True)
    steep = np.where(walled, np.abs(slope) * scale, 0.0)
    mass = np.where(walled, steep**2 / 2 + log_ndtr(-steep), 0.0).sum(axis=1)
    size = max(int(moves.sum()), 1)
    return Proposal(
        at.theta,
        scale,
        bend,
        mean,
        spread * (1 + _WIDER / np.sqrt(size)),
        _unwarped(lower - at.theta, scale, bend),
        _unwarped(upper - at.theta, scale, bend),
        moves,
        log_volume + moves.sum() * np.log1p(_WIDER / np.sqrt(size)),
        mass,
    )


def _whitening(
    information: NDArray[np.float64],
    extra: NDArray[np.float64],
    scale: NDArray[np.float64],
    moves: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return M with M Mᵀ the inverse curvature in u, and ln det(s M)."""
    both = moves[:, None] & moves
    matrix = np.where(both, information * scale[:, :, None] * scale[:, None, :], 0.0)
    diagonal = np.einsum("kpp->kp", matrix)  # a view: writing fills the matrix
    diagonal += extra * scale**2
    diagonal[...] = np.where(moves, np.maximum(diagonal, _JITTER), 1.0) + _JITTER
    matrix[~np.isfinite(matrix).all(axis=(1, 2))] = np.eye(moves.size)
    spread = np.linalg.inv(np.linalg.cholesky(matrix)).transpose(0, 2, 1) * both
    width = np.where(moves, np.einsum("kpp->kp", spread) * scale, 1.0)
    return np.asarray(spread, dtype=np.float64), np.log(width).sum(axis=1)


def _slope(
    likelihood: ModelLikelihood,
    at: Fit,
    rows: NDArray[np.int64],
    walled: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the derivatives by parameters at a bound, zero for the others."""
    some = np.flatnonzero(walled.any(axis=1))
    slope = np.zeros(walled.shape)
    if some.size:
        slope[some] = likelihood.evaluate(at.theta[some], rows[some]).score
    return np.where(walled, slope, 0.0)


def _bend(
    likelihood: ModelLikelihood,
    at: Fit,
    rows: NDArray[np.int64],
    scale: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the warps of positive parameters, others have none.

    A warp is no larger than what lets u reach the lower bound.
    """
    lower, bend = likelihood.lower, np.zeros(at.theta.shape)
    positive = (lower >= 0) & (likelihood.upper > lower)
    positive[likelihood.poi] = False
    if not positive.any():
        return bend
    for first in range(0, rows.size, _BLOCK):
        part = slice(first, first + _BLOCK)
        third = _third(likelihood, at.theta[part], rows[part])
        bend[part] = np.maximum(third * scale[part] ** 3 / 3, 0.0)
    room = np.maximum(at.theta - lower, 1e-300)
    with np.errstate(over="ignore"):
        largest = 0.999 * scale / room
    return np.where(positive, np.minimum(bend, np.minimum(largest, 1.0)), 0.0)


def _third(
    likelihood: ModelLikelihood, theta: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return minus the third derivatives, expectations taken as linear."""
    table = likelihood.table.take(likelihood.points[rows])
    at = cells(table, theta)
    nu = np.maximum(at.events.sum(axis=1), _FEWEST)
    relative = jacobian(table, at) / nu[:, None, :]
    result = 2 * np.einsum("kpb,kb->kp", relative**3, likelihood.counts[rows])
    setting = likelihood.setting.take(likelihood.points[rows])
    spread = np.broadcast_to(setting.spread, theta.shape)
    x = np.maximum(theta, _FEWEST)
    gamma = 2 * spread * likelihood.centres[rows] / x**3
    result += np.where(setting.kind == POISSON, gamma, 0.0)
    return result + np.where(setting.kind == LOG_NORMAL, 3 / (spread**2 * x**3), 0.0)


def _unwarped(
    distance: NDArray[np.float64], scale: NDArray[np.float64], bend: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return u at a distance from the centre."""
    u = distance / scale
    with np.errstate(divide="ignore", invalid="ignore"):
        bent = np.log1p(np.maximum(bend * u, -1.0)) / bend
    return np.where(bend > 0, bent, u)
