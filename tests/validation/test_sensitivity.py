"""Derivatives of the limits of a search against reruns with changed detector cards.

Issue: which number of the detector is worth improving for the dark photon.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import betainc

import darksector as ds
from darksector.detectors.losses import ORIGINS
from darksector.detectors.response import respond
from darksector.registry import SEARCHES
from darksector.results import Windows
from darksector.searches import _sensitivity, pipeline
from darksector.searches._counting import cls_band, counting_model
from darksector.searches._samples import Survivors
from darksector.searches._sensitivity import LUMINOSITY, NUMBERS, sensitivities
from darksector.searches._simulation import Sample, _evaluate, prepared, simulate
from darksector.searches._soft_windows import soft_windows
from darksector.searches.base import Execution, Inputs

RESOLUTION = "calorimeter.energy_resolution"
CHUNKS = 2  # of each sample: events are the same on both sides, so few are enough
MASSES = (0.1, 3.0, 6.0, 8.0)  # GeV
# of each number, up and down; the soft edges are so narrow that 10 % of a resolution
# bend what crosses them, which a derivative does not know and few events do not average
CHANGES = dict.fromkeys(NUMBERS, 0.1) | {RESOLUTION: 0.02}
RELATIVE, ABSOLUTE = 0.05, 0.01
SIGMAS = 3  # of the simulation, allowed where the change is too large for a derivative
LARGE = (RESOLUTION, 0.1)
POLAR = 1.0  # degrees: the width of the polar edges

CARD = """
title = "Belle II with one number changed"
based_on = "belle2"

[{name}]
value = {value}
source = "belle2, {factor} times"
status = "assumed"
"""


def changed(name, factor):
    """Return a number of Belle II as a user would write it after a change."""
    system, key = name.split(".")
    value = np.array(getattr(getattr(ds.detector("belle2"), system), key))
    if name == "calorimeter.gaps":
        middle = value.mean(axis=1, keepdims=True)
        return middle + factor * (value - middle)
    if name == RESOLUTION:
        value[..., 1:] *= factor  # columns after the energy of the threshold
        return value
    return value * factor


def card(folder, name, factor):
    """Return the response of a card file with one number changed."""
    path = folder / f"{name}_{factor}.toml"
    value = changed(name, factor).tolist()
    text = CARD.format(name=name, value=value, factor=factor)
    path.write_text(text, encoding="utf-8")
    return respond(ds.detector(str(path)))


def step(x, edge, width):
    """Return the soft edge as an incomplete beta function of equal exponents 3."""
    return betainc(3, 3, np.clip(0.5 + (x - edge) / width, 0, 1))


def inside(value, variables, window):
    """Return how much of each candidate is in a window of a mass and a region."""
    (low, high), width, region = window
    energy, theta = variables[0], np.degrees(variables[1])
    in_mass = step(value, low, width) * step(-value, -high, width)
    above = step(theta, np.polyval(region.lower, energy), POLAR)
    below = step(-theta, -np.polyval(region.upper, energy), POLAR)
    return in_mass * above * below


class Rerun:
    """Sums of one detector over all chunks: component to what is in the windows."""

    def __init__(self, plan):
        self.plan = plan
        self.efficiency = np.zeros(len(MASSES))
        self.background = {}
        self.generated = np.zeros(len(MASSES))

    def add(self, sample, columns, generated, windows):
        keep = columns["weight"] * np.all(columns["masks"], axis=0)
        if sample.component == "signal":
            i = MASSES.index(sample.mass)
            share = inside(columns["value"], columns["variables"], windows[i])
            self.efficiency[i] += (keep * share).sum()
            self.generated[i] += generated.sum()
            return
        shares = [
            inside(columns["value"], columns["variables"], window) for window in windows
        ]
        (background,) = [
            b for b in self.plan.search.backgrounds if b.sample == sample.component
        ]
        for part in background.components:
            rows = [columns["origins"][ORIGINS.index(name)] for name in part.origins]
            weight = keep * np.sum(rows, axis=0) if rows else keep
            found = np.array([(weight * share).sum() for share in shares])
            before = self.background.get(part.name, 0.0)
            self.background[part.name] = before + found / (generated.size * CHUNKS)

    def limit(self, luminosity):
        """Return the median expected CLs limit on the coupling, up to a factor."""
        none = np.zeros(len(MASSES))
        windows = Windows(
            mass=np.array(MASSES),
            low=none,
            high=none,
            resolution=none,
            efficiency=self.efficiency / self.generated,
            efficiency_error=none,
            signal_sigma=none + 1,
            background={n: luminosity * b for n, b in self.background.items()},
            background_error=dict.fromkeys(self.background, none),
            choices={},
        )
        counting = counting_model(replace(self.plan, luminosity=luminosity), windows)
        level = self.plan.search.confidence_level
        return np.sqrt(np.asarray(cls_band(counting, confidence_level=level)[:, 2]))


@pytest.fixture(scope="module")
def search():
    """Return the search with few chunks of each sample."""
    declared = SEARCHES.load("dark_photon_invisible")
    backgrounds = tuple(replace(b, chunks=CHUNKS) for b in declared.backgrounds)
    return replace(declared, backgrounds=backgrounds, signal_chunks=CHUNKS)


@pytest.fixture(scope="module")
def plan(search):
    return pipeline.plan(
        search, luminosity="20/fb", masses=MASSES, seed=1, inputs=Inputs()
    )


@pytest.fixture(scope="module")
def derived(plan):
    """Return the derivatives by automatic differentiation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sensitivity, "_LEAST", CHUNKS)
        return sensitivities(plan, execution=Execution(1))


