"""Adaptive importance sampling in several channels, and how sure an integral is.

Every channel integrates its own part of the integrand over the unit hypercube, on a
separable grid of its own (G. P. Lepage, J. Comput. Phys. 27 (1978) 192).  A grid never
gives a slice of a variable less than a tenth of its width in points: adaptation that has
seen only a part of the peaks cannot switch off the rest, it only converges slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

BINS = 64
_DEFENSIVE = 0.1  # share of the points that a grid spreads evenly over each variable
_DAMPING = 0.7  # of grid refinement (Lepage's alpha)
_LEAST_SHARE = 0.05  # of an equal share: no channel is ever given up
_OVERFLOW = 1e-5  # of the integral may lie above the maximum weight


@final
@dataclass(frozen=True)
class Sampler:
    """Where to put points: shares of the channels and a grid in each.

    Parameters
    ----------
    shares
        Probability of each channel, ``(channels,)``.
    edges
        Bin edges of each variable, ``(channels, variables, bins + 1)``, from 0 to 1.
    """

    shares: Numbers
    edges: Numbers

    @property
    def channels(self) -> int:
        """Number of channels."""
        return len(self.shares)

    def choose(self, u: Numbers) -> NDArray[np.uint8]:
        """Return the channel for each uniform number."""
        cumulated = np.cumsum(self.shares)[:-1]
        return np.searchsorted(cumulated, u, side="right").astype(np.uint8)

    def for_unweighting(self, highest: Numbers) -> Sampler:
        """Return the sampler whose weights have one maximum: shares ∝ `maxima`."""
        return Sampler(highest / highest.sum(), self.edges)


class Point(NamedTuple):
    """A batch of evaluated points: those that have a weight, and how many there were."""

    channel: NDArray[np.uint8]
    u: Numbers
    weight: Numbers  # integrand over density: its mean over all points is the integral
    trials: NDArray[np.int64]  # points in each channel, with and without a weight


def flat(channels: int, variables: int) -> Sampler:
    """Return the sampler before any adaptation."""
    edges = np.broadcast_to(
        np.linspace(0.0, 1.0, BINS + 1), (channels, variables, BINS + 1)
    )
    return Sampler(np.full(channels, 1 / channels), edges.copy())


def joined(parts: Sequence[Point]) -> Point:
    """Return several batches of points as one."""
    return Point(
        np.concatenate([part.channel for part in parts]),
        np.concatenate([part.u for part in parts]),
        np.concatenate([part.weight for part in parts]),
        np.sum([part.trials for part in parts], axis=0),
    )


def refined(sampler: Sampler, points: Point) -> Sampler:
    """Return the sampler adapted to evaluated points.

    Bins follow the second moment of the weights, shares the standard deviation of each
    channel.
    """
    edges, spread = sampler.edges.copy(), np.zeros(sampler.channels)
    for channel in range(sampler.channels):
        mine = points.channel == channel
        # the contribution of this channel alone, as if it had all points
        square = (points.weight[mine] * sampler.shares[channel]) ** 2
        spread[channel] = sqrt(square.sum() / max(points.trials[channel], 1))
        if square.any():
            for variable in range(edges.shape[1]):
                column = points.u[mine, variable]
                edges[channel, variable] = _refine(
                    edges[channel, variable], column, square
                )
    return Sampler(_shares(spread), edges)


def maxima(sampler: Sampler, points: Point) -> Numbers:
    """Return the maximum weight of each channel times its share, ``(channels,)``.

    Above them lies 1e-5 of the integral, as far as the points, drawn by this sampler,
    tell.
    """
    highest = np.zeros(sampler.channels)
    allowed = _OVERFLOW * points.weight.sum() / points.trials.sum() / sampler.channels
    for channel in range(sampler.channels):
        weight = points.weight[points.channel == channel] * sampler.shares[channel]
        highest[channel] = _maximum(weight, int(points.trials[channel]), allowed)
    return np.maximum(highest, 1e-3 * highest.max() / len(highest))


class Estimate(NamedTuple):
    """What is known of an integral."""

    value: float
    error: float
    error_of_error: float  # relative
    chi2: float  # per degree of freedom, between batches
    points: int
    effective: float  # (Σw)²/Σw²


@final
@dataclass(frozen=True)
class Sums:
    """Sums of powers of the weights of one batch of points."""

    points: int
    first: float
    second: float
    third: float
    fourth: float

    @classmethod
    def of(cls, weight: Numbers, points: int) -> Sums:
        """Return the moments; points without a weight count as zeros."""
        return cls(points, *(float((weight**power).sum()) for power in (1, 2, 3, 4)))


def estimate(batches: Iterable[Sums]) -> Estimate:
    """Return the integral from batches of equal sampling."""
    batches = list(batches)
    points = sum(b.points for b in batches)
    first, second = sum(b.first for b in batches), sum(b.second for b in batches)
    third, fourth = sum(b.third for b in batches), sum(b.fourth for b in batches)
    if first == 0:
        return Estimate(0.0, 0.0, 0.0, 0.0, points, 0.0)
    value = first / points
    variance = max(second / points - value**2, 0.0)
    error = sqrt(variance / points)
    # variance of the variance: (μ4 - σ⁴)/n with the central fourth moment
    central = fourth - 4 * value * third + 6 * value**2 * second - 3 * value**3 * first
    doubt = sqrt(max(central / points - variance**2, 0.0) / points) / 2
    pulls = [
        (b.first / b.points - value) / sqrt(variance / b.points)
        for b in batches
        if variance > 0
    ]
    chi2 = sum(p**2 for p in pulls) / max(len(batches) - 1, 1)
    return Estimate(
        value,
        error,
        doubt / variance if variance > 0 else 0.0,
        chi2,
        points,
        first**2 / second,
    )


def _refine(edges: Numbers, u: Numbers, square: Numbers) -> Numbers:
    """Return bin edges that share out the smoothed and damped importance equally."""
    index = np.minimum((u * BINS).astype(int), BINS - 1)
    importance = np.bincount(index, weights=square, minlength=BINS)
    padded = np.concatenate([importance[:1], importance, importance[-1:]])
    smooth = (padded[:-2] + 6 * padded[1:-1] + padded[2:]) / 8
    share = np.clip(smooth / smooth.sum(), 1e-30, 1 - 1e-12)
    damped = ((1 - share) / -np.log(share)) ** _DAMPING
    # density in the variable: at least _DEFENSIVE of a flat one
    mass = (1 - _DEFENSIVE) * damped / damped.sum() + _DEFENSIVE * np.diff(edges)
    cumulated = np.concatenate([[0.0], np.cumsum(mass / mass.sum())])
    cumulated[-1] = 1.0
    new = np.interp(np.linspace(0.0, 1.0, BINS + 1), cumulated, edges)
    new[0], new[-1] = 0.0, 1.0
    return new


def _shares(spread: Numbers) -> Numbers:
    floor = _LEAST_SHARE * spread.mean()
    return np.maximum(spread, floor) / np.maximum(spread, floor).sum()


def _maximum(weight: Numbers, trials: int, allowed: float) -> float:
    """Return the smallest maximum with a mean excess of at most `allowed`."""
    if not len(weight):
        return 0.0
    falling = np.sort(weight)[::-1]
    count = np.arange(1, len(falling) + 1)
    excess = (np.cumsum(falling) - count * falling) / trials
    last = int(np.searchsorted(excess, allowed, side="right")) - 1
    return float(falling[max(last, 0)])
