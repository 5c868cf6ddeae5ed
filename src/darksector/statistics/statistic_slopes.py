"""Minima and test statistics with their derivatives by the numbers of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.statistics.explicit_slopes import Source, nll_slopes, yield_slopes
from darksector.statistics.fit import OK, Fit
from darksector.statistics.hessian import bounds, hessian, moving, solve
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.model_numbers import Numbers, scaled
from darksector.statistics.profile import Discovery, fit_at, tangent
from darksector.statistics.yields import cells, jacobian

_STEP = 1e-4  # of a parameter's standard error along a direction


@final
@dataclass(frozen=True)
class Minimum:
    """Minima with their exact curvature and the parameters that may move."""

    theta: NDArray[np.float64]
    curvature: NDArray[np.float64]
    moves: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        data: ModelLikelihood,
        theta: NDArray[np.float64],
        rows: NDArray[np.int64],
        held: NDArray[np.bool_],
    ) -> Minimum:
        """Return fitted minima after one Newton step; `held` rows keep their signal."""
        moves = moving(data, theta, rows=rows)
        moves[:, data.poi] &= ~held
        curvature = hessian(data, theta, rows=rows)
        score = data.evaluate(theta, rows).score
        better = theta - solve(curvature, score, moves)
        lower, upper = bounds(data, rows)
        better = np.where(moves, np.clip(better, lower, upper), theta)
        return cls(better, hessian(data, better, rows=rows), moves)


@final
@dataclass(frozen=True)
class Statistic:
    """A test statistic q_μ, its derivative by μ and by the numbers at fixed μ."""

    q: NDArray[np.float64]
    by_poi: NDArray[np.float64]
    slopes: Numbers


@final
@dataclass(frozen=True)
class Null:
    """The fit without signal and its Asimov data, for some rows."""

    data: ModelLikelihood
    asimov: ModelLikelihood
    at: Minimum
    rows: NDArray[np.int64]
    sources: tuple[Source, ...]

    @classmethod
    def of(
        cls,
        data: ModelLikelihood,
        null: Fit,
        rows: NDArray[np.int64],
        sources: tuple[Source, ...],
    ) -> Null:
        """Return the fit without signal of `rows`, with what its Asimov data need."""
        at = Minimum.of(data, null.theta[rows], rows, np.ones(rows.size, bool))
        theta = null.theta.copy()
        theta[rows] = at.theta
        return cls(data, data.asimov(theta), at, rows, sources)

    def asimov_statistic(self, mu: NDArray[np.float64]) -> Statistic:
        """Return q_A at `mu`, one value per row, unit of the parameter."""
        rows, sources = self.rows, self.sources
        at = _fitted(self.asimov, self.at.theta, mu, rows)
        here = self.asimov.evaluate(at.theta, rows)
        slopes = nll_slopes(self.asimov, at.theta, rows=rows, sources=sources)
        none = nll_slopes(self.asimov, self.at.theta, rows=rows, sources=sources)
        slopes = slopes.plus(none, times=-np.ones(rows.size))
        table = self.asimov.table.take(self.asimov.points[rows])
        yields = cells(table, self.at.theta)
        # Asimov data are not negative: a bin that would be does not move
        weight = np.where(yields.events.sum(axis=1) > 0, slopes.observed, 0.0)
        total = np.einsum("rpb,rb->rp", jacobian(table, yields), weight) + slopes.centre
        slopes.observed[...], slopes.centre[...] = 0.0, 0.0
        for part in (
            yield_slopes(self.data, self.at.theta, weight, rows=rows, sources=sources),
            response(self.data, self.at, total, rows=rows, sources=sources),
        ):
            slopes = slopes.plus(part, times=np.ones(rows.size))
        by_poi = 2 * here.score[:, self.data.poi]
        return Statistic(2 * here.nll, by_poi, slopes.map(lambda x: 2 * x))


def data_statistic(
    data: ModelLikelihood,
    start: Discovery,
    mu: NDArray[np.float64],
    *,
    rows: NDArray[np.int64],
    sources: tuple[Source, ...],
) -> Statistic:
    """Return q̃_μ of the data at `mu`, one value per row."""
    held = start.poi[rows] <= 0
    best = np.where(held[:, None], start.null.theta[rows], start.free.theta[rows])
    at = Minimum.of(data, best, rows, held)
    there = _fitted(data, at.theta, mu, rows)
    here = data.evaluate(there.theta, rows)
    q = 2 * (here.nll - data.nll(at.theta, rows))
    pair = (nll_slopes(data, x.theta, rows=rows, sources=sources) for x in (there, at))
    slopes = next(pair).plus(next(pair), times=-np.ones(rows.size))
    by_poi = 2 * here.score[:, data.poi]
    return Statistic(q, by_poi, slopes.map(lambda x: 2 * x))


def _fitted(
    data: ModelLikelihood,
    start: NDArray[np.float64],
    mu: NDArray[np.float64],
    rows: NDArray[np.int64],
) -> Minimum:
    """Return the minima of rows with the parameter of interest held at `mu`."""
    here = data.evaluate(start, rows)
    ok = np.full(rows.size, OK)
    change, _ = tangent(data, Fit(start, here.nll, here.information, ok))
    ahead = start + (mu - start[:, data.poi])[:, None] * change
    found = fit_at(data, mu, start=ahead, rows=rows)
    return Minimum.of(data, found.theta, rows, np.ones(rows.size, bool))


def response(
    data: ModelLikelihood,
    at: Minimum,
    vector: NDArray[np.float64],
    *,
    rows: NDArray[np.int64],
    sources: tuple[Source, ...],
) -> Numbers:
    r"""Return :math:`v \cdot \mathrm{d}\theta/\mathrm{d}x` of fitted parameters.

    It is minus the derivative of the explicit slopes along :math:`u = H^{-1}v`.
    """
    u = solve(at.curvature, vector, at.moves)
    diagonal = np.maximum(np.einsum("npp->np", at.curvature), 0.0)
    length = np.max(np.abs(u) * np.sqrt(diagonal), axis=1)
    step = _STEP / np.where(length > 0, length, 1.0)
    up, down = (
        nll_slopes(data, at.theta + side[:, None] * u, rows=rows, sources=sources)
        for side in (step, -step)
    )
    change = down.plus(up, times=-np.ones(rows.size))
    return change.map(lambda x: scaled(x, 1 / (2 * step)))
