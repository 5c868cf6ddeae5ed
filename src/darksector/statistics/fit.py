"""Many independent maximum-likelihood fits at once, by Fisher scoring in a box."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from numpy.typing import NDArray

OK = "ok"
UNDEFINED = "the likelihood is not finite at the start of the fit"
STALLED = "no step lowers the likelihood and its gradient does not vanish"
UNFINISHED = "the fit did not converge in 200 steps"
STATUS = np.dtypes.StrDType(80)  # of arrays that other reasons may be written into
_REASONS = np.array([OK, UNDEFINED, STALLED, UNFINISHED], dtype=STATUS)

_STEPS = 200
_TOLERANCE = 1e-10  # expected decrease of the likelihood at which a fit ends
_DIGITS = 1e-13  # the same relative to the likelihood, whose sum has no more digits
_ROUNDING = 1e-5  # an expected decrease this small may drown in rounding
_PATIENCE = 12  # steps with the curvature of the likelihood, before it is computed
_BLOCK = 256  # rows per block: the arrays of one block stay in the cache
_FLATTEST = 1e-10  # curvature along a direction, relative to those of the parameters
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
    exact_curvature
        Whether the curvature of `evaluate` is the observed one wherever that is
        positive, so that no better one can be had.
    """

    exact_curvature: ClassVar[bool] = False
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
    return _Rows(likelihood, rows, held, lower, upper).minimise(theta)


def _per_row(
    values: NDArray[np.float64], rows: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.float64]:
    return np.broadcast_to(values if values.ndim == 1 else values[rows], shape)


@final
@dataclass(frozen=True)
class _Rows:
    """Rows that are minimised a block at a time."""

    likelihood: Likelihood
    rows: NDArray[np.int64]
    held: NDArray[np.bool_]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    def minimise(self, start: NDArray[np.float64]) -> Fit:
        """Return the minima; a row that ends makes place for the next one."""
        count, p = start.shape
        nll, information = np.full(count, np.inf), np.zeros((count, p, p))
        reason = np.zeros(count, dtype=np.int64)
        found = _Found(start.copy(), nll, information, reason)
        late, waiting = [], min(count, _BLOCK)
        at = _Front.of(np.arange(waiting), p)
        while at.live.size:
            at, done = self._advanced(found, at)
            slow = ~done & (at.made > _PATIENCE) & (not self.likelihood.exact_curvature)
            if slow.any():
                late.append(at.take(slow))  # few at a time: they go on together
            leave = done | slow
            if leave.any():
                fresh = np.arange(waiting, min(count, waiting + int(leave.sum())))
                waiting += fresh.size
                at = _joined([at.take(~leave), _Front.of(fresh, p)])
        for block in _blocks(late):
            at = block
            while at.live.size:
                at, done = self._advanced(found, at)
                at = at.take(~done)
        nll[~np.isfinite(nll)] = np.nan
        return Fit(found.theta, nll, information, _REASONS[reason])

    def _advanced(self, found: _Found, at: _Front) -> tuple[_Front, NDArray[np.bool_]]:
        """Try one step of each row; return them, and which of them are done."""
        live, theta = at.live, found.theta
        trial = theta[live] + at.length[:, None] * at.step
        trial = np.clip(trial, self.lower[live], self.upper[live])
        new = self.likelihood.evaluate(trial, self.rows[live])
        better = _better(new, at.best)
        theta[live[better]] = trial[better]
        best = _where(better, new, at.best)
        if at.made.min() > _PATIENCE and not self.likelihood.exact_curvature:
            best = self._observed(theta[live], best, live)
        step, gain = self._step(theta[live], best, live)
        length = np.where(better, 1.0, at.length / 4)
        at = _Front(live, best, step, length, at.made + 1)
        done, reason = at.ended(gain)
        ends = live[done]
        found.nll[ends], found.information[ends] = (
            best.nll[done],
            best.information[done],
        )
        found.reason[ends] = reason[done]
        return at, done

    def _observed(
        self, theta: NDArray[np.float64], at: Evaluation, live: NDArray[np.int64]
    ) -> Evaluation:
        """Return the evaluation with the observed curvature, made positive.

        Where the expectation is strongly curved in a parameter, Fisher's information
        misjudges the step by the same factor every time.
        """
        matrix = np.zeros_like(at.information)
        for p in np.flatnonzero(~self.held):
            moved, step = theta.copy(), 1e-6 * (1 + np.abs(theta[:, p]))
            step = np.where(moved[:, p] + step > self.upper[live, p], -step, step)
            moved[:, p] += step
            score = self.likelihood.evaluate(moved, self.rows[live]).score
            matrix[:, p] = (score - at.score) / step[:, None]
        matrix = (matrix + matrix.transpose(0, 2, 1)) / 2
        finite = np.isfinite(matrix).all(axis=(1, 2), keepdims=True)
        matrix = np.where(finite, matrix, at.information)
        # without the frozen ones: their curvature must not bend that of the others
        free = ~self._frozen(theta, at, live)
        matrix *= free[:, :, None] & free[:, None, :]
        # in units of the parameters' own errors, which may differ by powers of ten
        sizes = (np.abs(np.einsum("rpp->rp", m)) for m in (matrix, at.information))
        size = np.sqrt(np.maximum(*sizes))
        size = np.where(size > 0, size, 1.0)
        unit = size[:, :, None] * size[:, None, :]
        values, vectors = np.linalg.eigh(matrix / unit)
        values = np.maximum(np.abs(values), _FLATTEST)
        positive = unit * ((vectors * values[:, None, :]) @ vectors.transpose(0, 2, 1))
        return Evaluation(at.nll, at.score, positive)

    def _frozen(
        self, theta: NDArray[np.float64], at: Evaluation, live: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return which parameters stay: held, or at a bound that they want to cross."""
        below = (theta <= self.lower[live]) & (at.score > 0)
        above = (theta >= self.upper[live]) & (at.score < 0)
        return below | above | self.held

    def _step(
        self, theta: NDArray[np.float64], at: Evaluation, live: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the full step and the decrease that it promises."""
        frozen = self._frozen(theta, at, live)
        gradient = np.where(frozen, 0.0, at.score)
        free = ~frozen
        matrix = at.information * (free[:, :, None] & free[:, None, :])
        diagonal = np.einsum("rpp->rp", matrix)  # a view: writing fills the matrix
        scale = diagonal.max(axis=1, keepdims=True, initial=0.0)
        diagonal += np.where(
            diagonal > 0, 1e-13 * diagonal, np.where(scale > 0, scale, 1.0)
        )
        newton = np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0]
        step = -np.asarray(newton, dtype=np.float64)
        gain: NDArray[np.float64] = -0.5 * np.einsum("rp,rp->r", gradient, step)
        return step.astype(np.float64, copy=False), gain


