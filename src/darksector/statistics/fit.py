"""Many independent maximum-likelihood fits at once, by Fisher scoring in a box."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from numpy.typing import NDArray

OK = "ok"
UNDEFINED = "the likelihood is not finite at the start of the fit"
STALLED = "no step lowers the likelihood and its gradient does not vanish"
UNFINISHED = "the fit did not converge in 500 steps"

_STEPS = 500
_TOLERANCE = 1e-10  # expected decrease of the likelihood at which a fit ends
_ROUNDING = 1e-5  # an expected decrease this small may drown in rounding
_BLOCK = 256  # rows per block: the arrays of one block stay in the cache
_SHORTEST = 1e-9  # of a full step


@final
@dataclass(frozen=True)
class Evaluation:
    """Likelihoods of some rows with their derivatives, no unit.

    Parameters
    ----------
    nll
        Negative log-likelihoods, shape ``(r,)``.
    score
        Their gradients, shape ``(r, p)``.
    information
        Fisher's information or another positive semi-definite curvature,
        shape ``(r, p, p)``.
    """

    nll: NDArray[np.float64]
    score: NDArray[np.float64]
    information: NDArray[np.float64]


class Likelihood(ABC):
    """Negative log-likelihoods of independent data sets, the rows of a batch.

    Parameters
    ----------
    names
        Names of the parameters, ``p`` of them.
    start, lower, upper
        First guess and bounds, shape ``(p,)`` or one per row, ``(n, p)``.
    size
        Number of rows ``n``.
    """

    names: tuple[str, ...]
    start: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    size: int

    @abstractmethod
    def evaluate(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Evaluation:
        """Return likelihood, gradient and curvature of `rows` at `theta`.

        A value that is not finite means a point that must not be entered.
        """

    @abstractmethod
    def nll(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, " r"]:
        """Return the negative log-likelihood of `rows` at `theta` alone."""


@final
@dataclass(frozen=True)
class Fit:
    """Where the likelihoods of a batch are smallest.

    Parameters
    ----------
    theta
        Parameters at the minimum, shape ``(n, p)``.
    nll
        Negative log-likelihood there, shape ``(n,)``.
    information
        The curvature of `Evaluation` there, shape ``(n, p, p)``.
    status
        `OK` or the reason why a row is not at a minimum, shape ``(n,)``.
    """

    theta: NDArray[np.float64]
    nll: NDArray[np.float64]
    information: NDArray[np.float64]
    status: Shaped[np.ndarray, "*n"]

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Which rows are at a minimum, shape ``(n,)``."""
        return self.status == OK


def fit(
    likelihood: Likelihood,
    *,
    start: Float[np.ndarray, "n p"] | None = None,
    fixed: Bool[np.ndarray, " p"] | None = None,
    rows: Int[np.ndarray, " n"] | None = None,
) -> Fit:
    r"""Minimise every row of a likelihood within its bounds.

    .. math:: \theta \to \theta - t\, I^{-1} \nabla(-\ln L)

    Parameters
    ----------
    likelihood
        The rows to fit.
    start
        First guess of each row; default: the guess of the likelihood.
    fixed
        Parameters that stay at their first guess.
    rows
        Which rows to fit; default: all, in order.  A row may appear more than once.

    Notes
    -----
    A parameter at a bound towards which the likelihood falls is left out of the step
    (projected Newton, Bertsekas, SIAM J. Control Optim. 20 (1982) 221), and a step that
    raises the likelihood is shortened.  Rows do not know of each other: one that fails
    says so in its status and costs the others nothing.
    """
    rows = np.arange(likelihood.size) if rows is None else rows
    shape = (rows.size, len(likelihood.names))
    theta = np.array(
        _per_row(likelihood.start, rows, shape) if start is None else start
    )
    held = np.zeros(shape[1], bool) if fixed is None else fixed
    lower = np.where(held, -np.inf, _per_row(likelihood.lower, rows, shape))
    upper = np.where(held, np.inf, _per_row(likelihood.upper, rows, shape))
    theta = np.clip(theta, lower, upper)
    blocks = [
        _Block(likelihood, rows[i : i + _BLOCK], held, lower[i : i + _BLOCK], upper[i : i + _BLOCK])
        .minimise(theta[i : i + _BLOCK])
        for i in range(0, rows.size, _BLOCK)
    ]  # fmt: skip
    if not blocks:
        empty = np.zeros(0)
        return Fit(theta, empty, np.zeros((*shape, shape[1])), empty.astype(np.str_))
    return Fit(
        np.concatenate([b.theta for b in blocks]),
        np.concatenate([b.nll for b in blocks]),
        np.concatenate([b.information for b in blocks]),
        np.concatenate([b.status for b in blocks]),
    )


