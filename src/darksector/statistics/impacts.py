"""How nuisance parameters are pulled and constrained, and what they do to the signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray

from darksector.statistics.fit import OK, Fit, fit
from darksector.statistics.hessian import covariance
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.profile import discovery
from darksector.statistics.settings import FREE, GAUSSIAN, LOG_NORMAL, POISSON


@final
@dataclass(frozen=True)
class Impact:
    """One row of the table of impacts; None where there is no such number.

    Parameters
    ----------
    name
        The nuisance parameter.
    pull, constraint
        As of `Impacts`, no unit.
    up, down, prior_up, prior_down
        Changes of the parameter of interest, its unit.
    """

    name: str
    pull: float | None
    constraint: float | None
    up: float | None
    down: float | None
    prior_up: float | None
    prior_down: float | None


@final
@dataclass(frozen=True)
class Impacts:
    r"""Pulls, constraints and impacts of all parameters, shapes ``(n, p)``.

    Parameters
    ----------
    names
        The parameters.
    pull
        :math:`(\hat\theta - a)/\sigma_a`, masked without a constraint.
    constraint
        Standard error after the fit over that of the constraint, masked likewise.
    up, down
        Change of the parameter of interest, its unit, if the parameter is held one
        standard error after the fit above or below its fitted value; masked for the
        parameter of interest itself, constants and parameters at a bound.
    prior_up, prior_down
        The same with the width of the constraint, masked without one.
    status
        `OK` or why a row has no result, shape ``(n,)``.
    """

    names: tuple[str, ...]
    pull: np.ma.MaskedArray
    constraint: np.ma.MaskedArray
    up: np.ma.MaskedArray
    down: np.ma.MaskedArray
    prior_up: np.ma.MaskedArray
    prior_down: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]

    def ranked(self, row: int = 0) -> tuple[Impact, ...]:
        """Return the nuisances of one row, the largest impact first.

        Parameters without an impact after the fit are left out.
        """
        size = np.ma.maximum(np.ma.abs(self.up[row]), np.ma.abs(self.down[row]))
        order = np.argsort(-size.filled(-1.0), kind="stable")
        known = ~np.ma.getmaskarray(size)
        return tuple(
            Impact(
                self.names[i],
                *(
                    None if np.ma.is_masked(column[row, i]) else float(column[row, i])
                    for column in (self.pull, self.constraint, self.up, self.down,
                                   self.prior_up, self.prior_down)
                ),
            )
            for i in order
            if known[i]
        )  # fmt: skip


def impacts(likelihood: ModelLikelihood) -> Impacts:
    r"""Refit with each nuisance displaced and see what becomes of the signal.

    .. math:: \Delta\mu_i^\pm = \hat\mu(\theta_i = \hat\theta_i \pm \sigma_i) - \hat\mu

    Parameters
    ----------
    likelihood
        Of a model; its bounds decide whether a deficit may be fitted.

    Notes
    -----
    A displacement that leaves the bounds of the nuisance ends there.  All refits of all
    rows are one batch.  For a normal likelihood the impact is
    :math:`\mathrm{cov}(\mu, \theta_i)/\sigma_i`.
    """
    best = discovery(likelihood).free
    after = covariance(likelihood, best)
    errors, width = after.errors, prior_width(likelihood)
    width = np.ma.masked_array(width.filled(1.0), width.mask | ~after.moves)
    centre = likelihood.centres
    bad = np.broadcast_to((after.status != OK)[:, None], errors.shape)
    nuisance = np.arange(errors.shape[1]) != likelihood.poi
    mask = np.ma.getmaskarray(errors) | ~nuisance
    up, down, prior_up, prior_down = _changes(
        likelihood,
        best,
        np.stack([np.ma.masked_array(x, mask).filled(0.0)
                  for x in (errors, -errors, width, -width)]),
    )  # fmt: skip
    prior = mask | np.ma.getmaskarray(width)
    return Impacts(
        likelihood.names,
        np.ma.masked_array((best.theta - centre) / width, bad | width.mask),
        errors / width,
        np.ma.masked_array(up, mask | np.isnan(up)),
        np.ma.masked_array(down, mask | np.isnan(down)),
        np.ma.masked_array(prior_up, prior | np.isnan(prior_up)),
        np.ma.masked_array(prior_down, prior | np.isnan(prior_down)),
        after.status,
    )


def prior_width(likelihood: ModelLikelihood) -> np.ma.MaskedArray:
    r"""Return the standard deviation of each constraint, the unit of its parameter.

    The width of a Gaussian; :math:`\sqrt{a/\tau}` of a Poisson with the centre a;
    :math:`a \ln\kappa`, to first order, of a log-normal.  Masked without a constraint.
    """
    setting = likelihood.setting.take(likelihood.points)
    centre, kind = likelihood.centres, setting.kind
    spread = np.broadcast_to(setting.spread, centre.shape)
    width = np.ones_like(centre)
    for one, values in (
        (GAUSSIAN, spread),
        (POISSON, np.sqrt(np.maximum(centre, 0.0) / spread)),
        (LOG_NORMAL, centre * spread),
    ):
        width[:, kind == one] = values[:, kind == one]
    free = (kind == FREE) | (likelihood.lower == likelihood.upper)
    return np.ma.masked_array(width, free | (width <= 0))


def _changes(
    likelihood: ModelLikelihood, best: Fit, moves: Float[np.ndarray, "k n p"]
) -> NDArray[np.float64]:
    """Return the changes of the parameter of interest, ``(k, n, p)``, NaN if unknown."""
    result = np.full(moves.shape, np.nan)
    kind, row, index = np.nonzero(moves)
    lower, upper, start = (
        np.array(np.broadcast_to(x, best.theta.shape)[row])
        for x in (likelihood.lower, likelihood.upper, best.theta)
    )
    each = np.arange(row.size)
    place = start[each, index] + moves[kind, row, index]
    place = np.clip(place, lower[each, index], upper[each, index])
    for array in (lower, upper, start):
        array[each, index] = place  # equal bounds hold a different one in each row
    held = replace(likelihood.take(row), lower=lower, upper=upper)
    found = fit(held, start=start)
    change = found.theta[:, likelihood.poi] - best.theta[row, likelihood.poi]
    result[kind, row, index] = np.where(found.converged, change, np.nan)
    return result
