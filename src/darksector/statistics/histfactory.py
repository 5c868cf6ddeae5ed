"""The likelihood of a binned model: Poisson counts times constraints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.special import xlogy

from darksector.statistics.fit import Evaluation
from darksector.statistics.model import Model
from darksector.statistics.profile import ProfileLikelihood
from darksector.statistics.settings import (
    GAUSSIAN,
    LOG_NORMAL,
    POISSON,
    Settings,
    settings,
)
from darksector.statistics.tables import Tables, tables
from darksector.statistics.yields import cells, jacobian

FLOOR = 1e-10  # events; a smaller expectation counts as this one
_FEW = 4.0  # events; below, the observed curvature of a bin serves better


@final
@dataclass(frozen=True)
class ModelLikelihood(ProfileLikelihood):
    r"""Data sets of a `Model`, the rows of a batch.

    .. math:: -\ln L = \sum_b \Big[\nu_b - n_b + n_b \ln\frac{n_b}{\nu_b}\Big]
              + \sum_p c_p(\theta_p, a_p)

    Both terms vanish where the expectation meets the data, so that differences of large
    samples keep their digits, and twice the minimum is the deviance.

    Parameters
    ----------
    names, start, lower, upper, size
        As of `Likelihood`.
    table, setting
        The model as arrays.
    counts
        Observed events, ``(n, bins)``.
    centres
        Auxiliary measurements in the units of their parameters, ``(n, p)``.
    points
        Which point of the batch each row belongs to, ``(n,)``.
    poi
        Index of the parameter of interest.
    """

    names: tuple[str, ...]
    start: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    size: int
    table: Tables
    setting: Settings
    counts: NDArray[np.float64]
    centres: NDArray[np.float64]
    points: NDArray[np.int64]
    poi: int

    def expected(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "r bins"]:
        """Return the expected events of each bin."""
        return cells(self.table.take(self.points[rows]), theta).events.sum(axis=1)

    def asimov(self, theta: Float[np.ndarray, "n p"]) -> ModelLikelihood:
        """Return the likelihood of the data that agree with `theta` in every bin."""
        counts = np.maximum(self.expected(theta, np.arange(self.size)), 0.0)
        return replace(self, counts=counts, centres=theta)

    def take(self, rows: Int[np.ndarray, " k"]) -> ModelLikelihood:
        """Return the likelihood of some rows; a row may appear more than once."""
        return replace(
            self,
            size=rows.size,
            counts=self.counts[rows],
            centres=self.centres[rows],
            points=self.points[rows],
        )

    def sample(
        self, theta: Float[np.ndarray, "n p"], generator: np.random.Generator
    ) -> ModelLikelihood:
        """Return the likelihood of random data around `theta`, auxiliary ones too."""
        expected = np.maximum(self.expected(theta, np.arange(self.size)), 0.0)
        spread = np.broadcast_to(self.setting.take(self.points).spread, theta.shape)
        centres, kind = np.array(theta), self.setting.kind
        moves = self.lower < self.upper
        at = moves & (kind == GAUSSIAN)
        centres[:, at] += spread[:, at] * generator.standard_normal(theta[:, at].shape)
        at = moves & (kind == LOG_NORMAL)
        pulls = generator.standard_normal(theta[:, at].shape)
        centres[:, at] *= np.exp(spread[:, at] * pulls)
        at = moves & (kind == POISSON)
        tau = spread[:, at]
        centres[:, at] = generator.poisson(theta[:, at] * tau) / tau
        counts = generator.poisson(expected).astype(np.float64)
        return replace(self, counts=counts, centres=centres)

    def nll(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, " r"]:
        """Return the negative log-likelihood of `rows`, half of the deviance."""
        value = _deviance(self.counts[rows], self.expected(theta, rows)).sum(axis=1)
        constraint, _, _ = self._constraints(theta, rows)
        return value + constraint.sum(axis=1)

    def evaluate(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Evaluation:
        """Return likelihood, gradient and curvature of `rows`.

        The curvature of a bin is Fisher's where events are many.  Where few are
        expected it is the one of the observed count: Fisher's grows without bound as an
        empty bin's expectation vanishes, and would hold the fit there.
        """
        table = self.table.take(self.points[rows])
        at = cells(table, theta)
        slopes = jacobian(table, at)
        expected = at.events.sum(axis=1)
        counts = self.counts[rows]
        nu = np.maximum(expected, FLOOR)
        ratio = counts / nu
        pull = np.where((expected < 0) & (counts == 0), 0.0, 1 - ratio)
        few = np.maximum(ratio / nu, 1 / np.maximum(nu, 1))
        weight = np.where(nu < _FEW, few, 1 / nu)
        constraint, first, second = self._constraints(theta, rows)
        information = (slopes * weight[:, None, :]) @ slopes.transpose(0, 2, 1)
        np.einsum("rpp->rp", information)[...] += second
        score = (slopes @ pull[:, :, None])[:, :, 0] + first
        value = _deviance(counts, expected).sum(axis=1) + constraint.sum(axis=1)
        return Evaluation(value, score, information)

    def _constraints(
        self, theta: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the constraint terms with their first and second derivatives."""
        setting = self.setting.take(self.points[rows])
        centre, kind = self.centres[rows], setting.kind
        spread = np.broadcast_to(setting.spread, theta.shape)
        value, first, second = (np.zeros_like(theta) for _ in range(3))
        at = kind == GAUSSIAN
        pull = (theta[:, at] - centre[:, at]) / spread[:, at]
        value[:, at], first[:, at] = pull**2 / 2, pull / spread[:, at]
        second[:, at] = 1 / spread[:, at] ** 2
        at = kind == LOG_NORMAL
        x = np.maximum(theta[:, at], FLOOR)
        pull = np.log(x / np.maximum(centre[:, at], FLOOR)) / spread[:, at]
        value[:, at], first[:, at] = pull**2 / 2, pull / (spread[:, at] * x)
        second[:, at] = 1 / (spread[:, at] * x) ** 2
        at = kind == POISSON
        x, count = np.maximum(theta[:, at], FLOOR), centre[:, at]
        value[:, at] = _deviance(count, x) * spread[:, at]
        first[:, at] = spread[:, at] * (1 - count / x)
        second[:, at] = spread[:, at] * np.maximum(count / x, 1e-3) / x
        return value, first, second


def likelihood(model: Model) -> ModelLikelihood:
    """Return the likelihood of a model and its observed events, one row per point."""
    table, setting = tables(model), settings(model)
    points = model.size
    shape = (points, len(table.names))
    return ModelLikelihood(
        table.names,
        setting.start,
        setting.lower,
        setting.upper,
        points,
        table,
        setting,
        np.array(np.broadcast_to(model.observed, (points, model.observed.shape[1]))),
        np.array(np.broadcast_to(setting.centre, shape)),
        np.arange(points),
        table.names.index(model.poi),
    )


def _deviance(
    counts: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return half of the deviance of Poisson counts, zero where they agree."""
    nu = np.maximum(expected, FLOOR)
    excess = (nu - counts) / np.maximum(counts, FLOOR)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = counts * (excess - np.log1p(excess))
    far = (excess < -0.9) | (counts < FLOOR)  # the sum loses digits there
    if far.any():
        few, mean = counts[far], nu[far]
        value[far] = mean - few + xlogy(few, few / mean)
    return value
