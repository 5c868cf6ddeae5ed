"""Three photons from end to end: acceptance, a run, and a scan of all masses."""

from __future__ import annotations

from dataclasses import replace
from math import radians, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtr

import darksector as ds
from darksector.execution import stream
from darksector.generators.decay import Mode, decay
from darksector.machines import load
from darksector.models.alp import Alp
from darksector.processes.gamma_alp import GammaAlp
from darksector.searches._bump_fit import Shape, limits
from darksector.searches._bump_hunt import spectrum
from darksector.searches._bump_scan import combined, excess, regions
from darksector.searches._samples import Survivors
from darksector.searches._simulation import Sample, simulate
from darksector.searches._three_photons import DIPHOTON, RECOIL, Pairs, crossing
from darksector.searches.base import Execution, Inputs
from darksector.statistics.bumphunt_toys import Toys, look_elsewhere

SQRT_S = 10.58
BETA = 3.002 / 11.006  # of the numbers in physics/alp-monopole.md, no crossing angle
SEARCH = ds.search("alp_3gamma")
CHUNKS = {"triphoton": 4, "bhabha_gamma": 2}  # others: 2
SMALL = replace(
    SEARCH,
    backgrounds=tuple(
        replace(b, chunks=CHUNKS.get(b.sample, 2)) for b in SEARCH.backgrounds
    ),
)
MASSES = (0.2, 0.5, 1.0, 2.0, 4.0, 6.0, 7.0, 8.0, 9.0, 9.7)
LUMINOSITY = 0.445  # fb^-1
TOYS = 512


def head_on():
    boosted = {
        name: SQRT_S / 2 * sqrt((1 + sign * BETA) / (1 - sign * BETA))
        for name, sign in (("energy_her", 1), ("energy_ler", -1))
    }
    return replace(
        load("superkekb"),
        **boosted,
        half_crossing_angle=0.0,
        energy_spread_her=0.0,
        energy_spread_ler=0.0,
    )


@pytest.mark.parametrize(("energy_min", "published"), [(0.65, 0.385), (1.0, 0.323)])
def test_v08_acceptance_of_three_photons(agrees, energy_min, published):
    """200000 events know it to 0.001."""
    n, machine = 200_000, head_on()
    process = GammaAlp(model=Alp(mass=1.0, g_agg=1e-3), isr=False)
    events = process.generate(n, machine, seed=1)
    u = stream(1, "decay of the ALP").random((n, 3))
    events = decay(u, events, 1, Mode((22, 22), (0.0, 0.0)))

    photons = np.asarray(events.momenta)[:, [0, 2, 3]]
    theta = np.arccos(photons[:, :, 3] / photons[:, :, 0])
    barrel = (theta > radians(37.3)) & (theta < radians(123.7))
    kept = (barrel & (photons[:, :, 0] > energy_min)).all(axis=1)
    weights = np.asarray(events.weights)

    agrees(
        (weights * kept).sum() / weights.sum(),
        published,
        source="physics/alp-monopole.md V8 (derived)",
        abs=0.003,
    )


def sample(component, mass=0.0, chunks=1):
    parts = [
        simulate(Sample(SMALL, component, mass, 1, chunk)) for chunk in range(chunks)
    ]
    return Survivors.merge(parts)


@pytest.fixture(scope="module")
def signals():
    return {mass: sample("signal", mass) for mass in MASSES}


@pytest.fixture(scope="module")
def backgrounds():
    return {name: sample(name, chunks=n) for name, n in CHUNKS.items()}


@pytest.fixture(scope="module")
def scan(signals, backgrounds):
    found = regions(SMALL.strategy, signals, backgrounds, luminosity=LUMINOSITY)
    toys = Toys(TOYS, seed=1)
    return found, [look_elsewhere(r.hunt, r.expected, toys=toys) for r in found]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    counts = tmp_path_factory.mktemp("alp") / "counts.csv"
    counts.write_text("mass_gev,observed\n0.3,12\n8,490\n")
    return SMALL.run(
        luminosity="445/pb",
        masses=[0.3, 8.0],
        seed=1,
        inputs=Inputs(observed=counts),
        execution=Execution(workers=1),
    )


@pytest.mark.slow
def test_pairs_of_a_signal_have_its_mass(signals):
    """Each event has a pair whose mass and recoil agree with the a within resolutions."""
    for mass in (0.5, 6.0, 9.0):
        pairs = Pairs.of(signals[mass], energy_min=0.65)
        for kind in (DIPHOTON, RECOIL):
            near = np.abs(pairs.mass2[kind] - mass**2).min(axis=0)
            inside = near < 3 * pairs.resolution(kind, mass)
            assert (pairs.weight * inside).sum() / pairs.weight.sum() > 0.9


@pytest.mark.slow
def test_the_recoil_is_sharper_for_heavy_masses(signals):
    """M_rec² = s - 2 √s E*: the softer the photon, the smaller its absolute error."""
    table = [
        Pairs.of(sample, energy_min=0.65).resolutions(mass)
        for mass, sample in signals.items()
    ]

    cross = crossing(MASSES, table)

    assert cross is not None
    assert 4.0 < cross < 9.0
    assert table[0][DIPHOTON] < 0.01 * table[0][RECOIL]
    assert table[-1][RECOIL] < 0.5 * table[-1][DIPHOTON]


