"""Integrals of likelihoods over all nuisance parameters, for many rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.proposal import Proposal
from darksector.statistics.settings import LOG_NORMAL

_CHUNK = 2048  # likelihoods per call: the arrays of one call stay in the cache
_EDGE = 1e-9  # a quasi-random number this close to 0 would be infinitely far out
_FAR = 4.0  # standard deviations: bounds beyond may cut draws by their weight alone
_LAST = 37.0  # standard deviations: where the normal distribution underflows


def uniforms(
    size: int, *, points: int, scramblings: int, seed: int
) -> Float[np.ndarray, "s n p"]:
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
    return np.concatenate([half, 1 - half], axis=1)


def log_marginal(
    likelihood: ModelLikelihood,
    proposal: Proposal,
    rows: Int[np.ndarray, " k"],
    uniform: Float[np.ndarray, "s n p"],
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
    uniform
        The same for all entries, so that their errors cancel in ratios.

    Notes
    -----
    A Poisson constraint is a gamma distribution of shape ``centre * tau + 1``, a
    log-normal one is log-normal: its auxiliary measurement had a prior that is uniform
    in the logarithm.  Bounds truncate without renormalising.
    """
    scramblings, points, size = uniform.shape
    flat = uniform.reshape(-1, size)
    normal = ndtri(flat)
    result = np.empty((rows.size, scramblings))
    step = max(1, _CHUNK // (scramblings * points))
    for first in range(0, rows.size, step):
        part = slice(first, first + step)
        drawn = _draw(proposal.part(part), flat, normal)
        weights = _log_target(likelihood, drawn.theta, rows[part]) - drawn.log_density
        weights = weights.reshape(-1, scramblings, points)
        peak = np.maximum(weights.max(axis=2, keepdims=True), -1e300)
        with np.errstate(divide="ignore"):
            mean = np.log(np.exp(weights - peak).mean(axis=2))
        result[part] = peak[:, :, 0] + mean
    return result


@final
@dataclass(frozen=True)
class _Drawn:
    """Parameters ``(k, n, p)`` and the logarithms of their densities ``(k, n)``."""

    theta: NDArray[np.float64]
    log_density: NDArray[np.float64]


def _draw(
    proposal: Proposal, uniform: NDArray[np.float64], normal: NDArray[np.float64]
) -> _Drawn:
    """Draw from truncated normal distributions, warped.

    Parameters are drawn one after the other, each within what its bounds leave given
    those before it: J. Geweke, M. Hajivassiliou and M. Keane's simulator.
    """
    count, size = len(proposal.centre), len(proposal.moves)
    width = np.sqrt(np.einsum("kpq,kpq->kp", proposal.spread, proposal.spread))
    low, high = proposal.low - proposal.mean, proposal.high - proposal.mean
    near = np.minimum(-low, high) < _FAR * width
    cut = np.flatnonzero(near.any(axis=0) & proposal.moves)
    variates = np.broadcast_to(normal, (count, *normal.shape))
    log_mass = np.zeros((count, len(normal)))
    if cut.size:
        variates = variates.copy()
        for j in range(size - 1, -1, -1):
            if j not in cut:
                continue
            after = variates[:, :, j + 1 :] @ proposal.spread[:, j, j + 1 :, None]
            own = proposal.spread[:, j, j, None]
            a, b = ((x[:, j, None] - after[:, :, 0]) / own for x in (low, high))
            variates[:, :, j], mass = _truncated(uniform[:, j], a, b)
            log_mass += mass
    shift = variates @ proposal.spread.transpose(0, 2, 1) + proposal.mean[:, None, :]
    theta, log_slope = proposal.warped(shift)
    squares = np.einsum("knp,p->kn", variates**2, proposal.moves.astype(np.float64))
    norm = proposal.log_volume[:, None] + proposal.moves.sum() * log(2 * pi) / 2
    return _Drawn(theta, -squares / 2 - norm - log_mass - log_slope)


def _truncated(
    uniform: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return normal variates between bounds and the log-probabilities between them."""
    flip = low > 0  # small probabilities keep their digits in the lower tail
    lower = np.clip(np.where(flip, -high, low), -_LAST, _LAST)
    upper = np.clip(np.where(flip, -low, high), -_LAST, _LAST)
    share = np.where(flip, 1 - uniform, uniform)
    start = ndtr(lower)
    mass = np.maximum(ndtr(upper) - start, 1e-300)
    value = ndtri(np.clip(start + share * mass, 1e-300, 1 - 1e-16))
    return np.where(flip, -value, value), np.log(mass)


def _log_target(
    likelihood: ModelLikelihood, theta: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return ln(L π) of every draw, minus infinity outside the bounds, ``(k, n)``."""
    flat = theta.reshape(-1, theta.shape[2])
    lower, upper = likelihood.lower, likelihood.upper
    held = np.arange(lower.size) == likelihood.poi
    inside = ((flat >= lower) & (flat <= upper) | held).all(axis=1)
    value = np.full(inside.size, -np.inf)
    if inside.any():
        value[inside] = -likelihood.nll(
            flat[inside], np.repeat(rows, theta.shape[1])[inside]
        )
    shown = (likelihood.setting.kind == LOG_NORMAL) & (lower < upper)
    if shown.any():
        value[inside] -= np.log(flat[inside][:, shown]).sum(axis=1)
    return value.reshape(theta.shape[:2])
