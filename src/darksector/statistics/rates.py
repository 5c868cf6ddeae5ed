"""Expected counts of signal plus background in bins, with their derivatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray


class Rates(ABC):
    """Expected counts as functions of the signal yield and background parameters.

    The first parameter is the number of signal events.
    """

    @abstractmethod
    def counts(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "r b"]:
        """Return the expected counts of `rows` at `theta`."""

    @abstractmethod
    def contract(
        self,
        theta: Float[np.ndarray, "r p"],
        rows: Int[np.ndarray, " r"],
        residual: Float[np.ndarray, "r b"],
        weight: Float[np.ndarray, "r b"],
    ) -> tuple[Float[np.ndarray, "r p"], Float[np.ndarray, "r p p"]]:
        r"""Return :math:`J^T r` and :math:`J^T W J` with the derivatives J of `counts`."""


@final
@dataclass(frozen=True)
class SharedLinear(Rates):
    """The same linear model for every row: one matrix product for all of them.

    Parameters
    ----------
    design
        Counts per unit of each parameter, shape ``(b, p)``.
    outer
        Products of its columns, shape ``(b, p * p)``.
    """

    design: NDArray[np.float64]
    outer: NDArray[np.float64]

    @classmethod
    def of(cls, design: NDArray[np.float64]) -> SharedLinear:
        """Return the model of a design matrix, shape ``(b, p)``."""
        outer = design[:, :, None] * design[:, None, :]
        return cls(design, outer.reshape(len(design), -1))

    def counts(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "r b"]:
        """Return the product with the design, shape ``(r, b)``."""
        del rows
        return theta @ self.design.T

    def contract(
        self,
        theta: Float[np.ndarray, "r p"],
        rows: Int[np.ndarray, " r"],
        residual: Float[np.ndarray, "r b"],
        weight: Float[np.ndarray, "r b"],
    ) -> tuple[Float[np.ndarray, "r p"], Float[np.ndarray, "r p p"]]:
        """Return both contractions, two matrix products in all."""
        p = self.design.shape[1]
        del theta, rows
        return residual @ self.design, (weight @ self.outer).reshape(-1, p, p)


@final
@dataclass(frozen=True)
class RowLinear(Rates):
    """A linear model of its own for every row.

    Parameters
    ----------
    design
        Counts per unit of each parameter, shape ``(n, b, p)``; padding is 0.
    padding
        One in padded bins, else 0, shape ``(n, b)``.
    """

    design: NDArray[np.float64]
    padding: NDArray[np.float64]

    def counts(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "r b"]:
        """Return the products with the design of each row."""
        return (self.design[rows] @ theta[:, :, None])[:, :, 0] + self.padding[rows]

    def contract(
        self,
        theta: Float[np.ndarray, "r p"],
        rows: Int[np.ndarray, " r"],
        residual: Float[np.ndarray, "r b"],
        weight: Float[np.ndarray, "r b"],
    ) -> tuple[Float[np.ndarray, "r p"], Float[np.ndarray, "r p p"]]:
        """Return both contractions, one small product per row."""
        del theta
        return _contract(self.design[rows], residual, weight)


@final
@dataclass(frozen=True)
class Exponential(Rates):
    r"""Signal on top of the exponential of a polynomial.

    .. math:: \nu_b = n_s s_b + \sum_g w_{bg} \exp\Big(\sum_k c_k P_{kbg}\Big)

    Parameters
    ----------
    signal
        Share of the signal in each bin, shape ``(n, b)``, or ``(1, b)`` for all rows.
    nodes
        Polynomials at the points of the quadrature, shape ``(n, b, g, k)`` or with 1.
    weights
        Weights of these points, shape ``(n, b, g)`` or with 1; padding is 0.
    """

    signal: NDArray[np.float64]
    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]

    def counts(
        self, theta: Float[np.ndarray, "r p"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "r b"]:
        """Return signal plus background, infinite where it overflows."""
        weights = self._of(self.weights, rows)
        padding = weights[:, :, 0] == 0
        background = self._parts(theta, rows).sum(axis=2)
        return theta[:, :1] * self._of(self.signal, rows) + background + padding

    def contract(
        self,
        theta: Float[np.ndarray, "r p"],
        rows: Int[np.ndarray, " r"],
        residual: Float[np.ndarray, "r b"],
        weight: Float[np.ndarray, "r b"],
    ) -> tuple[Float[np.ndarray, "r p"], Float[np.ndarray, "r p p"]]:
        """Return both contractions; the derivatives depend on `theta`."""
        parts, nodes = self._parts(theta, rows), self._of(self.nodes, rows)
        jacobian = np.empty((*residual.shape, theta.shape[1]))
        jacobian[:, :, 0] = self._of(self.signal, rows)
        jacobian[:, :, 1:] = (parts[:, :, None, :] @ nodes)[:, :, 0]
        return _contract(jacobian, residual, weight)

    def _parts(
        self, theta: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        exponent = self._of(self.nodes, rows) @ theta[:, None, 1:, None]
        with np.errstate(over="ignore"):  # infinite rates are refused by the fit
            return self._of(self.weights, rows) * np.exp(exponent[..., 0])

    @staticmethod
    def _of(values: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:  # fmt: skip
        return values if len(values) == 1 else values[rows]


def _contract(
    jacobian: NDArray[np.float64],
    residual: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    score = (residual[:, None, :] @ jacobian)[:, 0]
    weighted = jacobian * weight[:, :, None]
    return score, weighted.transpose(0, 2, 1) @ jacobian
