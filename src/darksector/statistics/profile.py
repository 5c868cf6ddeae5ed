"""Fits with and without signal of any likelihood with a parameter of interest."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from scipy.special import ndtr

from darksector.statistics.fit import Fit, Likelihood, fit


class ProfileLikelihood(Likelihood):
    """A likelihood with one parameter of interest, >= 0 where a signal exists.

    Parameters
    ----------
    poi
        Index of the parameter of interest.
    """

    poi: int

    @abstractmethod
    def asimov(self, theta: Float[np.ndarray, "n p"]) -> ProfileLikelihood:
        """Return the likelihood of data that are what `theta` expects, row by row.

        Auxiliary measurements belong to the data: `theta` must be its minimum.
        """


@final
@dataclass(frozen=True)
class Discovery:
    """Fits with and without signal, and what they say about its absence.

    Parameters
    ----------
    free, null
        The fit of all parameters and that without signal.
    poi, error
        The parameter of interest and its standard error, its unit, shape ``(n,)``;
        the error is infinite where the data do not depend on it.
    q0
        Test statistic of arXiv:1007.1727 eq. 12, zero for a deficit, shape ``(n,)``.
    local_significance
        Root of the likelihood ratio, negative for a deficit, σ, shape ``(n,)``.
    """

    free: Fit
    null: Fit
    poi: NDArray[np.float64]
    error: NDArray[np.float64]
    q0: NDArray[np.float64]
    local_significance: NDArray[np.float64]

    @property
    def p_value(self) -> NDArray[np.float64]:
        """Chance of a larger signal where there is none, above 0.5 for a deficit."""
        return ndtr(-self.local_significance)

    @property
    def status(self) -> Shaped[np.ndarray, "*n"]:
        """`OK` or why a row has no result, shape ``(n,)``."""
        return np.where(self.null.converged, self.free.status, self.null.status)


def discovery(likelihood: ProfileLikelihood) -> Discovery:
    r"""Test the absence of a signal in every row.

    .. math:: q_0 = 2 [\ln L(\hat\mu, \hat\theta) - \ln L(0, \hat{\hat\theta})]

    Notes
    -----
    The bounds of the likelihood decide whether a deficit may be fitted.  A likelihood can
    have two minima; fits start from the nominal nuisances and from neighbouring fits,
    and the lower end counts.
    """
    none = np.zeros(likelihood.size)
    null = fit_at(likelihood, none, start=_start(likelihood))
    free = lower_of(fit(likelihood, start=null.theta), fit(likelihood))
    null = lower_of(null, fit_at(likelihood, none, start=free.theta))
    poi = free.theta[:, likelihood.poi]
    _, error = tangent(likelihood, free)
    ratio = 2 * np.maximum(null.nll - free.nll, 0.0)
    significance = np.sign(poi) * np.sqrt(ratio)
    return Discovery(free, null, poi, error, np.where(poi > 0, ratio, 0), significance)


def fit_at(
    likelihood: ProfileLikelihood,
    poi: Float[np.ndarray, " r"],
    *,
    start: Float[np.ndarray, "r p"],
    rows: Int[np.ndarray, " r"] | None = None,
) -> Fit:
    """Minimise rows with the parameter of interest held at `poi`, its unit."""
    held = np.arange(len(likelihood.names)) == likelihood.poi
    return fit(likelihood, start=np.where(held, poi[:, None], start), fixed=held, rows=rows)  # fmt: skip


def lower_of(one: Fit, other: Fit) -> Fit:
    """Return the better of two fits of the same rows, row by row."""
    with np.errstate(invalid="ignore"):
        better = other.converged & ~(one.converged & (one.nll <= other.nll))
    return choose(better, other, one)


def choose(mask: NDArray[np.bool_], one: Fit, other: Fit) -> Fit:
    """Return the rows of `one` where the mask is true, else those of `other`."""
    return Fit(
        np.where(mask[:, None], one.theta, other.theta),
        np.where(mask, one.nll, other.nll),
        np.where(mask[:, None, None], one.information, other.information),
        np.where(mask, one.status, other.status),
    )


def tangent(
    likelihood: ProfileLikelihood, at: Fit
) -> tuple[Float[np.ndarray, "n p"], Float[np.ndarray, " n"]]:
    r"""Return how minima move with the parameter of interest, and its error.

    .. math:: t = (1, -I_{\theta\theta}^{-1} I_{\theta\mu}), \quad
              \sigma_\mu = (t^T I t)^{-1/2}

    The first has the units of the parameters per unit of the parameter of interest,
    the second its unit.  Parameters at a bound stay there.
    """
    inside = (at.theta > likelihood.lower) & (at.theta < likelihood.upper)
    moves = inside & (np.arange(inside.shape[1]) != likelihood.poi)
    matrix = at.information * (moves[:, :, None] & moves[:, None, :])
    diagonal = np.einsum("npp->np", matrix)  # a view: writing fills the matrix
    diagonal += np.where(diagonal > 0, 1e-13 * diagonal, 1.0)
    column = at.information[:, :, likelihood.poi]
    change = -np.linalg.solve(matrix, (column * moves)[:, :, None])[:, :, 0]
    change[:, likelihood.poi] = 1.0
    curvature = np.einsum("np,npk,nk->n", change, at.information, change)
    with np.errstate(divide="ignore"):
        return change, 1 / np.sqrt(np.maximum(curvature, 0.0))


def _start(likelihood: ProfileLikelihood) -> NDArray[np.float64]:
    shape = (likelihood.size, len(likelihood.names))
    return np.broadcast_to(likelihood.start, shape)
