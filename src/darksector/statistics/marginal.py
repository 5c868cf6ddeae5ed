"""Integrals of likelihoods over all nuisance parameters, for many rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.special import log_ndtr, stdtrit
from scipy.stats import qmc, t

from darksector.statistics.fit import Fit
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.settings import LOG_NORMAL

_FREEDOM = 10  # degrees of the Student distributions with few parameters
_CHUNK = 2048  # likelihoods per call: the arrays of one call stay in the cache
_EDGE = 1e-9  # a quasi-random number this close to 0 would be infinitely far out
_JITTER = 1e-10  # of a unit diagonal: directions without curvature stay finite


@final
@dataclass(frozen=True)
class Draws:
    """Quasi-random numbers that all rows share, no unit.

    Parameters
    ----------
    student, log_density, exponential
        Student variates with their log-densities, and unit exponential variates,
        shape ``(scramblings, points, p)``.
    """

    student: NDArray[np.float64]
    log_density: NDArray[np.float64]
    exponential: NDArray[np.float64]


def draws(size: int, *, points: int, scramblings: int, seed: int) -> Draws:
    """Return independent scramblings of Sobol's sequence, each with its mirror image.

    Mirror images cancel what is odd around the centre: the skewness of a posterior.

    Parameters
    ----------
    size
        Number of parameters.
    points
        Per scrambling, a power of 2 of at least 2.
    scramblings
        Their spread is the statistical error.
    seed
        Of the scramblings.
    """
    generator = np.random.default_rng(seed)
    parts = [
        qmc.Sobol(size, scramble=True, rng=generator).random(points // 2)
        for _ in range(scramblings)
    ]
    half = np.clip(np.stack(parts), _EDGE, 1 - _EDGE)
    uniform = np.concatenate([half, 1 - half], axis=1)
    freedom = float(max(_FREEDOM, 2 * size))
    student = stdtrit(freedom, uniform)
    return Draws(student, t.logpdf(student, freedom), -np.log(uniform))


@final
@dataclass(frozen=True)
class Proposal:
    r"""Densities from which nuisance parameters are drawn, one per entry.

    Student variates :math:`z` in the directions that are free and exponential ones in
    those that a bound stops: :math:`\theta = c + M v`.

    Parameters
    ----------
    centre
        Minima, ``(k, p)``, units of the parameters.
    spread
        The matrix ``M``, ``(k, p, p)``; rows of zeros hold a parameter constant.
    free, walled
        Which parameters are drawn, and how, ``(k, p)``.
    log_volume
        Log-determinant of ``M``, ``(k,)``.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    free: NDArray[np.bool_]
    walled: NDArray[np.bool_]
    log_volume: NDArray[np.float64]

    @property
    def log_laplace(self) -> Float[np.ndarray, " k"]:
        """Logarithm of the volume that a peak of height one fills, ``(k,)``."""
        return self.log_volume + self.free.sum(axis=1) * log(2 * pi) / 2


def propose(
    likelihood: ModelLikelihood, at: Fit, rows: Int[np.ndarray, " k"]
) -> Proposal:
    r"""Return a density like the likelihood around its minimum.

    Free directions have the inverse curvature as covariance.  A parameter at a bound
    has the mean of a normal distribution that the bound cuts, with slope and curvature
    of the likelihood there; the free ones follow it.

    Parameters
    ----------
    likelihood
        Whose nuisance parameters are integrated.
    at
        Minima with the parameter of interest held.
    rows
        Which row each minimum belongs to.
    """
    lower, upper = likelihood.lower, likelihood.upper
    moves = (lower < upper) & (np.arange(lower.shape[-1]) != likelihood.poi)
    diagonal = np.einsum("kpp->kp", at.information)
    moves = moves & (diagonal > 0)
    above, below = moves & (at.theta <= lower), moves & (at.theta >= upper)
    walled = above | below
    free = moves & ~walled
    spread, log_volume = _whitening(at.information, free)
    if walled.any():
        length = np.where(above, 1.0, -1.0) * _reach(likelihood, at, rows, walled)
        covariance = spread @ spread.transpose(0, 2, 1)
        columns = -covariance @ (at.information * walled[:, None, :])
        np.einsum("kpp->kp", columns)[...] += walled
        spread = spread + columns * np.where(walled, length, 0.0)[:, None, :]
        log_volume = log_volume + np.log(np.abs(np.where(walled, length, 1))).sum(1)
    return Proposal(at.theta, spread, free, walled, log_volume)


