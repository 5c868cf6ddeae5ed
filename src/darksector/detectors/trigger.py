"""First-level trigger: its numbers, and what it sees of an event.

The lines themselves are in `trigger_lines`.  Public definitions: basf2
trg/ecl/src/TrgEclMaster.cc (04e0800b) and the menu trg/gdl ftd_0032.lgc (70f8043a).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import jax
import numpy as np
from numpy.typing import NDArray

from darksector.kinematics import Momentum

CELLS = 17  # values of ThetaId: 1-3 forward endcap, 4-15 barrel, 16-17 backward endcap


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Trigger:
    """Numbers of the trigger; angles in degrees, energies and momenta in GeV.

    Parameters
    ----------
    cell_theta
        Edges ``(18,)`` in polar angle of the 17 rows of trigger cells (ThetaId).
    cell_width
        Standard deviation of the polar angle as the trigger sees it.
    energy_noise, energy_resolution
        Standard deviation of the trigger's energy: this noise and this fraction of the
        energy, in quadrature.
    cluster_min
        Energy from which a deposit counts as a cluster.
    other_cluster_max
        Most energy of any other cluster in the lines of one photon.
    single_photon_2gev_min, single_photon_1gev_min, single_photon_05gev_min
        Energy of the photon in the centre-of-mass frame.
    total_energy_min
        Sum of all deposits with ThetaId 2 to 15.
    three_clusters_min
        Energy of the hardest of three clusters.
    track_cluster_min
        Energy of the cluster opposite to a track.
    bhabha_opening_min, bhabha_theta_sum
        Least angle in azimuth and range ``(2,)`` of the sum of the polar angles of two
        clusters in the centre-of-mass frame.
    bhabha_energies
        Energies ``(2,)`` in the centre-of-mass frame: of both, and of at least one.
    bhabha_width
        Standard deviation of the azimuth and the sum of polar angles.
    cdc_theta_min, cdc_theta_max, cdc_pt_min
        Full tracks: those that reach the outermost layer of the drift chamber.
    track_angle_width, track_pt_width
        Standard deviation of the angles and transverse momenta of tracks.
    two_track_opening
        Least angle in azimuth between two tracks.
    single_track_p_min
        Momentum of a single track.
    two_track_efficiency and so on
        Plateau of the line of this name; 0 if it did not exist in the period.
    """

    cell_theta: jax.Array
    cell_width: jax.Array
    energy_noise: jax.Array
    energy_resolution: jax.Array
    cluster_min: jax.Array
    other_cluster_max: jax.Array
    single_photon_2gev_min: jax.Array
    single_photon_1gev_min: jax.Array
    single_photon_05gev_min: jax.Array
    total_energy_min: jax.Array
    three_clusters_min: jax.Array
    track_cluster_min: jax.Array
    bhabha_opening_min: jax.Array
    bhabha_theta_sum: jax.Array
    bhabha_energies: jax.Array
    bhabha_width: jax.Array
    cdc_theta_min: jax.Array
    cdc_theta_max: jax.Array
    cdc_pt_min: jax.Array
    track_angle_width: jax.Array
    track_pt_width: jax.Array
    two_track_opening: jax.Array
    single_track_p_min: jax.Array
    two_track_efficiency: jax.Array
    single_photon_2gev_efficiency: jax.Array
    single_photon_1gev_efficiency: jax.Array
    single_photon_1gev_endcap_efficiency: jax.Array
    single_photon_05gev_efficiency: jax.Array
    total_energy_efficiency: jax.Array
    many_clusters_efficiency: jax.Array
    three_clusters_efficiency: jax.Array
    single_track_efficiency: jax.Array
    track_cluster_efficiency: jax.Array
    cdc_klm_efficiency: jax.Array


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Seen:
    """What the trigger sees of n events.

    Parameters
    ----------
    tracks
        Four-momenta of the charged particles, GeV; zero where there is none.
    deposits
        Massless four-momenta of deposits in the calorimeter, GeV, in the laboratory:
        photons, showers of electrons, minimum-ionising particles; zero where there is
        none.
    p_beams
        Total four-momentum of the beams, GeV.
    muons_in_klm
        For each track the probability ``(n,)`` that the muon detector sees it.
    """

    tracks: tuple[Momentum, ...]
    deposits: tuple[Momentum, ...]
    p_beams: Momentum
    muons_in_klm: tuple[jax.Array, ...]


_SHAPES = {
    "cell_theta": (CELLS + 1,),
    "bhabha_theta_sum": (2,),
    "bhabha_energies": (2,),
}
_INCREASING = ("cell_theta", "bhabha_theta_sum")
_NOT_NEGATIVE = ("_width", "_noise", "_resolution")


def check(numbers: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, str]]:
    """Yield a number of the card and what is wrong with it, for every wrong one."""
    for name, value in numbers.items():
        shape = _SHAPES.get(name, ())
        if np.shape(value) != shape:
            kind = f"{shape[0]} numbers" if shape else "one number"
            yield name, f"has shape {np.shape(value)}; allowed: {kind}."
        elif name.endswith("_efficiency") and not 0 <= value <= 1:
            remedy = "0 means that the period lacks the line"
            yield name, f"is {value}; allowed: 0 to 1, where {remedy}."
        elif name.endswith(_NOT_NEGATIVE) and value < 0:
            yield name, f"is {value}; allowed: 0 or more; 0 makes a sharp edge."
        elif name in _INCREASING and (np.diff(value) <= 0).any():
            yield name, f"is {np.asarray(value).tolist()}; it must increase: sort it."
