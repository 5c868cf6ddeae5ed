"""pi0 -> gamma gamma from tau pairs: every pair of photons of an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector.compilation import BLOCK
from darksector.events import Events
from darksector.execution import stream
from darksector.generators import tau
from darksector.generators.decay import Mode, decay
from darksector.kinematics import Momentum, momentum, squared
from darksector.machines import Machine
from darksector.particles import MASS, PDG
from darksector.rediscovery import measure, numbers
from darksector.rediscovery.sample import Sample, Setup, joined
from darksector.registry import PROCESSES

PHOTON_E_MIN = 0.15  # GeV, of a cluster in the laboratory
_EVENTS = 1 << 17
_REPLICAS = 32  # each event is measured this often
_MASS_MAX = 0.3  # GeV; heavier pairs are nowhere shown
_MOST_TRACKS = 6
_TWO_PHOTONS = Mode((PDG["gamma"], PDG["gamma"]), (0.0, 0.0))


@final
@dataclass(frozen=True)
class Photons:
    """Photons of pi0 in tau pairs, and the events they are from.

    Parameters
    ----------
    momenta
        Two photons of each pi0 one after the other, ``(2 p, 4)``, GeV.
    event
        Event of each photon, ``(2 p,)``, in ascending order.
    weights
        Of the events, ``(n,)``, fb.
    charged
        Momenta of the charged particles of each event, zero where there are fewer,
        ``(n, 6, 4)``, GeV.
    """

    momenta: NDArray[np.float64]
    event: NDArray[np.int64]
    weights: NDArray[np.float64]
    charged: NDArray[np.float64]


def generate(machine: Machine, seed: int) -> Photons:
    """Return the photons of tau pairs; Σ weights is the cross-section, fb.

    Tau decays other than those of the package and pi0 of K_S, 1 %, are left out.
    """
    process = PROCESSES.load("ditau")(running_alpha=True)
    pairs = process.generate(_EVENTS, machine, seed=seed, unweighted=True)
    groups = list(tau.samples(pairs, machine, seed=seed))
    sizes = np.array([len(group.weights) for group in groups])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]]).tolist()
    pions, event = zip(
        *(_pions(group, start) for group, start in zip(groups, first, strict=True)),
        strict=True,
    )
    return Photons(
        momenta=_photons(np.concatenate(pions), seed),
        event=np.repeat(np.concatenate(event), 2),
        weights=np.concatenate([np.asarray(group.weights) for group in groups]),
        charged=np.concatenate([_charged(group) for group in groups]),
    )


def look(photons: Photons, setup: Setup) -> dict[str, Sample]:
    """Return the masses of all pairs of photons of an event, GeV.

    ``signal`` are those of one pi0, ``combinatorial`` the others.
    """
    pairs = np.concatenate(list(_pairs(photons.event)))
    same = pairs[:, 0] // 2 == pairs[:, 1] // 2
    # the photons of two pi0 are there only if both decayed to two photons
    fraction = numbers.value("pi0_to_gamma_gamma") ** np.where(same, 1, 2)
    weight = photons.weights * _trigger(photons, setup)
    weight = weight[photons.event[pairs[:, 0]]] * fraction
    weight = weight * _seen(photons.momenta, pairs, setup)
    parts: dict[str, list[Sample]] = {"signal": [], "combinatorial": []}
    for replica in range(_REPLICAS):
        mass, shown = _measured(photons.momenta, pairs, setup, replica)
        for name, mask in (("signal", same), ("combinatorial", ~same)):
            seen = Sample(mass[mask], (weight * shown)[mask], MASS["pi0"])
            parts[name].append(seen)
    return {name: joined(each, _REPLICAS) for name, each in parts.items()}


def _pions(group: Events, start: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the momenta of all pi0, ordered by event, and the events they are in."""
    slots = [i for i, code in enumerate(group.pdg) if code == PDG["pi0"]]
    n = len(group.weights)
    found = np.asarray(group.momenta)[:, slots].reshape(-1, 4)
    return found, start + np.repeat(np.arange(n), len(slots))