def _whitening(
    information: NDArray[np.float64], free: Bool[np.ndarray, "k p"]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return M with M Mᵀ the inverse curvature of the free parameters, and ln det M."""
    diagonal = np.einsum("kpp->kp", information)
    scale = 1 / np.sqrt(np.where(free, diagonal, 1.0))
    both = free[:, :, None] & free[:, None, :]
    matrix = np.where(both, information * scale[:, :, None] * scale[:, None, :], 0.0)
    np.einsum("kpp->kp", matrix)[...] = 1 + _JITTER
    matrix[~np.isfinite(matrix).all(axis=(1, 2))] = np.eye(matrix.shape[1])
    inverse = np.linalg.inv(np.linalg.cholesky(matrix)).transpose(0, 2, 1)
    spread = np.where(both, inverse * scale[:, :, None], 0.0)
    width = np.where(free, np.einsum("kpp->kp", spread), 1.0)
    return spread, np.log(np.abs(width)).sum(axis=1)


def _reach(
    likelihood: ModelLikelihood,
    at: Fit,
    rows: NDArray[np.int64],
    walled: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the mean distance from the bound of parameters that sit at one."""
    some = np.flatnonzero(walled.any(axis=1))
    slope = np.zeros(walled.shape)
    slope[some] = np.abs(likelihood.evaluate(at.theta[some], rows[some]).score)
    curvature = np.where(walled, np.einsum("kpp->kp", at.information), 1.0)
    a = slope / np.sqrt(curvature)
    mills = np.exp(-(a**2) / 2 - log(2 * pi) / 2 - log_ndtr(-a))
    mean = np.where(a < 30, mills - a, 1 / np.maximum(a, 1.0))
    return mean / np.sqrt(curvature)


def log_marginal(
    likelihood: ModelLikelihood,
    proposal: Proposal,
    rows: Int[np.ndarray, " k"],
    sample: Draws,
) -> Float[np.ndarray, "k s"]:
    r"""Logarithm of the integral over all nuisance parameters, one per scrambling.

    .. math:: \ln \frac{1}{N} \sum_i \frac{L(\theta_i)\, \pi(\theta_i)}{q(\theta_i)}

    Parameters
    ----------
    likelihood
        With the constraints as priors; free parameters have uniform ones within their
        bounds, in units of the parameter.
    proposal
        The densities q, one per entry.
    rows
        Which row each entry belongs to.
    sample
        The same for all entries, so that their errors cancel in ratios.

    Notes
    -----
    A Poisson constraint is a gamma distribution of shape ``centre * tau + 1``, a
    log-normal one is log-normal: its auxiliary measurement had a prior that is uniform
    in the logarithm.
    """
    scramblings, points, size = sample.student.shape
    result = np.empty((rows.size, scramblings))
    step = max(1, _CHUNK // (scramblings * points))
    flat = Draws(*(
        x.reshape(-1, size)
        for x in (sample.student, sample.log_density, sample.exponential)
    ))  # fmt: skip
    for first in range(0, rows.size, step):
        part = slice(first, first + step)
        weights = _log_weights(likelihood, _part(proposal, part), rows[part], flat)
        weights = weights.reshape(-1, scramblings, points)
        peak = np.maximum(weights.max(axis=2, keepdims=True), -1e300)
        with np.errstate(divide="ignore"):
            mean = np.log(np.exp(weights - peak).mean(axis=2))
        result[part] = peak[:, :, 0] + mean
    return result


def _log_weights(
    likelihood: ModelLikelihood,
    proposal: Proposal,
    rows: NDArray[np.int64],
    flat: Draws,
) -> NDArray[np.float64]:
    """Return ln(L π / q) of every draw, minus infinity outside the bounds, ``(k, n)``."""
    free, walled = proposal.free.astype(np.float64), proposal.walled
    log_q = free @ flat.log_density.T - proposal.log_volume[:, None]
    variates = flat.student
    if walled.any():
        log_q -= walled.astype(np.float64) @ flat.exponential.T
        variates = np.where(walled[:, None, :], flat.exponential, flat.student)
    move = variates @ proposal.spread.transpose(0, 2, 1)
    theta = (proposal.centre[:, None, :] + move).reshape(-1, free.shape[1])
    lower, upper = likelihood.lower, likelihood.upper
    held = np.arange(lower.size) == likelihood.poi
    inside = ((theta >= lower) & (theta <= upper) | held).all(axis=1)
    index = np.repeat(rows, len(flat.student))[inside]
    log_target = np.full(inside.size, -np.inf)
    log_target[inside] = -likelihood.nll(theta[inside], index)
    shown = likelihood.setting.kind == LOG_NORMAL
    if shown.any():
        log_target[inside] -= np.log(theta[inside][:, shown]).sum(axis=1)
    return log_target.reshape(log_q.shape) - log_q


def _part(proposal: Proposal, part: slice) -> Proposal:
    return Proposal(
        proposal.centre[part],
        proposal.spread[part],
        proposal.free[part],
        proposal.walled[part],
        proposal.log_volume[part],
    )
