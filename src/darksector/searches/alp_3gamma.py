"""e+e- -> gamma a, a -> gamma gamma: a bump in the mass of two of three photons.

The selection is that of arXiv:2007.13071 ("2018 search" below) as far as it is recalled;
such numbers are assumptions.

The decay is prompt: limits hold where the flight of the a, 26 cτ at 0.2 GeV, is short
against the resolution of the calorimeter.  With cτ = 0.5 mm (1e-4 GeV⁻¹ / g)² (0.2 GeV /
m)³ it is below a millimetre for the couplings that 445 pb⁻¹ reaches, and 10 cm at 0.2 GeV
for those of 50 ab⁻¹.

No trigger line is asked for.  Three photons have far more than the 1 GeV that the energy
trigger wants, and its veto of Bhabha scattering cannot have acted in 2018: near 9.7 GeV,
where the published range ends, the two photons of an a look exactly like Bhabha
scattering.
"""

from __future__ import annotations

from functools import reduce
from math import inf

import jax.numpy as jnp

from darksector import observables as obs
from darksector.detectors.card import Detector
from darksector.detectors.clusters import time_interval
from darksector.detectors.objects import Candidates
from darksector.detectors.topology import Topology
from darksector.generators.decay import Mode
from darksector.kinematics import squared
from darksector.models.base import Model
from darksector.particles import MASS, PDG
from darksector.phasespace.cuts import GeneratorCut
from darksector.searches._bump_hunt import BumpHunt
from darksector.searches.base import Assumption, Background, Search
from darksector.selection import Cut, Mask
from darksector.statistics.systematics import Systematic, Uncertainty


def photons_in_barrel(c: Candidates, _: Detector) -> Mask:
    """Keep clusters at 37.3 to 123.7 degrees in the laboratory (2018 search, recalled).

    There the calorimeter has no gaps, and showers do not leak into them.
    """
    low, high = jnp.deg2rad(jnp.array([37.3, 123.7]))
    return (obs.theta_photon_min_lab(c) > low) & (obs.theta_photon_max_lab(c) < high)


def hard_photons(c: Candidates, _: Detector) -> Mask:
    """Keep clusters above 0.65 GeV in the laboratory (2018 search, recalled).

    For masses up to 4 GeV the bump hunt asks for 1 GeV.
    """
    return obs.e_photon_min_lab(c) > 0.65


def balanced(c: Candidates, _: Detector) -> Mask:
    """Keep 0.88 to 1.03 of the collision energy in the three photons (2018, recalled).

    Less means that something escaped: radiation along the beams or a fourth photon.
    """
    share = obs.photon_mass(c) / jnp.sqrt(squared(c.p_beams))
    return (share >= 0.88) & (share <= 1.03)


def together_in_time(c: Candidates, detector: Detector) -> Mask:
    """Keep clusters within twice their 99 % interval of their mean time.

    Photons of the collision are; beam background is not.  As
    maxWeightedDistanceFromAverageECLTime in basf2 skim/scripts/skim/dark.py.
    """
    intervals = [time_interval(detector.calorimeter, p.e) for p in c.p_clusters]
    weights = [1 / width**2 for width in intervals]
    times = [cluster.time for cluster in c.clusters]
    pulled = sum(w * t for w, t in zip(weights, times, strict=True))
    mean = pulled / sum(weights)
    distances = [
        jnp.abs(t - mean) / width for t, width in zip(times, intervals, strict=True)
    ]
    return reduce(jnp.maximum, distances) <= 2.0


def diphoton_fraction(model: Model) -> float:
    """Return the model's own branching fraction into two photons."""
    return model.branching_fraction("gamma gamma")


# photons softer or closer to the beams than this never pass the cuts; they belong to the
# radiation of the beams
RESOLVED = (("photon_energy_min", 0.08), ("photon_angle_min", 0.7))
# electrons that could pass as photons, with a margin for resolution and vertex; closer
# pairs make one cluster, as two photons would (that the field bends electrons apart is
# not simulated)
ELECTRONS = (
    *(GeneratorCut("theta_lab", (name,), low=0.62, high=2.19) for name in ("e-", "e+")),
    *(GeneratorCut("e_lab", (name,), low=0.5) for name in ("e-", "e+")),
    *(
        GeneratorCut("mass", pair, low=0.2)
        for pair in (("e-", "e+"), ("e-", "gamma"), ("e+", "gamma"))
    ),
)
ETA_TO_PHOTONS = ("eta", Mode((22, 22), (0.0, 0.0), 0.3936))
ETA_PRIME_TO_PHOTONS = ("eta'", Mode((22, 22), (0.0, 0.0), 0.02307))
PI0_TO_PHOTONS = ("pi0", Mode((22, 22), (0.0, 0.0), 0.98823))
OMEGA_TO_PI0 = ("omega", Mode((PDG["pi0"], 22), (MASS["pi0"], 0.0), 0.08326))
PHI_TO_ETA = ("phi", Mode((PDG["eta"], 22), (MASS["eta"], 0.0), 0.01306))
FRACTIONS = "branching fractions of PDG 2026 (Python package pdg 2026.0)"