def _charged(group: Events) -> NDArray[np.float64]:
    codes = {PDG[name] for name in ("e", "mu", "pi+", "K+")}
    slots = [i for i, code in enumerate(group.pdg) if abs(code) in codes]
    found = np.zeros((len(group.weights), _MOST_TRACKS, 4))
    found[:, : len(slots)] = np.asarray(group.momenta)[:, slots]
    return found


def _photons(pions: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    n = len(pions)
    at_rest = Events(
        momenta=jnp.asarray(pions[:, None]),
        weights=jnp.ones(n),
        p_beams=jnp.zeros((n, 4)),
        pdg=(PDG["pi0"],),
    )
    u = stream(seed, "rediscovery", "pi0").random((n, _TWO_PHOTONS.dimension))
    made = decay(u, at_rest, 0, _TWO_PHOTONS)
    return np.asarray(made.momenta)[:, 1:].reshape(-1, 4)


def _pairs(event: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the indices of both photons of every pair in an event, ``(pairs, 2)``."""
    _, first, counts = np.unique(event, return_index=True, return_counts=True)
    for count in np.unique(counts):
        start = first[counts == count]
        for pair in combinations(range(count), 2):
            yield start[:, None] + np.array(pair)


def _trigger(photons: Photons, setup: Setup) -> NDArray[np.float64]:
    """Return the chance that the line of two tracks fires, ``(n,)``."""
    chance = _two_track(_padded(photons.charged), setup.p_beams, setup.response)
    return np.asarray(chance)[: len(photons.weights)]


def _seen(
    momenta: NDArray[np.float64], pairs: NDArray[np.int64], setup: Setup
) -> NDArray[np.float64]:
    """Return the chance that both photons of each pair make clusters of their own."""
    chance = _two_clusters(_padded(momenta), _padded(pairs), setup.response)
    return np.asarray(chance)[: len(pairs)]


def _measured(
    momenta: NDArray[np.float64],
    pairs: NDArray[np.int64],
    setup: Setup,
    replica: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the mass of each pair, GeV, and whether it is shown."""
    random = stream(setup.seed, "rediscovery", "look", "pi0", replica)
    z = random.standard_normal((len(momenta), measure.NORMALS))
    inputs = (_padded(momenta), _padded(z), _padded(pairs))
    mass, shown = _masses(*inputs, setup.response)
    return np.asarray(mass)[: len(pairs)], np.asarray(shown)[: len(pairs)]


def _padded(rows: NDArray[np.generic]) -> jax.Array:
    """Return rows filled up with the last one: few sizes to compile."""
    missing = -len(rows) % (64 * BLOCK)
    return jnp.asarray(
        np.pad(rows, [(0, missing)] + [(0, 0)] * (rows.ndim - 1), "edge")
    )


@jax.jit
def _two_track(
    charged: jax.Array, p_beams: jax.Array, response: measure.Response
) -> jax.Array:
    tracks = tuple(momentum(charged[:, i]) for i in range(_MOST_TRACKS))
    return measure.two_track(response, tracks, (), p_beams)


@jax.jit
def _two_clusters(
    momenta: jax.Array, pairs: jax.Array, response: measure.Response
) -> jax.Array:
    chance = measure.photon_chance(response, momentum(momenta))
    both = chance[pairs[:, 0]] * chance[pairs[:, 1]]
    first, second = (momentum(momenta[pairs[:, i]]) for i in (0, 1))
    return both * measure.apart(response, first, second)


@jax.jit
def _masses(
    momenta: jax.Array, z: jax.Array, pairs: jax.Array, response: measure.Response
) -> tuple[jax.Array, jax.Array]:
    clusters = measure.cluster(response, momentum(momenta), z)
    first, second = (_rows(clusters, pairs[:, i]) for i in (0, 1))
    mass = jnp.sqrt(jnp.maximum(squared(first + second), 0.0))
    softer = jnp.minimum(first.e, second.e)
    return mass, (softer > PHOTON_E_MIN) & (mass < _MASS_MAX)


def _rows(p: Momentum, index: jax.Array) -> Momentum:
    return jax.tree.map(lambda a: a[index], p)
