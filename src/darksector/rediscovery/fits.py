"""Extended maximum-likelihood fits of binned spectra: yield, place and width of a peak."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import exp, sqrt
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from darksector.errors import NotConverged
from darksector.rediscovery import shapes
from darksector.statistics.spectrum import Spectrum

_PEAK = len(shapes.PEAK)
_TAILS = slice(_PEAK, len(shapes.NAMES))
_TYPICAL = np.array(
    [*np.log([1.5, 3.0, 1.5, 3.0]), 0.0]
)  # tails: where they start, and are held weakly
_LOOSE = 1.0  # standard deviation of that, in the logarithm or the asymmetry
_EDM = 1e-3  # largest expected distance to the minimum, in units of the log-likelihood


@final
@dataclass(frozen=True)
class Value:
    """A fitted number with its error from the Hessian."""

    value: float
    error: float


@final
@dataclass(frozen=True)
class Fit:
    """A fitted spectrum.

    Parameters
    ----------
    signal
        Events of the peak inside the fitted range.
    mean, sigma
        Mode of the peak and geometric mean of its widths below and above, in the unit
        of the observable.
    full_width
        Of the peak at half of its maximum.
    chi2, dof
        Twice the log of the ratio of likelihoods to that of the counts themselves
        (Baker and Cousins, 1984), and its degrees of freedom.
    peak, background
        Fitted events per bin, ``(bins,)``.
    parameters
        All parameters in the order of `shapes`.
    """

    signal: Value
    mean: Value
    sigma: Value
    full_width: float
    chi2: float
    dof: int
    peak: NDArray[np.float64]
    background: NDArray[np.float64]
    parameters: NDArray[np.float64]


def fit_template(spectrum: Spectrum) -> Fit:
    """Return the fit of a simulated peak alone, all tails free.

    Weighted events count as many as have the same relative error.
    """
    filled = spectrum.variances.sum()
    scale = spectrum.total() / filled if filled else 0.0
    counts = spectrum.contents * scale
    start = _start(spectrum.edges, counts)
    free = tuple(range(len(shapes.NAMES)))
    return _fit(spectrum.edges, counts, start, free)


def fit(
    edges: NDArray[np.float64],
    counts: NDArray[np.float64],
    *,
    template: Fit,
    degree: int | None,
) -> Fit:
    """Return the fit of counts with the tails of a template.

    Parameters
    ----------
    edges
        Bin edges, ``(bins + 1,)``.
    counts
        Events per bin, ``(bins,)``.
    template
        Gives the tails, and where the peak starts.
    degree
        Of the polynomial background; None for no background.

    Raises
    ------
    NotConverged
        If no minimum with a positive Hessian is found.
    """
    theta = template.parameters.copy()
    terms = 0 if degree is None else degree + 1
    sides = np.zeros(terms)
    theta[0] = counts.sum()
    if terms:
        sides[0] = np.concatenate([counts[:5], counts[-5:]]).mean()
        theta[0] = max(counts.sum() - sides[0] * len(counts), sqrt(counts.sum()), 1.0)
    free = (*range(_PEAK), *range(len(shapes.NAMES), len(shapes.NAMES) + terms))
    return _fit(edges, counts, np.concatenate([theta, sides]), free)


def _start(
    edges: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where the fit of a peak alone starts: median and central 68 %."""
    share = np.cumsum(counts) / counts.sum()
    low, middle, high = np.interp([0.1587, 0.5, 0.8413], share, edges[1:])
    return np.array([counts.sum(), middle, np.log((high - low) / 2), *_TYPICAL])


