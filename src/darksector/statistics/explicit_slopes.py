"""Derivatives of a likelihood by the numbers of its model, at fixed parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from darksector.statistics.histfactory import FLOOR, ModelLikelihood
from darksector.statistics.model import Model
from darksector.statistics.model_numbers import Numbers, placed
from darksector.statistics.modifiers import ShapeSys, StatError, rows
from darksector.statistics.settings import GAUSSIAN, LOG_NORMAL, POISSON
from darksector.statistics.tables import Tables
from darksector.statistics.yields import Cells, bend, cells, interpolated


@final
@dataclass(frozen=True)
class Source:
    """Where the constraints of one `ShapeSys` or `StatError` come from.

    Parameters
    ----------
    sample
        Index of the sample.
    bins
        Where it acts.
    parameters
        One per bin, ``(b,)``.
    by_nominal, by_sigma
        Derivatives of the spread by the events and their uncertainty, ``(q, b)``.
    """

    sample: int
    bins: slice
    parameters: NDArray[np.int64]
    by_nominal: NDArray[np.float64]
    by_sigma: NDArray[np.float64]


def constraint_sources(model: Model) -> tuple[Source, ...]:
    r"""Return how the spreads of constraints depend on events and uncertainties.

    .. math:: \tau = (n/\sigma)^2, \quad
              w = \sqrt{\textstyle\sum_s \sigma_s^2} / \textstyle\sum_s n_s

    Nothing depends on them where a `Parameter` replaces the constraint.
    """
    index = {name: i for i, name in enumerate(model.names)}
    samples = list(dict.fromkeys(s.name for c in model.channels for s in c.samples))
    replaced = {x.name for x in model.parameters if x.constraint is not None}
    sums: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for _, _, sample, modifier in placed(model):
        if isinstance(modifier, StatError):
            events, square = sums.get(modifier.name, (np.zeros(1), np.zeros(1)))
            square = square + rows(modifier.sigma) ** 2
            sums[modifier.name] = (events + rows(sample.nominal), square)
    found = []
    for bins, channel, sample, modifier in placed(model):
        if not isinstance(modifier, ShapeSys | StatError):
            continue
        names = [f"{modifier.name}[{b}]" for b in range(channel.bins)]
        own = np.array([not replaced & {name, modifier.name} for name in names])
        n, sigma = rows(sample.nominal), rows(modifier.sigma)
        if isinstance(modifier, ShapeSys):
            good = own & (n > 0) & (sigma > 0)
            n, sigma = (np.where(good, x, 1.0) for x in (n, sigma))
            pair = 2 * n / sigma**2, -2 * n**2 / sigma**3
        else:
            events, square = sums[modifier.name]
            good = own & (events > 0) & (square > 0)
            events, square = (np.where(good, x, 1.0) for x in (events, square))
            pair = -np.sqrt(square) / events**2, sigma / (np.sqrt(square) * events)
        by = (np.where(good, x, 0.0) for x in pair)
        parameters = np.array([index[name] for name in names])
        found.append(Source(samples.index(sample.name), bins, parameters, *by))
    return tuple(found)


def yield_slopes(
    likelihood: ModelLikelihood,
    theta: Float[np.ndarray, "r p"],
    weight: Float[np.ndarray, "r bins"],
    *,
    rows: Int[np.ndarray, " r"],
    sources: tuple[Source, ...],
) -> Numbers:
    r"""Return :math:`\partial (\sum_b w_b \nu_b)/\partial x` at fixed `theta`.

    `weight` is w, shape ``(r, bins)``; `sources` only sizes the result.
    """
    table = likelihood.table.take(likelihood.points[rows])
    at = cells(table, theta)
    cell = np.array(
        np.broadcast_to(weight[:, None, :] * at.multiplier, at.events.shape)
    )
    nominal = cell.copy()
    count, _, bins = cell.shape
    up, down = (np.zeros((count, len(table.shapes), bins)) for _ in range(2))
    for h, shape in enumerate(table.shapes):
        alpha = at.theta[:, shape.parameter, None]
        moved, even = cell[:, shape.sample, shape.bins], bend(alpha)
        up[:, h, shape.bins] = (even + alpha) / 2 * moved
        down[:, h, shape.bins] = (even - alpha) / 2 * moved
        nominal[:, shape.sample, shape.bins] -= even * moved
    by_up, by_down = _norm_slopes(table, at, weight)
    per_bin, single = np.zeros_like(weight), np.zeros_like(theta)
    sigma = np.zeros((count, len(sources), bins))
    return Numbers(
        nominal, per_bin, by_up, by_down, up, down, sigma, single, single.copy()
    )


def nll_slopes(
    likelihood: ModelLikelihood,
    theta: Float[np.ndarray, "r p"],
    *,
    rows: Int[np.ndarray, " r"],
    sources: tuple[Source, ...],
) -> Numbers:
    r"""Return :math:`\partial(-\ln L)/\partial x` at fixed parameters.

    Notes
    -----
    By the data they lack the terms :math:`\ln n_b` and :math:`\ln a`, which do not
    depend on the parameters: only differences of two points of one row have a meaning.
    """
    counts = likelihood.counts[rows]
    expected = likelihood.expected(theta, rows)
    nu = np.maximum(expected, FLOOR)
    pull = np.where((expected < 0) & (counts == 0), 0.0, 1 - counts / nu)
    result = yield_slopes(likelihood, theta, pull, rows=rows, sources=sources)
    centre, spread = _constraint_slopes(likelihood, theta, rows)
    for g, source in enumerate(sources):
        moved = spread[:, source.parameters]
        points = likelihood.points[rows]
        by_nominal, by_sigma = (
            x if len(x) == 1 else x[points]
            for x in (source.by_nominal, source.by_sigma)
        )
        result.nominal[:, source.sample, source.bins] += moved * by_nominal
        result.sigma[:, g, source.bins] = moved * by_sigma
    result.observed[...] = -np.log(nu)
    result.centre[...], result.spread[...] = centre, spread
    return result


def _constraint_slopes(
    likelihood: ModelLikelihood, theta: NDArray[np.float64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return derivatives of the constraint terms by their centres and spreads."""
    setting = likelihood.setting.take(likelihood.points[rows])
    centre, kind = likelihood.centres[rows], setting.kind
    spread = np.broadcast_to(setting.spread, theta.shape)
    by_centre, by_spread = np.zeros_like(theta), np.zeros_like(theta)
    at = kind == GAUSSIAN
    pull = (theta[:, at] - centre[:, at]) / spread[:, at]
    by_centre[:, at] = -pull / spread[:, at]
    by_spread[:, at] = -(pull**2) / spread[:, at]
    at = kind == LOG_NORMAL
    x, a = (np.maximum(y[:, at], FLOOR) for y in (theta, centre))
    pull = np.log(x / a) / spread[:, at]
    by_centre[:, at] = -pull / (spread[:, at] * a)
    by_spread[:, at] = -(pull**2) / spread[:, at]
    at = kind == POISSON
    x, a = np.maximum(theta[:, at], FLOOR), centre[:, at]
    by_centre[:, at] = -spread[:, at] * np.log(x)
    by_spread[:, at] = x - a + a * np.log(np.maximum(a, FLOOR) / x)
    return by_centre, by_spread


