"""How often limits lie above the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from darksector.execution import stream
from darksector.statistics.experiments import Experiments, binomial_error
from darksector.statistics.histfactory import ModelLikelihood

Covers = Callable[[ModelLikelihood, float], Bool[np.ndarray, " n"]]


@final
@dataclass(frozen=True)
class Coverage:
    """Fractions of toys whose limit or interval holds the true signal, no unit.

    Parameters
    ----------
    signal
        True parameters of interest, shape ``(k,)``.
    fraction, error
        Coverage and its binomial standard error, as of `tail`, shape ``(k,)``.
    """

    signal: NDArray[np.float64]
    fraction: NDArray[np.float64]
    error: NDArray[np.float64]


def coverage(
    likelihood: ModelLikelihood,
    signal: Float[np.ndarray, " k"],
    covers: Covers,
    *,
    toys: int,
    seed: int,
) -> Coverage:
    """Throw data with known signals and count how often a method covers them.

    Parameters
    ----------
    likelihood
        One row; nuisances are at their first guess, and auxiliary data vary around it.
    signal
        True parameters of interest.
    covers
        Returns which rows of the data have a limit at or above a signal, or an interval
        that holds it.
    toys, seed
        As of `Experiments`.

    Raises
    ------
    OutOfDomain
        If there are fewer than 100 toys or the seed is negative.

    Examples
    --------
    >>> from darksector.statistics.histfactory import likelihood
    >>> from darksector.statistics.model import Channel, Model, Sample
    >>> from darksector.statistics.modifiers import NormFactor
    >>> from darksector.statistics.profile_limits import cls_upper_limits
    >>> samples = (Sample("signal", [1.0], (NormFactor("mu"),)), Sample("other", [50.0]))
    >>> data = likelihood(Model((Channel("region", samples, [50]),), poi="mu"))
    >>> def covers(data, mu):
    ...     return cls_upper_limits(data, confidence_level=0.9).observed >= mu
    >>> found = coverage(data, np.array([20.0]), covers, toys=500, seed=1)
    >>> bool(found.fraction[0] > 0.85)
    True
    """
    run = Experiments(toys, seed)
    poi = np.arange(len(likelihood.names)) == likelihood.poi
    rows = likelihood.take(np.zeros(run.toys, dtype=np.int64))
    fractions = []
    for k, mu in enumerate(signal):
        truth = np.tile(np.where(poi, mu, likelihood.start), (run.toys, 1))
        thrown = rows.sample(truth, stream(run.seed, "coverage", k))
        fractions.append(np.mean(np.ma.filled(covers(thrown, float(mu)), False)))
    fraction = np.array(fractions)
    return Coverage(signal, fraction, binomial_error(fraction, run.toys))
