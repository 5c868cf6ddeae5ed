"""Exact curvature of likelihoods at their minima, and the covariance from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from numpy.typing import NDArray

from darksector.statistics.fit import OK, Fit, Likelihood

INDEFINITE = "the likelihood is not curved upwards in every direction at the fit"

_STEP = 1e-4  # of a standard error: errors of the difference and of rounding < 1e-7
_SINGULAR = 1e-6  # least eigenvalue at a unit diagonal: that of differences and fits
_BLOCK = 512  # points evaluated together: their arrays stay small


@final
@dataclass(frozen=True)
class Covariance:
    """Covariance of the parameters of fits, from the observed Hessian.

    Parameters
    ----------
    matrix
        Products of the units of two parameters, shape ``(n, p, p)``; zero for parameters
        that do not move, masked in rows without a result.
    moves
        Parameters inside their bounds on which the likelihood depends, ``(n, p)``.
    status
        `OK` or why a row has no result, shape ``(n,)``.
    """

    matrix: np.ma.MaskedArray
    moves: NDArray[np.bool_]
    status: Shaped[np.ndarray, "*n"]

    @property
    def errors(self) -> np.ma.MaskedArray:
        """Standard errors, shape ``(n, p)``, masked where a parameter does not move."""
        square = np.ma.filled(np.einsum("npp->np", self.matrix.filled(0.0)), 0.0)
        known = self.moves & (self.status == OK)[:, None]
        return np.ma.masked_array(np.sqrt(np.maximum(square, 0.0)), ~known)

    @property
    def correlation(self) -> np.ma.MaskedArray:
        """Correlation coefficients, ``(n, p, p)``, masked where an error is."""
        errors = self.errors
        return self.matrix / (errors[:, :, None] * errors[:, None, :])


def hessian(
    likelihood: Likelihood,
    theta: Float[np.ndarray, "n p"],
    *,
    rows: Int[np.ndarray, " n"] | None = None,
) -> Float[np.ndarray, "n p p"]:
    r"""Second derivatives of -ln L at `theta`, inverse units of two parameters.

    .. math:: H_{ij} = \frac{s_i(\theta + h_j e_j) - s_i(\theta - h_j e_j)}{2 h_j},
              \quad s = -\nabla \ln L, \quad h_j = 10^{-4} I_{jj}^{-1/2}

    Parameters
    ----------
    likelihood
        Its score is differenced.
    theta
        One point per row.
    rows
        Which row each point belongs to; default: all, in order.

    Notes
    -----
    This is the observed information, with the curvature of the yields that Fisher's
    leaves out.  Within a step of a bound the difference looks inwards (of second order
    as well), so that no likelihood is asked beyond its bounds.
    """
    rows = np.arange(likelihood.size) if rows is None else rows
    count, size = theta.shape
    step = max(1, _BLOCK // (2 * size))
    blocks = [
        _hessian(likelihood, theta[i : i + step], rows[i : i + step])
        for i in range(0, count, step)
    ]
    return np.concatenate([np.zeros((0, size, size)), *blocks])


def _hessian(
    likelihood: Likelihood, theta: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    count, size = theta.shape
    here = likelihood.evaluate(theta, rows)
    diagonal = np.einsum("npp->np", here.information)
    usable = np.isfinite(diagonal) & (diagonal > 0)
    error = 1 / np.sqrt(np.where(usable, diagonal, 1.0))
    step = _STEP * np.where(usable, error, 1 + np.abs(theta))
    step = (theta + step) - theta  # what the sum of floats really moves
    lower, upper = bounds(likelihood, rows)
    below, above = theta - lower, upper - theta
    one = np.where((above < step) & (below >= step), -1.0, 1.0)
    other = np.where((below < step) & (above >= step), 2.0, -one)
    other = np.where(one < 0, -2.0, other)
    unit = np.eye(size)
    scores = []
    for side in (one, other):
        points = theta[:, None, :] + (side * step)[:, :, None] * unit
        shifted = likelihood.evaluate(points.reshape(-1, size), np.repeat(rows, size))
        scores.append(shifted.score.reshape(count, size, size))
    a, b = one[:, :, None], other[:, :, None]
    change = b**2 * scores[0] - a**2 * scores[1] - (b**2 - a**2) * here.score[:, None]
    matrix = change / (a * b * (b - a) * step[:, :, None])
    return (matrix + matrix.transpose(0, 2, 1)) / 2


def covariance(
    likelihood: Likelihood, at: Fit, *, rows: Int[np.ndarray, " n"] | None = None
) -> Covariance:
    r"""Covariance of fitted parameters, the inverse of the observed Hessian.

    .. math:: V = (-\partial_i \partial_j \ln L)^{-1}

    Parameters
    ----------
    likelihood, at
        What was fitted, and its minima.
    rows
        Which row each fit belongs to; default: all, in order.

    Notes
    -----
    Parameters that are constants, sit at a bound, or do not matter are left out: the
    others' errors are those with these parameters held.
    """
    matrix = hessian(likelihood, at.theta, rows=rows)
    moves = moving(likelihood, at.theta, rows=rows)
    moves &= np.einsum("npp->np", matrix) > 0
    scaled, scale = _scaled(matrix, moves)
    good = at.converged & np.isfinite(scaled).all(axis=(1, 2))
    smallest = np.linalg.eigvalsh(np.where(good[:, None, None], scaled, 0.0))[:, :1]
    definite = (smallest > _SINGULAR).all(axis=1)
    status = np.where(at.converged & ~definite, INDEFINITE, at.status)
    usable = (at.converged & definite)[:, None, None]
    inverse = np.linalg.inv(np.where(usable, scaled, np.eye(matrix.shape[1])))
    inverse *= (
        (moves[:, :, None] & moves[:, None, :]) / scale[:, :, None] / scale[:, None]
    )
    mask = np.broadcast_to(~usable, matrix.shape)
    return Covariance(np.ma.masked_array(inverse, mask), moves, status)


def moving(
    likelihood: Likelihood,
    theta: Float[np.ndarray, "n p"],
    *,
    rows: Int[np.ndarray, " n"] | None = None,
) -> Bool[np.ndarray, "n p"]:
    """Tell which parameters lie inside their bounds, shape ``(n, p)``."""
    rows = np.arange(likelihood.size) if rows is None else rows
    lower, upper = bounds(likelihood, rows)
    return (theta > lower) & (theta < upper)


def bounds(
    likelihood: Likelihood, rows: Int[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "n p"], Float[np.ndarray, "n p"]]:
    """Return the smallest and largest values of the parameters of `rows`."""
    shape = (rows.size, len(likelihood.names))
    sides = (likelihood.lower, likelihood.upper)
    lower, upper = (
        np.broadcast_to(x if x.ndim == 1 else x[rows], shape) for x in sides
    )
    return lower, upper


def solve(
    matrix: Float[np.ndarray, "n p p"],
    vector: Float[np.ndarray, "n p"],
    moves: Bool[np.ndarray, "n p"],
) -> Float[np.ndarray, "n p"]:
    """Return H⁻¹v among the parameters that move, zero for the others.

    Parameters
    ----------
    matrix, vector
        Curvature and right-hand side.
    moves
        Which parameters take part; those without curvature do not.
    """
    moves = moves & (np.einsum("npp->np", matrix) > 0)
    scaled, scale = _scaled(matrix, moves)
    right = np.where(moves, vector / scale, 0.0)
    return np.linalg.solve(scaled, right[:, :, None])[:, :, 0] / scale


def _scaled(
    matrix: NDArray[np.float64], moves: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the curvature with a unit diagonal, and the scales taken out."""
    diagonal = np.einsum("npp->np", matrix)
    scale = np.sqrt(np.where(moves & (diagonal > 0), diagonal, 1.0))
    scaled = np.where(moves[:, :, None] & moves[:, None, :], matrix, 0.0)
    scaled = scaled / scale[:, :, None] / scale[:, None, :]
    scaled += np.where(moves, 0.0, 1.0)[:, :, None] * np.eye(matrix.shape[1])
    return scaled, scale