def _norm_slopes(
    table: Tables, at: Cells, weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return derivatives of the weighted events by the factors of `NormSys`."""
    factors = table.factors
    plain = len(factors.parameter) - factors.log_up.shape[1]
    starts = [bins.start for bins in table.bins]
    flow = np.add.reduceat(weight[:, None, :] * at.events, starts, axis=2)
    flow = flow.reshape(len(weight), -1)[:, factors.block[plain:]]
    alpha = at.theta[:, factors.parameter[plain:]]
    value, _ = interpolated(alpha, factors.log_up, factors.log_down)
    up = _side_slope(alpha, factors.log_up, value)
    down = _side_slope(-alpha, factors.log_down, value)
    return flow * up / np.exp(factors.log_up), flow * down / np.exp(factors.log_down)


def _side_slope(
    alpha: NDArray[np.float64],
    log_side: NDArray[np.float64],
    value: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return d ln(factor)/d ln(up) at α, which is that by the other side at -α.

    The polynomial is linear in the value, slope and curvature of both sides at ±1.
    """
    a = np.clip(alpha, -1, 1)
    b = a * a
    of_value = a * (15 - 10 * b + 3 * b**2) / 16 + b * (24 - 24 * b + 8 * b**2) / 16
    of_slope = a * (-7 + 10 * b - 3 * b**2) / 16 + b * (-9 + 14 * b - 5 * b**2) / 16
    of_curve = a * (1 - 2 * b + b**2) / 16 + b * (1 - 2 * b + b**2) / 16
    inside = of_value + of_slope * (1 + log_side) + of_curve * log_side * (2 + log_side)
    inside = inside * np.exp(log_side) / value
    return np.where(np.abs(alpha) < 1, inside, np.maximum(alpha, 0.0))