@final
@dataclass(frozen=True)
class _Found:
    """The minima of all rows, filled in as rows end; `reason` indexes `_REASONS`."""

    theta: NDArray[np.float64]
    nll: NDArray[np.float64]
    information: NDArray[np.float64]
    reason: NDArray[np.int64]


@final
@dataclass(frozen=True)
class _Front:
    """The rows under way: best evaluation, next step, its length, steps made."""

    live: NDArray[np.int64]
    best: Evaluation
    step: NDArray[np.float64]
    length: NDArray[np.float64]
    made: NDArray[np.int64]

    @classmethod
    def of(cls, live: NDArray[np.int64], p: int) -> _Front:
        """Return rows whose start is still to be evaluated: any value improves it."""
        count = live.size
        nothing = Evaluation(
            np.full(count, np.inf), np.zeros((count, p)), np.zeros((count, p, p))
        )
        made = np.zeros(count, dtype=np.int64)
        return cls(live, nothing, np.zeros((count, p)), np.ones(count), made)

    def ended(
        self, gain: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which rows are done, and the index of the reason."""
        undefined, stuck = np.isinf(self.best.nll), self.length < _SHORTEST
        enough = _TOLERANCE + _DIGITS * np.abs(self.best.nll)
        done = undefined | stuck | (gain < enough) | (self.made > _STEPS)
        good = gain < np.where(stuck, _ROUNDING + enough, enough)
        reason = np.where(good, 0, np.where(stuck, 2, 3))
        return done, np.where(undefined, 1, reason)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> _Front:
        return _Front(
            self.live[index],
            Evaluation(
                self.best.nll[index],
                self.best.score[index],
                self.best.information[index],
            ),
            self.step[index],
            self.length[index],
            self.made[index],
        )


def _joined(fronts: list[_Front]) -> _Front:
    return _Front(
        np.concatenate([x.live for x in fronts]),
        Evaluation(
            np.concatenate([x.best.nll for x in fronts]),
            np.concatenate([x.best.score for x in fronts]),
            np.concatenate([x.best.information for x in fronts]),
        ),
        np.concatenate([x.step for x in fronts]),
        np.concatenate([x.length for x in fronts]),
        np.concatenate([x.made for x in fronts]),
    )


def _blocks(fronts: list[_Front]) -> list[_Front]:
    """Return the same rows in fronts of the size of a block."""
    if not fronts:
        return []
    whole = _joined(fronts)
    order = np.arange(whole.live.size)
    return [whole.take(order[i : i + _BLOCK]) for i in range(0, order.size, _BLOCK)]


def _better(new: Evaluation, best: Evaluation) -> NDArray[np.bool_]:
    """Return where a new value is finite and not worse but for rounding."""
    margin = 1e-14 * (1 + np.abs(best.nll))
    with np.errstate(invalid="ignore"):
        return np.isfinite(new.nll) & (new.nll <= best.nll + margin)


def _where(mask: NDArray[np.bool_], new: Evaluation, old: Evaluation) -> Evaluation:
    if mask.all():
        return new
    return Evaluation(
        np.where(mask, new.nll, old.nll),
        np.where(mask[:, None], new.score, old.score),
        np.where(mask[:, None, None], new.information, old.information),
    )
