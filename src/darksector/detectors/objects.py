"""What a detector makes of particles: tracks and clusters."""

from __future__ import annotations

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
