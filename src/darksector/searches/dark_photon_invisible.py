"""e+e- -> gamma A', A' -> invisible: one photon, and nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from darksector.limits.published import CouplingBand
from darksector.limits.relic import relic_lines
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


def relic_targets(_: NDArray[np.float64]) -> tuple[CouplingBand, ...]:
    """Return where dark matter has the observed density, for α_D = 0.5."""
    return relic_lines(alpha_dark=0.5)


SEARCH = Search(
    name="dark_photon_invisible",
    title="invisible dark photon, single photon",
    references=("arXiv:1808.10567", "arXiv:1808.05219", "arXiv:physics/0308063"),
    dataset="20/fb",
    mass_grid="0.01,0.1,0.5,1,1.5,2,2.5,3,3.5,4,4.5,5,5.5,6,6.5,7,7.5,8,8.5,9,9.5",
    machine="superkekb",
    detector="belle2",
    model="dark_photon",
    signal="gamma_aprime",
    signal_chunks=1,
    backgrounds=BACKGROUNDS,
    topology=TOPOLOGY,
    selection=SELECTION,
    strategy=SinglePhoton(REGIONS, tuple(OPENINGS.values())),
    observable="photon_recoil_mass2",
    axis=(-10.0, 95.0, 70),
    systematics=SYSTEMATICS,
    confidence_level=0.90,
    sigma_label=r"$\sigma(e^+e^-\to\gamma A') \times \mathrm{BR(inv)}$",
    assumptions=(
        Assumption("epsilon", r"kinetic mixing $\epsilon$", always_invisible),
    ),
    published=(
        "dark_photon_invisible_babar2017",
        "dark_photon_invisible_na64_2023",
        "dark_photon_invisible_na62_2019",
        "dark_photon_invisible_delphi2011",
    ),
    bands=relic_targets,
)
