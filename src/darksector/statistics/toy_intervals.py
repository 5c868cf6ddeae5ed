"""Unified (Feldman-Cousins) intervals of binned models from toy experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray
from scipy.special import ndtri

from darksector.statistics.experiments import (
    LOST,
    Experiments,
    Hypothesis,
    Progress,
    physical,
    t_mu,
    tail,
    throw,
)
from darksector.statistics.fit import OK, Fit, fit
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.profile import fit_at, tangent
from darksector.statistics.significance import check_level

NO_END = "the scan of three asymptotic half-widths does not contain its end"

LOWER, UPPER = 0, 1

_COARSE = 10  # steps of the first scan, from the best value to three half-widths
_FINE = 13  # values of the second, over two of those steps around the change


@final
@dataclass(frozen=True)
class UnifiedIntervals:
    """Intervals of the parameter of interest and their errors, its unit.

    Parameters
    ----------
    lower, upper
        Ends, shape ``(n,)``, masked where there is none; zero where zero is accepted.
    lower_error, upper_error
        From the number of toys and the step of the scan, shape ``(n,)``.
    status
        `OK` or why an interval is absent, shape ``(n,)``.
    """

    lower: np.ma.MaskedArray
    upper: np.ma.MaskedArray
    lower_error: np.ma.MaskedArray
    upper_error: np.ma.MaskedArray
    status: Shaped[np.ndarray, " n"]


def unified_intervals(
    likelihood: ModelLikelihood,
    *,
    confidence_level: float,
    toys: int,
    seed: int,
    progress: Progress | None = None,
) -> UnifiedIntervals:
    r"""Return the values that their own toys do not reject, unit of the parameter.

    .. math:: P(\tilde t_\mu \ge \tilde t_{\mu,obs} \mid \mu, \hat{\hat\theta}(\mu))
              > 1 - CL

    Parameters
    ----------
    likelihood
        The data sets.
    confidence_level
        Of the intervals, between 0 and 1.
    toys, seed, progress
        As of `Experiments`; toys are per tested signal.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1) or a number of `Experiments` is too small.

    Notes
    -----
    Feldman and Cousins, Phys. Rev. D 57 (1998) 3873; nuisances as the data prefer them
    for each μ, the "profile construction" (PDG, Review of Particle Physics, chapter
    Statistics).  A first scan goes from the best value in steps of 0.3 half-widths of the asymptotic interval,
    a second one in steps of 0.05 around the outermost change.  Counts make p-values jump
    and halt as μ changes: the error is the way that an end goes when all of them move by
    their binomial error, and the step over √12.
    """
    run = Experiments(toys, seed, progress)
    check_level(confidence_level)
    data = physical(likelihood)
    free = fit(data)
    _, error = tangent(data, free)
    reach = -ndtri((1 - confidence_level) / 2) * error
    ends, errors = np.full((2, data.size), np.nan), np.full((2, data.size), np.nan)
    for row in np.flatnonzero(free.converged & np.isfinite(reach)):
        test = _Test(data, free, int(row), 1 - confidence_level, run)
        for side in (LOWER, UPPER):
            ends[side, row], errors[side, row] = test.end(float(reach[row]), side)
    absent = np.isnan(ends).any(axis=0)
    status = np.where((free.status == OK) & absent, NO_END, free.status)
    value = np.ma.array(ends, mask=[absent, absent])
    error = np.ma.array(errors, mask=[absent, absent])
    return UnifiedIntervals(value[0], value[1], error[0], error[1], status)


@final
@dataclass(frozen=True)
class _Test:
    """The test of one row by toys."""

    data: ModelLikelihood
    free: Fit
    row: int
    alpha: float
    run: Experiments

    def excess(self, mu: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much the p-values of signals exceed 1 - CL, shape ``(k,)``."""
        index = np.full(mu.size, self.row)
        start = self.free.theta[index]
        at = fit_at(self.data, mu, start=start, rows=index)
        tested = [
            Hypothesis(self.row, theta, mu[k : k + 1], "interval")
            for k, theta in enumerate(at.theta)
        ]
        thrown = np.array(throw(self.data, tested, t_mu, self.run))[:, 0]
        usable = np.isfinite(thrown).mean(axis=1) >= 1 - LOST
        observed = 2 * np.maximum(at.nll - self.free.nll[self.row], 0.0)
        value, _ = tail(thrown, observed)
        return np.where(at.converged & usable, value - self.alpha, np.nan)

    def end(self, reach: float, side: int) -> tuple[float, float]:
        """Return an end and its error, NaN where it is not within the scan."""
        best = float(self.free.theta[self.row, self.data.poi])
        if side == UPPER:
            farthest = best + 3 * reach
        elif best == 0 or self.excess(np.zeros(1))[0] > 0:
            return 0.0, 0.0
        else:
            farthest = max(best - 3 * reach, 0.0)
        mu = np.linspace(best, farthest, _COARSE + 1)
        last = _last(self._from_best(mu))
        if last < 0 or last == _COARSE:
            return np.nan, np.nan
        step = mu[1] - mu[0]
        fine = np.linspace(mu[last] - step / 2, mu[last + 1] + step / 2, _FINE)
        fine = np.clip(fine, min(best, farthest), max(best, farthest))
        return self._interpolated(np.append(best, fine))

    def _from_best(self, mu: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return `excess` of values of which the first is the best, accepted always."""
        return np.append(1 - self.alpha, self.excess(mu[1:]))

    def _interpolated(self, mu: NDArray[np.float64]) -> tuple[float, float]:
        """Return the end, and by how much it moves with the binomial error."""
        excess = self._from_best(mu)
        if np.isnan(excess).any():
            return np.nan, np.nan
        error = np.sqrt(self.alpha * (1 - self.alpha) / self.run.toys)
        inner, end, outer = (_crossing(mu, excess + d) for d in (-error, 0.0, error))
        moved = max(abs(inner - end), abs(outer - end))
        step = abs(mu[-1] - mu[-2])
        return end, float(np.hypot(moved, step / np.sqrt(12)))


def _last(excess: NDArray[np.float64]) -> int:
    """Return the index of the last accepted value, -1 where a fit is missing."""
    return -1 if np.isnan(excess).any() else int(np.flatnonzero(excess > 0)[-1])


def _crossing(mu: NDArray[np.float64], excess: NDArray[np.float64]) -> float:
    """Return where the excess vanishes for the last time, at most the last value."""
    last = _last(excess)
    if last == mu.size - 1:
        return float(mu[-1])
    share = excess[last] / (excess[last] - excess[last + 1])
    return float(mu[last] + share * (mu[last + 1] - mu[last]))
