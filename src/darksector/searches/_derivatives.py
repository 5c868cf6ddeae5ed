"""Yields of one chunk in soft windows, and their derivatives by numbers of the detector.

Forward mode, all numbers at once.  The outcomes of an event are enumerated and its
resolution is truth + σ z, so that both weights and measured values have derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import and_
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from darksector.detectors.card import Detector
from darksector.detectors.losses import ORIGINS
from darksector.detectors.objects import Candidates
from darksector.detectors.outcomes import detect
from darksector.detectors.response import Response
from darksector.errors import UnknownName
from darksector.execution import Arrays
from darksector.observables import OBSERVABLES
from darksector.searches._simulation import Prepared, Sample, prepared
from darksector.searches._soft_windows import SoftWindows
from darksector.searches.base import Search

_SYSTEMS = ("calorimeter", "klm", "trigger")  # no tables follow from their numbers
_OPENINGS = ("calorimeter.gaps", "calorimeter.cracks")
_RESOLUTIONS = tuple(f"calorimeter.{x}_resolution" for x in ("energy", "theta", "phi"))
_PIECE = 4096  # events that are differentiated at once


def check_number(detector: Detector, name: str) -> None:
    """Raise UnknownName unless yields can be differentiated by a number of a card."""
    known = [
        origin for origin, _ in detector.origins if origin.split(".")[0] in _SYSTEMS
    ]
    if name not in known:
        kind = "number of a detector with derivatives of yields"
        raise UnknownName(kind, name, known)


def scaled(
    response: Response, names: Sequence[str], factors: Sequence[float] | jax.Array
) -> Response:
    """Return a response, each of some numbers of its card times a factor.

    Parameters
    ----------
    names
        ``system.number`` of the calorimeter, the muon detector or the trigger.
    factors
        One per name.

    Notes
    -----
    Gaps and cracks are opened around their middle; of a resolution the energies keep
    their place, and the widths are multiplied.
    """
    detector = response.detector
    for name, factor in zip(names, factors, strict=True):
        system, key = name.split(".")
        part = getattr(detector, system)
        value = _scaled(name, getattr(part, key), factor)
        detector = replace(detector, **{system: replace(part, **{key: value})})
    return Response(detector, response.tracks)


def _scaled(name: str, value: jax.Array, factor: float | jax.Array) -> jax.Array:
    if name in _OPENINGS:
        middle = value.mean(axis=1, keepdims=True)
        return middle + factor * (value - middle)
    if name in _RESOLUTIONS:
        # the first number of a row is the energy down to which the others hold
        return jnp.concatenate((value[..., :1], factor * value[..., 1:]), axis=-1)
    return value * factor


def differentiated(
    sample: Sample, windows: SoftWindows, names: tuple[str, ...]
) -> Arrays:
    """Return what a chunk leaves in the windows, and by how much that changes.

    The arrays are ``yields`` ``(1 + origins, w)``, fb times events: all candidates, then
    the share of each origin of losses; ``slopes`` ``(1 + origins, w, k)``, their
    derivatives by the factors of the k numbers; ``generated``, the weight of all events,
    and their ``count``.
    """
    ready = prepared(sample)
    generated = np.asarray(ready.events.weights)
    near = np.flatnonzero(_reached(sample.search, ready, windows))
    rows, count = 1 + len(ORIGINS), windows.width.size
    found = np.zeros((rows, count)), np.zeros((rows, count, len(names)))
    for start in range(0, near.size, _PIECE):
        piece = _taken(ready, near[start : start + _PIECE])
        slopes, yields = _slopes((sample.search, names), piece, windows)
        found[0][:] += np.asarray(yields)
        found[1][:] += np.asarray(slopes)
    return {
        "yields": found[0],
        "slopes": found[1],
        "generated": np.array(generated.sum()),
        "count": np.array(generated.size),
    }


def yields(
    wanted: tuple[Search, tuple[str, ...]],
    factors: jax.Array,
    ready: Prepared,
    windows: SoftWindows,
) -> jax.Array:
    """Return `yields` of `differentiated` for a detector with scaled numbers."""
    search, names = wanted
    response = scaled(ready.response, names, factors)
    found = _columns(search, ready, response)
    inside = windows.inside(found["value"], *found["variables"])
    weight = found["weight"]
    shares = jnp.stack([jnp.ones_like(weight), *found["origins"]])
    return (shares * weight) @ inside.T


@partial(jax.jit, static_argnums=0)
def _slopes(
    wanted: tuple[Search, tuple[str, ...]], ready: Prepared, windows: SoftWindows
) -> tuple[jax.Array, jax.Array]:
    """Return the derivatives of the yields, and the yields."""

    def both(factors: jax.Array) -> tuple[jax.Array, jax.Array]:
        found = yields(wanted, factors, ready, windows)
        return found, found

    result: tuple[jax.Array, jax.Array] = jax.jacfwd(both, has_aux=True)(
        jnp.ones(len(wanted[1]))
    )
    return result


@partial(jax.jit, static_argnums=0)
def _reached(search: Search, ready: Prepared, windows: SoftWindows) -> jax.Array:
    """Return which events have a candidate in any window, ``(n,)``.

    The edges end: what is beyond them has no derivative either.
    """
    found = _columns(search, ready, ready.response)
    inside = windows.inside(found["value"], *found["variables"]).max(axis=0)
    there = (found["weight"] * inside).reshape(-1, ready.events.weights.size)
    return (there != 0).any(axis=0)


def _columns(search: Search, ready: Prepared, response: Response) -> dict[str, Any]:
    """Return weight, value, variables and origins of the candidates of all outcomes."""

    def columns(found: Candidates) -> dict[str, Any]:
        passed = [cut.passes(found, response.detector) for cut in search.selection]
        kept = reduce(and_, passed, jnp.ones(found.weights.shape, bool))
        return {
            "weight": jnp.where(kept, found.weights, 0.0),
            "value": OBSERVABLES[search.observable].compute(found),
            "variables": [
                OBSERVABLES[name].compute(found) for name in search.strategy.variables
            ],
            "origins": [found.origins[name] for name in ORIGINS],
        }

    found: dict[str, Any] = detect(
        ready.events,
        ready.z,
        ready.p_beams,
        response,
        topology=search.topology,
        evaluate=columns,
    )
    return found


def _taken(ready: Prepared, chosen: np.ndarray) -> Prepared:
    """Return some of the events, and as many without weight as make a piece."""
    index = np.resize(chosen, _PIECE)
    events = jax.tree.map(lambda a: a[index], ready.events)
    real = jnp.asarray(np.arange(_PIECE) < chosen.size)
    weights = jnp.where(real, events.weights, 0.0)
    return Prepared(
        replace(events, weights=weights), ready.z[index], ready.p_beams, ready.response
    )
