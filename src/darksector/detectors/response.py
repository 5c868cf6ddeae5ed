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
from darksector.detectors.losses import (
    Losses,
    cluster_probability,
    conversion_probability,
    losses,
)
from darksector.detectors.objects import Cluster, Track
from darksector.detectors.topology import INVISIBLE
from darksector.kinematics import Momentum, modulus, polar, squared
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
class Charged:
    """What a charged particle leaves if it is found; components ``(n,)``.

    Parameters
    ----------
    code
        PDG code.
    track
        What would be measured, with the particle's own mass.
    deposit
        Massless four-momentum of what the calorimeter sees of it, GeV.
    in_klm
        Chance that the muon detector shows it.
    """

    code: int
    track: Track
    deposit: Momentum
    in_klm: jax.Array

    def seen_as(self, response: str) -> Track:
        """Return the track under the mass hypothesis of one of `TRACKS`."""
        return tracking.under_hypothesis(self.track, _HYPOTHESIS[response])


@final
@dataclass(frozen=True)
class Neutral:
    """A cluster that may be seen, where it would be, and why it may not be seen."""

    cluster: Cluster
    spot: Impact
    losses: Losses


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
    chances
        Response to its probability; they sum to one.
    charged, neutral
        What it leaves as a track, or as a cluster without one; None where it cannot.
    """

    code: int
    p: Momentum
    chances: Mapping[str, jax.Array]
    charged: Charged | None = None
    neutral: Neutral | None = None


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
        return Particle(code, p, {"invisible": jnp.ones_like(p.e)})
    card = response.detector
    spot = impact(card.calorimeter, p, vertex)
    cluster = measure_cluster(card.calorimeter, p.e, spot, z)
    neutral = Neutral(cluster, spot, losses(card.calorimeter, p.e, spot))
    if code == PDG["gamma"]:
        chances = _photon(card, p, vertex, neutral)
        return Particle(code, p, chances, neutral=neutral)
    track = tracking.measure_track(
        card.tracking, response.tracks, p, vertex=vertex, z=z, code=code
    )
    found = tracking.track_probability(card.tracking, p, vertex, code)
    named = identification.identify(card.identification, card.klm, p, abs(code))
    chances = {name: found * chance for name, chance in named.items()}
    if abs(code) != PDG["e"]:
        chances |= {"lost": 1 - found}
        deposit = _minimum_ionising(card, p, spot)
        charged = Charged(code, track, deposit, _in_klm(card, p, code))
        return Particle(code, p, chances, charged)
    seen = 1 - neutral.losses.total()
    # an electron that passes the calorimeter showers in the iron like a photon
    late = klm.photon_probability(card.klm, p, polar(p))
    chances |= {
        "cluster": (1 - found) * seen,
        "klm": (1 - found) * (1 - seen) * late,
        "lost": (1 - found) * (1 - seen) * (1 - late),
    }
    # where there is no calorimeter the trigger has nothing to see
    charged = Charged(code, track, cluster.p.scaled(seen), jnp.zeros_like(p.e))
    return Particle(code, p, chances, charged, neutral)


def _photon(
    card: Detector, p: Momentum, vertex: Momentum | None, neutral: Neutral
) -> dict[str, jax.Array]:
    converted = conversion_probability(card.calorimeter, neutral.spot)
    # a pair shows if one with half of the energy does; else it is as if unconverted
    half = p.scaled(0.5)
    converted *= tracking.track_probability(card.tracking, half, vertex, PDG["e"])
    seen = 1 - neutral.losses.total()
    late = klm.photon_probability(card.klm, p, polar(p))
    intact = 1 - converted
    return {
        "converted": converted,
        "cluster": intact * seen,
        "klm": intact * (1 - seen) * late,
        "lost": intact * (1 - seen) * (1 - late),
    }


def _minimum_ionising(card: Detector, p: Momentum, spot: Impact) -> Momentum:
    """Return the mean deposit of a particle that does not shower, along its momentum.

    It is at most the kinetic energy, and zero where there is no calorimeter.
    """
    mass = jnp.sqrt(jnp.maximum(squared(p), 0.0))
    energy = jnp.minimum(card.identification.ep_mip[0], p.e - mass)
    energy *= cluster_probability(card.calorimeter, p.e, spot)
    scale = energy / jnp.maximum(modulus(p), 1e-300)
    return Momentum(energy, p.x * scale, p.y * scale, p.z * scale)


def _in_klm(card: Detector, p: Momentum, code: int) -> jax.Array:
    """Return the chance that the iron shows the track; hadrons stop in front of it."""
    if abs(code) != PDG["mu"]:
        return jnp.zeros_like(p.e)
    expected = klm.penetration(card.klm, modulus(p), polar(p))
    return klm.muon_reach(card.klm, expected)
