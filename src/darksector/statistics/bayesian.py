"""Bayesian upper limits of any binned model, nuisance parameters integrated out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from darksector.errors import OutOfDomain
from darksector.statistics.fit import OK
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.marginal import log_marginal, uniforms
from darksector.statistics.posterior import Support, support
from darksector.statistics.profile import fit_at
from darksector.statistics.proposal import propose
from darksector.statistics.significance import check_level

UNRESOLVED = "the integral over the nuisance parameters did not converge"

_NODES = 18  # Gauss-Legendre, over the posterior
_TAIL = 10  # over its part above the limit
_DENSE = 512  # points of the first guess
_POINTS = 8  # quasi-random, per scrambling
_SCRAMBLINGS = 8
_MORE = 4  # times more points where the error is too large
_ROUNDS = 4
_FALLEN = 10.0  # the logarithm of a posterior at the last point before its high end
_WORST = 0.05  # relative error of a limit that is still given
_ROWS = 256  # per block, which bounds the memory


@final
@dataclass(frozen=True)
class BayesianLimits:
    """Upper limits on the parameter of interest, its unit, one per row.

    Parameters
    ----------
    observed
        Of the data, shape ``(n,)``, masked where there is none.
    error
        Standard deviation of the limit from the integration over the nuisance
        parameters, shape ``(n,)``, masked likewise.
    status
        `OK` or why a limit is absent, shape ``(n,)``.
    """

    observed: np.ma.MaskedArray
    error: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]


def bayesian_limits(
    likelihood: ModelLikelihood,
    *,
    confidence_level: float,
    flat_in: float = 1.0,
    precision: float = 2e-3,
    seed: int,
    refine: int = 1,
) -> BayesianLimits:
    r"""Upper limits of a flat prior in the signal or in a coupling, unit of the poi.

    .. math:: \int_0^U \mathrm{d}\mu\, \mu^{1/k-1} \int \mathrm{d}\theta\,
              L(\mu, \theta)\, \pi(\theta) = \mathrm{CL} \times \int_0^\infty \ldots

    Parameters
    ----------
    likelihood
        The data sets; a lower bound of the parameter of interest below 0 counts as 0.
    confidence_level
        Credibility of the limits, between 0 and 1.
    flat_in
        The power k of the coupling g in which the prior is flat, with the parameter of
        interest proportional to g^k: 1 for the signal itself, 2 or 4 for couplings.
    precision
        Statistical error of a limit, relative to it, at which its integration ends;
        after 8 times 512 points per value it ends anyway, and `error` tells.
    seed
        Of the quasi-random numbers.
    refine
        Factor on all numbers of integration points, for convergence checks.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1), or `flat_in` or `refine` is below 1.

    Notes
    -----
    The nuisance parameters are drawn around their minima (Laplace's approximation) and
    reweighted, with the same quasi-random numbers for all values of the parameter of
    interest.  The integral over the latter is Gauss-Legendre in g, in which the
    posterior is smooth, and is repeated above the limit.  Priors: `log_marginal`.

    Examples
    --------
    No event excludes ln 10 = 2.3026 signal events, whatever the background:

    >>> from darksector.statistics.histfactory import likelihood
    >>> from darksector.statistics.model import Channel, Model, Sample
    >>> from darksector.statistics.modifiers import NormFactor
    >>> signal = Sample("signal", np.ones(1), (NormFactor("mu"),))
    >>> background = Sample("background", 7 * np.ones(1))
    >>> channel = Channel("window", (signal, background), np.zeros(1))
    >>> counting = likelihood(Model((channel,), poi="mu"))
    >>> limits = bayesian_limits(counting, confidence_level=0.9, seed=1)
    >>> print(f"{limits.observed[0]:.4f}")
    2.3026
    """
    check_level(confidence_level)
    _check(flat_in, refine)
    where = support(likelihood)
    found = np.full((2, likelihood.size), np.nan)
    rows = np.flatnonzero(where.status == OK)
    points = _POINTS * refine
    for _ in range(_ROUNDS):
        if rows.size == 0:
            break
        uniform = uniforms(
            len(likelihood.names), points=points, scramblings=_SCRAMBLINGS, seed=seed
        )
        posterior = _Posterior(likelihood, where, flat_in, uniform, refine)
        found[:, rows] = posterior.limits(rows, confidence_level)
        rows = rows[~(found[1, rows] <= precision * found[0, rows])]
        points *= _MORE
    return _named(found, where.status)


def _named(
    found: NDArray[np.float64], status: Shaped[np.ndarray, " n"]
) -> BayesianLimits:
    """Return limits and errors, masked where there is a reason or too large an error."""
    with np.errstate(invalid="ignore"):
        good = (found[0] > 0) & (found[1] <= _WORST * found[0])
    status = np.where((status == OK) & ~good, UNRESOLVED, status)
    limit, error = (
        np.ma.masked_invalid(np.where(status == OK, x, np.nan)) for x in found
    )
    return BayesianLimits(limit, error, status)


def _check(flat_in: float, refine: int) -> None:
    for name, value in (("flat_in", flat_in), ("refine", refine)):
        if not 1 <= value < np.inf:
            msg = f"{name} must be at least 1 and finite, got {value}."
            raise OutOfDomain(msg)


@final
@dataclass(frozen=True)
class _Posterior:
    """Posteriors of a coupling g, the poi to the power 1/k, along some nodes."""

    likelihood: ModelLikelihood
    where: Support
    power: float
    uniform: Float[np.ndarray, "s n p"]
    refine: int

    def limits(
        self, rows: Int[np.ndarray, " r"], level: float
    ) -> Float[np.ndarray, "2 r"]:
        """Return the limits and their errors, unit of the parameter of interest."""
        blocks = [rows[i : i + _ROWS] for i in range(0, rows.size, _ROWS)]
        return np.concatenate([self._block(b, level) for b in blocks], axis=1)

    def _block(self, rows: NDArray[np.int64], level: float) -> NDArray[np.float64]:
        low, high = self.where.poi[::2, rows] ** (1 / self.power)
        nodes, weights = np.polynomial.legendre.leggauss(_NODES * self.refine)
        values = self.log_density(_spread(low, high, nodes), rows)
        peak = values.max(axis=(1, 2), keepdims=True)
        ends = self.likelihood.upper[self.likelihood.poi] <= self.where.poi[2, rows]
        covered = ends | (values[:, -1] < peak[:, 0] - _FALLEN).all(axis=1)
        total = _integral(np.exp(values - peak), weights, high - low)
        guess = low + (high - low) * _guess(nodes, values, level)
        nodes, weights = np.polynomial.legendre.leggauss(_TAIL * self.refine)
        ends = np.concatenate([guess[:, None], _spread(guess, high, nodes)], axis=1)
        density = np.exp(self.log_density(ends, rows) - peak)
        excess = _integral(density[:, 1:], weights, high - guess) - (1 - level) * total
        with np.errstate(divide="ignore", invalid="ignore"):
            coupling = guess + excess.mean(axis=1) / density[:, 0].mean(axis=1)
            each = excess / density[:, 0]
        error = each.std(axis=1, ddof=1) / np.sqrt(each.shape[1])
        poi = np.maximum(coupling, 0.0) ** self.power
        with np.errstate(divide="ignore", invalid="ignore"):
            result = np.stack([poi, self.power * poi / coupling * error])
        return np.where(covered, result, np.nan)

    def log_density(
        self, coupling: Float[np.ndarray, "r m"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "r m s"]:
        """Return the log-posterior per coupling, of every scrambling."""
        poi = coupling**self.power
        start = self.where.between(poi, rows).reshape(poi.size, -1)
        index = np.repeat(rows, poi.shape[1])
        at = fit_at(self.likelihood, poi.reshape(-1), start=start, rows=index)
        proposal = propose(self.likelihood, at, index)
        values = log_marginal(self.likelihood, proposal, index, self.uniform)
        return values.reshape(*poi.shape, -1)


def _spread(
    low: NDArray[np.float64], high: NDArray[np.float64], nodes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return nodes in [-1, 1] moved between the ends, ``(r, m)``."""
    return low[:, None] + (high - low)[:, None] * (nodes + 1) / 2


def _integral(
    density: NDArray[np.float64],
    weights: NDArray[np.float64],
    length: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the integral of every scrambling, ``(r, s)``."""
    return np.einsum("rms,m->rs", density, weights) * length[:, None] / 2


def _guess(
    nodes: NDArray[np.float64], values: NDArray[np.float64], level: float
) -> NDArray[np.float64]:
    """Return about where `level` of the posterior lies below, in units of the range."""
    peak = values.max(axis=(1, 2), keepdims=True)
    with np.errstate(divide="ignore"):
        mean = np.log(np.exp(values - peak).mean(axis=2))
    edges = np.linspace(-1, 1, _DENSE + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    curve = CubicSpline(nodes, np.maximum(mean, -60.0), axis=1)(middle)
    density = np.exp(np.minimum(curve, 3.0))
    below = np.cumsum(density, axis=1)
    index = np.argmax(below >= level * below[:, -1:], axis=1)
    over = np.take_along_axis(below, index[:, None], 1)[:, 0] - level * below[:, -1]
    part = over / np.take_along_axis(density, index[:, None], 1)[:, 0]
    return (edges[index + 1] - part * (edges[1] - edges[0]) + 1) / 2
