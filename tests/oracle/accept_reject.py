"""Slow twin of `detectors.outcomes`: draw one response of every particle, then accept.

The chances and the smeared momenta of single particles are the package's (they have tests
of their own); what is drawn, what makes a topology, which photons merge and what is
measured of an event is decided here again, event by event, in NumPy.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np

from darksector.detectors.clusters import merging_probability
from darksector.detectors.response import particle
from darksector.detectors.trigger import Seen
from darksector.detectors.trigger_lines import LINES
from darksector.kinematics import Momentum, momentum

TRACKS = ("mu", "e", "other track")
NEGATIVE = (11, 13, -211, -321)
PHOTON = 22


def drawn(chances, rng):
    """Return one word per event, with the given chances."""
    words = list(chances)
    sums = np.cumsum([np.asarray(chances[w]) for w in words], axis=0)
    u = rng.random(sums.shape[1]) * sums[-1]
    return np.array(words, dtype="<U12")[(u > sums).sum(axis=0)]


def array(p):
    return np.stack([np.asarray(c) for c in (p.e, p.x, p.y, p.z)], axis=1)


def final_slots(events):
    return [i for i in range(len(events.pdg)) if i not in events.mothers]


@jax.jit
def particles(response, events, z):
    """Return per particle its chances and the four-momenta that it may leave."""
    found = []
    for i in final_slots(events):
        vertex = None if events.vertices is None else momentum(events.vertices[:, i])
        each = particle(response, events.pdg[i], events.slot(i), vertex, z[:, i])
        looks, deposit, spot = {}, None, None
        if each.charged is not None:
            looks = {word: each.charged.seen_as(word).p for word in TRACKS}
            deposit = each.charged.deposit
        if each.neutral is not None:
            looks["cluster"], spot = each.neutral.cluster.p, each.neutral.spot
        found.append((each.chances, looks, deposit, spot, each.p.e))
    return found


def merged_pairs(response, codes, found, left, rng):
    """Return per pair of photons the events in which both are in one cluster."""
    result = {}
    for i, j in combinations(range(len(codes)), 2):
        if codes[i] == codes[j] == PHOTON:
            chance = merging_probability(
                response.detector.calorimeter,
                found[i][3:],
                found[j][3:],
            )
            both = (left[i] == "cluster") & (left[j] == "cluster")
            result[i, j] = both & (rng.random(len(both)) < np.asarray(chance))
    return result


def accept(events, z, p_beams, response, topology, rng):
    """Return one accept/reject experiment.

    The result is the index of every accepted event, the squared masses that recoil
    against its tracks and against its clusters, GeV², and the energy of its clusters.
    """
    codes = [events.pdg[i] for i in final_slots(events)]
    found = particles(response, events, z)
    left = np.stack([drawn(each[0], rng) for each in found])
    pairs = {}
    if topology.clusters is not None:
        pairs = merged_pairs(response, codes, found, left, rng)
    wanted = matches(codes, left, pairs, topology)
    tracks = {sign: [np.zeros((len(z), 4)) for _ in codes] for sign in (-1, 1)}
    clusters = [np.zeros((len(z), 4)) for _ in codes]
    deposits = [np.zeros((len(z), 4)) for _ in codes]
    for i, (_, looks, deposit, _, _) in enumerate(found):
        for word, p in looks.items():
            here = left[i] == word
            sign = -1 if codes[i] in NEGATIVE else 1
            target = clusters if word == "cluster" else tracks[sign]
            target[i][here] = array(p)[here]
        if deposit is not None:
            here = np.isin(left[i], TRACKS)
            deposits[i][here] = array(deposit)[here]
    for (i, j), together in pairs.items():
        both = clusters[i][together] + clusters[j][together]
        length = np.linalg.norm(both[:, 1:], axis=1)
        both[:, 1:] *= (both[:, 0] / length)[:, None]
        clusters[i][together], clusters[j][together] = both, 0
    seen = charged(tracks, topology)
    chance = trigger_chance(
        response, seen, [*clusters, *deposits], p_beams, topology.trigger
    )
    kept = np.flatnonzero(wanted & (rng.random(len(z)) < np.asarray(chance)))
    values = {
        "recoil_mass2": recoil(p_beams, [np.zeros((len(z), 4)), *seen]),
        "photon_recoil_mass2": recoil(p_beams, clusters),
        "photon_energy_sum": sum(c[:, 0] for c in clusters),
    }
    return kept, {name: v[kept] for name, v in values.items()}


def matches(codes, left, pairs, topology):
    """Return the events that look like the topology."""
    n = left.shape[1]
    good = np.ones(n, dtype=bool)
    for word in TRACKS:
        good &= (left == word).sum(axis=0) == topology.tracks.count(word)
    signs = np.array([-1 if code in NEGATIVE else 1 for code in codes])
    good &= (signs[:, None] * np.isin(left, TRACKS)).sum(axis=0) == 0
    good &= ~(left == "converted").any(axis=0)
    for word in topology.vetoes:
        good &= ~(left == word).any(axis=0)
    if topology.clusters is not None:
        together = sum(pairs.values(), np.zeros(n, dtype=int))
        good &= (left == "cluster").sum(axis=0) - together == topology.clusters
        good &= together <= 1  # three photons in one cluster are not followed
    return good


def charged(tracks, topology):
    """Return the tracks, negative ones first, empty slots squeezed out."""
    half = len(topology.tracks) // 2
    found = []
    for sign in (-1, 1):
        stack = np.stack(tracks[sign], axis=1)
        order = np.argsort(stack[..., 0] == 0, axis=1, kind="stable")[:, :half]
        found += list(
            np.take_along_axis(stack, order[..., None], axis=1).swapaxes(0, 1)
        )
    return found


@partial(jax.jit, static_argnums=4)
def trigger_chance(response, tracks, deposits, p_beams, line):
    n = len(deposits[0])
    seen = Seen(
        tracks=tuple(map(momentum, tracks)),
        deposits=tuple(map(momentum, deposits)),
        p_beams=Momentum(*jnp.broadcast_to(jnp.asarray(p_beams)[:, None], (4, n))),
        muons_in_klm=tuple(jnp.zeros(n) for _ in tracks),  # no line here asks for it
    )
    return LINES[line](response.detector.trigger, seen)


def recoil(p_beams, seen):
    left = p_beams - sum(seen)
    return left[:, 0] ** 2 - (left[:, 1:] ** 2).sum(axis=1)
