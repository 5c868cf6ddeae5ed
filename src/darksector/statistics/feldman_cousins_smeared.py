"""Feldman-Cousins intervals of counting models, the nuisances averaged out.

References: J. Conrad et al., Phys. Rev. D 67 (2003) 012002, arXiv:hep-ex/0202013;
G. C. Hill, Phys. Rev. D 67 (2003) 118101, arXiv:physics/0302057.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.polynomial.chebyshev import chebpts1, chebvander
from scipy.special import gammaln, logsumexp

from darksector.errors import NotConverged
from darksector.statistics.feldman_cousins import (
    FeldmanCousinsInterval,
    feldman_cousins_interval,
)
from darksector.statistics.likelihood import CountingModel

_PULLS = 6.5  # nuisances are averaged over ± 6.5 σ
_STEP = 0.85  # of the integrand's width: the trapezoidal rule is exact to 1e-12
_SCOUTS = 60
_MARGIN = 5.0  # σ of the count around the range that matters
_FINE = 16  # grid points per Chebyshev point
_BISECTIONS = 40
_TINY = 1e-300
_LIKELIEST = 1e-9  # R this close to 1 is the maximum itself


def feldman_cousins(
    model: CountingModel, observed: Int[np.ndarray, " m"], *, confidence_level: float
) -> FeldmanCousinsInterval:
    r"""Unified intervals of a counting model, unit of its parameter, ``(m,)``.

    The parameter is a cross-section in fb where `model.signal` is events per fb.

    .. math:: q(n \mid \sigma) = \int \mathrm{d}\nu\, \pi(\nu)\,
              P(n \mid \sigma s_\nu + b_\nu), \quad
              R(n) = q(n \mid \sigma) / \max_{\sigma'} q(n \mid \sigma')

    Parameters
    ----------
    model
        The counting experiments.
    observed
        Observed events.
    confidence_level
        Least coverage of the intervals, averaged over the priors of the nuisances.

    Returns
    -------
    FeldmanCousinsInterval
        The intervals; masked where no signal is expected.

    Raises
    ------
    OutOfDomain
        If a count is negative, the shapes differ, or the level is not in (0, 1).
    NotConverged
        If no signal is large enough to exclude a window.

    Notes
    -----
    Nuisances take their log-normal priors (`CountingModel.spreads`) inside the Poisson
    probability (Conrad), also in the maximum that orders the counts (Hill): the
    average over the priors covers, not every value of the nuisances.

    Windows without any spread are `feldman_cousins_interval` exactly, with its
    lengthening over larger backgrounds.  Averaged windows have no lengthening: for
    counts below a hardly uncertain background, the upper end may be 0.3 events lower.

    A window takes 0.1 s; half a second for 100 events known to 30 %, minutes for
    10,000 known to 10 %.
    """
    known = feldman_cousins_interval(
        observed, model.background, confidence_level=confidence_level
    )
    spreads = model.spreads()
    ends = np.stack([known.lower, known.upper])
    columns = (model.background, spreads.background, spreads.slope, spreads.signal)
    smeared = (spreads.background > 0) | (spreads.signal > 0)
    for i in np.flatnonzero(smeared & (model.signal > 0)):
        window = _Window(*(float(column[i]) for column in columns))
        ends[:, i] = _interval(window, int(observed[i]), confidence_level)
    absent = ~(model.signal > 0)
    ends = ends / np.where(absent, 1.0, model.signal)
    lower, upper = (np.ma.MaskedArray(end, mask=absent) for end in ends)
    return FeldmanCousinsInterval(lower, upper, confidence_level)


@final
@dataclass(frozen=True)
class _Window:
    """One counting experiment: `Spreads` of one mass."""

    background: float
    spread: float
    slope: float
    residual: float

    def width(self, signal: float) -> float:
        """Return about one standard deviation of the count, events, at least one."""
        mean = self.background + signal
        common = self.spread * (self.background + self.slope * signal)
        return float(np.sqrt(1 + mean + common**2 + (self.residual * signal) ** 2))

    def log_probability(
        self, signal: Float[np.ndarray, " g"], count: Int[np.ndarray, " n"]
    ) -> Float[np.ndarray, "g n"]:
        """Return ln q, the nuisances averaged by the trapezoidal rule."""
        top = float(signal.max())
        poisson = np.sqrt(self.background + top + 1)
        common = self.spread * (self.background + self.slope * top)
        v, log_prior_v = _pulls(common / poisson)
        w, log_prior_w = _pulls(self.residual * top / poisson)
        background = self.background * np.exp(self.spread * v[:, None])
        gain = np.exp(self.slope * self.spread * v[:, None] + self.residual * w)
        log_prior = (log_prior_v[:, None] + log_prior_w).ravel()
        likely = log_prior > log_prior.max() - _PULLS**2 / 2
        result = np.empty((signal.size, count.size))
        for i, t in enumerate(signal):
            mean = np.maximum((background + t * gain).ravel()[likely], _TINY)
            exponent = np.outer(count, np.log(mean))
            exponent += log_prior[likely] - mean
            peak = exponent.max(axis=1)
            np.exp(exponent - peak[:, None], out=exponent)
            result[i] = peak + np.log(exponent.sum(axis=1))
        return result - gammaln(count + 1.0)

    def reach(self, n: int, drop: float) -> tuple[float, float]:
        """Return signals between which the likelihood of `n` stays within `drop`."""
        best = max(n - self.background, 0.0)
        scout = np.linspace(0, best, _SCOUTS)
        height = self.log_probability(scout, np.array([n]))[:, 0]
        step = self.width(best)
        for _ in range(_SCOUTS):
            high = best + step
            end = float(self.log_probability(np.array([high]), np.array([n]))[0, 0])
            if end < height.max() - drop:
                first = int(np.argmax(height > height.max() - drop))
                return float(scout[max(first - 1, 0)]), high
            step *= 1.3
        msg = (
            f"{n} events over {self.background} exclude no signal up to {high}; the "
            "systematics are too large for a limit."
        )
        raise NotConverged(msg)


@final
@dataclass(frozen=True)
class _Belt:
    """Probabilities of counts over a range of signals, as Chebyshev series.

    Each is a count's likelihood over its largest tabulated value: analytic, so that few
    points carry it to rounding, and nearly R itself.
    """

    low: float
    high: float
    series: Float[np.ndarray, "g n"]
    weight: Float[np.ndarray, " n"]  # of the series in the probability
    best: Float[np.ndarray, " n"]  # largest value of each series
    observed: int  # column of the observed count

    @classmethod
    def of(cls, window: _Window, n: int, drop: float) -> _Belt:
        """Tabulate the counts that can be preferred to `n`."""
        low, high = window.reach(n, drop)
        margin = _MARGIN * window.width(high)  # where these counts are likeliest
        low, high = max(low - margin, 0.0), high + margin
        sharpest = np.exp(-2 * (window.residual + window.slope * window.spread))
        wanted = 5 * (high - low) / (window.width(low) * sharpest)
        points = chebpts1(32 + int(wanted))
        bottom = window.background * np.exp(-_MARGIN * window.spread) + low
        top = window.background + high + _MARGIN * window.width(high)
        first = max(min(int(bottom - _MARGIN * np.sqrt(bottom)), n), 0)
        count = np.arange(first, max(int(top), n) + 2)
        signal = low + (high - low) * (points + 1) / 2
        log_q = window.log_probability(signal, count)
        scale = log_q.max(axis=0)
        vander = chebvander(points, points.size - 1)
        series = vander.T @ np.exp(log_q - scale) * (2 / points.size)
        series[0] /= 2
        belt = cls(low, high, series, np.exp(scale), np.ones(count.size), n - first)
        return replace(belt, best=belt.largest())

    def values(self, signal: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k n"]:
        """Return the series at some signals."""
        x = 2 * (signal - self.low) / (self.high - self.low) - 1
        return np.maximum(chebvander(x, len(self.series) - 1) @ self.series, 0.0)

    def grid(self) -> Float[np.ndarray, " k"]:
        """Return signals, many per width of any likelihood."""
        return np.linspace(self.low, self.high, _FINE * len(self.series))

    def largest(self) -> Float[np.ndarray, " n"]:
        """Return the maxima of the series, from parabolas through the grid's."""
        values = self.values(self.grid())
        top = np.argmax(values, axis=0)[None]
        inner = np.clip(top, 1, len(values) - 2)
        left, middle, right = (
            np.take_along_axis(values, inner + i, axis=0)[0] for i in (-1, 0, 1)
        )
        bend = np.maximum(2 * middle - left - right, _TINY)
        edge = top[0] != inner[0]
        peak = np.where(edge, 0.0, (right - left) ** 2 / (8 * bend))
        return np.max(values, axis=0) + peak

    def accepts(
        self, signal: Float[np.ndarray, " k"], confidence_level: float
    ) -> Bool[np.ndarray, " k"]:
        """Tell whether the observed count is in the acceptance region."""
        values = self.values(signal)
        ratio = values / self.best
        own = ratio[:, self.observed, None]
        preferred = np.sum(values * self.weight, axis=1, where=ratio > own)
        return (preferred < confidence_level) | (own[:, 0] > 1 - _LIKELIEST)


