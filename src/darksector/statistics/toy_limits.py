"""CLs upper limits of binned models from toy experiments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import final

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr

from darksector.statistics.experiments import (
    FAILED,
    LOST,
    Experiments,
    Hypothesis,
    Progress,
    physical,
    qtilde_mu,
    tail,
    throw,
)
from darksector.statistics.fit import OK, fit
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.limits import SIGMAS
from darksector.statistics.profile import fit_at
from darksector.statistics.profile_limits import cls_upper_limits

NOT_REACHED = "CLs does not fall to 1 - CL within twice the asymptotic limits"

_POINTS = 12  # tested signals of each row, besides zero
_BELOW, _ABOVE = 0.5, 2.0  # of the smallest and the largest asymptotic limit
_SHARES = ndtr(np.array(SIGMAS, dtype=np.float64))  # CLb at the expected limits


@final
@dataclass(frozen=True)
class ToyLimits:
    """Upper limits on the parameter of interest with their errors, its unit.

    Parameters
    ----------
    observed, observed_error
        Of the data, and its error from the number of toys, shape ``(n,)``, masked
        where there is none.
    expected, expected_error
        Without signal, at `SIGMAS` (-2 to +2 σ), shape ``(n, 5)``, masked likewise.
    status
        `OK` or why a limit is absent, shape ``(n,)``.
    """

    observed: np.ma.MaskedArray
    observed_error: np.ma.MaskedArray
    expected: np.ma.MaskedArray
    expected_error: np.ma.MaskedArray
    status: Shaped[np.ndarray, " n"]


def toy_upper_limits(
    likelihood: ModelLikelihood,
    *,
    confidence_level: float,
    toys: int,
    seed: int,
    progress: Progress | None = None,
) -> ToyLimits:
    r"""CLs upper limits with the test statistic q̃_μ from toys, unit of the parameter.

    Parameters
    ----------
    likelihood
        The data sets.
    confidence_level
        Of the limits, between 0 and 1.
    toys, seed, progress
        As of `Experiments`; toys are per tested signal and hypothesis.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1) or a number of `Experiments` is too small.

    Notes
    -----
    Twelve signals around the asymptotic limits are tested as `toy_cls` does, and
    ln CLs is interpolated between them, made monotone where noise is not.  Expected
    limits take the quantiles of q̃_μ of background toys, at the nuisances that the data
    prefer without signal, for the observed value; the toys with signal have those that
    the data prefer for it.  Toys without signal are the same for all tested signals,
    and toys with it start from the same random numbers (counts follow them only in
    part: Poisson numbers are drawn by rejection).
    """
    run = Experiments(toys, seed, progress)
    data = physical(likelihood)
    guess = cls_upper_limits(data, confidence_level=confidence_level)
    good = np.flatnonzero(guess.status == OK)
    limits = np.full((data.size, 1 + len(SIGMAS)), np.nan)
    errors, status = np.full_like(limits, np.nan), guess.status.astype(object)
    for count, row in enumerate(good):
        known = [guess.observed[row], *guess.expected[row]]
        mu = np.geomspace(_BELOW * min(known), _ABOVE * max(known), _POINTS)
        scan = _scan(data, int(row), mu, _part(run, count, good.size))
        values, spread = scan.limits(1 - confidence_level)
        if scan.lost > LOST or np.isnan(values).any():
            status[row] = FAILED if scan.lost > LOST else NOT_REACHED
        else:
            limits[row], errors[row] = values, spread
    value, error = np.ma.masked_invalid(limits), np.ma.masked_invalid(errors)
    return ToyLimits(
        value[:, 0], error[:, 0], value[:, 1:], error[:, 1:], status.astype(np.str_)
    )


def _part(run: Experiments, done: int, parts: int) -> Experiments:
    """Return the experiments of one row, whose progress is a part of the whole."""
    tell = run.progress
    if tell is None:
        return run

    def report(chunk: int, chunks: int) -> None:
        tell(done * chunks + chunk, parts * chunks)

    return replace(run, progress=report)


@final
@dataclass(frozen=True)
class _Scan:
    """Logarithms of CLs of one row and their errors, observed and expected.

    Parameters
    ----------
    mu
        Tested signals, rising from zero, shape ``(k,)``.
    log_cls, errors
        Shape ``(k, 6)``; the observed one comes first.
    lost
        Largest fraction of toys without a fit.
    """

    mu: NDArray[np.float64]
    log_cls: NDArray[np.float64]
    errors: NDArray[np.float64]
    lost: float

    def limits(self, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where CLs falls to `alpha` and the errors of it, NaN where it does not."""
        pairs = [
            self._limit(self.log_cls[:, k], self.errors[:, k], np.log(alpha))
            for k in range(self.log_cls.shape[1])
        ]
        values, errors = np.array(pairs).T
        return values, errors

    def _limit(
        self, log_cls: NDArray[np.float64], errors: NDArray[np.float64], level: float
    ) -> tuple[float, float]:
        curve = PchipInterpolator(self.mu, np.minimum.accumulate(log_cls))
        roots = curve.solve(level, extrapolate=False)
        roots = roots[np.isfinite(roots)]
        if roots.size == 0:
            return np.nan, np.nan
        slope = -float(curve(roots[0], 1))
        error = float(np.interp(roots[0], self.mu, errors))
        return float(roots[0]), error / slope if slope > 0 else np.inf


