"""One event as the detector shows it: one response of each particle, as plain numbers."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from darksector.detectors import klm
from darksector.detectors.objects import NORMALS
from darksector.detectors.response import Particle, Response, particle
from darksector.detectors.sight import Sight, Snapshot, Vector
from darksector.detectors.topology import INVISIBLE, RESPONSES
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
    vertex, p = (
        _vertex(events, index, slot),
        momentum(events.momenta[index, None, slot]),
    )
    made = np.zeros(3) if vertex is None else np.asarray(vertex.array())[0, 1:]
    if slot in events.mothers:
        child = events.mothers.index(slot)
        moved = _vertex(events, index, child)
        end = made if moved is None else np.asarray(moved.array())[0, 1:]
        return Sight(code, _charge(code), "decays", 1.0, p_gen, made, end)
    if abs(code) not in RESPONSES and abs(code) not in INVISIBLE:
        return Sight(code, _charge(code), "not simulated", 1.0, p_gen, made)
    drawn = None if seed is None else stream(seed, "display", index, slot)
    z = np.zeros(NORMALS) if drawn is None else drawn.normal(size=NORMALS)
    each = particle(response, code, p, vertex, jnp.asarray(z[None]))
    words = list(each.chances)
    chances = np.clip([float(each.chances[word][0]) for word in words], 0.0, None)
    chances = chances / chances.sum()
    chosen = chances.argmax() if drawn is None else drawn.choice(len(words), p=chances)
    word, chance = words[int(chosen)], float(chances[int(chosen)])
    measured = _measured(each, word)
    layers = _iron_layers(response, each) if each.seen_as(word) is not None else 0
    return Sight(
        *(code, _charge(code), word, chance, p_gen, made),
        seen=measured,
        deposit=_deposit(each, word),
        iron_layers=layers,
    )


def _vertex(events: Events, index: int, slot: int) -> Momentum | None:
    if events.vertices is None:
        return None
    return momentum(events.vertices[index, None, slot])


def _charge(code: int) -> int:
    """Return the charge of what the detector knows, else none: it is drawn straight."""
    charged = abs(code) in RESPONSES and code != PDG["gamma"]
    return charge_of(code) if charged else 0


def _measured(each: Particle, word: str) -> Vector | None:
    track = each.seen_as(word)
    if track is not None:
        return np.asarray(track.p.array())[0]
    if word == "cluster" and each.cluster is not None:
        return np.asarray(each.cluster.p.array())[0]
    return None


def _deposit(each: Particle, word: str) -> float:
    """Return the energy in the calorimeter, GeV, of a cluster or behind a track."""
    if word == "cluster" and each.cluster is not None:
        return float(each.cluster.p.e[0])
    if each.seen_as(word) is not None and each.deposit is not None:
        return float(each.deposit.e[0])
    return 0.0


def _iron_layers(response: Response, each: Particle) -> int:
    """Return the hits that a muon is expected to leave; other tracks stop before."""
    if abs(each.code) != PDG["mu"]:
        return 0
    iron = response.detector.klm
    return round(float(klm.penetration(iron, modulus(each.p), polar(each.p)).layers[0]))