SEARCH = Search(
    name="alp_3gamma",
    title="axion-like particle in three photons",
    references=("arXiv:1709.00009", "arXiv:2007.13071"),
    dataset="445/pb",
    mass_grid=(
        "0.2,0.25,0.3,0.4,0.5,0.6,0.8,1,1.5,2,2.5,3,3.5,4,4.5,5,5.5,6,6.5,7,7.5,8,8.5,"
        "9,9.4,9.7"
    ),
    machine="superkekb",
    detector="belle2_phase2",
    model="alp",
    signal="gamma_alp",
    signal_chunks=1,
    signal_decays=(("a", Mode((22, 22), (0.0, 0.0))),),
    backgrounds=(
        Background(
            "triphoton",
            r"$\gamma\gamma\gamma$",
            chunks=64,
            options=RESOLVED,
            uncertainty=Uncertainty(
                0.1, "tree level with radiation of the beams; assumed"
            ),
        ),
        Background(
            "bhabha_gamma",
            r"$e^+e^-\gamma$",
            chunks=8,
            options=RESOLVED,
            cuts=ELECTRONS,
            uncertainty=Uncertainty(0.5, "electrons without a track; assumed"),
        ),
        Background(
            "isr_resonance",
            r"$\gamma\omega$",
            chunks=4,
            name="omega_gamma",
            options=(("resonance", "omega"), *RESOLVED),
            decays=(OMEGA_TO_PI0, PI0_TO_PHOTONS),
            uncertainty=Uncertainty(
                0.1, "tree level, electronic width recalled; assumed; " + FRACTIONS
            ),
        ),
        Background(
            "isr_resonance",
            r"$\gamma\phi$",
            chunks=2,
            name="phi_gamma",
            options=(("resonance", "phi"), *RESOLVED),
            decays=(PHI_TO_ETA, ETA_TO_PHOTONS),
            uncertainty=Uncertainty(
                0.1, "tree level, electronic width recalled; assumed; " + FRACTIONS
            ),
        ),
        Background(
            "pseudoscalar_gamma",
            r"$\gamma\eta$",
            chunks=2,
            name="eta_gamma",
            options=(("meson", "eta"),),
            decays=(ETA_TO_PHOTONS,),
            uncertainty=Uncertainty(
                0.28, "arXiv:hep-ex/0605018: 4.5 +1.2 -1.1 +-0.3 fb; " + FRACTIONS
            ),
        ),
        Background(
            "pseudoscalar_gamma",
            r"$\gamma\eta'$",
            chunks=2,
            name="eta_prime_gamma",
            options=(("meson", "eta'"),),
            decays=(ETA_PRIME_TO_PHOTONS,),
            uncertainty=Uncertainty(
                0.16, "arXiv:hep-ex/0605018: 5.4 +-0.8 +-0.3 fb; " + FRACTIONS
            ),
        ),
    ),
    topology=Topology((), "none", clusters=3),
    selection=(
        Cut("photons in barrel", photons_in_barrel),
        Cut("photon energy", hard_photons),
        Cut("three-photon mass", balanced),
        Cut("cluster times", together_in_time),
    ),
    strategy=BumpHunt(
        energies=((4.0, 1.0), (inf, 0.65)),
        peaking=(
            "omega_gamma",
            "phi_gamma",
            "eta_gamma",
            "eta_prime_gamma",
        ),
    ),
    observable="diphoton_mass2_low",
    axis=(0.0, 110.0, 220),
    systematics=(
        Systematic(
            "efficiency",
            signal=0.08,
            background=0.0,
            source="the larger end of 5 to 8 %, arXiv:2007.13071, recalled",
        ),
        Systematic(
            "luminosity",
            signal=0.007,
            background=0.0,
            source="445 +- 3 pb^-1, arXiv:2007.13071 (abstract)",
        ),
    ),
    confidence_level=0.95,
    sigma_label=r"$\sigma(e^+e^-\to\gamma a) \times \mathrm{BR}(\gamma\gamma)$",
    assumptions=(
        Assumption("g_agg", r"$g_{a\gamma\gamma}$", diphoton_fraction, unit="GeV^-1"),
    ),
    published=(
        "alp_lep2015",
        "alp_opal2016",
        "alp_besiii2024",
        "alp_primex2019",
        "alp_cms2018",
        "alp_atlas2020",
        "alp_e137_2017",
        "alp_e141_2017",
        "alp_charm2015",
        "alp_nucal2015",
        "alp_na64_2020",
        "alp_babar2017",
    ),
)
