"""What the detector makes of one particle: the chance of each response, and its look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from darksector.detectors import identification, klm, tracking
from darksector.detectors.card import Detector
from darksector.detectors.clusters import measure_cluster
from darksector.detectors.crystals import Impact, impact
from darksector.detectors.losses import cluster_probability, conversion_probability
from darksector.detectors.objects import Cluster, Track
from darksector.detectors.topology import INVISIBLE, TRACKS
from darksector.kinematics import Momentum, modulus, polar
from darksector.particles import MASS, PDG

# masses that the four-momentum of a track is given, by how it was identified
_HYPOTHESIS = {"mu": MASS["mu"], "e": MASS["e"], "other track": MASS["pi+"]}


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Response:
    """A detector with the tables that follow from its numbers.

    Parameters
    ----------
    detector
        The card.
    tracks
        Covariances of tracks.
    """

    detector: Detector
    tracks: tracking.TrackTable


def respond(detector: Detector) -> Response:
    """Return the response of a detector, differentiable in the numbers of its card."""
    return Response(detector, tracking.tabulate(detector.tracking))


@final
@dataclass(frozen=True)
class Particle:
    """One particle in front of the detector; all components ``(n,)``.

    Parameters
    ----------
    code
        PDG code.
    p
        True four-momentum, GeV.
    spot
        Where it meets the calorimeter; None if invisible.
    chances
        Response to its probability; they sum to one.
    track, cluster
        What would be measured; None where there cannot be any.
    deposit
        Massless four-momentum of what a charged particle leaves in the calorimeter, GeV.
    in_klm
        Chance that the muon detector shows the track of a charged particle.
    """

    code: int
    p: Momentum
    spot: Impact | None
    chances: Mapping[str, jax.Array]
    track: Track | None
    cluster: Cluster | None
    deposit: Momentum | None = None
    in_klm: jax.Array | None = None

    def seen_as(self, response: str) -> Track | None:
        """Return the track of one response under its mass hypothesis."""
        if response not in TRACKS or self.track is None:
            return None
        return tracking.under_hypothesis(self.track, _HYPOTHESIS[response])


def particle(
    response: Response, code: int, p: Momentum, vertex: Momentum | None, z: jax.Array
) -> Particle:
    """Return a particle in front of the detector.

    Parameters
    ----------
    response
        The detector.
    code
        PDG code.
    p
        True four-momentum, GeV.
    vertex
        Where it was made, (ct, x, y, z) in cm; None at the origin.
    z
        Normal numbers ``(n, NORMALS)``.
    """
    if abs(code) in INVISIBLE:
        certain = {"invisible": jnp.ones_like(p.e)}
        return Particle(code, p, None, certain, None, None)
    card = response.detector
    spot = impact(card.calorimeter, p, vertex)
    if code == PDG["gamma"]:
        cluster = measure_cluster(card.calorimeter, p.e, spot, z)
        return Particle(code, p, spot, _photon(card, p, spot), None, cluster)
    track = tracking.measure_track(
        card.tracking, response.tracks, p, vertex=vertex, z=z, code=code
    )
    found = tracking.track_probability(card.tracking, p, vertex, code=abs(code))
    named = identification.identify(card.identification, card.klm, p, abs(code))
    chances = {name: found * chance for name, chance in named.items()}
    if abs(code) != PDG["e"]:
        chances |= {"lost": 1 - found}
        deposit = _minimum_ionising(card, p)
        in_klm = _in_klm(card, p, code)
        return Particle(code, p, spot, chances, track, None, deposit, in_klm)
    seen = cluster_probability(card.calorimeter, p.e, spot)
    chances |= {"cluster": (1 - found) * seen, "lost": (1 - found) * (1 - seen)}
    cluster = measure_cluster(card.calorimeter, p.e, spot, z)
    nowhere = jnp.zeros_like(p.e)
    return Particle(code, p, spot, chances, track, cluster, cluster.p, nowhere)


def _photon(card: Detector, p: Momentum, spot: Impact) -> dict[str, jax.Array]:
    converted = conversion_probability(card.calorimeter, spot)
    seen = cluster_probability(card.calorimeter, p.e, spot)
    late = klm.photon_probability(card.klm, p, polar(p))
    intact = 1 - converted
    return {
        "converted": converted,
        "cluster": intact * seen,
        "klm": intact * (1 - seen) * late,
        "lost": intact * (1 - seen) * (1 - late),
    }


def _minimum_ionising(card: Detector, p: Momentum) -> Momentum:
    """Return the mean deposit of a particle that does not shower, along its momentum."""
    energy = card.identification.ep_mip[0]
    scale = energy / jnp.maximum(modulus(p), 1e-300)
    return Momentum(energy * jnp.ones_like(p.e), p.x * scale, p.y * scale, p.z * scale)


def _in_klm(card: Detector, p: Momentum, code: int) -> jax.Array:
    """Return the chance that the iron shows the track; hadrons stop in front of it."""
    if abs(code) != PDG["mu"]:
        return jnp.zeros_like(p.e)
    expected = klm.penetration(card.klm, modulus(p), polar(p))
    return klm.muon_reach(card.klm, expected)
