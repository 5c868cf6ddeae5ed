"""Every detection outcome of an event with its probability: enumerated, not drawn.

Each particle has a few responses; an outcome picks one for each, and its probability is
the product.  Only outcomes that make the wanted topology are followed.  The estimate is
unbiased, has less variance than accept/reject, and is smooth in the numbers of the card.
Resolution stays a draw (truth + σ z), shared by all outcomes of an event.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from operator import mul
from typing import Any

import jax
import jax.numpy as jnp

from darksector.compilation import in_blocks, whole_blocks
from darksector.detectors.clusters import merging_probability
from darksector.detectors.losses import ORIGINS
from darksector.detectors.objects import Candidates, Cluster
from darksector.detectors.response import Charged, Particle, Response, particle
from darksector.detectors.topology import (
    RESPONSES,
    TRACKS,
    Outcome,
    Topology,
    outcomes,
    photon_pairs,
)
from darksector.detectors.tracking import charge_of
from darksector.detectors.trigger import Seen
from darksector.detectors.trigger_lines import LINES
from darksector.errors import InvalidCard
from darksector.events import Events
from darksector.kinematics import Momentum, modulus, momentum, squared, total


def candidates(found: Candidates) -> Candidates:
    """Return the candidates as they are: the default of what `detect` evaluates."""
    return found


@partial(jax.jit, static_argnames=("topology", "evaluate"))
def detect(
    events: Events,
    z: jax.Array,
    p_beams: jax.Array,
    response: Response,
    *,
    topology: Topology,
    evaluate: Callable[[Candidates], Any] = candidates,
) -> Any:
    """Return what is evaluated of the candidates of all outcomes, ``(outcomes * n)``.

    Parameters
    ----------
    events
        Generated events, n of them.
    z
        Normal numbers ``(n, k, NORMALS)``: the resolution of each particle.
    p_beams
        Nominal total four-momentum of the beams, ``(4,)``, GeV.
    response, topology
        The experiment and what is looked for.
    evaluate
        Candidates to arrays, one entry per candidate; all of the candidates by default.
        It is computed block by block, so that candidates need not be kept.

    Raises
    ------
    InvalidCard
        If no outcome of this final state can make the topology.
    """
    codes = tuple(events.pdg[i] for i in events.final_slots())
    found = outcomes(codes, topology)
    if not found:
        msg = f"no outcome of the final state {codes} makes {topology}."
        raise InvalidCard(msg)
    n = events.weights.size

    def block(part: tuple[Events, jax.Array]) -> Any:
        seen = _block(*part, p_beams, (response, topology, found))
        values = evaluate(seen)
        return jax.tree.map(lambda a: a.reshape(len(found), -1).T, values)

    stacked = in_blocks(block, whole_blocks((events, z)))
    return jax.tree.map(lambda a: a[:n].T.ravel(), stacked)


def _block(
    events: Events,
    z: jax.Array,
    p_beams: jax.Array,
    setup: tuple[Response, Topology, tuple[Outcome, ...]],
) -> Candidates:
    """Return the candidates ``(outcomes * n)`` of some events."""
    response, topology, found = setup
    particles = [
        particle(response, events.pdg[i], events.slot(i), _vertex(events, i), z[:, i])
        for i in events.final_slots()
    ]
    seen = [
        _candidates(events, particles, outcome, p_beams, (response, topology))
        for outcome in found
    ]
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *seen)


def _vertex(events: Events, slot: int) -> Momentum | None:
    return None if events.vertices is None else momentum(events.vertices[:, slot])


def _candidates(
    events: Events,
    particles: list[Particle],
    outcome: Outcome,
    p_beams: jax.Array,
    setup: tuple[Response, Topology],
) -> Candidates:
    response, topology = setup
    width = sum("cluster" in RESPONSES.get(abs(each.code), ()) for each in particles)
    slots = width if topology.clusters is None else topology.clusters
    charged = _charged(particles, outcome)
    tracks = tuple(each.seen_as(word) for each, word in charged)
    clusters = _clusters(particles, outcome)
    beams = Momentum(*jnp.broadcast_to(p_beams[:, None], (4, events.weights.size)))
    weights = events.weights * _probability(response, particles, outcome, topology)
    seen = Seen(
        tracks=tuple(track.p for track in tracks),
        deposits=(*(c.p for c in clusters), *(each.deposit for each, _ in charged)),
        p_beams=beams,
        muons_in_klm=tuple(each.in_klm for each, _ in charged),
    )
    weights = weights * LINES[topology.trigger](response.detector.trigger, seen)
    nothing = Cluster(Momentum(*jnp.zeros((4, weights.size))), jnp.zeros(weights.size))
    return Candidates(
        tracks=tracks,
        clusters=(*clusters, *([nothing] * (slots - len(clusters)))),
        weights=weights,
        p_beams=beams,
        recoil_mass2_gen=_true_recoil_mass2(events, particles, outcome),
        origins=_origins(particles, outcome, weights),
    )


def _origins(
    particles: list[Particle], outcome: Outcome, weights: jax.Array
) -> dict[str, jax.Array]:
    """Return the share of each origin of losses in a candidate.

    It is `outside` only if everything that is lost flies past the calorimeter; otherwise
    the losses inside share in proportion to their probabilities.
    """
    lost = [
        each.neutral.losses.shares()
        for each, word in zip(particles, outcome.responses, strict=True)
        if word == "lost" and each.neutral is not None
    ]
    if not lost:
        return {name: jnp.zeros_like(weights) for name in ORIGINS}
    outside = reduce(mul, [shares["outside"] for shares in lost])
    inside = {
        name: sum((shares[name] for shares in lost), jnp.zeros_like(weights))
        for name in ORIGINS
        if name != "outside"
    }
    whole = jnp.maximum(sum(inside.values(), jnp.zeros_like(weights)), 1e-300)
    scaled = {name: (1 - outside) * part / whole for name, part in inside.items()}
    return {"outside": outside, **scaled}


def _probability(
    response: Response, particles: list[Particle], outcome: Outcome, topology: Topology
) -> jax.Array:
    chance = jnp.ones_like(particles[0].p.e)
    for each, word in zip(particles, outcome.responses, strict=True):
        chance = chance * _chance(each, word, topology)
    if topology.clusters is None:
        return chance
    codes = tuple(each.code for each in particles)
    for pair in photon_pairs(codes, outcome.responses):
        first, second = (
            (each.neutral.spot, each.p.e)
            for each in (particles[i] for i in pair)
            if each.neutral is not None
        )
        together = merging_probability(response.detector.calorimeter, first, second)
        chance = chance * (together if pair == outcome.merged else 1 - together)
    return chance


def _chance(each: Particle, word: str, topology: Topology) -> jax.Array:
    """Return the chance of one response.

    Electrons that only the muon detector sees are no outcome of their own: they are lost
    where the topology does not ask for it.
    """
    chance = each.chances[word]
    if word == "lost" and each.charged is not None and "klm" not in topology.vetoes:
        return chance + each.chances.get("klm", 0.0)
    return chance


def _charged(particles: list[Particle], outcome: Outcome) -> list[tuple[Charged, str]]:
    """Return the particles that leave a track and as what, negative charge first."""
    pairs = zip(particles, outcome.responses, strict=True)
    found = [
        (each.charged, word)
        for each, word in pairs
        if word in TRACKS and each.charged is not None
    ]
    return sorted(found, key=lambda pair: charge_of(pair[0].code))


def _clusters(particles: list[Particle], outcome: Outcome) -> tuple[Cluster, ...]:
    found = {
        i: each.neutral.cluster
        for i, (each, word) in enumerate(zip(particles, outcome.responses, strict=True))
        if word == "cluster" and each.neutral is not None
    }
    if outcome.merged:
        first, second = outcome.merged
        found[first] = _merge(found[first], found.pop(second))
    return tuple(found.values())


def _merge(first: Cluster, second: Cluster) -> Cluster:
    """Return one cluster of the summed energy at the energy-weighted place and time."""
    p = first.p + second.p
    energy = jnp.maximum(p.e, 1e-300)
    scale = energy / jnp.maximum(modulus(p), 1e-300)
    time = (first.p.e * first.time + second.p.e * second.time) / energy
    return Cluster(Momentum(p.e, p.x * scale, p.y * scale, p.z * scale), time)


def _true_recoil_mass2(
    events: Events, particles: list[Particle], outcome: Outcome
) -> jax.Array:
    """Return the squared mass against what the tracks, or else the clusters, come from."""
    wanted = TRACKS if set(outcome.responses) & set(TRACKS) else ("cluster",)
    truth = [
        each.p
        for each, word in zip(particles, outcome.responses, strict=True)
        if word in wanted
    ]
    return squared(Momentum(*events.p_beams.T) - total(truth))
