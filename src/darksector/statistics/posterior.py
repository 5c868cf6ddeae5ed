"""Where the posterior of a parameter of interest lives, found along its profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray

from darksector.statistics.asymptotic import INSENSITIVE
from darksector.statistics.fit import OK, Fit, fit
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.profile import fit_at, tangent
from darksector.statistics.proposal import propose

IMPROPER = "the posterior does not fall off with the parameter of interest"

_DROP = 20.0  # the posterior is followed down to about e^-20 = 2e-9 of its peak
_ENOUGH = (18.0, 27.0)  # drops at which the search ends
_FIRST = 6.0  # standard deviations: where a normal posterior has fallen by 18
_STEPS = 60
_FARTHEST = 4.0  # times farther in one step


@final
@dataclass(frozen=True)
class Support:
    """Range of each posterior with the minima at its ends and its best point.

    Parameters
    ----------
    poi
        Low end, best point and high end, unit of the parameter, ``(3, n)``.
    theta
        Minima there, ``(3, n, p)``.
    status
        `OK` or why a row has no range, ``(n,)``.
    """

    poi: NDArray[np.float64]
    theta: NDArray[np.float64]
    status: Shaped[np.ndarray, "*n"]

    def between(
        self, poi: Float[np.ndarray, "r m"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "r m p"]:
        """Return starting points of fits, linear between the known minima."""
        low, best, high = self.poi[:, rows, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            up = np.nan_to_num(np.clip((poi - best) / (high - best), 0, 1))
            down = np.nan_to_num(np.clip((best - poi) / (best - low), 0, 1))
        start, middle, end = self.theta[:, rows, None, :]
        up, down = up[:, :, None], down[:, :, None]
        return middle + up * (end - middle) + down * (start - middle)


def support(likelihood: ModelLikelihood) -> Support:
    """Return where each posterior exceeds e^-18 of its peak, at positive signals.

    Notes
    -----
    Laplace's approximation of the posterior decides; the search widens or narrows a
    bracket until the drop from the best point is between 18 and 27.
    """
    best, status = _best(likelihood)
    centre = best.theta[:, likelihood.poi]
    _, error = tangent(likelihood, best)
    status = np.where((status == OK) & ~np.isfinite(error), INSENSITIVE, status)
    poi, theta = np.stack([centre] * 3), np.stack([best.theta] * 3)
    rows = np.flatnonzero(status == OK)
    floor, ceiling = _range(likelihood)
    for end, sign, limit in ((0, -1.0, floor), (2, 1.0, ceiling)):
        farthest = np.abs(limit - centre[rows])
        search = _Search(likelihood, best.theta[rows], rows, sign, farthest)
        found, there = search.run(_FIRST * error[rows])
        poi[end, rows], theta[end, rows] = centre[rows] + sign * found, there
    status = np.where((status == OK) & ~np.isfinite(poi).all(axis=0), IMPROPER, status)
    return Support(poi, theta, status)


def _range(likelihood: ModelLikelihood) -> tuple[float, float]:
    poi = likelihood.poi
    return max(float(likelihood.lower[poi]), 0.0), float(likelihood.upper[poi])


def _best(likelihood: ModelLikelihood) -> tuple[Fit, np.ndarray]:
    """Return the fit of each row with a signal that is not negative."""
    floor, _ = _range(likelihood)
    shape = (likelihood.size, len(likelihood.names))
    start = np.broadcast_to(likelihood.start, shape)
    null = fit_at(likelihood, np.full(likelihood.size, floor), start=start)
    free = fit(likelihood, start=null.theta)
    signal = free.converged & (free.theta[:, likelihood.poi] > floor)
    best = Fit(
        np.where(signal[:, None], free.theta, null.theta),
        np.where(signal, free.nll, null.nll),
        np.where(signal[:, None, None], free.information, null.information),
        np.where(signal, free.status, null.status),
    )
    return best, best.status


@final
@dataclass(frozen=True)
class _Search:
    """One end of the range of each row.

    `centre` holds the best points, `farthest` how far the prior reaches from them.
    """

    likelihood: ModelLikelihood
    centre: NDArray[np.float64]
    rows: NDArray[np.int64]
    sign: float
    farthest: NDArray[np.float64]

    def run(
        self, first: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the distances, infinite where not found, and the minima there."""
        distance = np.minimum(first, self.farthest)
        near, far = np.zeros_like(distance), np.full_like(distance, np.inf)
        scale, centre = np.ones_like(distance), self.centre
        theta = centre.copy()
        live = np.arange(distance.size)
        top, _ = self._height(np.zeros_like(distance), centre, live)
        live = live[distance > 0]
        for _ in range(_STEPS):
            if live.size == 0:
                break
            d = distance[live]
            start = centre[live] + (d / scale[live])[:, None] * (
                theta[live] - centre[live]
            )
            height, theta[live] = self._height(d, start, live)
            scale[live] = d
            drop = np.nan_to_num(top[live] - height, nan=np.inf)
            short, long = drop < _ENOUGH[0], drop > _ENOUGH[1]
            near[live], far[live] = (
                np.where(short, d, near[live]),
                np.where(long, d, far[live]),
            )
            aim = _aim(d, drop, near[live], far[live])
            distance[live] = np.minimum(aim, self.farthest[live])
            distance[live] = np.where(short | long, distance[live], d)
            live = live[(short & (d < self.farthest[live])) | long]
        distance[live] = np.inf
        return distance, theta

    def _height(
        self,
        distance: NDArray[np.float64],
        start: NDArray[np.float64],
        live: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return Laplace's log-posterior and the minima at some distances."""
        rows = self.rows[live]
        poi = self.centre[live, self.likelihood.poi] + self.sign * distance
        at = fit_at(self.likelihood, poi, start=start, rows=rows)
        volume = propose(self.likelihood, at, rows).log_laplace
        return volume - at.nll, at.theta


def _aim(
    distance: NDArray[np.float64],
    drop: NDArray[np.float64],
    near: NDArray[np.float64],
    far: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return where a parabola has fallen enough, if within the bracket, or its middle."""
    factor = np.sqrt(_DROP / np.maximum(drop, 1e-3))
    aim = distance * np.clip(factor, 1 / _FARTHEST, _FARTHEST)
    middle = np.sqrt(np.maximum(near, distance / _FARTHEST) * far)
    return np.where(((aim > near) & (aim < far)) | np.isinf(far), aim, middle)
