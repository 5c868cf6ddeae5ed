"""Poisson likelihoods with constrained nuisance parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.special import gammaincc, ndtr, xlogy

from darksector.errors import InvalidCard, OutOfDomain
from darksector.statistics.systematics import Systematic

_STRETCH = 3.3  # nuisances are integrated over ± sinh(3.3) = ± 13.5 local widths
_MODE_STEPS = 40
_MODE_PRECISION = 0.05  # of a width: the mode only centres the integration


@final
@dataclass(frozen=True)
class CountingModel:
    r"""One Poisson count per mass hypothesis, batched; arrays are shaped ``(m,)``.

    .. math:: n \sim \mathrm{Poisson}(\sigma\, s \prod_j (1+\delta^s_j)^{\alpha_j}
              + b\, (1+\delta_b)^{\beta} \prod_j (1+\delta^b_j)^{\alpha_j})

    Parameters
    ----------
    signal
        Expected signal events for a parameter of interest of one.
    background
        Expected background events.
    background_error
        Relative simulation error of the background, its own nuisance in each window.
    systematics
        Nuisance parameters shared by all windows.

    Raises
    ------
    OutOfDomain
        If the arrays differ in shape, or hold a value that is negative or not finite.
    InvalidCard
        If two systematics share a name.
    """

    signal: NDArray[np.float64]
    background: NDArray[np.float64]
    background_error: NDArray[np.float64]
    systematics: tuple[Systematic, ...]

    def __post_init__(self) -> None:
        for field in ("signal", "background", "background_error"):
            _check(field, getattr(self, field), self.signal.shape)
        names = [systematic.name for systematic in self.systematics]
        for name in names:
            if names.count(name) > 1:
                msg = f"systematic {name!r} appears twice; one name is one nuisance."
                raise InvalidCard(msg)

    def spreads(self) -> Spreads:
        """Return the joint Gaussian of the logarithms of both yields, dimensionless."""
        on_signal = np.log1p([x.signal for x in self.systematics])
        on_background = np.log1p([x.background for x in self.systematics])
        own = np.log1p(self.background_error)
        variance = own**2 + np.sum(on_background**2)
        covariance = np.full_like(variance, np.sum(on_signal * on_background))
        slope = np.divide(
            covariance, variance, out=np.zeros_like(variance), where=variance > 0
        )
        residual = np.sum(on_signal**2) - slope * covariance
        return Spreads(np.sqrt(variance), slope, np.sqrt(np.maximum(residual, 0.0)))


@final
@dataclass(frozen=True)
class Spreads:
    r"""What all nuisances do to the yields of each window; arrays are ``(m,)``.

    The yields become :math:`b\,e^{v}` and :math:`s\,e^{k v + w}` with independent
    :math:`v \sim N(0, \sigma_v)` and :math:`w \sim N(0, \sigma_w)`: log-normal
    nuisances are linear in the logarithms, so these two carry all of them exactly.

    Parameters
    ----------
    background
        :math:`\sigma_v`.
    slope
        :math:`k`, how far the signal follows the background; never negative.
    signal
        :math:`\sigma_w`.
    """

    background: NDArray[np.float64]
    slope: NDArray[np.float64]
    signal: NDArray[np.float64]


@final
@dataclass(frozen=True)
class Window:
    """Counts, background, spread and slope of many windows, each ``(r, 1)``."""

    count: Float[np.ndarray, "r 1"]
    background: Float[np.ndarray, "r 1"]
    spread: Float[np.ndarray, "r 1"]
    slope: Float[np.ndarray, "r 1"]

    def yields(
        self, log_signal: Float[np.ndarray, "r n"], pull: Float[np.ndarray, "*k r n"]
    ) -> tuple[Float[np.ndarray, "*k r n"], Float[np.ndarray, "*k r n"]]:
        """Return background and signal, events, with the shared nuisance at `pull`."""
        v = self.spread * pull
        return self.background * np.exp(v), np.exp(log_signal + self.slope * v)


def log_marginal(
    window: Window, log_signal: Float[np.ndarray, "r n"], *, nodes: int
) -> Float[np.ndarray, "r n"]:
    r"""Log-likelihood of signal yields, the shared nuisance integrated out, no unit.

    .. math:: \ln \int \mathrm{d}a\, e^{-a^2/2}\, \mu^n e^{-\mu}, \quad
              \mu = b\,e^{\sigma_v a} + t\,e^{k \sigma_v a}

    Parameters
    ----------
    window
        The counting experiments.
    log_signal
        Logarithm of the nominal signal yield :math:`t`.
    nodes
        Points of the integration over the nuisance.

    Notes
    -----
    With :math:`\sigma_v\sqrt{b} \gg 1` the count constrains the nuisance far better
    than its prior, and fixed (Gauss-Hermite) nodes would step over the peak.  The
    nodes therefore sit around the mode of each integrand, in units of its curvature:
    the trapezoidal rule in ``asinh``, which also reaches tails wider than the peak.
    """
    mode, width = _mode(window, log_signal)
    step = np.linspace(-_STRETCH, _STRETCH, nodes)
    pulls = mode + width * np.sinh(step)[:, None, None]
    background, signal = window.yields(log_signal, pulls)
    mu = background + signal
    exponent = xlogy(window.count, mu) - mu - pulls**2 / 2
    exponent += np.log(np.cosh(step) * (step[1] - step[0]))[:, None, None]
    peak = exponent.max(axis=0)
    return peak + np.log(np.exp(exponent - peak).sum(axis=0)) + np.log(width)


def log_profile(
    window: Window, log_signal: Float[np.ndarray, "r n"]
) -> Float[np.ndarray, "r n"]:
    """Return Laplace's approximation of `log_marginal`, no unit: cheap, for scouting."""
    mode, width = _mode(window, log_signal)
    background, signal = window.yields(log_signal, mode)
    mu = background + signal
    return xlogy(window.count, mu) - mu - mode**2 / 2 + np.log(width)


