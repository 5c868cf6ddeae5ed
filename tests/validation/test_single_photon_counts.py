"""The search for a single photon: its two regions, and what is left in them.

The edges of the regions are recalled; what is compared is what they mean, worked out by
hand beside them (physics/dark-photon.md, section 2).  The two numbers of background events
are recalled too, and the widths of the crack and of the muon detector's veto in the card
are calibrated to them: that test says that the calibration still holds, not that the
physics is right.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

import darksector as ds
from darksector.detectors.losses import ORIGINS
from darksector.searches._samples import Survivors
from darksector.searches._simulation import Sample, simulate
from darksector.searches.base import Execution
from darksector.searches.dark_photon_invisible import REGIONS, SEARCH

MACHINE = ds.machine("superkekb")
LOW, HIGH = REGIONS
PAGE = "parametrisation of arXiv:1911.03176 and arXiv:1909.06847, evaluated by hand"
COUNTS = {"low mass": 300, "high mass": 25_000}
COUNTED = "background in 20 fb-1, arXiv:1808.10567 as recalled; the card is calibrated"
COMPONENTS = sorted({p.name for b in SEARCH.backgrounds for p in b.components})
LARGE, PRECISE = 0.01, 0.05  # of the total of a region; of the component itself
# which samples are too small, measured with the numbers of chunks as they are: errors of
# 8, 9 and 11 %
TOO_SMALL = {
    ("low mass", "diphoton_backward_gap"),
    ("low mass", "triphoton"),
    ("low mass", "bhabha_gamma_inside"),
}


def energy(mass):
    """Return E*, GeV, of the photon that recoils against a mass."""
    return (MACHINE.s - mass**2) / (2 * MACHINE.sqrt_s)


@pytest.mark.parametrize(
    ("region", "at", "published"),
    [
        pytest.param(LOW, 5.29, (35.6, 120.3), id="low mass, massless"),
        pytest.param(HIGH, energy(6.0), (31.0, 131.8), id="high mass, 6 GeV"),
        pytest.param(HIGH, energy(8.0), (49.7, 106.0), id="high mass, 8 GeV"),
    ],
)
@pytest.mark.parametrize("edge", [0, 1], ids=["lower", "upper"])
def test_the_edges_of_a_region(region, at, published, edge, agrees):
    """Degrees; half of the last digit."""
    (ours,) = region.edges(np.array([at]))[edge]

    agrees(ours, published[edge], source=PAGE, abs=0.05)


def test_the_low_mass_region_closes_at_7_gev(agrees):
    """GeV, given to a tenth."""

    def opening(mass):
        return np.polyval(LOW.upper, energy(mass)) - np.polyval(LOW.lower, energy(mass))

    agrees(brentq(opening, 6.0, 8.0), 7.0, source=PAGE, abs=0.05)


@pytest.fixture(scope="module")
def yields():
    """Return region to component to its events and their error, of the whole search.

    The masses are those at which the regions end.
    """
    result = SEARCH.run(
        luminosity="20/fb", masses=(6.0, 8.0), seed=1, execution=Execution(workers=1)
    )
    found = {region.name: {} for region in REGIONS}
    for each in result.regions:
        found[each.region][each.component] = each.events, each.error
    return found


@pytest.mark.slow
@pytest.mark.parametrize("region", COUNTS)
def test_the_calibrated_counts(region, yields, agrees):
    """Within 10 %: the simulation has errors of 4 and 2 % of the totals."""
    total = sum(events for events, _ in yields[region].values())

    agrees(total, COUNTS[region], source=COUNTED, rel=0.1)


def components(region):
    """Return the components of a region; those with too few events fail, and say so."""
    few = pytest.mark.xfail(reason="the samples are too small", strict=True)
    return [
        pytest.param(
            region,
            name,
            marks=[few] if (region, name) in TOO_SMALL else [],
            id=f"{region}, {name}",
        )
        for name in COMPONENTS
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("region", "component"), [p for r in COUNTS for p in components(r)]
)
def test_the_error_of_the_simulation(region, component, yields, agrees, request):
    """Relative; at most 5 % where a component has more than 1 % of the events."""
    events, error = yields[region][component]
    total = sum(each for each, _ in yields[region].values())
    request.node.user_properties += [("events", events), ("error", error)]

    if events > LARGE * total:
        agrees(error / events, 0.0, source="aim of this project", abs=PRECISE)


def in_region(sample, origin, region):
    """Return what is lost for one reason in a region, and its error, fb."""
    inside = sample[region.contains(*sample.variables)]
    weight = inside.weight * inside.origins[ORIGINS.index(origin)]
    return weight.sum(), np.sqrt((weight**2).sum())


def simulated(background):
    """Return a sample as the search has it."""
    samples = (
        Sample(SEARCH, background.sample, 0.0, 1, chunk)
        for chunk in range(background.chunks)
    )
    return Survivors.merge([simulate(sample) for sample in samples])


@pytest.fixture(scope="module", params=["diphoton"])
def samples(request):
    """Return the narrow samples of a process and what each is for, and the wide one."""
    found = [b for b in SEARCH.backgrounds if b.process == request.param]
    narrow = [
        (b.parts[0].origins[0], simulated(b)) for b in found if b.sample != b.process
    ]
    (wide,) = (simulated(b) for b in found if b.sample == b.process)
    return request.param, narrow, wide


@pytest.mark.slow
@pytest.mark.parametrize("region", REGIONS, ids=list(COUNTS))
@pytest.mark.parametrize("origin", ["crack", "forward_gap", "backward_gap"])
def test_narrow_samples_have_what_a_wide_one_has(samples, origin, region):
    """The wide sample drops these losses for them: it must have as many.

    Where it has enough to tell: the gaps in the high-mass region, and the crack.
    """
    process, narrow, wide = samples
    parts = [
        in_region(sample, origin, region) for name, sample in narrow if name == origin
    ]
    number, error = sum(n for n, _ in parts), np.hypot.reduce([e for _, e in parts])

    expected, spread = in_region(wide, origin, region)

    assert abs(number - expected) < 4 * np.hypot(error, spread)
    told = (process, origin) == ("diphoton", "crack")
    if told or (region is HIGH and origin != "crack"):
        # to have them twice, or not at all, would be seen
        assert expected > 4 * np.hypot(error, spread)
