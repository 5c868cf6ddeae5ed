"""Probabilities of signatures against drawn decays that are counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from signatures_slow import count

import darksector as ds
from darksector.detectors.response import respond
from darksector.models.alp import Alp
from darksector.signatures import signatures

DRAWN = 100_000
NODES = 0.003  # largest error of the mean over angles that `signatures` declares


@pytest.mark.parametrize(
    ("machine", "detector", "model"),
    [
        ("superkekb", "belle2", Alp(0.13, 2.5e-5)),  # none of the five is rare
        ("superkekb", "belle2", Alp(0.15, 1e-2)),
        ("superkekb", "belle2", Alp(0.2, 1e-4)),
        ("superkekb", "belle2", Alp(0.05, 1e-4)),
        ("superkekb", "belle2", Alp(1e-3, 0.1)),
        ("superkekb", "belle2", Alp(1.0, 4e-7)),
        ("superkekb", "belle2", Alp(9.0, 1e-3)),
        ("pep2", "babar", Alp(0.15, 1e-4)),
    ],
)
def test_shares_of_drawn_decays(machine, detector, model):
    response, collider = respond(ds.detector(detector)), ds.machine(machine)

    found = signatures(response, collider, [model])

    drawn = count(response, collider, model, DRAWN, np.random.default_rng(7))
    for name, share in drawn.items():
        chance = float(getattr(found, name)[0])
        error = np.sqrt(chance * (1 - chance) / DRAWN)
        assert abs(share - chance) < 4 * error + NODES, name


def test_the_twin_feels_another_edge():
    """Twice the distance of prompt decays is seen by the comparison above."""
    response, collider = respond(ds.detector("belle2")), ds.machine("superkekb")
    numbers = response.detector.displacement
    wider = replace(numbers, photon_distance=2 * numbers.photon_distance)
    other = replace(response, detector=replace(response.detector, displacement=wider))
    model = Alp(0.2, 5e-5)

    found = signatures(response, collider, [model])

    drawn = count(other, collider, model, DRAWN, np.random.default_rng(7))
    assert abs(drawn["displaced"] - float(found.displaced[0])) > 10 * NODES