def _fit(
    edges: NDArray[np.float64],
    counts: NDArray[np.float64],
    start: NDArray[np.float64],
    free: tuple[int, ...],
) -> Fit:
    points = jnp.asarray(shapes.nodes(edges))
    inputs = (jnp.asarray(start), _scale(counts, start), points, jnp.asarray(counts))
    found = optimize.minimize(
        lambda x: float(_loss(free, jnp.asarray(x), *inputs)),
        np.zeros(len(free)),
        jac=lambda x: np.asarray(_gradient(free, jnp.asarray(x), *inputs)),
        hess=lambda x: np.asarray(_hessian(free, jnp.asarray(x), *inputs)),
        method="trust-exact",
        options={"gtol": 1e-7, "maxiter": 500},
    )
    covariance = _covariance(
        np.asarray(_hessian(free, jnp.asarray(found.x), *inputs)), found.jac
    )
    theta = np.asarray(_theta(free, jnp.asarray(found.x), *inputs[:2]))
    error = np.sqrt(np.diag(covariance))[:_PEAK] * np.asarray(inputs[1])[:_PEAK]
    constrained = sum(_TAILS.start <= i < _TAILS.stop for i in free)
    return _result(theta, error, points, counts, len(counts) - len(free) + constrained)


def _result(
    theta: NDArray[np.float64],
    error: NDArray[np.float64],
    points: jax.Array,
    counts: NDArray[np.float64],
    dof: int,
) -> Fit:
    sigma = exp(theta[2])
    total = np.asarray(shapes.expected(jnp.asarray(theta), points))
    ratio = np.where(counts > 0, counts, 1.0) / total
    chi2 = 2 * (total - counts + np.where(counts > 0, counts * np.log(ratio), 0.0))
    return Fit(
        signal=Value(float(theta[0]), float(error[0])),
        mean=Value(float(theta[1]), float(error[1])),
        sigma=Value(sigma, sigma * float(error[2])),
        full_width=shapes.full_width(theta),
        chi2=float(chi2.sum()),
        dof=dof,
        peak=np.asarray(shapes.peak(jnp.asarray(theta), points)),
        background=np.asarray(shapes.background(jnp.asarray(theta), points)),
        parameters=theta,
    )


def _scale(counts: NDArray[np.float64], start: NDArray[np.float64]) -> jax.Array:
    """Return the natural step of every parameter: of the order of its error."""
    n = max(counts.sum(), 1.0)
    peak = [sqrt(n), exp(start[2]) / sqrt(n), 1 / sqrt(n)]
    sides = [sqrt(n) / len(counts)] * (len(start) - len(shapes.NAMES))
    return jnp.asarray([*peak, *([0.1] * len(_TYPICAL)), *sides])


def _theta(
    free: tuple[int, ...], x: jax.Array, start: jax.Array, scale: jax.Array
) -> jax.Array:
    index = np.array(free)
    return start.at[index].add(x * scale[index])


@partial(jax.jit, static_argnums=0)
def _loss(
    free: tuple[int, ...],
    x: jax.Array,
    start: jax.Array,
    scale: jax.Array,
    points: jax.Array,
    counts: jax.Array,
) -> jax.Array:
    """Return minus the log of the likelihood, up to a constant."""
    theta = _theta(free, x, start, scale)
    total = shapes.expected(theta, points)
    held = (theta[_TAILS] - _TYPICAL) / _LOOSE
    # relative to the counts: the difference of large numbers would lose digits
    known = jnp.where(counts > 0, counts, 1.0)
    terms = total - counts - counts * jnp.log(total / known)
    return terms.sum() + (held**2).sum() / 2


_gradient = jax.jit(jax.grad(_loss, argnums=1), static_argnums=0)
_hessian = jax.jit(jax.hessian(_loss, argnums=1), static_argnums=0)


def _covariance(
    hessian: NDArray[np.float64], gradient: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the inverse Hessian of a minimum."""
    eigenvalues = np.linalg.eigvalsh(hessian)
    if np.isfinite(hessian).all() and eigenvalues.min() > 0:
        covariance = np.linalg.inv(hessian)
        if gradient @ covariance @ gradient / 2 < _EDM:
            return np.asarray(covariance)
    msg = (
        "the fit of a peak found no minimum (smallest eigenvalue of the Hessian "
        f"{eigenvalues.min():.2g}); give more luminosity, or a wider range."
    )
    raise NotConverged(msg)
