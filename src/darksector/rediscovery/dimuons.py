"""e+e- -> mu+mu- gamma with the photon in the calorimeter: two muons and a cluster."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from darksector.events import Events
from darksector.execution import stream
from darksector.machines import Machine
from darksector.observables import dimuon_mass, recoil_mass2
from darksector.phasespace.cuts import GeneratorCut
from darksector.rediscovery import measure
from darksector.rediscovery.sample import Sample, Setup, joined
from darksector.registry import PROCESSES

PHOTON_E_MIN = 1.0  # GeV, of the cluster in the centre-of-mass frame
RECOIL_MASS2 = (-2.0, 3.0)  # GeV², of what recoils against the muons
_EVENTS = 1 << 17
_REPLICAS = 4  # each event is measured this often
_E_FRACTION = 0.1  # of the beam energy; generated photons, below the cut on the cluster
# generated angles, rad: beyond those of drift chamber and calorimeter
_CUTS = tuple(
    GeneratorCut("theta_lab", (name,), 0.20, 2.75) for name in ("mu-", "mu+", "gamma")
)


def generate(machine: Machine, seed: int) -> dict[str, Events]:
    """Return the events; Σ weights is the cross-section, fb; angles near the beams are left out."""
    process = PROCESSES.load("dimuon_gamma")(
        running_alpha=True, photon_energy_min=_E_FRACTION
    )
    return {"signal": process.generate(_EVENTS, machine, seed=seed, cuts=_CUTS)}


def look(
    observable: str, events: Mapping[str, Events], setup: Setup
) -> dict[str, Sample]:
    """Return ``recoil_mass2``, ``photon_energy`` or ``dimuon_mass`` of all selected candidates."""
    made, parts = events["signal"], []
    for replica in range(_REPLICAS):
        random = stream(setup.seed, "rediscovery", "look", "dimuon_gamma", replica)
        z = jnp.asarray(
            random.standard_normal((*made.momenta.shape[:2], measure.NORMALS))
        )
        columns = _columns(made, z, setup.p_beams, setup.response)[observable]
        value, truth, weight = (np.asarray(a) for a in columns)
        parts.append(Sample(value, weight, truth))
    return {"signal": joined(parts, _REPLICAS)}


@jax.jit
def _columns(
    events: Events, z: jax.Array, p_beams: jax.Array, response: measure.Response
) -> dict[str, tuple[jax.Array, jax.Array, jax.Array]]:
    """Return value, truth and weight of every candidate by observable.

    The recoil mass is shown with the photon required alone, the others inside its peak.
    """
    found = measure.dimuons(response, events, z, p_beams)
    energy, recoil = measure.photon_energy_cms(found), recoil_mass2(found)
    weight = jnp.where(energy > PHOTON_E_MIN, found.weights, 0.0)
    low, high = RECOIL_MASS2
    inside = jnp.where((recoil > low) & (recoil < high), weight, 0.0)
    nothing = jnp.zeros_like(weight)
    return {
        "recoil_mass2": (recoil, found.recoil_mass2_gen, weight),
        "photon_energy": (energy, nothing, inside),
        "dimuon_mass": (dimuon_mass(found), nothing, inside),
    }
