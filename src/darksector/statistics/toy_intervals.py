"""Unified (Feldman-Cousins) intervals of binned models from toy experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
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
from darksector.statistics.toy_tests import check_level

NO_END = "the scan of three asymptotic half-widths does not contain its end"

LOWER, UPPER = 0, 1

_SCAN = np.linspace(0.3, 3.0, 10)  # from the best value, in asymptotic half-widths
_HALVINGS = 5  # of the step of the scan


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
    status: NDArray[np.str_]


def unified_intervals(
    likelihood: ModelLikelihood,
    *,
    confidence_level: float,
    toys: int,
    seed: int,
    workers: int = 1,
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
    toys, seed, workers, progress
        As of `Experiments`; toys are per tested signal.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1) or a number of `Experiments` is too small.

    Notes
    -----
    Feldman and Cousins, Phys. Rev. D 57 (1998) 3873; nuisances as the data prefer them
    for each μ, the "profile construction" (PDG, Review of
    Particle Physics, chapter Statistics).  The
    scan goes from the best value in steps of 0.3 half-widths of the asymptotic interval,
    the outermost change counts, and its step is halved five times there.  Counts make the accepted region jump with
    μ, so that an end may lie at a jump.
    """
    run = Experiments(toys, seed, workers, progress)
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
            mu = best + reach * _SCAN
        elif best == 0 or self.excess(np.zeros(1))[0] > 0:
            return 0.0, 0.0
        else:
            mu = best - np.minimum(reach, best / _SCAN[-1]) * _SCAN
        excess = self.excess(mu)
        accepted = np.append(0, np.flatnonzero(excess > 0) + 1)
        last = int(accepted[-1])  # of the scan that begins with the best value
        mu, excess = np.append(best, mu), np.append(1 - self.alpha, excess)
        if last == mu.size - 1 or np.isnan(excess).any():
            return np.nan, np.nan
        return self._refined(mu[last : last + 2], excess[last : last + 2])

    def _refined(
        self, mu: NDArray[np.float64], excess: NDArray[np.float64]
    ) -> tuple[float, float]:
        """Halve the step between an accepted and a rejected value."""
        slope = abs(float((excess[1] - excess[0]) / (mu[1] - mu[0])))
        for _ in range(_HALVINGS):
            middle = mu.mean(keepdims=True)
            there = self.excess(middle)
            side = 0 if there[0] > 0 else 1
            mu[side], excess[side] = middle[0], there[0]
        end = mu[0] + (mu[1] - mu[0]) * excess[0] / (excess[0] - excess[1])
        spread = np.sqrt(self.alpha * (1 - self.alpha) / self.run.toys)
        return float(end), float(np.hypot(spread / slope, mu[1] - mu[0]))
