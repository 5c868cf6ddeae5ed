"""What the search for a single photon counts: regions, components, the best boundary."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from fake_result import fake_result
from numpy.testing import assert_allclose
from scipy.integrate import quad

import darksector as ds
from darksector.detectors.losses import ORIGINS
from darksector.detectors.topology import Topology
from darksector.errors import InvalidCard, UnknownName
from darksector.phasespace.cuts import GeneratorCut
from darksector.report.tables import limits_csv
from darksector.searches import pipeline
from darksector.searches._belle2_photon import OPENINGS, PHOTON, REGIONS
from darksector.searches._boundary import ANGLES, _chosen, best_windows
from darksector.searches._samples import Halves, Samples, Survivors
from darksector.searches._simulation import Sample, simulate
from darksector.searches._single_photon import FLAT, with_flat
from darksector.searches._windows import window
from darksector.searches.base import Background, Inputs, Part
from darksector.searches.dark_photon_invisible import SEARCH
from darksector.statistics.punzi import punzi_sensitivity

MACHINE = ds.machine("superkekb")
LOW, HIGH = REGIONS
PARTNER = 59.5  # degrees, of a photon lost at 90: physics/dark-photon.md, section 2
LUMINOSITY = 20.0  # fb^-1
SIZE = 4000


def survivors(*, weight=1.0, theta=None, mass=1.0, origins=None, seed=1, n=SIZE):
    """Return photons around the energy of a mass, by default at all angles alike."""
    rng = np.random.default_rng(seed)
    residual = rng.normal(scale=1.0, size=n)
    value = np.sort(mass**2 + residual)
    energy = (MACHINE.s - value) / (2 * MACHINE.sqrt_s)
    angle = np.arccos(rng.uniform(-0.8, 0.9, n)) if theta is None else theta(rng, n)
    return Survivors(
        cutflow=np.full((4, 2), weight * n),
        weight=np.full(n, weight),
        value=value,
        residual=value - mass**2,
        variables=np.array([energy, angle]),
        origins=np.zeros((0, n)) if origins is None else origins,
    )


def shares(n=SIZE):
    parts = np.random.default_rng(5).random((len(ORIGINS), n))
    return parts / parts.sum(axis=0)


def near(degrees, width):
    return lambda rng, n: np.radians(rng.normal(degrees, width, n))


def a_plan(masses=(1.0,), search=SEARCH):
    return pipeline.plan(
        search, luminosity="20/fb", masses=masses, seed=1, inputs=Inputs()
    )


# regions


@pytest.mark.parametrize(
    ("region", "energy", "edges"),
    [
        # by hand: 5.399 4² - 58.82 4 + 195.71 and -7.982 4² + 87.77 4 - 120.6
        pytest.param(LOW, 4.0, (46.814, 102.768), id="low"),
        # by hand: 3.3133 2² - 33.58 2 + 108.79 and -5.9133 2² + 54.119 2 + 13.781
        pytest.param(HIGH, 2.0, (54.8832, 98.3658), id="high"),
    ],
)
def test_what_a_region_contains(region, energy, edges):
    angles = np.array([edges[0] - 0.01, edges[0] + 0.01, edges[1] - 0.01])
    angles = np.append(angles, edges[1] + 0.01)

    inside = region.contains(np.full(4, energy), np.radians(angles))

    assert inside.tolist() == [False, True, True, False]
    assert_allclose(np.array(region.edges(np.array([energy]))).ravel(), edges)


def test_a_region_has_no_edges_where_it_is_shut():
    """The low region opens at E* = 2.955 GeV, the root of the difference of its edges."""
    low, _ = LOW.edges(np.array([2.95, 2.96]))

    assert np.isnan(low).tolist() == [True, False]


@pytest.mark.parametrize(
    "changes", [{"lower": ()}, {"upper": ()}, {"masses": (6.0, 6.0)}]
)
def test_a_region_without_sense_is_refused(changes):
    with pytest.raises(InvalidCard, match="give coefficients, and masses in order"):
        replace(LOW, **changes)


# components and samples of the declared search


def components(process):
    """Return origin to the names of the components that have it, of one process."""
    found = {origin: set() for origin in ORIGINS}
    for background in SEARCH.backgrounds:
        if background.process == process:
            for part in background.components:
                for origin in part.origins or ORIGINS:
                    found[origin].add(part.name)
    return found


@pytest.mark.parametrize("process", sorted({b.process for b in SEARCH.backgrounds}))
def test_every_origin_is_in_one_component(process):
    assert {len(names) for names in components(process).values()} == {1}


def test_no_sample_has_an_origin_in_two_components():
    for background in SEARCH.backgrounds:
        named = [o for part in background.components for o in part.origins or ORIGINS]

        assert max(Counter(named).values()) == 1, background.sample


def passing(events, background):
    """Return which events pass the cuts of a sample, decided here in NumPy."""
    p = np.asarray(events.momenta)
    cms = energy_and_angle_cms(p)
    values = {
        "theta_lab": lab_angle(p),
        "e_cms": cms[0],
        "theta_beam_cms": np.minimum(cms[1], np.pi - cms[1]),
    }
    codes = {"gamma": 22, "e-": 11, "e+": -11}
    good = np.ones(len(p), dtype=bool)
    for cut in background.cuts:
        slots = [i for i, c in enumerate(events.pdg) if c == codes[cut.particles[0]]]
        value = values[cut.quantity][:, slots]
        inside = (value >= cut.low) & (value <= cut.high)
        good &= inside.any(axis=1) if cut.one_is_enough else inside.all(axis=1)
    return good


def lab_angle(p):
    """Return θ of momenta, rad."""
    return np.arctan2(np.hypot(p[..., 1], p[..., 2]), p[..., 3])


def energy_and_angle_cms(p):
    """Return E*, GeV, and the angle to the electron beam in the cms, rad, of momenta."""
    beams, her = MACHINE.p_beams, MACHINE.p_her
    energy = (p @ (beams * [1, -1, -1, -1])) / MACHINE.sqrt_s
    # p·her = E* E_her* (1 - cos), where masses do not matter
    product = p @ (her * [1, -1, -1, -1])
    cosine = 1 - product / (energy * MACHINE.sqrt_s / 2)
    return energy, np.arccos(np.clip(cosine, -1, 1))


def of(process):
    return [b for b in SEARCH.backgrounds if b.process == process]


def test_the_samples_of_radiative_bhabhas_have_every_event_once():
    seen = GeneratorCut("theta_lab", ("gamma",), *np.radians(PHOTON))
    hard = GeneratorCut("e_cms", ("gamma",), low=1.0)
    events = ds.process("bhabha_gamma", photon_energy_min=0.1).generate(
        30_000, MACHINE, seed=4, cuts=(seen, hard)
    )
    alive = np.asarray(events.weights) > 0

    times = np.sum([passing(events, b) for b in of("bhabha_gamma")], axis=0)[alive]

    assert alive.sum() > 10_000
    # a few are within rounding of a bound
    assert (times != 1).mean() < 1e-3


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_pair_of_photons_is_counted_twice(origin):
    """And all are counted whose other photon is not on the side of the gap."""
    opening = OPENINGS.get(origin, PHOTON)
    low, high = np.radians(opening)
    cut = GeneratorCut("theta_lab", ("gamma",), low, high, one_is_enough=True)
    events = ds.process("diphoton").generate(30_000, MACHINE, seed=4, cuts=(cut,))
    alive = np.asarray(events.weights) > 0
    sides = {"forward_gap": (35.0, PHOTON[1]), "backward_gap": (PHOTON[0], 121.0)}
    theta = np.degrees(lab_angle(np.asarray(events.momenta)))
    first, last = sides.get(origin, PHOTON)
    other = ((theta > first) & (theta < last)).any(axis=1) & alive

    times = sum(
        passing(events, b)
        for b in of("diphoton")
        if any(origin in part.origins for part in b.parts)
    )

    assert other.sum() > 5_000
    assert times[alive].max() == 1
    assert times[other].min() == 1


@pytest.mark.parametrize(
    ("origin", "beyond"),
    [("forward_gap", (PHOTON[0], 35.0)), ("backward_gap", (121.0, PHOTON[1]))],
)
def test_what_the_samples_of_the_gaps_leave_out_is_nothing(origin, beyond):
    """Both photons on one side of the middle: less than 0.1 % of the published counts.

    The beams must have radiated much: the pair is boosted along them.
    """
    low, high = np.radians(beyond)
    both = GeneratorCut("theta_lab", ("gamma",), low, high)
    gap = GeneratorCut(
        "theta_lab", ("gamma",), *np.radians(OPENINGS[origin]), one_is_enough=True
    )
    part = Part("left out", "left out", (origin,))
    dropped = Background(
        "diphoton", "any", 2, name="left_out", cuts=(gap, both), parts=(part,)
    )
    search = replace(SEARCH, backgrounds=(dropped,))

    sample = Survivors.merge([simulate(Sample(search, "left_out", 0.0, 1, 0))])
    (found,) = sample.divided(dropped).values()

    for region, published in zip(REGIONS, (300, 25_000), strict=True):
        events = found[region.contains(*found.variables)].sums()[0] * LUMINOSITY
        assert events < 1e-3 * published


# bookkeeping of samples


def test_parts_of_a_sample_add_up_to_it():
    whole = survivors(weight=0.3, origins=shares())
    parts = (
        Part("a", "a", ORIGINS[:1]),
        Part("b", "b", ORIGINS[1:5]),
        Part("c", "c", ORIGINS[5:]),
    )

    divided = whole.divided(Background("diphoton", "any", 2, parts=parts))

    assert list(divided) == ["a", "b", "c"]
    assert_allclose(sum(p.weight for p in divided.values()), whole.weight, rtol=1e-12)
    assert_allclose(divided["a"].weight, whole.weight * whole.origins[0], rtol=1e-12)


def test_a_background_without_parts_is_its_own_component():
    whole = survivors()

    assert whole.divided(Background("diphoton", "any", 2)) == {"diphoton": whole}


def test_an_unknown_origin_is_refused():
    with pytest.raises(UnknownName, match=r"crak.*'crack'"):
        Part("a", "a", ("crak",))


def test_joined_samples_add_up():
    one, other = survivors(weight=0.3), survivors(weight=2.0, mass=1.2, seed=2)

    both = one.joined(other)

    for low, high in ((-np.inf, np.inf), (0.5, 1.5)):
        expected = [one.between(low, high).sums(), other.between(low, high).sums()]
        assert_allclose(both.between(low, high).sums(), np.sum(expected, axis=0))
    assert (np.diff(both.value) >= 0).all()
    assert_allclose(both.cutflow, one.cutflow + other.cutflow)
    # what belongs to a candidate has moved with it: massless photons
    assert_allclose(MACHINE.s - 2 * MACHINE.sqrt_s * both.variables[0], both.value)


def test_a_typical_weight_is_that_of_the_neighbours():
    light, heavy = survivors(weight=1.0, mass=1.0), survivors(weight=7.0, mass=9.0)
    both = light.joined(heavy)

    assert both.typical_weight(1.0) == pytest.approx(1.0)
    assert both.typical_weight(81.0) == pytest.approx(7.0)
    assert light[:0].typical_weight(1.0) == 0.0


def chunk(seed, *, count=1000, kept=300):
    rng = np.random.default_rng(seed)
    return {
        "cutflow": rng.random((4, 2)),
        "count": np.array(count),
        "weight": rng.random(kept),
        "value": rng.random(kept),
        "residual": rng.random(kept),
        "variables": rng.random((2, kept)),
        "origins": shares(kept),
    }


def test_halves_average_to_the_whole():
    """Of the same number of chunks each; components of two samples add up in each."""
    parts = Part("crack", "c", ("crack",)), Part("rest", "r", ("floor",))
    backgrounds = (
        Background("diphoton", "any", 4, name="one", parts=parts),
        Background("diphoton", "any", 2, name="two", parts=parts[:1]),
    )
    chunks = {"one": [chunk(i) for i in range(4)], "two": [chunk(i) for i in (5, 6)]}

    samples = Samples.of((), backgrounds, chunks)

    assert list(samples.backgrounds) == ["crack", "rest"]
    for name, whole in samples.backgrounds.items():
        halves = samples.halves.choose[name], samples.halves.judge[name]
        mean = np.mean([half.sums()[0] for half in halves])
        assert mean == pytest.approx(whole.sums()[0], rel=1e-12)
    crack = ORIGINS.index("crack")
    expected = [
        sum((c["weight"] * c["origins"][crack]).sum() for c in found)
        / len(found)
        / 1000
        for found in chunks.values()
    ]
    assert samples.backgrounds["crack"].sums()[0] == pytest.approx(sum(expected))


# the flat background


@pytest.fixture
def cosmic(tmp_path):
    """Return the search in a detector that sees cosmic rays."""
    path = tmp_path / "cosmic.toml"
    path.write_text(
        'title = "mine"\nbased_on = "belle2"\n[cosmics.single_photon_rate]\n'
        'value = 10.0\nsource = "a test"\nstatus = "assumed"\n',
        encoding="utf-8",
    )
    return replace(SEARCH, detector=str(path))


NO_SAMPLES = Samples((), {}, Halves({}, {}))


@pytest.mark.parametrize("region", REGIONS)
def test_the_flat_background_is_rate_times_area(region, cosmic):
    """Area in E* and cos θ above 1 GeV, by quadrature; cells are 0.01 GeV wide."""
    flat = with_flat(a_plan(search=cosmic), NO_SAMPLES).backgrounds[FLAT]

    def height(energy):
        low, high = np.polyval(region.lower, energy), np.polyval(region.upper, energy)
        return max(0.0, np.cos(np.radians(low)) - np.cos(np.radians(high)))

    area = quad(height, 1.0, 6.0, points=(1.2, 3.0), limit=200)[0]

    assert flat[region.contains(*flat.variables)].sums()[0] == pytest.approx(
        10.0 * area, rel=2e-3
    )


def test_flat_photons_are_massless_and_in_both_halves(cosmic):
    samples = with_flat(a_plan(search=cosmic), NO_SAMPLES)
    flat = samples.backgrounds[FLAT]

    assert_allclose(
        flat.value, MACHINE.s - 2 * MACHINE.sqrt_s * flat.variables[0], atol=1e-9
    )
    assert samples.halves.choose == samples.halves.judge == {FLAT: flat}


def test_without_a_rate_there_is_no_flat_background():
    assert with_flat(a_plan(), NO_SAMPLES).backgrounds == {}


# the best boundary


def boundary(backgrounds):
    """Return the best angles of 1 GeV and what goes into them."""
    signal = survivors(weight=1 / SIZE, seed=3, n=20 * SIZE)
    signal = replace(signal, cutflow=np.full((4, 2), 40.0))  # half of it is seen
    halves = Halves(backgrounds, backgrounds)
    (best,) = best_windows(a_plan(), Samples((signal,), backgrounds, halves))
    return best, signal, halves


CRACK = survivors(weight=10.0, theta=near(PARTNER, 1.0))


def test_the_partner_of_the_crack_makes_a_hole():
    """The only background: its angles are left out, all others are taken."""
    best, _, _ = boundary({"crack": CRACK})
    middle = (ANGLES[1:] + ANGLES[:-1]) / 2
    left_out = middle[~best.chosen & (middle > 30) & (middle < 140)]

    assert left_out.min() < PARTNER < left_out.max()
    # beyond the last photon and the end of the smoothing, at four of its widths of 0.75
    # degrees, there is no background at all
    last = np.abs(np.degrees(CRACK.variables[1]) - PARTNER).max()
    assert np.abs(left_out - PARTNER).max() < last + 4 * 0.75 + 0.5


def test_the_best_boundary_is_never_worse_than_all_angles():
    """In sensitivity, on the half on which it was chosen."""
    wide = survivors(weight=0.05, seed=8)
    for backgrounds in ({"crack": CRACK}, {"crack": CRACK, "wide": wide}):
        best, signal, halves = boundary(backgrounds)
        every = window(1.0, signal, halves, [], luminosity=LUMINOSITY)

        assert sensitivity(best.window) <= sensitivity(every) * (1 + 1e-9)


def sensitivity(found):
    events = sum(found.background.values()) * LUMINOSITY
    events += sum(error**2 for error in found.background_error.values()) * LUMINOSITY**2
    return punzi_sensitivity(
        np.array([found.efficiency]), np.array([events]), luminosity=LUMINOSITY
    )[0]


@pytest.mark.parametrize("seed", range(5))
def test_the_chosen_bins_are_the_best_of_all_cuts_on_the_ratio(seed):
    """Every cut on signal over background is tried here, one by one."""
    rng = np.random.default_rng(seed)
    efficiency = rng.random(40) / 80
    # an uncertain component and one that only the simulation is uncertain about
    parts = {"diphoton_crack": rng.exponential(3, 40) ** 2, "known": rng.random(40)}
    densities = {name: (part, part / 50) for name, part in parts.items()}
    total = sum(parts.values())
    ratio = efficiency / total

    chosen = _chosen(a_plan(), efficiency, densities)

    def reach(bins):
        mean = total[bins].sum() * LUMINOSITY
        variance = (
            total[bins].sum() / 50 + (0.2 * parts["diphoton_crack"][bins].sum()) ** 2
        )
        return punzi_sensitivity(
            efficiency[bins].sum(keepdims=True),
            np.array([mean + variance * LUMINOSITY**2]),
            luminosity=LUMINOSITY,
        )[0]

    assert not chosen.all()
    best = min(reach(ratio >= least) for least in ratio)
    assert reach(chosen) == pytest.approx(best, rel=1e-12)


def test_bins_without_signal_are_never_chosen():
    nothing = {"known": (np.zeros(3), np.zeros(3))}

    chosen = _chosen(a_plan(), np.array([0.1, 0.0, 0.2]), nothing)

    assert chosen.tolist() == [True, False, True]


# words


def test_the_topology_in_words():
    photon = Topology((), "single_photon_1gev", clusters=1, vetoes=("klm",))

    assert photon.description == (
        "no track; clusters without a track: 1; nothing in klm alone; trigger line "
        "single_photon_1gev."
    )
    assert Topology(("mu", "mu"), "two_track").description == (
        "tracks mu, mu and no other; trigger line two_track."
    )


def test_methods_are_told_per_quantity():
    result = fake_result((1.0, 2.0))
    limits = replace(result.limits, methods={"gprime": "CLs, asymptotic"})

    rows = limits_csv(replace(result, limits=limits)).decode().splitlines()

    told = {row.split(",")[1]: row for row in rows[1:]}
    assert "CLs, asymptotic" not in told["sigma"]
    assert result.limits.method in told["sigma"]
    assert "CLs, asymptotic" in told["gprime"]
    assert result.limits.method not in told["gprime"]


# a run


def test_a_small_run_adds_up():
    """Windows, regions and plane have the same components; totals are their sums."""
    wanted = ("diphoton_crack", "diphoton", "bhabha_gamma_soft_electron")
    few = tuple(replace(b, chunks=2) for b in SEARCH.backgrounds if b.sample in wanted)
    search = replace(SEARCH, backgrounds=few, signal_chunks=2)

    result = search.run(
        luminosity="20/fb",
        masses=(1.0, 7.5),
        seed=1,
        execution=ds.searches.base.Execution(workers=1),
    )

    names = {part.name for b in few for part in b.components}
    assert set(result.windows.background) == set(result.planes[0].contents) == names
    assert {(y.region, y.component) for y in result.regions} == {
        (region.name, name) for region in REGIONS for name in names
    }
    total = sum(result.windows.background.values())
    assert_allclose(result.windows.total_background(), total)
    # the low region is shut at the energy that belongs to 7.5 GeV
    assert result.windows.choices["region"][1] == "high mass"
    for name, contents in result.planes[0].contents.items():
        inside = [y.events for y in result.regions if y.component == name]
        assert max(inside) <= contents.sum() * (1 + 1e-9)
    assert "epsilon_cls" in result.limits.methods
