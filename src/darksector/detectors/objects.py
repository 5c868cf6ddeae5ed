"""What a detector makes of events: tracks, clusters and candidates of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import jax

from darksector.kinematics import Momentum

# normal numbers per particle: five of a track and its tail and bremsstrahlung, or the
# energy, angles and time of a cluster
NORMALS = 7


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Track:
    """A reconstructed track; components ``(n,)``.

    Parameters
    ----------
    p
        Four-momentum at the perigee, GeV; the energy is that of the mass hypothesis.
    d0, z0
        Signed distance to the z axis and z of the perigee, cm.
    """

    p: Momentum
    d0: jax.Array
    z0: jax.Array


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Cluster:
    """A reconstructed cluster of the calorimeter; components ``(n,)``.

    Parameters
    ----------
    p
        Massless four-momentum that points from the origin to the cluster, GeV.
    time
        Time after that of a photon from the origin, ns.
    """

    p: Momentum
    time: jax.Array


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Candidates:
    """What the detector made of events: fixed slots, one row per event and outcome.

    Parameters
    ----------
    tracks
        Reconstructed tracks, negative charge first.
    clusters
        Reconstructed clusters without a track; a slot without one holds zeros.
    weights
        Event weight times the probability of the outcome, ``(n,)``, fb.
    p_beams
        Nominal total four-momentum of the beams, GeV.
    recoil_mass2_gen
        Squared mass that recoils against the true momenta behind the tracks (or, where
        there are none, behind the clusters), with the true beam energies, ``(n,)``, GeV².
    origins
        Why the calorimeter did not see what is lost: `losses.Losses` to its share of the
        weight, ``(n,)``; the shares sum to one, or to zero where nothing is lost.
    """

    tracks: tuple[Track, ...]
    clusters: tuple[Cluster, ...]
    weights: jax.Array
    p_beams: Momentum
    recoil_mass2_gen: jax.Array
    origins: Mapping[str, jax.Array]

    @property
    def p_tracks(self) -> tuple[Momentum, ...]:
        """Four-momenta of the tracks in the laboratory, GeV."""
        return tuple(track.p for track in self.tracks)

    @property
    def p_clusters(self) -> tuple[Momentum, ...]:
        """Four-momenta of the clusters in the laboratory, GeV."""
        return tuple(cluster.p for cluster in self.clusters)
