"""How far from the collision a decay may be for a track or a vertex to show it."""

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
class Displacement:
    """Numbers of displaced decays: distances in cm."""

    prompt_distance: jax.Array
    vertex_radius: jax.Array


def check(numbers: Mapping[str, NDArray[np.float64]]) -> Iterator[tuple[str, str]]:
    """Yield the key and the complaint of every number that makes no sense."""
    prompt, vertex = numbers["prompt_distance"], numbers["vertex_radius"]
    if not prompt >= 0:
        yield "prompt_distance", f"must be >= 0 cm, got {prompt}; it is a resolution."
    if not vertex > prompt:
        yield (
            "vertex_radius",
            (
                f"must exceed prompt_distance ({prompt} cm), got {vertex}; it is the radius "
                "up to which enough of the tracker is left."
            ),
        )