def _per_row(
    values: NDArray[np.float64], rows: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.float64]:
    return np.broadcast_to(values if values.ndim == 1 else values[rows], shape)


@final
@dataclass(frozen=True)
class _Block:
    """Rows that are minimised together."""

    likelihood: Likelihood
    rows: NDArray[np.int64]
    held: NDArray[np.bool_]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    def minimise(self, start: NDArray[np.float64]) -> Fit:
        theta, best = start.copy(), self.likelihood.evaluate(start, self.rows)
        nll, information = best.nll.copy(), best.information.copy()
        status = np.full(self.rows.size, UNFINISHED, dtype=np.dtypes.StrDType(80))
        status[~np.isfinite(nll)] = UNDEFINED
        live = np.flatnonzero(np.isfinite(nll))
        best, length = _take(best, live), np.ones(live.size)
        step, gain = self._step(theta[live], best, live)
        for _ in range(_STEPS):
            stuck = length < _SHORTEST
            done = (gain < _TOLERANCE) | stuck
            if done.any():
                ends = live[done]
                information[ends] = best.information[done]
                good = gain[done] < np.where(stuck[done], _ROUNDING, _TOLERANCE)
                status[ends] = np.where(good, OK, STALLED)
                live, best = live[~done], _take(best, ~done)
                step, gain, length = step[~done], gain[~done], length[~done]
            if live.size == 0:
                break
            trial = np.clip(
                theta[live] + length[:, None] * step, self.lower[live], self.upper[live]
            )
            new = self.likelihood.evaluate(trial, self.rows[live])
            margin = 1e-14 * (1 + np.abs(best.nll))
            with np.errstate(invalid="ignore"):
                better = new.nll <= best.nll + margin
            theta[live[better]], nll[live[better]] = trial[better], new.nll[better]
            best = _where(better, new, best)
            moved, gains = self._step(theta[live], best, live)
            step, gain = moved, gains
            length = np.where(better, 1.0, length / 4)
        return Fit(theta, nll, information, status)

    def _step(
        self, theta: NDArray[np.float64], at: Evaluation, live: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the full step and the decrease that it promises."""
        leaving = ((theta <= self.lower[live]) & (at.score > 0)) | (
            (theta >= self.upper[live]) & (at.score < 0)
        )
        frozen = leaving | self.held
        gradient = np.where(frozen, 0.0, at.score)
        free = ~frozen
        matrix = at.information * (free[:, :, None] & free[:, None, :])
        diagonal = np.einsum(
            "rpp->rp", matrix
        )  # a view: writing to it fills the matrix
        scale = diagonal.max(axis=1, keepdims=True, initial=0.0)
        diagonal += np.where(
            diagonal > 0, 1e-13 * diagonal, np.where(scale > 0, scale, 1.0)
        )
        step = -np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0]
        gain: NDArray[np.float64] = -0.5 * np.einsum("rp,rp->r", gradient, step)
        return step.astype(np.float64, copy=False), gain


def _take(at: Evaluation, index: NDArray[np.int64] | NDArray[np.bool_]) -> Evaluation:
    return Evaluation(at.nll[index], at.score[index], at.information[index])


def _where(mask: NDArray[np.bool_], new: Evaluation, old: Evaluation) -> Evaluation:
    if mask.all():
        return new
    return Evaluation(
        np.where(mask, new.nll, old.nll),
        np.where(mask[:, None], new.score, old.score),
        np.where(mask[:, None, None], new.information, old.information),
    )