def _interval(window: _Window, n: int, confidence_level: float) -> tuple[float, float]:
    """Return the outermost accepted signals, events."""
    belt = _Belt.of(window, n, float(np.log(20 / (1 - confidence_level))))
    grid = belt.grid()
    inside = np.flatnonzero(belt.accepts(grid, confidence_level))
    ends = []
    for edge, outward in ((inside[0], -1), (inside[-1], 1)):
        accepted, rejected = grid[edge], grid[np.clip(edge + outward, 0, grid.size - 1)]
        for _ in range(_BISECTIONS):
            middle = (accepted + rejected) / 2
            inward = belt.accepts(np.array([middle]), confidence_level)[0]
            accepted, rejected = (middle, rejected) if inward else (accepted, middle)
        ends.append(float(accepted))
    return ends[0], ends[1]


def _pulls(
    contrast: float,
) -> tuple[Float[np.ndarray, " j"], Float[np.ndarray, " j"]]:
    """Return pulls and their log-prior; `contrast`: yield spread over Poisson's."""
    if contrast == 0:
        return np.zeros(1), np.zeros(1)
    step = _STEP / np.sqrt(1 + contrast**2)
    number = int(np.ceil(_PULLS / step))
    pulls = step * np.arange(-number, number + 1)
    return pulls, -(pulls**2) / 2 - logsumexp(-(pulls**2) / 2)
