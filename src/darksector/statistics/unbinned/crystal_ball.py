r"""Gaussian peaks with power-law tails on one side or on both.

.. math:: h(z) = e^{-z^2/2}\ (z > -\alpha),\qquad
          e^{-\alpha^2/2} \left(1 + \tfrac{\alpha}{n}(-\alpha - z)\right)^{-n}\
          \text{below}

with :math:`z = (x-\mu)/\sigma`.  Reference: J. E. Gaiser, PhD thesis, SLAC-R-255 (1982),
appendix F; both tails: arXiv:1606.03833 (ATLAS), eq. 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from darksector.statistics.unbinned.shapes import (
    Parameters,
    Shape,
    around,
    core_integral,
    peak_parameters,
)

_ALPHA = (1.5, 0.05, 8.0)  # first guess and bounds
_POWER = (4.0, 1.01, 200.0)  # towards one the tail has no finite integral


@final
@dataclass(frozen=True)
class CrystalBall(Shape):
    """Gaussian core with a power-law tail on one side.

    Parameters
    ----------
    tail_above
        Whether the tail is above the peak, as in recoil masses, instead of below.
    """

    tail_above: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Position and width (unit of the observable), start and power of the tail."""
        return ("mean", "sigma", "alpha", "n")

    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window."""
        return peak_parameters(windows, _ALPHA, _POWER)

    def height(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],  # noqa: ARG002
    ) -> Float[Array, " e"]:
        """Return the density relative to its maximum."""
        mean, sigma, alpha, power = theta
        z = self._sign() * (x - mean) / sigma
        return jnp.exp(
            jnp.where(z > -alpha, -0.5 * z**2, _log_tail(-z - alpha, alpha, power))
        )

    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],  # noqa: ARG002
    ) -> Float[Array, " e"]:
        """Return the integral from the mean to `x`, unit of the observable."""
        mean, sigma, alpha, power = theta
        z = self._sign() * (x - mean) / sigma
        core = core_integral(jnp.maximum(z, -alpha))
        return self._sign() * sigma * (core - _tail_integral(-z - alpha, alpha, power))

    def landmarks(
        self, theta: Float[Array, " p"], window: Float[Array, " 2"]
    ) -> Float[Array, " k"]:
        """Return points around the peak."""
        return around(theta[0], theta[1], window)

    def _sign(self) -> float:
        return -1.0 if self.tail_above else 1.0


@final
@dataclass(frozen=True)
class DoubleCrystalBall(Shape):
    """Gaussian core with a power-law tail on each side."""

    @property
    def names(self) -> tuple[str, ...]:
        """Position and width (unit of the observable), start and power of the tails."""
        return ("mean", "sigma", "alpha_low", "n_low", "alpha_high", "n_high")

    def parameters(self, windows: Float[np.ndarray, "n 2"]) -> Parameters:
        """Return first guess and bounds in each window."""
        return peak_parameters(windows, _ALPHA, _POWER, _ALPHA, _POWER)

    def height(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],  # noqa: ARG002
    ) -> Float[Array, " e"]:
        """Return the density relative to its maximum."""
        mean, sigma, alpha_low, n_low, alpha_high, n_high = theta
        z = (x - mean) / sigma
        alpha = jnp.where(z < 0, alpha_low, alpha_high)
        power = jnp.where(z < 0, n_low, n_high)
        past = jnp.abs(z) - alpha
        return jnp.exp(jnp.where(past < 0, -0.5 * z**2, _log_tail(past, alpha, power)))

    def primitive(
        self,
        x: Float[Array, " e"],
        theta: Float[Array, " p"],
        window: Float[Array, " 2"],  # noqa: ARG002
    ) -> Float[Array, " e"]:
        """Return the integral from the mean to `x`, unit of the observable."""
        mean, sigma, alpha_low, n_low, alpha_high, n_high = theta
        z = (x - mean) / sigma
        core = core_integral(jnp.clip(z, -alpha_low, alpha_high))
        low = _tail_integral(-z - alpha_low, alpha_low, n_low)
        high = _tail_integral(z - alpha_high, alpha_high, n_high)
        return sigma * (core - low + high)

    def landmarks(
        self, theta: Float[Array, " p"], window: Float[Array, " 2"]
    ) -> Float[Array, " k"]:
        """Return points around the peak."""
        return around(theta[0], theta[1], window)


def _log_tail(
    past: Float[Array, " e"], alpha: Float[Array, "*e"], power: Float[Array, "*e"]
) -> Float[Array, " e"]:
    """Return the logarithm of the tail at a distance from where it begins."""
    return -0.5 * alpha**2 - power * jnp.log1p(alpha / power * jnp.maximum(past, 0.0))


def _tail_integral(
    past: Float[Array, " e"], alpha: Float[Array, ""], power: Float[Array, ""]
) -> Float[Array, " e"]:
    """Return the integral of the tail from where it begins, dimensionless."""
    log = jnp.log1p(alpha / power * jnp.maximum(past, 0.0))
    scale = jnp.exp(-0.5 * alpha**2) * power / (alpha * (power - 1))
    return -scale * jnp.expm1(-(power - 1) * log)
