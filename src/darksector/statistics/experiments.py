"""Toy experiments of binned models: thrown data and their test statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from darksector.errors import OutOfDomain
from darksector.execution import stream
from darksector.statistics.fit import Fit, fit
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.profile import fit_at, tangent

FAILED = "more than one percent of the toys have no fit"
LOST = 0.01  # largest fraction of toys without a fit
TIE = 1e-7  # of test statistics; fits end 1e-10 above their minimum

Progress = Callable[[int, int], None]
Statistic = Callable[[ModelLikelihood, Fit, NDArray[np.float64]], NDArray[np.float64]]

_CHUNK = 1024  # toys of one stream of random numbers; results depend on it
_FEWEST = 100


@final
@dataclass(frozen=True)
class Experiments:
    """How many toys are thrown, and how.

    Parameters
    ----------
    toys
        Number of experiments of each hypothesis, >= 100.
    seed
        Of their random numbers, >= 0.
    progress
        Called with the numbers of finished and of all chunks, or `None`.

    Raises
    ------
    OutOfDomain
        If a number is too small.
    """

    toys: int
    seed: int
    progress: Progress | None = None

    def __post_init__(self) -> None:
        for name, least in (("toys", _FEWEST), ("seed", 0)):
            value = getattr(self, name)
            if value < least:
                msg = f"{name} must be at least {least}, got {value}."
                raise OutOfDomain(msg)


@final
@dataclass(frozen=True)
class Hypothesis:
    """What toys of one row are thrown from and tested for.

    Parameters
    ----------
    row
        Row of the likelihood whose model it is.
    truth
        Parameters of the toys, shape ``(p,)``.
    tested
        Values of the parameter of interest, shape ``(k,)``.
    label
        Name of the random numbers; hypotheses of a row that share it share them.
    """

    row: int
    truth: NDArray[np.float64]
    tested: NDArray[np.float64]
    label: str


def qtilde_mu(
    data: ModelLikelihood, free: Fit, mu: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Return q̃_μ (arXiv:1007.1727 eq. 16), zero below the fit, NaN without a fit."""
    return _ratio(data, free, mu, free.theta[:, data.poi] < mu)


def t_mu(
    data: ModelLikelihood, free: Fit, mu: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Return t̃_μ (arXiv:1007.1727 eq. 11), the two-sided one, NaN without a fit.

    At μ = 0 it is q0 (eq. 12): a fit within the bounds finds no deficit.
    """
    return _ratio(data, free, mu, np.ones(data.size, dtype=bool))


def _ratio(
    data: ModelLikelihood,
    free: Fit,
    mu: NDArray[np.float64],
    asked: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return twice the logarithm of the likelihood ratio of the rows `asked` for."""
    rows = np.flatnonzero(asked & free.converged)
    change, _ = tangent(data, free)
    ahead = mu - free.theta[:, data.poi]
    start = free.theta[rows] + ahead[rows, None] * change[rows]
    at = fit_at(data, mu[rows], start=start, rows=rows)
    ratio = 2 * np.maximum(at.nll - free.nll[rows], 0.0)
    q = np.where(free.converged, 0.0, np.nan)
    q[rows] = np.where(at.converged, ratio, np.nan)
    return q


def physical(likelihood: ModelLikelihood) -> ModelLikelihood:
    """Return the likelihood with a parameter of interest that is not negative."""
    poi = np.arange(len(likelihood.names)) == likelihood.poi
    lower = np.where(poi, np.maximum(likelihood.lower, 0.0), likelihood.lower)
    return replace(likelihood, lower=lower)


def throw(
    likelihood: ModelLikelihood,
    hypotheses: Sequence[Hypothesis],
    statistic: Statistic,
    run: Experiments,
) -> list[NDArray[np.float64]]:
    """Return the statistic of all toys of each hypothesis, ``(k, toys)``, no unit.

    Random numbers belong to the seed, label, row and chunk; a toy without a fit is NaN.
    """

    def job(item: tuple[Hypothesis, int]) -> NDArray[np.float64]:
        source, first = item
        size = min(_CHUNK, run.toys - first)
        random = stream(run.seed, "toys", source.label, source.row, first // _CHUNK)
        data = likelihood.take(np.full(size, source.row))
        truth = np.tile(source.truth, (size, 1))
        data = data.sample(truth, random)
        free = fit(data, start=truth)
        tested = (np.full(size, mu) for mu in source.tested)
        return np.array([statistic(data, free, mu) for mu in tested])

    firsts = range(0, run.toys, _CHUNK)
    items = [(hypothesis, first) for hypothesis in hypotheses for first in firsts]
    parts = []
    for item in items:
        parts.append(job(item))
        if run.progress is not None:
            run.progress(len(parts), len(items))
    count = len(firsts)
    groups = (parts[i : i + count] for i in range(0, len(parts), count))
    return [np.concatenate(group, axis=1) for group in groups]


def tail(
    thrown: Float[np.ndarray, "*n toys"], observed: Float[np.ndarray, "*n"]
) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
    """Return the fraction of toys at or beyond the observed value, and its error."""
    number = np.count_nonzero(np.isfinite(thrown), axis=-1)
    beyond = np.count_nonzero(thrown >= observed[..., None] - TIE, axis=-1)
    fraction = beyond / np.maximum(number, 1)
    return fraction, binomial_error(fraction, number)


def binomial_error(
    fraction: Float[np.ndarray, "*n"], trials: Int[np.ndarray, "*n"] | int
) -> Float[np.ndarray, "*n"]:
    """Return the error of a fraction of trials, not zero where it is zero or one.

    That of k successes in N trials with a flat prior, the width of a beta distribution
    of k + 1 and N - k + 1.
    """
    smooth = (fraction * trials + 1) / (trials + 2)
    return np.sqrt(smooth * (1 - smooth) / (trials + 3))
