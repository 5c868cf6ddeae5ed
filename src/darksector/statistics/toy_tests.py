"""p-values of binned models from toy experiments: for an excess, and for the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray
from scipy.special import gammaincc, ndtri

from darksector.statistics.experiments import (
    FAILED,
    LOST,
    TIE,
    Experiments,
    Hypothesis,
    Progress,
    Statistic,
    physical,
    t_mu,
    throw,
)
from darksector.statistics.fit import OK, Fit, fit
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.profile import discovery
from darksector.statistics.settings import FREE
from darksector.statistics.significance import binomial_interval, check_level


@final
@dataclass(frozen=True)
class ToyPValue:
    """Chance of data at least as extreme, from toys, no unit.

    Parameters
    ----------
    statistic
        Of the data, shape ``(n,)``, masked where there is none.
    p_value
        Fraction of the toys at or beyond it, shape ``(n,)``, masked likewise.
    interval
        Central interval of the fraction at the confidence level asked for, ``(n, 2)``.
    asymptotic
        The p-value of the asymptotic formula, shape ``(n,)``, masked likewise.
    status
        `OK` or why a row has no result, shape ``(n,)``.
    """

    statistic: np.ma.MaskedArray
    p_value: np.ma.MaskedArray
    interval: np.ma.MaskedArray
    asymptotic: np.ma.MaskedArray
    status: Shaped[np.ndarray, " n"]

    @property
    def significance(self) -> np.ma.MaskedArray:
        """The p-values as one-sided numbers of standard deviations, σ, ``(n,)``."""
        return np.ma.masked_invalid(-ndtri(self.p_value.filled(np.nan)))


def toy_discovery(
    likelihood: ModelLikelihood,
    *,
    confidence_level: float,
    toys: int,
    seed: int,
    progress: Progress | None = None,
) -> ToyPValue:
    """Return the chance of a q0 at least as large without signal, no unit.

    Parameters
    ----------
    likelihood
        The data sets.
    confidence_level
        Of the interval of the p-value, between 0 and 1.
    toys, seed, progress
        As of `Experiments`.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1) or a number of `Experiments` is too small.

    Notes
    -----
    q0 is that of arXiv:1007.1727 eq. 12, its asymptotic p-value that of eq. 52.  The
    interval is that of Clopper and Pearson, Biometrika 26 (1934) 404.
    """
    run = Experiments(toys, seed, progress)
    check_level(confidence_level)
    result = discovery(physical(likelihood))

    def zero(data: ModelLikelihood, free: Fit, _: NDArray[np.float64]) -> NDArray[np.float64]:  # fmt: skip
        return t_mu(data, free, np.zeros(data.size))

    found = _Found(result.q0, result.p_value, result.status, result.null.theta)
    return _p_value(physical(likelihood), found, zero, run, confidence_level)


def goodness_of_fit(
    likelihood: ModelLikelihood,
    *,
    confidence_level: float,
    toys: int,
    seed: int,
    progress: Progress | None = None,
) -> ToyPValue:
    r"""Return the chance of a deviance at least as large, were the model true, no unit.

    .. math:: D = -2 \ln \frac{L(\hat\theta)}{L_\mathrm{saturated}}

    Parameters
    ----------
    likelihood
        The data sets; all parameters are fitted, that of interest within its bounds.
    confidence_level
        Of the interval of the p-value, between 0 and 1.
    toys, seed, progress
        As of `Experiments`.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1) or a number of `Experiments` is too small.

    Notes
    -----
    Baker and Cousins, Nucl. Instrum. Meth. 221 (1984) 437; the saturated model meets
    every count and every auxiliary measurement.  The asymptotic p-value takes χ² with
    one degree of freedom for each bin less one for each free parameter that has no
    constraint; it is not to be trusted where bins hold few events.
    """
    run = Experiments(toys, seed, progress)
    check_level(confidence_level)
    free = fit(likelihood)

    def deviance(_: ModelLikelihood, free: Fit, __: NDArray[np.float64]) -> NDArray[np.float64]:  # fmt: skip
        return np.where(free.converged, 2 * free.nll, np.nan)

    moves = likelihood.lower < likelihood.upper
    unconstrained = np.count_nonzero(moves & (likelihood.setting.kind == FREE))
    freedom = likelihood.counts.shape[1] - int(unconstrained)
    chance = np.full(likelihood.size, np.nan)
    if freedom > 0:
        chance = gammaincc(freedom / 2, free.nll)
    found = _Found(2 * free.nll, chance, free.status, free.theta)
    return _p_value(likelihood, found, deviance, run, confidence_level)


@final
@dataclass(frozen=True)
class _Found:
    """What the data say: statistic, asymptotic p-value, status and truth of toys."""

    statistic: NDArray[np.float64]
    asymptotic: NDArray[np.float64]
    status: Shaped[np.ndarray, " n"]
    theta: NDArray[np.float64]


def _p_value(
    likelihood: ModelLikelihood,
    found: _Found,
    statistic: Statistic,
    run: Experiments,
    level: float,
) -> ToyPValue:
    once = np.zeros(1)
    hypotheses = [Hypothesis(i, t, once, "test") for i, t in enumerate(found.theta)]
    thrown = np.array(throw(likelihood, hypotheses, statistic, run))[:, 0]
    usable = np.isfinite(thrown)
    number = np.count_nonzero(usable, axis=1).astype(np.float64)
    above = thrown >= found.statistic[:, None] - TIE
    beyond = np.count_nonzero(above, axis=1).astype(np.float64)
    bad = (found.status == OK) & (number < (1 - LOST) * run.toys)
    status = np.where(bad, FAILED, found.status)
    absent = status != OK
    interval = binomial_interval(beyond, number, level=level)
    return ToyPValue(
        np.ma.array(found.statistic, mask=absent),
        np.ma.array(beyond / np.maximum(number, 1), mask=absent),
        np.ma.array(interval, mask=np.repeat(absent[:, None], 2, axis=1)),
        np.ma.masked_invalid(np.where(absent, np.nan, found.asymptotic)),
        status,
    )