@pytest.mark.slow
def test_the_limit_on_the_coupling_falls_with_the_fourth_root(
    agrees, signals, backgrounds
):
    """V18, from 20/fb to 50/ab: without systematics, with the same polynomial."""
    strategy, mass = SMALL.strategy, 6.0
    signal = strategy.signal(mass, signals[mass])
    parts = spectrum(backgrounds, 0.65, signal.kind)
    at = {}
    for luminosity in (20.0, 50_000.0):
        window = strategy.window(signal, parts, luminosity=20.0)
        plain = Shape(window.polynomial.degree, 1.0, 0.0, 1.0)
        found = limits(
            window.spectrum, plain, luminosity=luminosity, confidence_level=0.95
        )
        at[luminosity] = found.expected[0, 2]

    agrees(
        sqrt(at[20.0] / at[50_000.0]),
        7.0711,
        source="physics/alp-monopole.md V18",
        rel=0.01,
    )


@pytest.mark.slow
def test_every_candidate_has_three_entries_in_the_spectrum(result):
    """All squared masses lie within the axis, which ends above 1.03² s."""
    last = {row.component: row.events for row in result.cutflow}

    for name, filled in result.spectra.items():
        assert filled.total() == pytest.approx(3 * last[name], rel=1e-9)


@pytest.mark.slow
def test_the_observed_limit_of_the_counts_is_near_the_expected_band(result):
    """Counts are about the expected ones; counting knows less than the fit."""
    total = result.windows.total_background()
    assert np.all(np.abs(result.observed - total) < 3 * np.sqrt(total))

    observed, band = (
        result.limits.observed["sigma"],
        result.limits.expected_band["sigma"],
    )
    assert np.all(observed > band[:, 0] / 2)
    assert np.all(observed < band[:, 4] * 2)


@pytest.mark.slow
def test_the_coupling_follows_from_the_cross_section(result):
    """σ = g² σ(g = 1), all decays into photons."""
    limits_, windows = result.limits, result.windows

    assert limits_.units == {"sigma": "fb", "g_agg": "GeV^-1"}
    expected = np.sqrt(limits_.expected["sigma"] / windows.signal_sigma)
    assert_allclose(limits_.expected["g_agg"], expected)
    assert limits_.status == ("ok", "ok")


@pytest.mark.slow
def test_the_workspace_counts_the_core(result):
    windows, counting = result.windows, result.counting

    assert counting.signal == pytest.approx(windows.efficiency * LUMINOSITY)
    assert counting.background == pytest.approx(windows.total_background())
    assert np.all(counting.background_error > 0)
    width = (windows.high - windows.low) / windows.resolution
    assert width == pytest.approx([4.0, 4.0])


@pytest.mark.slow
def test_a_scan_steps_by_half_of_the_resolution(scan):
    found, _ = scan

    assert [r.kind for r in found] == [DIPHOTON, DIPHOTON, RECOIL]
    assert [r.energy_min for r in found] == [1.0, 0.65, 0.65]
    for region in found:
        assert set(region.hunt.status) == {"ok"}
        width = np.diff(region.hunt.windows.edges)
        steps = np.diff(region.masses**2)
        at = np.searchsorted(region.hunt.windows.edges, region.masses[:-1] ** 2) - 1
        assert steps == pytest.approx(width[at], rel=0.1)


@pytest.mark.slow
def test_excesses_without_signal_are_half_of_chi_square(scan):
    """Where there are events: the mean of q0 is one half (arXiv:1007.1727 eq. 52).

    Its error from 512 toys is √(5/4/512) = 0.049; four of them.
    """
    found, elsewhere = scan
    region, toys = found[1], elsewhere[1]
    middle = np.argmin(np.abs(region.masses - 6.0))

    assert toys.failed == 0
    assert toys.at_masses[middle] / TOYS == pytest.approx(0.5, abs=4 * 0.049)


@pytest.mark.slow
def test_trials_grow_with_the_significance(scan):
    """arXiv:1005.1891: the factor is linear in it, and at most the number of masses."""
    found, elsewhere = scan
    masses = sum(region.masses.size for region in found)
    factors = [combined(elsewhere, z) / ndtr(-z) for z in (2.0, 2.5, 3.0)]

    assert np.all(np.diff(factors) > 0)
    assert 10 < factors[-1] < masses


@pytest.mark.slow
def test_a_signal_is_found_where_it_is(scan):
    """Asimov data with a signal of five standard deviations at 1 GeV."""
    found, elsewhere = scan
    region = found[0]
    hunt, at = region.hunt, int(np.argmin(np.abs(region.masses - 1.0)))
    inside = hunt.windows.slice(at)
    shares = hunt.shares[at, : inside.stop - inside.start]
    size = 5 * sqrt(1 / (shares**2 / region.expected[inside]).sum())
    counts = [r.expected.copy() for r in found]
    counts[0][inside] += size * shares

    largest = excess(found, counts, elsewhere)

    assert largest.mass == pytest.approx(1.0, abs=0.03)
    assert 3.0 < largest.local_significance < 5.0  # its own events are an error, too
    assert largest.local_p_value < largest.global_p_value < 0.2
    assert largest.trials > 10
    assert largest.global_significance < largest.local_significance
