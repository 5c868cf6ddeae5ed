"""Every detection outcome of an event with its probability: enumerated, not drawn.

Each particle has a few responses; an outcome picks one for each, and its probability is
the product.  Only outcomes that make the wanted topology are followed.  The estimate is
unbiased, has less variance than accept/reject, and is smooth in efficiencies and
resolutions; edges of the acceptance are steps, so their derivatives are not meaningful.
Resolution stays a draw (truth + σ z), shared by all outcomes of an event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import final

import jax
import jax.numpy as jnp

from darksector.detectors.calorimeter import cluster_probability, measure_cluster
from darksector.detectors.card import Detector
from darksector.detectors.muons import muon_probability
from darksector.detectors.tracking import measure_track, track_probability
from darksector.detectors.trigger import Seen
from darksector.detectors.trigger_lines import LINES
from darksector.errors import InvalidCard, UnknownName
from darksector.events import Candidates, Events
from darksector.kinematics import Momentum, squared, total
from darksector.particles import PDG, ZPRIME

TRACKS = ("mu", "other track")  # responses that leave a reconstructed track

# what each kind of particle can look like; invisible ones leave nothing
_RESPONSES = {
    PDG["mu"]: ("mu", "other track", "lost"),
    PDG["e"]: ("other track", "cluster", "lost"),
    PDG["gamma"]: ("cluster", "lost"),
}
_INVISIBLE = frozenset({PDG["nu_e"], PDG["nu_mu"], PDG["nu_tau"], ZPRIME})


@final
@dataclass(frozen=True)
class Topology:
    """What a search wants to see: these tracks, of zero total charge, and no other.

    Clusters are free; the cuts of the search look at them.

    Parameters
    ----------
    tracks
        Responses of the tracks, for instance ``("mu", "mu")``.
    trigger
        Name of the trigger line.

    Raises
    ------
    InvalidCard
        If a track response is unknown.
    UnknownName
        If there is no such trigger line.
    """

    tracks: tuple[str, ...]
    trigger: str

    def __post_init__(self) -> None:
        for response in self.tracks:
            if response not in TRACKS:
                msg = f"topology has the track {response!r}; allowed: {TRACKS}."
                raise InvalidCard(msg)
        if self.trigger not in LINES:
            kind = "trigger line"
            raise UnknownName(kind, self.trigger, LINES)


def outcomes(pdg: tuple[int, ...], topology: Topology) -> tuple[tuple[str, ...], ...]:
    """Return every assignment of responses to particles that makes the topology."""
    return tuple(_matching(pdg, topology))


def _matching(pdg: tuple[int, ...], topology: Topology) -> Iterator[tuple[str, ...]]:
    wanted = sorted(topology.tracks)
    for responses in product(*(_responses(code) for code in pdg)):
        tracks = [
            (r, code) for r, code in zip(responses, pdg, strict=True) if r in TRACKS
        ]
        # leptons have positive codes and negative charge
        neutral = sum(1 if code > 0 else -1 for _, code in tracks) == 0
        if sorted(r for r, _ in tracks) == wanted and neutral:
            yield responses


@partial(jax.jit, static_argnames=("topology",))
def detect(
    events: Events,
    z: jax.Array,
    p_beams: jax.Array,
    detector: Detector,
    *,
    topology: Topology,
) -> Candidates:
    """Return the candidates of all outcomes, ``(outcomes * n)`` of them.

    Parameters
    ----------
    events
        Generated events, n of them.
    z
        Normal numbers ``(n, k, 3)``: the resolution of each particle.
    p_beams
        Nominal total four-momentum of the beams, ``(4,)``, GeV.
    detector, topology
        The experiment and what is looked for.

    Raises
    ------
    InvalidCard
        If no outcome of this final state can make the topology.
    """
    assignments = outcomes(events.pdg, topology)
    if not assignments:
        msg = f"no outcome of the final state {events.pdg} makes {topology.tracks}."
        raise InvalidCard(msg)
    particles = [
        _Particle.measured(events.slot(i), code, z[:, i], detector)
        for i, code in enumerate(events.pdg)
    ]
    found = [
        _candidates(events, particles, responses, p_beams, (detector, topology))
        for responses in assignments
    ]
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *found)


@dataclass(frozen=True)
class _Particle:
    """One particle: the probability of each response, and what would be measured."""

    probability: dict[str, jax.Array]
    track: Momentum
    cluster: Momentum

    @classmethod
    def measured(
        cls, p: Momentum, code: int, z: jax.Array, detector: Detector
    ) -> _Particle:
        return cls(
            probability=_probabilities(p, abs(code), detector),
            track=measure_track(detector.tracking, p, z),
            cluster=measure_cluster(detector.calorimeter, p, z),
        )


def _probabilities(p: Momentum, code: int, detector: Detector) -> dict[str, jax.Array]:
    if code in _INVISIBLE:
        return {"invisible": jnp.ones_like(p.e)}
    track = track_probability(detector.tracking, p)
    if code == PDG["mu"]:
        identified = muon_probability(detector.muons, p)
        return {
            "mu": track * identified,
            "other track": track * (1 - identified),
            "lost": 1 - track,
        }
    cluster = cluster_probability(detector.calorimeter, p)
    if code == PDG["gamma"]:
        return {"cluster": cluster, "lost": 1 - cluster}
    return {
        "other track": track,
        "cluster": (1 - track) * cluster,
        "lost": (1 - track) * (1 - cluster),
    }


def _responses(code: int) -> tuple[str, ...]:
    if abs(code) in _INVISIBLE:
        return ("invisible",)
    if abs(code) not in _RESPONSES:
        msg = "detector response for PDG id"
        raise UnknownName(msg, str(code), map(str, _RESPONSES))
    return _RESPONSES[abs(code)]


def _candidates(
    events: Events,
    particles: list[_Particle],
    responses: tuple[str, ...],
    p_beams: jax.Array,
    setup: tuple[Detector, Topology],
) -> Candidates:
    detector, topology = setup
    weights = events.weights
    tracks, clusters, truth = [], [], []
    for i, (particle, response) in enumerate(zip(particles, responses, strict=True)):
        weights = weights * particle.probability[response]
        if response in TRACKS:
            tracks.append((events.pdg[i], particle.track))
            truth.append(events.slot(i))
        elif response == "cluster":
            clusters.append(particle.cluster)
    tracks.sort(key=lambda pair: -pair[0])  # negative charge first
    ordered = tuple(p for _, p in tracks)
    beams = Momentum(*jnp.broadcast_to(p_beams[:, None], (4, weights.size)))
    seen = Seen(
        tracks=ordered,
        deposits=tuple(clusters),
        p_beams=beams,
        muons_in_klm=(jnp.zeros_like(weights),) * len(ordered),
    )
    weights = weights * LINES[topology.trigger](detector.trigger, seen)
    nothing = jax.tree.map(jnp.zeros_like, ordered[0])
    missing = sum(_can_cluster(code) for code in events.pdg) - len(clusters)
    true_beams = Momentum(*events.p_beams.T)
    return Candidates(
        tracks=ordered,
        clusters=(*clusters, *([nothing] * missing)),
        weights=weights,
        p_beams=beams,
        recoil_mass2_gen=squared(true_beams - total(truth)),
    )


def _can_cluster(code: int) -> bool:
    return "cluster" in _RESPONSES.get(abs(code), ())
