"""Weighted values: what a simulation hands to a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import jax
import numpy as np
from numpy.typing import NDArray

from darksector.rediscovery.measure import Response


@final
@dataclass(frozen=True)
class Sample:
    """Values of an observable with weights, ``(n,)``.

    Parameters
    ----------
    values
        The observable in its unit.
    weights
        fb; Σ weights is the cross-section after the selection.
    truth
        What a perfect detector would have measured, ``(n,)``, or one number.
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    truth: NDArray[np.float64] | float = 0.0


@final
@dataclass(frozen=True)
class Setup:
    """How generated events are looked at.

    Parameters
    ----------
    response
        The detector.
    p_beams
        Nominal total four-momentum of the beams, ``(4,)``, GeV.
    seed
        The one seed of the run.
    """

    response: Response
    p_beams: jax.Array
    seed: int


def joined(parts: Sequence[Sample], replicas: int) -> Sample:
    """Return parts as one sample, each event measured `replicas` times among them."""
    kept = [part.weights > 0 for part in parts]
    values, weights, truth = (
        np.concatenate(
            [np.broadcast_to(a, k.shape)[k] for a, k in zip(x, kept, strict=True)]
        )
        for x in (
            [part.values for part in parts],
            [part.weights / replicas for part in parts],
            [np.asarray(part.truth) for part in parts],
        )
    )
    return Sample(values, weights, truth)
