"""What Bayesian limits are to be expected where there is no signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray
from scipy.special import ndtr

from darksector.errors import OutOfDomain
from darksector.statistics.bayesian import BayesianLimits, bayesian_limits
from darksector.statistics.fit import OK, STATUS
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.limits import SIGMAS
from darksector.statistics.profile import fit_at

UNRELIABLE = "more than one in a hundred toys has no limit"

_FEWEST = 50  # one of 44 toys lies below -2 σ
_FAILURES = 0.01


@final
@dataclass(frozen=True)
class BayesianBands:
    """Quantiles of upper limits without signal, unit of the parameter of interest.

    Parameters
    ----------
    expected_band
        At `SIGMAS` (-2 to +2 σ), shape ``(n, 5)``, masked where there is none.
    error
        Standard deviation from the number of toys, shape ``(n, 5)``, masked likewise.
    status
        `OK` or why a band is absent, shape ``(n,)``.
    """

    expected_band: np.ma.MaskedArray
    error: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]

    @property
    def expected(self) -> np.ma.MaskedArray:
        """Median expected limits, shape ``(n,)``."""
        return self.expected_band[:, SIGMAS.index(0)]


def bayesian_bands(
    likelihood: ModelLikelihood,
    *,
    confidence_level: float,
    toys: int,
    flat_in: float = 1.0,
    precision: float = 1e-2,
    seed: int,
) -> BayesianBands:
    """Quantiles of Bayesian limits over toys without signal, unit of the parameter.

    Parameters
    ----------
    likelihood
        The data sets; toys follow their fits without signal, auxiliary measurements
        included.
    confidence_level, flat_in, precision
        As of `bayesian_limits`.
    toys
        Per data set, at least 50.
    seed
        Of the toys, each data set with its own sequence, and of the integration.

    Raises
    ------
    OutOfDomain
        If the number of toys is below 50, or as of `bayesian_limits`.

    Notes
    -----
    Errors are half of the distance between the order statistics one binomial standard
    deviation away from the quantile.  A toy costs as much as a limit.
    """
    if toys < _FEWEST:
        msg = f"toys must be at least {_FEWEST} to reach -2 sigma, got {toys}."
        raise OutOfDomain(msg)
    shape = (likelihood.size, len(likelihood.names))
    start = np.broadcast_to(likelihood.start, shape)
    null = fit_at(likelihood, np.zeros(likelihood.size), start=start)
    found = np.full((2, likelihood.size, len(SIGMAS)), np.nan)
    status = np.array(null.status, dtype=STATUS)
    for row in np.flatnonzero(null.converged):
        generator = np.random.default_rng((seed, int(row)))
        limits = bayesian_limits(
            likelihood.take(np.full(toys, row)).sample(
                np.repeat(null.theta[[row]], toys, axis=0), generator
            ),
            confidence_level=confidence_level,
            flat_in=flat_in,
            precision=precision,
            seed=seed,
        )
        status[row] = _verdict(limits)
        if status[row] == OK:
            found[:, row] = _quantiles(limits.observed.compressed())
    band, error = (np.ma.masked_invalid(x) for x in found)
    return BayesianBands(band, error, status)


def _verdict(limits: BayesianLimits) -> str:
    """Return `OK` if nearly all toys have a limit, else the reason."""
    failed = np.ma.getmaskarray(limits.observed)
    if failed.mean() <= _FAILURES:
        return OK
    return str(limits.status[0]) if failed.all() else UNRELIABLE


def _quantiles(limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quantiles at `SIGMAS` and their errors, ``(2, 5)``."""
    level = ndtr(np.array(SIGMAS, dtype=np.float64))
    deviation = np.sqrt(level * (1 - level) / limits.size)
    low, high = (
        np.quantile(limits, np.clip(level + sign * deviation, 0, 1)) for sign in (-1, 1)
    )
    return np.stack([np.quantile(limits, level), (high - low) / 2])