@pytest.fixture(scope="module")
def rerun(plan, derived, tmp_path_factory):
    """Return number and factor to what a card with that change leaves."""
    folder = tmp_path_factory.mktemp("cards")
    names = [name for name in NUMBERS if name != LUMINOSITY]
    responses = {
        (name, 1 + change): card(folder, name, 1 + change)
        for name, size in (*((name, CHANGES[name]) for name in names), LARGE)
        for change in (-size, size)
    }
    responses["nominal"] = respond(ds.detector("belle2"))
    found = {key: Rerun(plan) for key in responses}
    windows = nominal_windows(plan, derived.regions)
    for sample in samples(plan):
        ready = prepared(sample)
        generated = np.asarray(ready.events.weights)
        for key, response in responses.items():
            columns = _evaluate(
                (plan.search, ORIGINS), ready.events, ready.z, ready.p_beams, response
            )
            columns = {name: np.asarray(each) for name, each in columns.items()}
            found[key].add(sample, columns, generated, windows)
    return found


def samples(plan):
    chunks = range(CHUNKS)
    seed, search = plan.seed, plan.search
    names = [background.sample for background in search.backgrounds]
    return [
        *(Sample(search, name, 0.0, seed, chunk) for name in names for chunk in chunks),
        *(Sample(search, "signal", m, seed, chunk) for m in MASSES for chunk in chunks),
    ]


def nominal_windows(plan, chosen):
    """Return ends, width of the edges and region per mass: those of the nominal card."""
    regions = {region.name: region for region in plan.search.strategy.regions}
    windows = []
    for mass, name in zip(MASSES, chosen, strict=True):
        parts = [
            simulate(Sample(plan.search, "signal", mass, plan.seed, chunk))
            for chunk in range(CHUNKS)
        ]
        single = replace(plan, masses=(mass,))
        soft = soft_windows(single, [Survivors.merge(parts)], [regions[name]])
        ends = tuple(float(end) for end in soft.ends[0])
        windows.append((ends, float(soft.width[0]), regions[name]))
    return windows


def differences(plan, rerun, name, change):
    """Return d ln(limit) / d ln(number) from two reruns."""
    if name == LUMINOSITY:
        low, high = (
            rerun["nominal"].limit(plan.luminosity * (1 + sign * change))
            for sign in (-1, 1)
        )
    else:
        low, high = (
            rerun[name, 1 + sign * change].limit(plan.luminosity) for sign in (-1, 1)
        )
    return np.log(high / low) / np.log((1 + change) / (1 - change))


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERS)
def test_derivatives_are_the_differences_of_reruns(plan, derived, rerun, name):
    """The same events in front of two detectors, from card files."""
    found = derived.slopes[:, derived.names.index(name)]

    expected = differences(plan, rerun, name, CHANGES[name])

    assert found.tolist() == pytest.approx(
        expected.tolist(), rel=RELATIVE, abs=ABSOLUTE
    )


@pytest.mark.slow
def test_a_large_change_of_the_resolution_agrees_within_the_simulation(
    plan, derived, rerun
):
    """Ten per cent of the resolution, as of the other numbers."""
    k = derived.names.index(RESOLUTION)
    found, errors = derived.slopes[:, k], derived.errors[:, k]

    expected = differences(plan, rerun, *LARGE)

    allowed = np.maximum(RELATIVE * np.abs(expected), ABSOLUTE)
    assert (np.abs(found - expected) <= np.maximum(allowed, SIGMAS * errors)).all()
