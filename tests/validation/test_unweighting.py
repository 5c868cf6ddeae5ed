"""How much of a cross-section lies above the maximum weight, for every process."""

from __future__ import annotations

import pytest
from process_conformance import MACHINE, build

from darksector.processes import _grids
from darksector.registry import PROCESSES

EVENTS = 200_000  # one event ten times above the maximum is 5e-5 of them


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCESSES.names())
def test_overflow_of_fresh_events(name):
    """At most 1e-4 of σ, on trials that have not set the maxima."""
    generation = build(name, isr=False).generation(MACHINE)

    drawn = generation.events(EVENTS, 5, highest=_grids.highest(generation))

    assert drawn.overflow <= 1e-4
