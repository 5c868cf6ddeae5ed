"""Derivatives of limits and fitted signals by every number of their model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from darksector.errors import UnknownName
from darksector.statistics.explicit_slopes import (
    Source,
    constraint_sources,
    nll_slopes,
    yield_slopes,
)
from darksector.statistics.fit import OK, Fit
from darksector.statistics.hessian import bounds, hessian, moving, solve
from darksector.statistics.histfactory import ModelLikelihood, likelihood
from darksector.statistics.model import Model
from darksector.statistics.model_numbers import Numbers, scaled
from darksector.statistics.profile import Discovery, discovery, fit_at, tangent
from darksector.statistics.profile_limits import cls_upper_limits
from darksector.statistics.yields import cells, jacobian

_STEP = 1e-4  # of a parameter's standard error along a direction


@final
@dataclass(frozen=True)
class Gradient:
    """A quantity and its derivatives by every number of a model.

    Parameters
    ----------
    value
        The quantity, its unit, shape ``(n,)``, masked where there is none.
    by
        Its derivatives, its unit per that of the number; masked likewise.
    """

    value: np.ma.MaskedArray
    by: Numbers

    def along(self, **change: ArrayLike) -> np.ma.MaskedArray:
        r"""Return the change of the quantity, its unit, shape ``(n,)``.

        .. math:: \mathrm{d}q = \sum_x \frac{\partial q}{\partial x} \mathrm{d}x

        Parameters
        ----------
        change
            Changes of some kinds of numbers, named as in `Numbers`; arrays of a kind's
            shape, or what NumPy extends to it.

        Raises
        ------
        UnknownName
            If a name is no kind of number.

        Notes
        -----
        Changes per unit of a detector's parameter give the derivative by it.
        """
        known = [field.name for field in fields(Numbers)]
        total = np.ma.zeros(self.value.shape)
        for name, values in change.items():
            if name not in known:
                what = "kind of number"
                raise UnknownName(what, name, known)
            slopes = getattr(self.by, name)
            terms = slopes * np.broadcast_to(np.asarray(values), slopes.shape)
            total += terms.reshape(len(slopes), -1).sum(axis=1)
        return np.ma.masked_array(total, np.ma.getmaskarray(self.value))


@final
@dataclass(frozen=True)
class LimitGradient:
    """Upper limits with their derivatives by every number of the model.

    Parameters
    ----------
    observed
        Of the data.
    expected
        Without signal, one per entry of `SIGMAS`.
    status
        `OK` or why a row has no limit, shape ``(n,)``.
    """

    observed: Gradient
    expected: tuple[Gradient, ...]
    status: NDArray[np.str_]


def limit_gradient(model: Model, *, confidence_level: float) -> LimitGradient:
    r"""Differentiate the asymptotic CLs limits, without differentiating any fit.

    .. math:: \frac{\mathrm{d}\mu}{\mathrm{d}x} =
              -\frac{\partial F/\partial x}{\partial F/\partial\mu}, \quad
              \frac{\partial q_\mu}{\partial x} = 2 \left[
              \frac{\partial(-\ln L)}{\partial x}\Big|_{\hat{\hat\theta}(\mu)} -
              \frac{\partial(-\ln L)}{\partial x}\Big|_{\hat\theta} \right]

    with :math:`F = \ln \mathrm{CLs} - \ln\alpha` or :math:`\sqrt{q_A} - t_N`.

    Parameters
    ----------
    model
        As for `cls_upper_limits` of its likelihood.
    confidence_level
        Of the limits, between 0 and 1.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1).

    Notes
    -----
    The Asimov data move with the fit without signal; its response
    :math:`-H^{-1}\partial^2(-\ln L)/\partial\theta\partial x` enters in adjoint form,
    one solution for all numbers.  A parameter at a bound stays there.

    Examples
    --------
    The limit of a counting experiment without background grows as its signal shrinks:

    >>> from darksector.statistics.model import Channel, Sample
    >>> from darksector.statistics.modifiers import NormFactor
    >>> signal = Sample("signal", [2.0], (NormFactor("mu"),))
    >>> background = Sample("background", [9.0])
    >>> model = Model((Channel("region", (signal, background), [9.0]),), poi="mu")
    >>> observed = limit_gradient(model, confidence_level=0.9).observed
    >>> (observed.along(nominal=[[2.0], [0.0]]) / observed.value).round(6)
    masked_array(data=[-1.],
                 mask=[False],
           fill_value=1e+20)
    """
    data = likelihood(model)
    limits = cls_upper_limits(data, confidence_level=confidence_level)
    values = np.ma.hstack([limits.observed[:, None], limits.expected])
    rows = np.flatnonzero(limits.status == OK)
    ends = values.filled(np.nan)[rows]
    start, sources = discovery(data), constraint_sources(model)
    null = _Null.of(data, start.null, rows, sources)
    columns = [null.asimov_statistic(end) for end in ends.T]
    of_data = _data_statistic(data, start, ends[:, 0], rows=rows, sources=sources)
    slopes = [_observed(of_data, columns[0]), *(_expected(q) for q in columns[1:])]
    gradients = [
        Gradient(values[:, i], x.map(lambda y: _masked(y, rows, data.size)))
        for i, x in enumerate(slopes)
    ]
    return LimitGradient(gradients[0], tuple(gradients[1:]), limits.status)


def signal_gradient(model: Model) -> Gradient:
    r"""Differentiate the fitted parameter of interest by every number of the model.

    .. math:: \frac{\mathrm{d}\hat\theta}{\mathrm{d}x} = -H^{-1}
              \frac{\partial^2 (-\ln L)}{\partial\theta\,\partial x}

    It is zero where the parameter sits at a bound.
    """
    data = likelihood(model)
    best = discovery(data).free
    rows = np.flatnonzero(best.converged)
    at = _Minimum.of(data, best.theta[rows], rows, np.zeros(rows.size, bool))
    unit = np.zeros_like(at.theta)
    unit[:, data.poi] = 1.0
    slopes = _response(data, at, unit, rows=rows, sources=constraint_sources(model))
    value = np.ma.masked_array(best.theta[:, data.poi], ~best.converged)
    return Gradient(value, slopes.map(lambda x: _masked(x, rows, data.size)))


@final
@dataclass(frozen=True)
class _Minimum:
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
    ) -> _Minimum:
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
class _Statistic:
    """A test statistic q_μ, its derivative by μ and by the numbers at fixed μ."""

    q: NDArray[np.float64]
    by_poi: NDArray[np.float64]
    slopes: Numbers


@final
@dataclass(frozen=True)
class _Null:
    """The fit without signal and its Asimov data, for some rows."""

    data: ModelLikelihood
    asimov: ModelLikelihood
    at: _Minimum
    rows: NDArray[np.int64]
    sources: tuple[Source, ...]

    @classmethod
    def of(
        cls,
        data: ModelLikelihood,
        null: Fit,
        rows: NDArray[np.int64],
        sources: tuple[Source, ...],
    ) -> _Null:
        at = _Minimum.of(data, null.theta[rows], rows, np.ones(rows.size, bool))
        theta = null.theta.copy()
        theta[rows] = at.theta
        return cls(data, data.asimov(theta), at, rows, sources)

    def asimov_statistic(self, mu: NDArray[np.float64]) -> _Statistic:
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
            _response(self.data, self.at, total, rows=rows, sources=sources),
        ):
            slopes = slopes.plus(part, times=np.ones(rows.size))
        by_poi = 2 * here.score[:, self.data.poi]
        return _Statistic(2 * here.nll, by_poi, slopes.map(lambda x: 2 * x))


def _data_statistic(
    data: ModelLikelihood,
    start: Discovery,
    mu: NDArray[np.float64],
    *,
    rows: NDArray[np.int64],
    sources: tuple[Source, ...],
) -> _Statistic:
    """Return q̃_μ of the data at `mu`, one value per row."""
    held = start.poi[rows] <= 0
    best = np.where(held[:, None], start.null.theta[rows], start.free.theta[rows])
    at = _Minimum.of(data, best, rows, held)
    there = _fitted(data, at.theta, mu, rows)
    here = data.evaluate(there.theta, rows)
    q = 2 * (here.nll - data.nll(at.theta, rows))
    pair = (
        nll_slopes(data, x.theta, rows=rows, sources=sources) for x in (there, at)
    )
    slopes = next(pair).plus(next(pair), times=-np.ones(rows.size))
    by_poi = 2 * here.score[:, data.poi]
    return _Statistic(q, by_poi, slopes.map(lambda x: 2 * x))


def _fitted(
    data: ModelLikelihood,
    start: NDArray[np.float64],
    mu: NDArray[np.float64],
    rows: NDArray[np.int64],
) -> _Minimum:
    """Return the minima of rows with the parameter of interest held at `mu`."""
    here = data.evaluate(start, rows)
    ok = np.full(rows.size, OK)
    change, _ = tangent(data, Fit(start, here.nll, here.information, ok))
    ahead = start + (mu - start[:, data.poi])[:, None] * change
    found = fit_at(data, mu, start=ahead, rows=rows)
    return _Minimum.of(data, found.theta, rows, np.ones(rows.size, bool))


def _response(
    data: ModelLikelihood,
    at: _Minimum,
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


def _observed(data: _Statistic, asimov: _Statistic) -> Numbers:
    """Return the derivatives of the root of ln CLs (arXiv:1007.1727 eqs. 65, 66)."""
    root, reach = np.sqrt(data.q), np.sqrt(asimov.q)
    usual = data.q <= asimov.q
    middle, half = data.q / (2 * reach), reach / 2
    with_signal = np.where(usual, root, middle + half)
    without = np.where(usual, root - reach, middle - half)
    by_q = 1 / (2 * np.where(usual, root, reach))  # of both arguments
    bend = -data.q / (4 * asimov.q * reach)
    with_by_a = np.where(usual, 0.0, bend + 1 / (4 * reach))
    without_by_a = np.where(usual, -1 / (2 * reach), bend - 1 / (4 * reach))
    f_with, f_without = _mills(with_signal), -_mills(without)
    f_q = (f_with + f_without) * by_q
    f_a = f_with * with_by_a + f_without * without_by_a
    f_mu = f_q * data.by_poi + f_a * asimov.by_poi
    of_data = data.slopes.map(lambda x: scaled(x, -f_q / f_mu))
    return of_data.plus(asimov.slopes, times=-f_a / f_mu)


def _mills(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the derivative of ln Φ(-x)."""
    return -np.exp(-(x**2) / 2 - log_ndtr(-x)) / np.sqrt(2 * np.pi)


def _expected(asimov: _Statistic) -> Numbers:
    """Return the derivatives of the root of √q_A - t: those of q_A over its slope."""
    return asimov.slopes.map(lambda x: scaled(x, -1 / asimov.by_poi))


def _masked(
    values: NDArray[np.float64], rows: NDArray[np.int64], size: int
) -> np.ma.MaskedArray:
    """Return all rows of an array that has only some, the others masked."""
    result = np.ma.masked_all((size, *values.shape[1:]))
    result[rows] = values
    return result
