"""Every search, present and future; nobody edits a list here."""

from __future__ import annotations

import numpy as np
import pytest

import darksector as ds
from darksector import units
from darksector.detectors.topology import outcomes
from darksector.generators import tau
from darksector.limits import published
from darksector.observables import OBSERVABLES
from darksector.particles import PDG
from darksector.provenance import known_references
from darksector.registry import MODELS, PROCESSES, SEARCHES
from darksector.searches._simulation import background_process


@pytest.fixture(params=SEARCHES.names())
def name(request):
    return request.param


@pytest.fixture
def search(name):
    return ds.search(name)


def optimised(search):
    return getattr(search.strategy, "optimised", ())


def final_state(background):
    if background.tau_decays:
        return tau.FINAL_STATE
    found = list(background_process(background).final_state)
    return decayed(found, background.decays)


def decayed(codes, decays):
    for name, mode in decays:
        codes.remove(PDG[name])
        codes += mode.products
    return tuple(codes)


def test_the_name_is_that_of_the_file(name, search):
    assert search.name == name
    assert search.title


def test_the_references_are_known(search):
    assert search.references
    assert set(search.references) <= set(known_references())


def test_what_it_names_exists(search):
    machine, detector = ds.machine(search.machine), ds.detector(search.detector)
    signal = PROCESSES.load(search.signal)

    assert machine.title
    assert detector.title
    assert MODELS.load(search.model).title
    assert signal.needs_model
    assert search.observable in OBSERVABLES
    for key in search.published:
        assert published.load(key).title
    for background in search.backgrounds:
        assert not PROCESSES.load(background.process).needs_model
        assert background.legend
        assert background.chunks > 0
    assert search.signal_chunks > 0


def test_backgrounds_differ(search):
    samples = [background.sample for background in search.backgrounds]
    parts = [
        part for background in search.backgrounds for part in background.components
    ]

    assert len(set(samples)) == len(samples)
    assert "signal" not in {*samples, *(part.name for part in parts)}


def test_parts_of_one_name_are_one_component(search):
    parts = [
        part for background in search.backgrounds for part in background.components
    ]
    for part in parts:
        assert part.legend
        for other in parts:
            if other.name == part.name:
                assert (other.legend, other.uncertainty) == (
                    part.legend,
                    part.uncertainty,
                )


def test_signal_and_backgrounds_can_make_the_topology(search):
    signal = list(PROCESSES.load(search.signal).final_state)
    states = {search.signal: decayed(signal, search.signal_decays)}
    states |= {b.sample: final_state(b) for b in search.backgrounds}

    assert {
        p for p, state in states.items() if not outcomes(state, search.topology)
    } == (set())


def test_tau_decays_belong_to_tau_pairs(search):
    for background in search.backgrounds:
        taus = [abs(c) == 15 for c in background_process(background).final_state]
        assert background.tau_decays == any(taus)


def test_cuts_are_described(search):
    labels = [*(cut.label for cut in search.selection), *search.strategy.labels]

    assert all(labels)
    assert len(set(labels)) == len(labels)
    assert all(cut.description for cut in search.selection)
    assert all(cut.source for cut in optimised(search))


def test_what_the_strategy_needs_is_an_observable(search):
    assert set(search.strategy.variables) <= set(OBSERVABLES)


def test_uncertainties_of_components_have_sources(search):
    for uncertainty in search.uncertainties().values():
        assert 0 < uncertainty.size < 1
        assert uncertainty.source


def test_optimised_cuts_can_be_left_out(search):
    """The first threshold keeps all, so that optimising never costs sensitivity."""
    for cut in optimised(search):
        assert cut.observable in OBSERVABLES
        assert list(cut.grid) == sorted(set(cut.grid))
        assert cut.grid[0] <= 0


def test_systematics_have_sizes_and_sources(search):
    names = [systematic.name for systematic in search.systematics]

    assert names
    assert len(set(names)) == len(names)
    for systematic in search.systematics:
        assert 0 <= systematic.signal < 1
        assert 0 <= systematic.background < 1
        assert systematic.signal + systematic.background > 0
        assert systematic.source


def test_the_defaults_are_what_the_command_line_reads(search):
    masses = np.array(units.grid(search.mass_grid))

    assert units.luminosity(search.dataset) > 0
    assert (np.diff(masses) > 0).all()
    assert 0.5 < search.confidence_level < 1
    start, stop, bins = search.axis
    assert start < stop
    assert bins > 0


def test_every_mass_of_the_grid_can_be_produced(search):
    machine, kind = ds.machine(search.machine), MODELS.load(search.model)
    for mass in units.grid(search.mass_grid):
        model = kind(**{"mass": mass, kind.coupling: 1.0})
        ds.process(search.signal, model).check_energy(machine)


def test_assumptions_give_fractions(search):
    kind = MODELS.load(search.model)
    quantities = [assumption.quantity for assumption in search.assumptions]

    assert len({"sigma", *quantities}) == len(quantities) + 1
    for assumption in search.assumptions:
        assert assumption.label
        for mass in units.grid(search.mass_grid):
            model = kind(**{"mass": mass, kind.coupling: 1.0})
            assert 0 < assumption.fraction(model) <= 1


def test_bands_are_drawn_over_the_masses(search):
    masses = np.array(units.grid(search.mass_grid))
    for band in search.bands(masses):
        assert band.label
        assert band.mass.shape == band.high.shape
        assert band.mass.min() < masses.max()
        assert band.mass.max() > masses.min()
