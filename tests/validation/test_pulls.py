"""Is the quoted error of a cross-section honest?"""

from __future__ import annotations

from math import log, pi

import numpy as np

import darksector as ds
from darksector.compilation import BLOCK
from darksector.machines import symmetric
from darksector.particles import ALPHA
from darksector.phasespace.cuts import GeneratorCut
from darksector.phasespace.integrate import Sums, estimate
from darksector.units import GEV2_FB

SEEDS, TRIALS = 200, 4 * BLOCK


def test_pulls_of_200_seeds(agrees):
    """γA′ of 5 GeV at |cosθ| < 0.6 against the closed form, mean 0 and width 1."""
    s, x, c = 10.58**2, 25 / 10.58**2, 0.6
    truth = 4 * pi * ALPHA**2 / s * GEV2_FB
    truth *= (1 + x**2) / (1 - x) * log((1 + c) / (1 - c)) - (1 - x) * c
    process = ds.process(
        "gamma_aprime", ds.model("dark_photon", mass=5.0, epsilon=1.0), isr=False
    )
    cut = GeneratorCut("theta_beam_cms", ("gamma",), low=np.arccos(c))
    generation = process.generation(symmetric(10.58), cuts=[cut])
    pulls = []
    for seed in range(SEEDS):
        weight = generation.survivors(
            generation.uniform(seed, "pull", 0, TRIALS)
        ).weight
        found = estimate([Sums.of(weight, TRIALS)])
        pulls.append((found.value - truth) / found.error)

    source = (
        "closed form of physics/dark-photon.md section 1; asked: 0 ± 0.15, 1 ± 0.15"
    )
    agrees(np.mean(pulls), 0.0, abs=0.15, source=source)
    agrees(np.std(pulls), 1.0, abs=0.15, source=source)
