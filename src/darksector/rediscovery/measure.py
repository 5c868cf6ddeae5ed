"""What the detector makes of single particles: the only place that asks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from darksector.detectors import calorimeter, muons, tracking, trigger
from darksector.detectors.card import Detector, load
from darksector.detectors.outcomes import Topology, detect
from darksector.events import Candidates, Events
from darksector.kinematics import Momentum, to_rest_frame
from darksector.particles import MASS, PDG

NORMALS = 3
Response = Detector

_TWO_MUONS = Topology(tracks=("mu", "mu"), trigger="two_track")


@final
@dataclass(frozen=True)
class Seen:
    """The chance ``(n,)`` that a particle looks as wanted, and its momentum then, GeV."""

    chance: jax.Array
    p: Momentum


def response_of(detector: str) -> Response:
    """Return the response of a packaged detector card, or of a file ending in .toml."""
    return load(detector)


def title(detector: str) -> str:
    """Return what a detector card is called for people."""
    return load(detector).title


def found(response: Response, code: int, p: Momentum) -> jax.Array:
    """Return the chance that a particle leaves at least one track, ``(n,)``."""
    if code == PDG["gamma"]:
        return jnp.zeros_like(p.e)
    return tracking.track_probability(response.tracking, p)


def lepton(response: Response, code: int, p: Momentum, z: jax.Array) -> Seen:
    """Return a lepton as it is seen when it is identified as what it is."""
    word = "mu" if abs(code) == PDG["mu"] else "e"
    chance = tracking.track_probability(response.tracking, p)
    if word == "mu":
        chance = chance * muons.muon_probability(response.muons, p)
    return Seen(chance, tracking.measure_track(response.tracking, p, z, MASS[word]))


def photon(response: Response, p: Momentum, z: jax.Array) -> Seen:
    """Return a photon as it is seen when it makes a cluster."""
    chance = calorimeter.cluster_probability(response.calorimeter, p)
    return Seen(chance, calorimeter.measure_cluster(response.calorimeter, p, z))


def apart(response: Response, first: Momentum, second: Momentum) -> jax.Array:
    """Return the chance that the clusters of two photons do not merge."""
    del response, second
    return jnp.ones_like(first.e)


def two_track(
    response: Response, tracks: tuple[Momentum, ...], p_beams: jax.Array
) -> jax.Array:
    """Return the chance that the line of two tracks fires on true momenta, GeV."""
    del p_beams
    return trigger.two_track(response.trigger, tracks)


def dimuons(
    response: Response, events: Events, z: jax.Array, p_beams: jax.Array
) -> Candidates:
    """Return candidates of two muon tracks and clusters."""
    return detect(events, z, p_beams, response, topology=_TWO_MUONS)


def photon_energy_cms(found: Candidates) -> jax.Array:
    """Return the energy of the cluster in the centre-of-mass frame, GeV."""
    return to_rest_frame(found.clusters[0], found.p_beams).e