def _scan(
    data: ModelLikelihood, row: int, mu: NDArray[np.float64], run: Experiments
) -> _Scan:
    """Throw the toys of one row; those of the background serve all signals."""
    same = data.take(np.full(mu.size, row))
    free = fit(same)
    at = fit_at(same, mu, start=free.theta)
    null = fit_at(same, np.zeros(mu.size), start=free.theta)
    hypotheses = [
        Hypothesis(row, theta, mu[k : k + 1], "signal")
        for k, theta in enumerate(at.theta)
    ]
    hypotheses.append(Hypothesis(row, null.theta[0], mu, "background"))
    thrown = throw(data, hypotheses, qtilde_mu, run)
    above, below = np.concatenate(thrown[:-1]), thrown[-1]
    observed = qtilde_mu(same, free, mu)
    pairs = [_point(*three) for three in zip(observed, above, below, strict=True)]
    nothing = np.zeros((1, 1 + len(SIGMAS)))  # no signal: CLs = 1 without a toy
    return _Scan(
        np.append(0.0, mu),
        np.concatenate([nothing, [log_cls for log_cls, _ in pairs]]),
        np.concatenate([nothing, [errors for _, errors in pairs]]),
        max(float(np.isnan(part).mean(axis=1).max()) for part in (above, below)),
    )


def _point(
    observed: float, above: NDArray[np.float64], below: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ln CLs of one signal and its errors, observed and expected."""
    quantiles, widths = _quantiles(above, below)
    values = np.append(observed, quantiles)
    clsb, clsb_error = _tails(above, values)
    clb, clb_error = _tails(below, values)
    floor = 0.5 / above.size
    log_cls = np.log(np.maximum(clsb, floor) / np.maximum(clb, floor))
    # the CLb of an expected limit is given; what varies is the quantile of q
    widths = np.append(clb_error[0] / max(clb[0], floor), widths)
    return log_cls, np.hypot(clsb_error / np.maximum(clsb, floor), widths)


def _quantiles(
    above: NDArray[np.float64], below: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the quantiles of q̃_μ without signal, and what their errors do to ln CLs."""
    falling = -np.sort(-below[np.isfinite(below)])
    error = np.sqrt(_SHARES * (1 - _SHARES) / falling.size)
    middle, low, high = (
        falling[
            [max(ceil(min(p, 1) * falling.size), 1) - 1 for p in _SHARES + side * error]
        ]
        for side in (0, -1, 1)
    )
    floor = 0.5 / above.size
    logs = [np.log(np.maximum(_tails(above, q)[0], floor)) for q in (low, high)]
    return middle, np.abs(logs[1] - logs[0]) / 2


def _tails(
    thrown: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return tail(np.broadcast_to(thrown, (values.size, thrown.size)), values)
