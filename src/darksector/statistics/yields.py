"""Expected events of a model and their derivatives, many parameter points at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from darksector.statistics.tables import PerBin, Tables

_ZERO = 1e-100  # stands for a factor of zero, so that a product divided by it survives


@final
@dataclass(frozen=True)
class Cells:
    """Expected events of every sample in every bin.

    Parameters
    ----------
    theta
        The parameters, ``(r, p)``, zeros replaced by a number that is as good as zero.
    events
        Shape ``(r, samples, bins)``.
    multiplier
        Product of all factors, ``(r, samples, bins)`` or ``(r, samples, 1)``.
    log_slopes
        Derivative of the logarithm of each factor, ``(r, factors)``.
    """

    theta: NDArray[np.float64]
    events: NDArray[np.float64]
    multiplier: NDArray[np.float64]
    log_slopes: NDArray[np.float64]


def cells(tables: Tables, theta: Float[np.ndarray, "r p"]) -> Cells:
    """Return the expected events of every cell; `tables` has one row or ``r``."""
    theta = np.where(np.abs(theta) < _ZERO, _ZERO, theta)
    block, slopes = _blocks(tables, theta)
    events = np.repeat(tables.nominal, len(theta) // len(tables.nominal), axis=0)
    for shape in tables.shapes:
        alpha = theta[:, shape.parameter, None]
        events[:, shape.sample, shape.bins] += (
            alpha * shape.odd + bend(alpha) * shape.even
        )
    single = len(tables.bins) == 1
    multiplier = block if single else block[:, :, tables.channel_of]
    if tables.per_bin:
        multiplier = np.array(np.broadcast_to(multiplier, events.shape))
        for group in tables.per_bin:
            multiplier[:, group.samples, group.bins] *= theta[:, None, group.parameters]
    events *= multiplier
    return Cells(theta, events, multiplier, slopes)


def jacobian(tables: Tables, at: Cells) -> Float[np.ndarray, "r p bins"]:
    """Return the derivatives of the events of each bin by each parameter."""
    theta, events = at.theta, at.events
    count, samples = len(theta), events.shape[1]
    slopes = np.zeros((count, len(tables.names), samples * len(tables.bins)))
    slopes[:, tables.factors.parameter, tables.factors.block] = at.log_slopes
    slopes = slopes.reshape(count, -1, samples, len(tables.bins))
    result = np.empty((count, len(tables.names), events.shape[2]))
    for c, bins in enumerate(tables.bins):
        result[:, :, bins] = slopes[:, :, :, c] @ events[:, :, bins]
    for shape in tables.shapes:
        alpha = theta[:, shape.parameter, None]
        change = shape.odd + _bend_slope(alpha) * shape.even
        width = slice(None) if at.multiplier.shape[2] == 1 else shape.bins
        factor = at.multiplier[:, shape.sample, width]
        result[:, shape.parameter, shape.bins] += change * factor
    for group in tables.per_bin:
        where = np.arange(group.bins.start, group.bins.stop)
        result[:, group.parameters, where] += per_bin_slopes(at, group)
    return result


def per_bin_slopes(at: Cells, group: PerBin) -> Float[np.ndarray, "r bins"]:
    """Return the derivative of each bin's events by its own parameter."""
    moved = at.events[:, group.samples, group.bins].sum(axis=1)
    return moved / at.theta[:, group.parameters]


def _blocks(
    tables: Tables, theta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factors of each sample and channel, and their logarithmic slopes."""
    factors = tables.factors
    plain = len(factors.parameter) - factors.log_up.shape[1]
    own = theta[:, factors.parameter[:plain]]
    powers, power_slopes = interpolated(
        theta[:, factors.parameter[plain:]], factors.log_up, factors.log_down
    )
    values = np.concatenate([own, powers], axis=1)
    blocks = np.ones((len(theta), tables.nominal.shape[1] * len(tables.bins)))
    for layer in factors.layers:
        blocks[:, factors.block[layer]] *= values[:, layer]
    shape = (len(theta), tables.nominal.shape[1], len(tables.bins))
    return blocks.reshape(shape), np.concatenate([1 / own, power_slopes], axis=1)


def interpolated(
    alpha: Float[np.ndarray, "r k"],
    log_up: Float[np.ndarray, "q k"],
    log_down: Float[np.ndarray, "q k"],
) -> tuple[Float[np.ndarray, "r k"], Float[np.ndarray, "r k"]]:
    r"""Return the factors of `NormSys` and the derivatives of their logarithms.

    Exponential for :math:`|\alpha| \ge 1`; inside, the polynomial of sixth degree with
    the same value, slope and curvature at ±1 (CERN-OPEN-2012-016, ``code4`` of pyhf).
    """
    with np.errstate(over="ignore"):
        outside = np.where(alpha >= 0, log_up, -log_down)
        value, slope = np.exp(alpha * outside), outside
    up, down = np.exp(log_up), np.exp(log_down)
    first_up, first_down = up * log_up, -down * log_down
    second_up, second_down = first_up * log_up, -first_down * log_down
    odd = ((up - down) / 2, (first_up + first_down) / 2, (second_up - second_down) / 2)
    even = (
        (up + down) / 2 - 1,
        (first_up - first_down) / 2,
        (second_up + second_down) / 2,
    )
    coefficients = (
        (15 * odd[0] - 7 * odd[1] + odd[2]) / 8,
        (24 * even[0] - 9 * even[1] + even[2]) / 8,
        (-10 * odd[0] + 10 * odd[1] - 2 * odd[2]) / 8,
        (-24 * even[0] + 14 * even[1] - 2 * even[2]) / 8,
        (3 * odd[0] - 3 * odd[1] + odd[2]) / 8,
        (8 * even[0] - 5 * even[1] + even[2]) / 8,
    )
    inner = np.clip(alpha, -1, 1)
    polynomial, derivative = np.zeros_like(inner), np.zeros_like(inner)
    for power in range(6, 0, -1):
        derivative = derivative * inner + power * coefficients[power - 1]
        polynomial = (polynomial + coefficients[power - 1]) * inner
    polynomial += 1
    polynomial = np.where(np.abs(polynomial) < _ZERO, _ZERO, polynomial)
    inside = np.abs(alpha) < 1
    return (
        np.where(inside, polynomial, value),
        np.where(inside, derivative / polynomial, slope),
    )


def bend(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the even part of the shape interpolation, |α| beyond one (``code4p``)."""
    square = alpha * alpha
    inside = square * (15 + square * (3 * square - 10)) / 8
    return np.where(square < 1, inside, np.abs(alpha))


def _bend_slope(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    square = alpha * alpha
    inside = alpha * (30 + square * (18 * square - 40)) / 8
    return np.where(square < 1, inside, np.sign(alpha))