def predictive_quantiles(
    model: CountingModel, probabilities: Float[np.ndarray, " k"]
) -> Int[np.ndarray, "m k"]:
    """Smallest counts whose probability without signal, summed from 0, reaches a level.

    The count is Poisson, its mean spread by the nuisances (prior predictive).

    Parameters
    ----------
    model
        The counting experiments.
    probabilities
        Levels between 0 and 1; 0.5 gives the median count.
    """
    b, spread = model.background[:, None], model.spreads().background[:, None]
    top = b * np.exp(5 * spread)
    low = np.full((b.size, probabilities.size), -1)
    high = low + np.ceil(top + 10 * np.sqrt(top) + 30).astype(np.int64)
    while np.any(high - low > 1):
        middle = np.maximum((low + high) // 2, 0)
        enough = _predictive_cdf(middle, b, spread) >= probabilities
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _predictive_cdf(
    count: Int[np.ndarray, "m k"],
    b: Float[np.ndarray, "m 1"],
    spread: Float[np.ndarray, "m 1"],
) -> Float[np.ndarray, "m k"]:
    """Return P(n <= count): a log-normal mean lies below a gamma variable of count + 1.

    The wider of the two distributions is integrated in closed form and the other by
    the trapezoidal rule in ``asinh``, so that the integrand is always smooth.
    """
    shape = count[None] + 1.0
    step = np.linspace(-_STRETCH, _STRETCH, 23)[:, None, None]
    x, weight = np.sinh(step), np.cosh(step)
    prior = weight * np.exp(-(x**2) / 2)
    below = gammaincc(shape, b * np.exp(spread * x))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        r = x / np.sqrt(shape)  # ln(gamma variable / its mode in the logarithm)
        gamma = weight * np.exp(-shape * (np.expm1(r) - r))
        pull = (np.log(shape) + r - np.log(b)) / spread
    narrow = (prior * below).sum(axis=0) / prior.sum(axis=0)
    wide = (gamma * ndtr(pull)).sum(axis=0) / gamma.sum(axis=0)
    return np.where(spread * np.sqrt(count + 1.0) > 1, wide, narrow)


def _mode(
    window: Window, log_signal: Float[np.ndarray, "r n"]
) -> tuple[Float[np.ndarray, "r n"], Float[np.ndarray, "r n"]]:
    """Return the most likely pull of the nuisance and the width around it."""
    n, sigma, k = window.count, window.spread, window.slope
    pull = np.zeros_like(log_signal)
    curvature = np.ones_like(log_signal)
    reach = 1 / np.maximum(sigma * np.maximum(k, 1), 1e-9)  # yields move by e at most
    for _ in range(_MODE_STEPS):
        background, signal = window.yields(log_signal, pull)
        mu = background + signal
        first = background + k * signal
        second = background + k**2 * signal
        gradient = pull + sigma * first * (1 - n / mu)
        observed = second - n * (second / mu - (first / mu) ** 2)
        # Far from the data the observed curvature can be negative; Fisher's is not.
        curvature = 1 + sigma**2 * np.maximum(observed, first**2 / mu)
        update = np.clip(gradient / curvature, -reach, reach)
        pull -= update
        if np.all(update**2 * curvature < _MODE_PRECISION**2):
            break
    return pull, 1 / np.sqrt(curvature)


def _check(field: str, values: NDArray[np.float64], shape: tuple[int, ...]) -> None:
    if values.ndim != 1 or values.shape != shape:
        msg = (
            f"{field} has the shape {values.shape}, signal has {shape}; all arrays of "
            "a CountingModel hold one value per mass."
        )
        raise OutOfDomain(msg)
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        first = int(np.argmax(bad))
        msg = (
            f"{field} of window {first} is {values[first]}; it must be finite and >= 0."
        )
        raise OutOfDomain(msg)
