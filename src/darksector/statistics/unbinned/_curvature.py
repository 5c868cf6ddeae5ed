"""Matrices of second derivatives: made definite for steps, inverted for errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_RIDGE = 1e-9  # relative, so that parameters without effect have a metric
_FLATTEST = 0.1  # curvature relative to the metric that a step relies upon
_FARTHEST = 5.0  # length of a step along each axis, in errors by the metric


def definite(
    score: NDArray[np.float64],
    metric: NDArray[np.float64],
    hessian: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return second derivatives that curve upwards, enough for steps that hold.

    In units of the metric every axis of the second derivatives gets a curvature that is
    positive, not too flat, and such that the step along it is not too far.
    """
    eye = np.eye(metric.shape[1])
    finite = np.isfinite(metric + hessian).all(axis=(1, 2)).reshape(-1, 1, 1)
    metric, hessian = np.where(finite, metric, eye), np.where(finite, hessian, eye)
    size = np.sqrt(np.einsum("rpp->rp", metric))
    size = np.where(size > 0, size, 1.0)
    scale = size[:, :, None] * size[:, None, :]
    root = np.linalg.cholesky(metric / scale + _RIDGE * eye)
    back = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(back @ (hessian / scale) @ back.mT)
    left = root @ vectors
    score = np.where(finite[:, :, 0], score, 0.0) / size
    slope = (vectors.mT @ (back @ score[:, :, None]))[:, :, 0]
    steep = np.maximum(np.abs(values), np.maximum(_FLATTEST, np.abs(slope) / _FARTHEST))
    return np.asarray((left * steep[:, None, :]) @ left.mT * scale)


def inverse(
    hessian: NDArray[np.float64], free: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the inverse in the free parameters, and where it is a covariance."""
    both = free[:, :, None] & free[:, None, :]
    matrix = np.where(both, hessian, np.eye(free.shape[1]))
    finite = np.isfinite(matrix).all(axis=(1, 2))
    diagonal = np.einsum("npp->np", matrix)
    definite = finite & (diagonal > 0).all(axis=1)
    size = np.where(definite[:, None], np.sqrt(np.abs(diagonal)), 1.0)
    scale = size[:, :, None] * size[:, None, :]
    scaled = np.where(definite[:, None, None], matrix / scale, np.eye(free.shape[1]))
    definite &= np.linalg.eigvalsh(scaled)[:, 0] > 1e-12
    scaled = np.where(definite[:, None, None], scaled, np.eye(free.shape[1]))
    return np.where(both, np.linalg.inv(scaled) / scale, 0.0), definite
