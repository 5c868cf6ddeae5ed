"""One event as the detector shows it: one response of each particle, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from darksector.detectors import klm
from darksector.detectors.objects import NORMALS
from darksector.detectors.response import Particle, Response, particle
from darksector.detectors.sight import Place, Sight, Snapshot, Vector
from darksector.detectors.topology import INVISIBLE, RESPONSES, TRACKS
from darksector.detectors.tracking import charge_of
from darksector.errors import OutOfDomain
from darksector.events import Events
from darksector.execution import stream
from darksector.kinematics import Momentum, modulus, momentum, polar
from darksector.particles import PDG


def snapshot(
    response: Response,
    events: Events,
    index: int,
    *,
    p_beams: Vector,
    seed: int | None = None,
) -> Snapshot:
    """Return one event as the detector shows it.

    Parameters
    ----------
    response
        The detector.
    events
        Generated events.
    index
        Which event, from 0.
    p_beams
        Nominal total four-momentum of the beams, GeV.
    seed
        Draws response and resolution of each particle.  None shows the most probable
        response, and measures exactly.

    Raises
    ------
    OutOfDomain
        If there is no such event.
    """
    n = len(events.weights)
    if not 0 <= index < n:
        msg = (
            f"event {index} is out of range: the sample has {n} events, numbered from 0 "
            f"to {n - 1}; choose one of these."
        )
        raise OutOfDomain(msg)
    slots = range(len(events.pdg))
    seen = tuple(_sight(response, events, (index, slot), seed) for slot in slots)
    return Snapshot(seen, np.asarray(p_beams, dtype=np.float64))


def _sight(
    response: Response, events: Events, place: tuple[int, int], seed: int | None
) -> Sight:
    index, slot = place
    code, p_gen = events.pdg[slot], np.asarray(events.momenta[index, slot])
    vertex = _vertex(events, place)
    made = _place(vertex)
    if slot in events.mothers:
        moved = _vertex(events, (index, events.mothers.index(slot)))
        end = made if moved is None else _place(moved)
        return Sight(code, _charge(code), "decays", 1.0, p_gen, made, end)
    if abs(code) not in RESPONSES and abs(code) not in INVISIBLE:
        return Sight(code, _charge(code), "not simulated", 1.0, p_gen, made)
    drawn = None if seed is None else stream(seed, "display", index, slot)
    z = np.zeros(NORMALS) if drawn is None else drawn.normal(size=NORMALS)
    p = momentum(events.momenta[index, None, slot])
    each = particle(response, code, p, vertex, jnp.asarray(z[None]))
    word, chance = _chosen(each.chances, drawn)
    kept = Sight(code, _charge(code), word, chance, p_gen, made)
    return _with_signals(kept, each, response.detector.klm)


def _chosen(
    chances: Mapping[str, jax.Array], drawn: np.random.Generator | None
) -> tuple[str, float]:
    """Return a response and its probability: drawn, or else the most probable one."""
    words = list(chances)
    values = np.clip([float(chances[word][0]) for word in words], 0.0, None)
    values = values / values.sum()
    best = values.argmax() if drawn is None else drawn.choice(len(words), p=values)
    return words[int(best)], float(values[int(best)])


def _with_signals(sight: Sight, each: Particle, iron: klm.Klm) -> Sight:
    """Return the sight with what its response leaves in the detector."""
    if sight.response in TRACKS and each.charged is not None:
        track = each.charged.seen_as(sight.response)
        return replace(
            sight,
            seen=np.asarray(track.p.array())[0],
            deposit=float(each.charged.deposit.e[0]),
            iron_layers=_iron_layers(each, iron),
        )
    if sight.response == "cluster" and each.neutral is not None:
        seen = np.asarray(each.neutral.cluster.p.array())[0]
        return replace(sight, seen=seen, deposit=float(seen[0]))
    return sight


def _iron_layers(each: Particle, iron: klm.Klm) -> int:
    """Return the hits that a muon is expected to leave; other tracks stop before."""
    if abs(each.code) != PDG["mu"]:
        return 0
    expected = klm.penetration(iron, modulus(each.p), polar(each.p))
    return round(float(expected.layers[0]))


def _vertex(events: Events, place: tuple[int, int]) -> Momentum | None:
    index, slot = place
    if events.vertices is None:
        return None
    return momentum(events.vertices[index, None, slot])


def _place(vertex: Momentum | None) -> Place:
    """Return (x, y, z) of a vertex, cm; of None, the origin."""
    return np.zeros(3) if vertex is None else np.asarray(vertex.array())[0, 1:]


def _charge(code: int) -> int:
    """Return the charge of what the detector knows, else none: it is drawn straight."""
    charged = abs(code) in RESPONSES and code != PDG["gamma"]
    return charge_of(code) if charged else 0
