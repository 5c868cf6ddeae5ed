"""e+e- -> mu+mu- Z', Z' -> invisible: a bump in the mass recoiling against mu+mu-.

The selection is that of the first search, arXiv:1912.11276 ("2018 search" below), as far
as it is public; numbers that are only recalled are marked so and are assumptions.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector import observables as obs
from darksector.detectors.card import Detector
from darksector.detectors.objects import Candidates
from darksector.detectors.topology import Topology
from darksector.limits.published import CouplingBand
from darksector.models.base import Model
from darksector.models.lmu_ltau import G_MINUS_TWO, gprime_for_delta_a_mu
from darksector.searches._windows import CountingWindows
from darksector.searches.base import Assumption, Background, Search
from darksector.selection import Cut, Mask, OptimisedCut
from darksector.statistics.systematics import Systematic

THRESHOLDS = tuple(0.15 * step for step in range(15))  # GeV, 0 to 2.1

TALK = "talk 'Dark Sector with Belle II', KAON2019, table of systematics"


def muons_in_barrel(c: Candidates, _: Detector) -> Mask:
    """Keep muons at 37 to 120 degrees in the laboratory (2018 search, recalled).

    There the two-track trigger and the muon identification are understood.
    """
    low, high = jnp.deg2rad(jnp.array([37.0, 120.0]))
    return (obs.theta_track_min_lab(c) > low) & (obs.theta_track_max_lab(c) < high)


def opening_above_90_degrees(c: Candidates, _: Detector) -> Mask:
    """Keep tracks open by more than 90 degrees in azimuth, as the trigger wants (2018)."""
    return obs.track_opening_lab(c) > jnp.pi / 2


def recoil_in_ecl_barrel(c: Candidates, detector: Detector) -> Mask:
    """Keep light recoils only where the ECL barrel would have seen a photon.

    Applies below a recoil mass of 3 GeV (2018 search, recalled): a single photon that is
    lost in a gap or along the beams has no mass.
    """
    theta = jnp.rad2deg(obs.theta_recoil_lab(c))
    calorimeter = detector.calorimeter
    inside = (theta > calorimeter.barrel_min) & (theta < calorimeter.barrel_max)
    return inside | (obs.recoil_mass2(c) > 9.0)


def no_photon_near_recoil(c: Candidates, _: Detector) -> Mask:
    """Veto photons above 0.15 GeV within 15 degrees of the recoil (2018, recalled)."""
    return obs.e_photon_near_recoil_lab(c) < 0.15


def little_photon_energy(c: Candidates, _: Detector) -> Mask:
    """Veto events with 0.4 GeV or more in photons (2018 search, recalled)."""
    return obs.photon_energy_sum(c) < 0.4


def transverse_dimuon(c: Candidates, _: Detector) -> Mask:
    """Keep dimuon momenta above 0.2 GeV transverse to the beams in the cms.

    Radiation along the beams leaves none; basf2 skim/scripts/skim/WGs/dark.py.
    """
    return obs.pt_dimuon_cms(c) > 0.2


def invisible_fraction(model: Model) -> float:
    """Return the model's own branching fraction to invisible final states."""
    return model.invisible_fraction()


def always_invisible(_: Model) -> float:
    """Return one: light dark matter that outweighs all other decays."""
    return 1.0


def g_minus_two_bands(masses: NDArray[np.float64]) -> tuple[CouplingBand, ...]:
    """Return what (g-2) of the muon says about g', two sigma, as it stood each year."""
    bands = []
    for then in G_MINUS_TWO:
        high = gprime_for_delta_a_mu(masses, then.difference + 2 * then.error)
        least = then.difference - 2 * then.error
        low = gprime_for_delta_a_mu(masses, least) if least > 0 else None
        words = "favoured" if low is not None else "bound"
        label = rf"$(g-2)_\mu$ {then.year}, $2\sigma$ {words}"
        bands.append(CouplingBand(label, masses, low, high))
    return tuple(bands)


SEARCH = Search(
    name="zprime_invisible",
    title="Z' to invisible, recoiling against μ⁺μ⁻",
    references=(
        *("arXiv:1403.2727", "arXiv:1912.11276", "arXiv:physics/0308063"),
        *(then.reference for then in G_MINUS_TWO),
    ),
    dataset="276/pb",
    mass_grid="0.5:7:0.5",
    machine="superkekb",
    detector="belle2_phase2",
    model="lmu_ltau",
    signal="dimuon_zprime",
    signal_chunks=2,
    backgrounds=(
        Background("dimuon_gamma", r"$\mu^+\mu^-\gamma(\gamma)$", chunks=32),
        Background(
            "ditau", r"$\tau^+\tau^-\to\mu^+\mu^-4\nu$", chunks=16, tau_decays=True
        ),
        Background("two_photon_dimuon", r"$e^+e^-\mu^+\mu^-$", chunks=28),
    ),
    topology=Topology(tracks=("mu", "mu"), trigger="two_track"),
    selection=(
        Cut("muons in barrel", muons_in_barrel),
        Cut("azimuthal opening", opening_above_90_degrees),
        Cut("recoil in ECL barrel", recoil_in_ecl_barrel),
        Cut("no photon near recoil", no_photon_near_recoil),
        Cut("photon energy", little_photon_energy),
        Cut("transverse dimuon momentum", transverse_dimuon),
    ),
    strategy=CountingWindows(
        optimised=(
            OptimisedCut(
                "recoil transverse to faster muon",
                "pt_recoil_lmax_cms",
                grid=THRESHOLDS,
                source="2018 search: tau suppression, optimised per window (recalled)",
            ),
            OptimisedCut(
                "recoil transverse to slower muon",
                "pt_recoil_lmin_cms",
                grid=THRESHOLDS,
                source="2018 search: tau suppression, optimised per window (recalled)",
            ),
        ),
    ),
    observable="recoil_mass2",
    axis=(-10.0, 110.0, 60),
    systematics=(
        Systematic("tracking", signal=0.04, background=0.04, source=TALK),
        Systematic("trigger", signal=0.05, background=0.05, source=TALK),
        Systematic("lepton_id", signal=0.04, background=0.04, source=TALK),
        Systematic("luminosity", signal=0.015, background=0.015, source=TALK),
        Systematic("selection", signal=0.0, background=0.22, source=TALK),
        Systematic("muon_yield_signal", signal=0.125, background=0.0, source=TALK),
        Systematic("muon_yield_background", signal=0.0, background=0.02, source=TALK),
    ),
    confidence_level=0.90,
    sigma_label=r"$\sigma(e^+e^-\to\mu^+\mu^-Z') \times \mathrm{BR(inv)}$",
    assumptions=(
        Assumption("gprime", r"$g'$ (BR of the model)", invisible_fraction),
        Assumption("gprime_fully_invisible", r"$g'$ (BR(inv) = 1)", always_invisible),
    ),
    published=("lmu_ltau_4mu_babar2016", "lmu_ltau_tautau_belle2_2023"),
    bands=g_minus_two_bands,
)
