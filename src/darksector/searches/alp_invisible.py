"""e+e- -> gamma a, a -> invisible: the single photon of an axion-like particle.

The machinery is that of the invisible dark photon with another signal: photons follow
1 + cos²θ* instead of the beams.  The a is invisible as it decays to dark matter, or, with
photons alone, as it decays behind the detector.
"""

from __future__ import annotations

from darksector.searches._belle2_photon import (
    BACKGROUNDS,
    OPENINGS,
    REGIONS,
    SELECTION,
    SYSTEMATICS,
    TOPOLOGY,
    always_invisible,
)
from darksector.searches._single_photon import SinglePhoton
from darksector.searches.base import Assumption, Search

SEARCH = Search(
    name="alp_invisible",
    title="invisible axion-like particle, single photon",
    references=("arXiv:1709.00009", "arXiv:1808.10567", "arXiv:physics/0308063"),
    dataset="20/fb",
    mass_grid="0.01,0.02,0.03,0.04,0.1,0.3,0.5,1,2,3,4,5,6,7,8,8.5,9",
    machine="superkekb",
    detector="belle2",
    model="alp",
    signal="gamma_alp",
    signal_chunks=1,
    backgrounds=BACKGROUNDS,
    topology=TOPOLOGY,
    selection=SELECTION,
    strategy=SinglePhoton(REGIONS, tuple(OPENINGS.values()), escaping=True),
    observable="photon_recoil_mass2",
    axis=(-10.0, 95.0, 70),
    systematics=SYSTEMATICS,
    confidence_level=0.90,
    sigma_label=r"$\sigma(e^+e^-\to\gamma a) \times \mathrm{BR(inv)}$",
    assumptions=(
        Assumption(
            "g_agg",
            r"$g_{a\gamma\gamma}$ (BR(inv) = 1)",
            always_invisible,
            unit="GeV^-1",
        ),
    ),
    published=(
        "alp_babar2017",
        "alp_e137_2017",
        "alp_e141_2017",
        "alp_charm2015",
        "alp_nucal2015",
        "alp_na64_2020",
        "alp_lep2015",
        "alp_opal2016",
        "alp_besiii2024",
        "alp_primex2019",
        "alp_sn1987a_2017",
    ),
)
