r"""A peak on a smooth background, as expected counts per bin.

The peak is a Gaussian core with a power law on either side (Gaiser, SLAC-R-255, 1982,
appendix F, on both sides), with :math:`t = (x-\mu)/(\sigma e^{\mp a})` below and above
its mode, :math:`t_c` = t clipped to :math:`[-\alpha_L, \alpha_R]` and the distances
:math:`d_{L,R} \ge 0` beyond:

.. math:: f = e^{-t_c^2/2} (1 + \alpha_L d_L/n_L)^{-n_L} (1 + \alpha_R d_R/n_R)^{-n_R}

The background is a sum of Chebyshev polynomials of the first kind.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import darksector.compilation  # noqa: F401  sets float64

PEAK = ("yield", "mean", "log_sigma")
TAILS = ("log_alpha_low", "log_n_low", "log_alpha_high", "log_n_high", "asymmetry")
NAMES = (*PEAK, *TAILS)  # the first parameters; coefficients of the background follow
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)  # of each bin
_LEAST = 1e-9  # events; keeps a logarithm finite


def nodes(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points of each bin at which a density is evaluated, ``(bins, 4)``."""
    centre, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    return centre[:, None] + half[:, None] * _NODES


def peak(theta: jax.Array, points: jax.Array) -> jax.Array:
    """Return events of the peak per bin, ``(bins,)``; its yield is that inside all bins."""
    shares = (_density(theta, points) * (_WEIGHTS / 2)).sum(axis=1)
    return theta[0] * shares / shares.sum()


def background(theta: jax.Array, points: jax.Array) -> jax.Array:
    """Return events of the background per bin, ``(bins,)``."""
    low, high = points.min(), points.max()
    x = (2 * points.mean(axis=1) - low - high) / (high - low)
    total = jnp.zeros_like(x)
    for k, coefficient in enumerate(theta[len(NAMES) :]):
        total = total + coefficient * jnp.cos(k * jnp.arccos(jnp.clip(x, -1, 1)))
    return total


def expected(theta: jax.Array, points: jax.Array) -> jax.Array:
    """Return expected events per bin, ``(bins,)``, never below a tiny number."""
    return jnp.maximum(peak(theta, points) + background(theta, points), _LEAST)


def curve(
    theta: NDArray[np.float64], edges: NDArray[np.float64], x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return fitted sum and background at x, events per bin of equal width."""
    points = jnp.asarray(nodes(edges))
    values = jnp.asarray(theta)
    unit = (_density(values, points) * (_WEIGHTS / 2)).sum()
    signal = values[0] * _density(values, jnp.asarray(x)) / unit
    under = np.interp(x, points.mean(axis=1), background(values, points))
    return np.asarray(signal) + under, under


def full_width(theta: NDArray[np.float64]) -> float:
    """Return the full width of the peak at half of its maximum, in the unit of x."""
    mean, sigma = float(theta[1]), float(np.exp(theta[2]))
    x = np.linspace(mean - 5 * sigma, mean + 5 * sigma, 20_001)
    density = np.asarray(_density(jnp.asarray(theta), jnp.asarray(x)))
    inside = x[density > density.max() / 2]
    return float(inside[-1] - inside[0])


def _density(theta: jax.Array, x: jax.Array) -> jax.Array:
    mean, sigma = theta[1], jnp.exp(theta[2])
    a_low, n_low, a_high, n_high = jnp.exp(theta[3:7])
    asymmetry = theta[7]  # positive: wider above
    t = (x - mean) / (sigma * jnp.exp(asymmetry * jnp.sign(x - mean)))
    core = jnp.clip(t, -a_low, a_high)
    below = 1 + a_low / n_low * jnp.maximum(-a_low - t, 0.0)
    above = 1 + a_high / n_high * jnp.maximum(t - a_high, 0.0)
    return jnp.exp(-(core**2) / 2 - n_low * jnp.log(below) - n_high * jnp.log(above))
