"""Upper limits: the result nouns and the Bayesian counting limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.special import ndtr, sici

from darksector.errors import OutOfDomain
from darksector.statistics.likelihood import (
    CountingModel,
    Window,
    log_marginal,
    log_profile,
    predictive_quantiles,
)
from darksector.statistics.significance import check_level

SIGMAS = (-2, -1, 0, 1, 2)  # columns of every expected band

_NODES = 19  # over the nuisance shared by signal and background
_GRID = 160  # over the logarithm of the signal yield
_SCOUTS = 40
_DROP = 18.0  # the posterior is followed down to e^-18 = 2e-8 of its peak
_ROWS = 64  # windows per block: the arrays of one block stay in the cache
_ITERATIONS = 60  # bisection alone would reach the tolerance
_TOLERANCE = 1e-10  # of the limit, relative


@final
@dataclass(frozen=True)
class LimitCurve:
    """Upper limits on one or more quantities as functions of mass.

    Parameters
    ----------
    mass
        Mass hypotheses, shape ``(m,)``, GeV.
    units
        Quantity to its unit; its order is the order of the tables.
    expected_band
        Quantity to the −2, −1, 0, +1, +2 σ quantiles of the limit without signal,
        shape ``(m, 5)``; masked where `status` is not ``ok``.
    observed
        Quantity to the observed limit, shape ``(m,)``; empty without observed counts.
    status
        One word or sentence per mass: ``ok`` or the reason for an absent value.
    confidence_level
        Credibility or confidence level of all limits.
    method
        How the limits were set.
    methods, statuses
        Quantity to how its limits were set, and to its status, where that differs.
    """

    mass: NDArray[np.float64]
    units: Mapping[str, str]
    expected_band: Mapping[str, np.ma.MaskedArray]
    observed: Mapping[str, np.ma.MaskedArray]
    status: tuple[str, ...]
    confidence_level: float
    method: str
    methods: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def expected(self) -> Mapping[str, np.ma.MaskedArray]:
        """Median expected limit per quantity, shape ``(m,)``."""
        middle = SIGMAS.index(0)
        return {name: band[:, middle] for name, band in self.expected_band.items()}


def bayesian_upper_limit(
    model: CountingModel,
    observed: Int[np.ndarray, " m"],
    *,
    confidence_level: float,
    refine: int = 1,
) -> np.ma.MaskedArray:
    r"""Upper limits of a flat prior in the parameter of interest, its unit, ``(m,)``.

    The parameter is a cross-section in fb where `model.signal` is events per fb.

    .. math:: \int_0^U \mathrm{d}\sigma \int \mathrm{d}\nu\, \pi(\nu)\,
              P(n \mid \sigma s_\nu + b_\nu) = \mathrm{CL} \times \int_0^\infty \ldots

    Parameters
    ----------
    model
        The counting experiments.
    observed
        Observed events.
    confidence_level
        Credibility of the limits, between 0 and 1.
    refine
        Factor on all numbers of integration points, for convergence checks.

    Returns
    -------
    numpy.ma.MaskedArray
        The limits, masked where there is none; `status` tells why.

    Raises
    ------
    OutOfDomain
        If a count is negative, the shapes differ, or the level is not in (0, 1).

    Notes
    -----
    Log-normal nuisances reduce to two Gaussians (`Spreads`).  The one shared with the
    background is integrated around its mode (`log_marginal`) on a grid in
    :math:`\ln\sigma`; the rest, :math:`w`, acts on :math:`\ln\sigma` alone, so its
    integral is a convolution, and the trapezoidal (sinc) rule does the last one.
    Relative precision is 1e-5, and some percent where a count is impossible (none of
    10⁶ expected events): a number then, but no longer a measurement.

    Examples
    --------
    No event excludes ln 10 = 2.3026 signal events, whatever the background:

    >>> one, none = np.array([1.0]), np.array([0.0])
    >>> model = CountingModel(one, 7 * one, none, systematics=())
    >>> limit = bayesian_upper_limit(model, np.array([0]), confidence_level=0.9)
    >>> print(f"{limit[0]:.4f}")
    2.3026
    """
    if observed.shape != model.signal.shape or np.any(observed < 0):
        msg = (
            f"observed needs {model.signal.size} counts >= 0, one per window, got "
            f"{observed.size} with the minimum {observed.min(initial=0)}."
        )
        raise OutOfDomain(msg)
    limits = _limits(model, observed[:, None], level=confidence_level, refine=refine)
    return limits[:, 0]


def expected_band(
    model: CountingModel, *, confidence_level: float, refine: int = 1
) -> np.ma.MaskedArray:
    """Quantiles of the limit without signal, unit of the parameter, ``(m, 5)``.

    The count follows the prior predictive: Poisson, its mean spread by the nuisances.
    Limits increase with the count, so each quantile of the limit is the limit at that
    quantile of the count; no toys are thrown.

    Parameters
    ----------
    model
        The counting experiments.
    confidence_level
        Credibility of the limits, between 0 and 1.
    refine
        Factor on all numbers of integration points, for convergence checks.

    Returns
    -------
    numpy.ma.MaskedArray
        The limits at `SIGMAS`, masked where there is none; `status` tells why.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1).

    Notes
    -----
    A nuisance that is much larger on the signal than on the background can turn the
    order around for deficits of three sigma and more: it explains the deficit, and
    takes the efficiency down with it.  The -2 sigma edge then is slightly low.
    """
    counts = predictive_quantiles(model, ndtr(np.array(SIGMAS, dtype=np.float64)))
    return _limits(model, counts, level=confidence_level, refine=refine)


def status(model: CountingModel, limits: np.ma.MaskedArray) -> tuple[str, ...]:
    """Return ``ok`` per mass, or why `limits` lack it; shapes ``(m,)`` or ``(m, k)``."""
    absent = np.ma.getmaskarray(limits).reshape(model.signal.size, -1).any(axis=1)
    reasons = np.where(model.signal > 0, "limit did not converge", "no signal expected")
    return tuple(str(word) for word in np.where(absent, reasons, "ok"))


def _limits(
    model: CountingModel, counts: Int[np.ndarray, "m k"], *, level: float, refine: int
) -> np.ma.MaskedArray:
    """Return the limit of every count, unit of the parameter, masked where absent."""
    check_level(level)
    spreads = model.spreads()
    per_window = (model.background, spreads.background, spreads.slope, spreads.signal)
    columns = [counts.astype(np.float64).reshape(-1, 1)]
    columns += [np.repeat(x, counts.shape[1])[:, None] for x in per_window]
    log_yield = np.empty(counts.size)
    for start in range(0, counts.size, _ROWS):
        rows = slice(start, start + _ROWS)
        *window, residual = (column[rows] for column in columns)
        posterior = _Posterior.of(Window(*window), residual, refine=refine)
        log_yield[rows] = posterior.quantile(level)
    signal = np.broadcast_to(model.signal[:, None], counts.shape)
    good = np.isfinite(log_yield).reshape(counts.shape) & (signal > 0)
    with np.errstate(over="ignore"):
        limits = np.exp(
            np.where(good, log_yield.reshape(counts.shape), 0.0)
        ) / np.where(good, signal, 1.0)
    return np.ma.MaskedArray(limits, mask=~(good & np.isfinite(limits)))


@final
@dataclass(frozen=True)
class _Posterior:
    """Posterior of the logarithm of the signal yield, tabulated, blurred by `blur`.

    The density is band-limited at the spacing of its grid: sums over the grid are
    integrals, and sinc interpolation between its points is exact to rounding.
    """

    grid: Float[np.ndarray, "r n"]
    density: Float[np.ndarray, "r n"]
    blur: Float[np.ndarray, "r 1"]  # 0: the sinc kernel; else a Gaussian of this width

    @classmethod
    def of(
        cls, window: Window, residual: Float[np.ndarray, "r 1"], *, refine: int
    ) -> _Posterior:
        """Return the posterior of some windows with signal-only spread `residual`.

        A flat prior in the yield is exp(y) in its logarithm y.  Dividing by exp(w)
        turns the Gaussian of w into one around -residual², hence the shift.
        """
        low, high = _support(window)
        grid = np.linspace(low[:, 0], high[:, 0], _GRID * refine, axis=1)
        log_density = grid + log_marginal(window, grid, nodes=_NODES * refine)
        density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
        blur = residual / (grid[:, 1:2] - grid[:, :1])  # in units of the spacing
        sharp = blur < 1.2  # the sum over the grid would miss so narrow a Gaussian
        density = np.where(sharp, _smooth(density, np.minimum(blur, 1.2)), density)
        return cls(grid + residual**2, density, np.where(sharp, 0.0, residual))

    def quantile(self, level: float) -> Float[np.ndarray, " r"]:
        """Return the log-yield below which `level` of the posterior lies, or NaN."""
        target = (1 - level) * self.density.sum(axis=1)
        tail = np.cumsum(self.density[:, ::-1], axis=1)[:, ::-1]
        start = np.argmax(tail <= target[:, None], axis=1)
        y = np.take_along_axis(self.grid, start[:, None], axis=1)[:, 0]
        reach = 9 * self.blur[:, 0]
        low, high = self.grid[:, 0] - reach, self.grid[:, -1] + reach
        for _ in range(_ITERATIONS):
            above, slope = self._tail(y)
            low, high = (
                np.where(above > target, y, low),
                np.where(above > target, high, y),
            )
            newton = y + np.divide(
                above - target, slope, out=y * np.nan, where=slope > 0
            )
            inside = (newton >= low) & (newton <= high)
            update = np.where(inside, newton, (low + high) / 2)
            done = np.abs(update - y) < _TOLERANCE
            y = update
            if done.all():
                break
        return np.where(done, y, np.nan)

    def _tail(
        self, y: Float[np.ndarray, " r"]
    ) -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, " r"]]:
        """Return the posterior above `y` and its density there, per grid spacing."""
        distance = self.grid - y[:, None]
        spacing = self.grid[:, 1:2] - self.grid[:, :1]
        kernel, weight = np.empty_like(distance), np.empty_like(distance)
        sharp = self.blur[:, 0] == 0
        t = distance[sharp] / spacing[sharp]
        # Stenger, Numerical Methods Based on Sinc and Analytic Functions (1993)
        kernel[sharp] = 0.5 + sici(np.pi * t)[0] / np.pi
        weight[sharp] = np.sinc(t) / spacing[sharp]
        t = distance[~sharp] / self.blur[~sharp]
        kernel[~sharp] = ndtr(t)
        weight[~sharp] = np.exp(-t * t / 2) / (np.sqrt(2 * np.pi) * self.blur[~sharp])
        return (self.density * kernel).sum(axis=1), (self.density * weight).sum(axis=1)


def _support(
    window: Window,
) -> tuple[Float[np.ndarray, "r 1"], Float[np.ndarray, "r 1"]]:
    """Return the log-yields between which the posterior exceeds exp(-_DROP) of its peak.

    Each pass narrows the range to the neighbours of what is left above the threshold;
    the posterior has one peak, so none can hide between two points below it.
    """
    low = np.full_like(window.count, -_DROP - 4)
    high = np.log(2 * window.count + 100) + 40 * window.slope * window.spread
    for _ in range(3):
        grid = np.linspace(low[:, 0], high[:, 0], _SCOUTS, axis=1)
        height = grid + log_profile(window, grid)
        keep = height > height.max(axis=1, keepdims=True) - _DROP
        first = np.argmax(keep, axis=1)[:, None]
        last = _SCOUTS - 1 - np.argmax(keep[:, ::-1], axis=1)[:, None]
        low = np.take_along_axis(grid, np.maximum(first - 1, 0), axis=1)
        high = np.take_along_axis(grid, np.minimum(last + 1, _SCOUTS - 1), axis=1)
    return low, high


def _smooth(
    density: Float[np.ndarray, "r n"], blur: Float[np.ndarray, "r 1"]
) -> Float[np.ndarray, "r n"]:
    """Convolve with a Gaussian of `blur` grid spacings, exact for any width, even 0."""
    length = 2 * density.shape[1]  # zeros, so that nothing wraps around
    omega = 2 * np.pi * np.fft.rfftfreq(length)
    transform = np.fft.rfft(density, length, axis=1)
    smooth = np.fft.irfft(
        transform * np.exp(-((omega * blur) ** 2) / 2), length, axis=1
    )
    return smooth[:, : density.shape[1]]
