"""What the single-photon searches at Belle II share: regions, cuts, backgrounds.

The two regions are those of the sensitivity study of the Belle II Physics Book,
arXiv:1808.10567, in the form in which others reuse them.
"""

from __future__ import annotations

import jax.numpy as jnp

from darksector import observables as obs
from darksector.detectors.card import Detector
from darksector.detectors.objects import Candidates
from darksector.detectors.topology import Topology
from darksector.models.base import Model
from darksector.searches._lost_particles import bhabhas, lost_particles
from darksector.searches._regions import Region
from darksector.selection import Cut, Mask
from darksector.statistics.systematics import Systematic

# degrees around the openings of the calorimeter in which a particle may be lost
OPENINGS = {
    "crack": (89.5, 90.5),
    "forward_gap": (29.5, 34.0),
    "backward_gap": (125.5, 134.0),
}
# degrees: the trigger line has cells from 32.2 to 130.7 degrees
PHOTON = (28.0, 136.0)

REUSED = (
    "sensitivity study of arXiv:1808.10567 in the parametrisation that "
    "arXiv:1911.03176 and arXiv:1909.06847 reuse, recalled"
)
REGIONS = (
    Region(
        "low mass",
        lower=(5.399, -58.82, 195.71),
        upper=(-7.982, 87.77, -120.6),
        masses=(0.0, 6.0),
        source=REUSED,
    ),
    Region(
        "high mass",
        lower=(3.3133, -33.58, 108.79),
        upper=(-5.9133, 54.119, 13.781),
        masses=(6.0, 8.0),
        source=REUSED,
    ),
)

ASSUMED = "assumed: no public number for this search"
LUMINOSITY = "talk 'Dark Sector with Belle II', KAON2019, table of systematics"


def photon_energy(c: Candidates, _: Detector) -> Mask:
    """Keep photons with E* above 1 GeV, the threshold of the trigger line."""
    return obs.e_photon_cms(c) > 1.0


def photon_in_barrel_acceptance(c: Candidates, _: Detector) -> Mask:
    """Keep photons at 22 to 145 degrees in the laboratory.

    The angles of the HLT lines for single photons (basf2 FilterCalculator.cc); the drift
    chamber covers them.
    """
    theta = jnp.rad2deg(obs.theta_photon_lab(c))
    return (theta > 22.0) & (theta < 145.0)


def always_invisible(_: Model) -> float:
    """Return one: dark matter that outweighs all other decays.

    Of a dark photon with α_D = 0.5 and ε = 1e-3 all but 5e-8 decay to it
    (physics/dark-photon.md).
    """
    return 1.0


TOPOLOGY = Topology((), trigger="single_photon_1gev", clusters=1, vetoes=("klm",))
SELECTION = (
    Cut("photon energy", photon_energy),
    Cut("photon angle", photon_in_barrel_acceptance),
)
BACKGROUNDS = (
    *lost_particles(openings=OPENINGS, photon=PHOTON, energy_min=0.9),
    bhabhas(),
)
SYSTEMATICS = (
    Systematic("luminosity", signal=0.015, background=0.015, source=LUMINOSITY),
    Systematic("trigger", signal=0.01, background=0.01, source=ASSUMED),
    Systematic("photon_efficiency", signal=0.02, background=0.02, source=ASSUMED),
)
