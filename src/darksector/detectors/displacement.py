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
    """Numbers of displaced decays: distances in cm.

    Parameters
    ----------
    prompt_distance
        Flight up to which a vertex of tracks looks like the collision.
    vertex_radius
        Radius up to which enough of the tracker is left.
    photon_distance
        Flight up to which two photons keep their mass within its resolution.
    """

    prompt_distance: jax.Array
    vertex_radius: jax.Array
    photon_distance: jax.Array


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
    if not numbers["photon_distance"] >= prompt:
        yield (
            "photon_distance",
            (
                f"must be at least prompt_distance ({prompt} cm), got "
                f"{numbers['photon_distance']}; photons show a vertex worse than tracks."
            ),
        )
