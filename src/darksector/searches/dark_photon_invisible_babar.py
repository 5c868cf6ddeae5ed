"""The search for an invisible dark photon of BaBar: a second instance of the method.

The cuts are those of arXiv:1702.03327 as far as they are recalled: photons at
|cos θ*| < 0.6, and nothing else in the detector.  Its boosted decision trees are not
public: what they cost and gain is missing here, and so are the losses that make its
peaking background, which the recalled card of the detector does not have.
"""

from __future__ import annotations

import jax.numpy as jnp

from darksector import observables as obs
from darksector.detectors.card import Detector
from darksector.detectors.objects import Candidates
from darksector.kinematics import modulus, to_rest_frame
from darksector.searches._belle2_photon import (
    SYSTEMATICS,
    TOPOLOGY,
    always_invisible,
)
from darksector.searches._lost_particles import bhabhas, lost_particles
from darksector.searches._regions import Region
from darksector.searches._single_photon import SinglePhoton
from darksector.searches.base import Assumption, Search
from darksector.selection import Cut, Mask

_PAPER = "arXiv:1702.03327, recalled: recoil masses squared of the two selections"
_OPENINGS = {"forward_gap": (25.5, 28.5)}  # degrees; cracks do not face the origin


def hard_photon(c: Candidates, _: Detector) -> Mask:
    """Keep photons with E* above 1.5 GeV: recoil masses up to 8.5 GeV (recalled)."""
    return obs.e_photon_cms(c) > 1.5


def central_photon(c: Candidates, _: Detector) -> Mask:
    """Keep photons with |cos θ*| below 0.6 (arXiv:1702.03327, recalled)."""
    photon = to_rest_frame(c.p_clusters[0], c.p_beams)
    return jnp.abs(photon.z) < 0.6 * modulus(photon)


SEARCH = Search(
    name="dark_photon_invisible_babar",
    title="invisible dark photon as BaBar did it, single photon",
    references=("arXiv:1702.03327", "arXiv:physics/0308063"),
    dataset="53/fb",
    mass_grid="0.01,0.5,1,2,3,4,4.5,5,5.5,6,6.5,7,7.5,8",
    machine="pep2",
    detector="babar",
    model="dark_photon",
    signal="gamma_aprime",
    signal_chunks=1,
    backgrounds=(
        *lost_particles(openings=_OPENINGS, photon=(17.0, 145.0), energy_min=1.3),
        bhabhas(),
    ),
    topology=TOPOLOGY,
    selection=(
        Cut("photon energy", hard_photon),
        Cut("photon angle", central_photon),
    ),
    strategy=SinglePhoton(
        (
            Region("LowM", (0.0,), (180.0,), masses=(0.0, 5.5), source=_PAPER),
            Region("HighM", (0.0,), (180.0,), masses=(5.5, 8.0), source=_PAPER),
        ),
        tuple(_OPENINGS.values()),
    ),
    observable="photon_recoil_mass2",
    axis=(-10.0, 75.0, 60),
    systematics=SYSTEMATICS,
    confidence_level=0.90,
    sigma_label=r"$\sigma(e^+e^-\to\gamma A') \times \mathrm{BR(inv)}$",
    assumptions=(
        Assumption("epsilon", r"kinetic mixing $\epsilon$", always_invisible),
    ),
    published=("dark_photon_invisible_babar2017",),
)
