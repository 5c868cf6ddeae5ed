"""Where a particle decays, and what of its decay the detector can show."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp

from darksector.detectors.card import Detector
from darksector.detectors.crystals import impact
from darksector.kinematics import Momentum, modulus, polar, squared

FATES = ("prompt", "displaced", "calorimetric", "invisible")


def fate_probabilities(
    detector: Detector, p: Momentum, ctau: jax.Array | float
) -> dict[str, jax.Array]:
    """Return the chance of each fate of a particle from the origin, ``(n,)``.

    It decays before the vertex differs from the collision (`prompt`), where enough of
    the tracker is left (`displaced`), before the front of the calorimeter
    (`calorimetric`: photons and electrons still make clusters), or behind it.

    Parameters
    ----------
    detector
        The experiment.
    p
        Four-momentum, GeV; its square is the mass.
    ctau
        Mean decay length at rest, cm.

    Notes
    -----
    Where the calorimeter does not reach, its front is continued as a cylinder with two
    ends; that the daughters may miss it is a matter of their own outcomes.
    """
    return dict(zip(FATES, decay_shares(p, ctau, _edges(detector, p)), strict=True))


def decay_shares(
    p: Momentum, ctau: jax.Array | float, edges: Sequence[jax.Array]
) -> list[jax.Array]:
    """Return the chances to decay before, between and behind some edges, ``(n,)`` each.

    Parameters
    ----------
    p
        Four-momentum, GeV; its square is the mass.
    ctau
        Mean decay length at rest, cm.
    edges
        Path lengths from the origin in increasing order, cm, ``(n,)`` each.
    """
    mass = jnp.sqrt(jnp.maximum(squared(p), 1e-300))
    length = jnp.maximum(modulus(p) / mass * ctau, 1e-300)
    alive = [jnp.exp(-edge / length) for edge in edges]
    left = [jnp.ones_like(length), *alive, jnp.zeros_like(length)]
    return [before - after for before, after in pairwise(left)]


def fate(detector: Detector, vertex: Momentum) -> jax.Array:
    """Return the index in `FATES` of decays at vertices (ct, x, y, z), cm, ``(n,)``."""
    distance = modulus(vertex)
    passed = jnp.stack([distance > edge for edge in _edges(detector, vertex)])
    return passed.sum(axis=0)


def _edges(detector: Detector, direction: Momentum) -> tuple[jax.Array, ...]:
    """Return the path lengths at which one fate turns into the next, cm, ``(n,)``."""
    numbers = detector.displacement
    theta = polar(direction)
    sine = jnp.maximum(jnp.sin(theta), 1e-300)
    prompt = numbers.prompt_distance * jnp.ones_like(theta)
    front = impact(detector.calorimeter, direction, None).distance
    tracker = jnp.minimum(numbers.vertex_radius / sine, front)
    return prompt, tracker, jnp.maximum(front, tracker)
