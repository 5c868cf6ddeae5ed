"""Asymmetric errors: where the profile likelihood has risen by a given amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray

from darksector.errors import OutOfDomain, UnknownName
from darksector.statistics.fit import OK, STATUS, Fit, Likelihood, fit
from darksector.statistics.hessian import bounds, covariance, hessian, moving, solve
from darksector.statistics.profile import ProfileLikelihood, discovery
from darksector.statistics.roots import crossings

AT_BOUND = "the interval ends at a bound of the parameter"
NO_END = "the likelihood does not rise to the end of the interval"


@final
@dataclass(frozen=True)
class Interval:
    """Values of one parameter that the data allow, its unit.

    Parameters
    ----------
    low, high
        Ends, shape ``(n,)``, masked where there is none.
    status_low, status_high
        `OK`, `AT_BOUND` (the end is the bound) or why there is none, ``(n,)``.
    """

    low: np.ma.MaskedArray
    high: np.ma.MaskedArray
    status_low: Shaped[np.ndarray, "*n"]
    status_high: Shaped[np.ndarray, "*n"]


@final
@dataclass(frozen=True)
class SignalStrength:
    """The fitted parameter of interest and its errors, its unit, shapes ``(n,)``.

    Parameters
    ----------
    value
        Where the likelihood is largest.
    error_up, error_down
        Distances to the ends of the interval where it has fallen by `z` squared over
        two, >= 0, masked where there is none.
    error
        Standard error from the observed Hessian, masked at a bound.
    status
        `OK` or why a row has no fit.
    interval
        The ends and their statuses.
    fit
        The parameters at the maximum.
    """

    value: np.ma.MaskedArray
    error_up: np.ma.MaskedArray
    error_down: np.ma.MaskedArray
    error: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]
    interval: Interval
    fit: Fit


def signal_strength(likelihood: ProfileLikelihood, *, z: float = 1.0) -> SignalStrength:
    """Fit the parameter of interest with its errors, its unit.

    Parameters
    ----------
    likelihood
        Its bounds decide whether a deficit may be fitted.
    z
        Number of standard errors, > 0; `error` is always one.

    Raises
    ------
    OutOfDomain
        If `z` is not a positive number.
    """
    best = discovery(likelihood).free
    poi = likelihood.poi
    interval = likelihood_interval(likelihood, best, likelihood.names[poi], z=z)
    value = np.ma.masked_array(best.theta[:, poi], ~best.converged)
    error = covariance(likelihood, best).errors[:, poi]
    up, down = interval.high - value, value - interval.low
    return SignalStrength(value, up, down, error, best.status, interval, best)


def likelihood_interval(
    likelihood: Likelihood, best: Fit, parameter: str, *, z: float = 1.0
) -> Interval:
    r"""Interval of one parameter from the profile likelihood ratio, its unit.

    .. math:: 2 [\min_\theta (-\ln L)(\theta_i, \theta) - (-\ln L)(\hat\theta)] = z^2

    Parameters
    ----------
    likelihood, best
        What was fitted, and its minima in the order of the rows.
    parameter
        Name of the parameter.
    z
        Number of standard errors, > 0.

    Raises
    ------
    UnknownName
        If the likelihood has no such parameter.
    OutOfDomain
        If `z` is not a positive number.

    Notes
    -----
    Known as MINOS (F. James, M. Roos, Comput. Phys. Commun. 10 (1975) 343).  All ends
    of all rows are searched together.
    """
    if parameter not in likelihood.names:
        what = "parameter"
        raise UnknownName(what, parameter, likelihood.names)
    if not 0 < z < np.inf:
        msg = f"z must be a number > 0, got {z}; 1 is one standard error."
        raise OutOfDomain(msg)
    rise = _Rise.of(likelihood, best, likelihood.names.index(parameter), z)
    low, status_low = rise.end(-1.0)
    high, status_high = rise.end(1.0)
    return Interval(low, high, status_low, status_high)


@final
@dataclass(frozen=True)
class _Rise:
    """The profile of one parameter: how far it is above the minimum less z²."""

    likelihood: Likelihood
    best: Fit
    index: int
    z: float
    scale: NDArray[np.float64]
    slope: NDArray[np.float64]

    @classmethod
    def of(cls, likelihood: Likelihood, best: Fit, index: int, z: float) -> _Rise:
        """Return the profile with its first guess: a parabola in the standard error."""
        matrix = hessian(likelihood, best.theta)
        here = np.arange(len(likelihood.names)) == index
        column = np.where(here, 0.0, matrix[:, :, index])
        slope = -solve(matrix, column, moving(likelihood, best.theta) & ~here)
        slope[:, index] = 1.0
        curvature = np.einsum("np,npk,nk->n", slope, matrix, slope)
        score = np.abs(
            likelihood.evaluate(best.theta, np.arange(likelihood.size)).score
        )
        # at a bound the likelihood rises as a line as well
        steep = np.maximum(curvature, 0.0) + score[:, index] ** 2
        size = 1 + np.abs(best.theta[:, index])
        scale = np.where(steep > 0, 1 / np.sqrt(np.where(steep > 0, steep, 1.0)), size)
        return cls(likelihood, best, index, z, scale, slope)

    def at(
        self,
        distance: NDArray[np.float64],
        side: NDArray[np.float64],
        rows: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return twice the rise less z² at a distance in units of the scale."""
        move = (side * distance * self.scale[rows])[:, None]
        start = self.best.theta[rows] + move * self.slope[rows]
        held = np.arange(start.shape[1]) == self.index
        found = fit(self.likelihood, start=start, fixed=held, rows=rows)
        rise = 2 * (found.nll - self.best.nll[rows]) - self.z**2
        return np.where(found.converged, rise, np.nan)

    def end(self, side: float) -> tuple[np.ma.MaskedArray, Shaped[np.ndarray, "*n"]]:
        """Return one end of the interval of each row and its status."""
        value = self.best.theta[:, self.index]
        every = np.arange(value.size)
        low, high = (edge[:, self.index] for edge in bounds(self.likelihood, every))
        bound = high if side > 0 else low
        room = np.maximum(side * (bound - value) / self.scale, 0.0)
        result = np.full(value.size, np.nan)
        status = self.best.status.astype(STATUS)
        close = np.flatnonzero(self.best.converged & np.isfinite(room))
        flat = close[self.at(room[close], np.full(close.size, side), close) <= 0]
        result[flat], status[flat] = bound[flat], AT_BOUND
        rest = np.setdiff1d(np.flatnonzero(self.best.converged), flat)
        if rest.size:
            distance = self._distance(rest, room[rest], side)
            result[rest] = value[rest] + side * distance * self.scale[rest]
            status[rest] = np.where(np.isfinite(distance), OK, NO_END)
        return np.ma.masked_invalid(result), status

    def _distance(
        self, rows: NDArray[np.int64], room: NDArray[np.float64], side: float
    ) -> NDArray[np.float64]:
        guess = np.minimum(self.z, room / 2)
        args = (np.full(rows.size, side), rows)
        return crossings(self.at, guess, args, highest=room).value
