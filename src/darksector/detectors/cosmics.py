"""What looks like a single photon without a collision: cosmic rays, beam background."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import jax
import numpy as np
from numpy.typing import NDArray


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Cosmics:
    """Clusters from elsewhere that pass for a single photon.

    Parameters
    ----------
    single_photon_rate
        Events per fb⁻¹, per GeV of E* and per unit of cos θ in the laboratory: flat.
    """

    single_photon_rate: jax.Array


def check(numbers: Mapping[str, NDArray[np.float64]]) -> Iterator[tuple[str, str]]:
    """Yield the key and the complaint of every number that makes no sense."""
    rate = numbers["single_photon_rate"]
    if not rate >= 0:
        yield (
            "single_photon_rate",
            f"must be >= 0, got {rate}; it is a number of events.",
        )
