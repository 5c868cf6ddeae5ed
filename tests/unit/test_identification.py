"""Cherenkov light, ionisation, instrumented iron and the answers they give together.

Section numbers are those of physics/machine-detector.md.
"""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.cardfile import DETECTORS
from darksector.detectors import cherenkov, identification, klm
from darksector.detectors.card import load
from darksector.detectors.edges import rise, window
from darksector.detectors.identification import identify, roc, selected
from darksector.detectors.ionisation import density_effect, restricted_loss
from darksector.detectors.klm import muon_likeness, penetration, photon_probability
from darksector.detectors.separation import Direction, separation, time2
from darksector.errors import UnknownName
from darksector.kinematics import Momentum
from darksector.particles import MASS, PDG

FULL, PHASE2 = load("belle2"), load("belle2_phase2")
SYSTEMS = FULL.identification, FULL.klm
IRON = replace(
    FULL.klm,
    barrel_efficiency=jnp.ones(15),
    endcap_efficiency=jnp.asarray(1.0),
)
PAIRS = [("e", "mu"), ("e", "pi"), ("mu", "pi"), ("mu", "K"), ("K", "pi")]


def momenta(p, theta_deg, mass=0.0):
    p, theta = np.broadcast_arrays(np.atleast_1d(p), np.radians(theta_deg))
    parts = np.sqrt(p**2 + mass**2), p * np.sin(theta), 0 * p, p * np.cos(theta)
    return Momentum(*map(jnp.asarray, parts))


def track(p, theta_deg):
    p, theta = np.broadcast_arrays(np.atleast_1d(p), theta_deg)
    pt = p * np.sin(np.radians(theta))
    return Direction(*(jnp.asarray(x, dtype=float) for x in (p, pt, theta)))


# ---- edges


def test_an_edge_is_a_step_without_tails():
    x = jnp.array([0.8, 0.9, 1.0, 1.1, 1.2])

    assert_allclose(rise(x, 1.0, 0.2), [0, 0, 0.5, 1, 1], atol=1e-15)
    assert_allclose(window(x, jnp.array([0.0, 1.0]), 0.2), [1, 1, 0.5, 0, 0])


def test_the_slope_of_an_edge_vanishes_at_its_ends():
    """Maximum 15/8 over the width, by hand."""
    slope = jax.vmap(jax.grad(rise), (0, None, None))

    found = slope(jnp.array([0.9 + 1e-9, 1.0, 1.1 - 1e-9]), 1.0, 0.2)

    assert_allclose(found, [0, 15 / 8 / 0.2, 0], atol=1e-6)


# ---- Cherenkov light


@pytest.mark.parametrize("species", ["e", "mu", "pi+", "K+"])
@pytest.mark.parametrize("index", [1.05, 1.47])
def test_cherenkov_angle_is_that_of_the_textbook(species, index):
    """cos θ = 1/(n β), in the order of the formula."""
    p, mass = 4.0, MASS[species]
    beta = p / np.sqrt(p**2 + mass**2)

    found = cherenkov.angle(cherenkov.light(jnp.array([p]), mass, index, 20.0))

    assert_allclose(found, np.arccos(1 / (index * beta)), rtol=1e-4)


def test_pions_and_kaons_of_4_gev_differ_by_6_5_mrad_in_quartz():
    """Δθ = Δ(m²)/(2 p²) / tan θ, first order; by hand 6.5 mrad for n = 1.473."""
    p, index = 4.0, 1.473
    first_order = (MASS["K+"] ** 2 - MASS["pi+"] ** 2) / (2 * p**2)
    first_order /= np.tan(np.arccos(1 / index))

    pion, kaon = (
        cherenkov.angle(cherenkov.light(jnp.array([p]), MASS[s], index, 20.0))
        for s in ("pi+", "K+")
    )

    assert_allclose(pion - kaon, first_order, rtol=0.02)
    assert first_order == pytest.approx(6.5e-3, abs=0.1e-3)


def test_light_starts_at_the_threshold():
    """p = m / √(n² - 1): 1.54 GeV for kaons in aerogel of n = 1.05, by hand."""
    threshold = MASS["K+"] / np.sqrt(1.05**2 - 1)
    p = jnp.array([0.9, 1.1]) * threshold

    photons = cherenkov.light(p, MASS["K+"], 1.05, 20.0).photons

    assert threshold == pytest.approx(1.54, abs=0.01)
    assert photons[0] < 0.2
    assert photons[1] > 3


def test_saturated_light_is_the_number_of_the_card():
    assert_allclose(
        cherenkov.light(jnp.array([1e3]), MASS["e"], 1.47, 20.0).photons, 20, rtol=1e-4
    )


def test_flight_of_pions_and_kaons():
    """At 3 GeV over 120 cm: L/c (m_K² - m_π²)/(2 p²) = 50 ps, first order by hand."""
    kaon, pion = (
        cherenkov.light(jnp.array([3.0]), MASS[s], 1.47, 20.0) for s in ("K+", "pi+")
    )

    late = cherenkov.arrival_difference(
        kaon, pion, flight=120.0, propagation=0.0, index=1.47
    )

    assert_allclose(1e3 * late, 50, atol=1)


def test_propagation_along_the_bar():
    """n D/(c sin θ) for each particle, in the order of the formula."""
    p, index, distance = 3.0, 1.47, 120.0
    times = [
        index * distance / 29.9792458 / np.sin(np.arccos(np.hypot(1, m / p) / index))
        for m in (MASS["K+"], MASS["pi+"])
    ]
    kaon, pion = (
        cherenkov.light(jnp.array([p]), MASS[s], index, 20.0) for s in ("K+", "pi+")
    )

    late = cherenkov.arrival_difference(
        kaon, pion, flight=0.0, propagation=distance, index=index
    )

    assert_allclose(late, times[0] - times[1], rtol=1e-3)


# ---- ionisation


def loss(beta_gamma):
    numbers = FULL.identification
    return restricted_loss(
        jnp.asarray(beta_gamma),
        excitation=numbers.dedx_excitation,
        cut=numbers.dedx_cut,
        density=numbers.dedx_density,
    )


def test_ionisation_has_its_minimum_where_it_should():
    """Derivative of the formula in β², by hand: γ² = ln(2 m W β²γ²/I²) without δ."""
    excitation, cut = (
        float(getattr(FULL.identification, name))
        for name in ("dedx_excitation", "dedx_cut")
    )
    grid = np.linspace(3, 5, 20_001)

    least = grid[np.argmin(loss(grid))]

    logarithm = np.log(2 * 510998.95 * cut * least**2 / excitation**2)
    assert 1 + least**2 == pytest.approx(logarithm, rel=1e-3)


def test_ionisation_reaches_the_fermi_plateau():
    assert_allclose(loss([1e5]), loss([1e6]), rtol=1e-6)
    assert loss([1e5])[0] > 1.2 * loss([3.5])[0]


def test_slow_particles_ionise_as_one_over_beta_squared():
    """Bethe: β² times the loss grows with the logarithm alone, here by 2 ln 2."""
    slow = np.array([0.1, 0.2])
    beta2 = slow**2 / (1 + slow**2)

    first, second = 2 * np.asarray(loss(slow)) * beta2 + beta2

    assert second - first == pytest.approx(2 * np.log(2), rel=1e-12)


def test_density_effect_is_continuous():
    start, end = FULL.identification.dedx_density[:2]
    for edge, size in ((start, 0.03), (end, 1e-6)):
        below, above = density_effect(
            10 ** (edge + jnp.array([-1e-9, 1e-9])), FULL.identification.dedx_density
        )
        assert abs(above - below) < size  # Sternheimer's fit itself jumps at x0


# ---- instrumented iron


@pytest.mark.parametrize(
    ("theta", "layers"),
    [
        pytest.param(90.0, 15, id="barrel"),
        pytest.param(60.0, 15, id="barrel, inclined"),
        pytest.param(30.0, 14, id="forward endcap"),
        pytest.param(142.0, 12, id="backward endcap"),
        pytest.param(10.0, 0, id="forward hole"),
        pytest.param(165.0, 0, id="backward hole"),
    ],
)
def test_a_fast_muon_crosses_all_layers_ahead(theta, layers):
    """Section 2.7: 15 layers in the barrel, 14 and 12 in the endcaps."""
    found = penetration(IRON, jnp.array([100.0]), jnp.radians(jnp.array([theta])))

    assert_allclose(found.layers, layers, atol=1e-12)


def test_depth_in_the_iron_grows_with_the_inclination():
    """14 plates of 4.7 cm (section 2.7) over sin θ."""
    theta = jnp.radians(jnp.array([60.0, 90.0]))

    found = penetration(IRON, jnp.full(2, 100.0), theta)

    assert_allclose(found.iron, 14 * 4.7 / np.sin(theta), rtol=1e-12)


def test_a_muon_stops_where_its_energy_ends():
    """Layers whose iron costs less than what is left, counted by hand at 90 degrees."""
    sharp = replace(IRON, straggling=jnp.asarray(1e-6))
    p = np.array([0.4, 0.6, 0.8, 1.0])
    left = np.sqrt(p**2 + MASS["mu"] ** 2) - MASS["mu"] - float(IRON.front_energy[0])
    expected = [sum(4.7 * i * 0.01143 < energy for i in range(15)) for energy in left]

    found = penetration(sharp, jnp.asarray(p), jnp.full(4, np.pi / 2))

    assert_allclose(found.layers, expected)


def test_muons_go_deeper_with_momentum():
    p = jnp.linspace(0.3, 3, 200)

    found = penetration(FULL.klm, p, jnp.full(200, 1.2))

    assert (jnp.diff(found.layers) >= -1e-12).all()
    assert (jnp.diff(found.iron) >= -1e-12).all()


def test_no_particle_looks_more_like_a_muon_than_a_kaon_or_pion_near_the_threshold():
    """Fewer lengths of iron and more decays: the chance falls with momentum."""
    p = jnp.linspace(0.5, 4, 100)
    found = penetration(FULL.klm, p, jnp.full(100, np.pi / 2))

    for species in ("pi", "K"):
        chance = muon_likeness(FULL.klm, p, found, species)
        assert (jnp.diff(chance) < 1e-12).all()
        assert ((chance > 0) & (chance < 1)).all()
    kaon, pion = (muon_likeness(FULL.klm, p, found, s) for s in ("K", "pi"))
    assert (kaon > pion).all()


@pytest.mark.parametrize(
    ("energy", "theta", "seen"),
    [
        pytest.param(2.0, 90.0, 1, id="barrel"),
        pytest.param(4.0, 129.7, 1, id="backward gap of the ECL"),
        pytest.param(2.0, 31.8, 1, id="forward gap of the ECL"),
        pytest.param(2.0, 10.0, 0, id="beam pipe"),
        pytest.param(0.05, 90.0, 0, id="too soft"),
    ],
)
def test_photons_in_the_iron(energy, theta, seen):
    p, angle = momenta(energy, theta), jnp.radians(jnp.array([theta]))

    chance = photon_probability(FULL.klm, p, angle)

    assert_allclose(chance, seen * (1 - FULL.klm.photon_inefficiency), rtol=1e-12)


# ---- separations


@pytest.mark.parametrize("pair", PAIRS)
def test_separation_does_not_depend_on_the_order(pair):
    where = track(np.geomspace(0.2, 6, 50), 70.0)

    assert_allclose(
        separation(FULL.identification, where, pair),
        separation(FULL.identification, where, pair[::-1]),
        rtol=1e-12,
    )


def test_time_of_propagation_separates_less_with_momentum():
    where = track(np.linspace(0.8, 6, 100), 90.0)

    assert (jnp.diff(time2(FULL.identification, where, ("K", "pi"))) < 0).all()


def test_no_separation_exceeds_its_limit():
    where = track(np.geomspace(0.1, 8, 100)[:, None], np.linspace(5, 175, 60))
    where = Direction(where.p.ravel(), where.pt.ravel(), where.theta.ravel())

    for pair in PAIRS:
        found = separation(FULL.identification, where, pair)
        assert (found <= FULL.identification.separation_max).all()
        assert (found >= 0).all()


# ---- answers


@pytest.mark.parametrize("code", [PDG["e"], -PDG["mu"], PDG["pi+"], -PDG["K+"]])
@pytest.mark.parametrize("detector", [FULL, PHASE2], ids=["complete", "Phase 2"])
def test_answers_are_probabilities(detector, code):
    p, theta = np.meshgrid(np.geomspace(0.05, 8, 80), np.linspace(0.1, 179.9, 90))

    found = identify(
        detector.identification, detector.klm, momenta(p.ravel(), theta.ravel()), code
    )

    assert set(found) == {"mu", "e", "other track"}
    assert all((chance >= 0).all() for chance in found.values())
    assert_allclose(sum(found.values()), 1, rtol=1e-14)


def test_fast_muons_and_electrons_are_found_at_the_working_point():
    p = momenta(3.0, 80.0)

    muon, electron = (identify(*SYSTEMS, p, PDG[name]) for name in ("mu", "e"))

    assert_allclose(muon["mu"], FULL.identification.muon_efficiency, rtol=1e-12)
    assert_allclose(electron["e"], FULL.identification.electron_efficiency, rtol=1e-3)
    assert electron["mu"][0] < 1e-4


def test_kaons_are_selected_at_the_working_point():
    p = momenta(2.0, 80.0)
    efficiency = FULL.identification.kaon_efficiency

    assert_allclose(selected(*SYSTEMS, p, PDG["K+"], "K"), efficiency, rtol=1e-12)
    assert selected(*SYSTEMS, p, PDG["pi+"], "K")[0] < 0.1


def test_the_muons_of_phase_2_do_not_need_the_iron():
    """The search of 2018 (recalled from arXiv:1912.11276) uses the calorimeter."""
    p = momenta(np.array([0.505, 0.6, 3.0]), 80.0)
    without = replace(PHASE2.klm, barrel_efficiency=jnp.zeros(15))

    found = identify(PHASE2.identification, without, p, PDG["mu"])["mu"]

    assert_allclose(found, 0.9, rtol=1e-12)


def test_an_unknown_particle_is_an_error():
    with pytest.raises(UnknownName, match="2212"):
        identify(*SYSTEMS, momenta(1.0, 90.0), 2212)


@pytest.mark.parametrize("theta", [25.0, 90.0, 140.0])
@pytest.mark.parametrize("pair", [("mu", "pi"), ("e", "pi"), ("K", "pi"), ("pi", "K")])
def test_roc_rises_from_nothing_and_beats_chance(pair, theta):
    found = roc(SYSTEMS, pair, p=1.5, theta=np.radians(theta))

    for rate in (found.efficiency, found.fake_rate):
        assert (jnp.diff(rate) >= 0).all()
        assert ((rate >= 0) & (rate <= 1)).all()
    assert (found.fake_rate <= found.efficiency).all()
    assert found.efficiency[0] < 1e-4


# ---- derivatives

SMOOTH = [
    *((klm.Klm, name) for name in ("iron_loss", "front_lengths", "muon_layers")),
    *((klm.Klm, name) for name in ("hadron_reach", "decay_share", "straggling")),
    *(
        (identification.Identification, name)
        for name in (
            *("muon_efficiency", "electron_efficiency", "ep_lengths", "dedx_cut"),
            *("dedx_resolution", "top_time", "top_photons", "top_index", "top_max"),
            *("ring_angle", "ring_photons", "separation_max"),
        )
    ),
]


@pytest.mark.parametrize(("kind", "name"), SMOOTH, ids=[name for _, name in SMOOTH])
def test_derivative_of_fake_rates(kind, name):
    """Central differences of the same function."""
    p = momenta(*map(np.ravel, np.meshgrid([0.65, 1.0, 2.2], [25.0, 42.0, 80.0])))

    def fakes(scale):
        detector = [
            replace(part, **{name: getattr(part, name) * scale})
            if isinstance(part, kind)
            else part
            for part in SYSTEMS
        ]
        found = identify(*detector, p, PDG["pi+"])
        return found["mu"].sum() + found["e"].sum()

    compiled, step = jax.jit(fakes), 1e-5
    slope = jax.jit(jax.grad(fakes))(1.0)

    difference = (compiled(1 + step) - compiled(1 - step)) / (2 * step)
    assert slope != 0
    assert_allclose(slope, difference, rtol=1e-5)


@pytest.mark.parametrize("code", [PDG["e"], PDG["mu"], PDG["pi+"], PDG["K+"]])
def test_answers_are_smooth_in_momentum_and_angle(code):
    """Central differences, also at the seams of the acceptance."""
    theta = jnp.radians(jnp.array([14.1, 18.5, 30.0, 31.9, 45.0, 90.0, 127.9, 150.0]))
    p = jnp.array([0.3, 0.46, 0.5, 0.62, 0.7, 1.55, 2.0, 5.0])

    @jax.jit
    def answer(p, theta):
        zero = jnp.zeros_like(p)
        vector = Momentum(p, p * jnp.sin(theta), zero, p * jnp.cos(theta))
        found = identify(*SYSTEMS, vector, code)
        return found["mu"] + 2 * found["e"]

    step = 1e-6
    for along in ((1.0, 0.0), (0.0, 1.0)):
        tangents = jnp.full(8, along[0]), jnp.full(8, along[1])
        slope = jax.jvp(answer, (p, theta), tangents)[1]
        there, back = (
            answer(p + sign * step * tangents[0], theta + sign * step * tangents[1])
            for sign in (1, -1)
        )
        assert_allclose(slope, (there - back) / (2 * step), rtol=1e-4, atol=1e-6)


# ---- cards


def numbers(section):
    card = tomllib.loads(DETECTORS.text("belle2"))[section]
    return {key: np.asarray(entry["value"]) for key, entry in card.items()}


def test_packaged_cards_have_nothing_to_complain_about():
    assert list(klm.check(numbers("klm"))) == []
    assert list(identification.check(numbers("identification"))) == []


def test_every_number_of_a_system_is_documented():
    for kind in (klm.Klm, identification.Identification):
        for number in fields(kind):
            assert number.name in kind.__doc__


@pytest.mark.parametrize(
    ("module", "key", "value", "words"),
    [
        pytest.param(klm, "photon_inefficiency", 1.2, "allowed: 0 to 1", id="loss"),
        pytest.param(klm, "endcap_efficiency", -0.1, "allowed: 0 to 1", id="negative"),
        pytest.param(klm, "barrel_z", [269, -175], "swap the two", id="reversed z"),
        pytest.param(klm, "endcap_radii", [3, 3], "swap the two", id="no endcap"),
        pytest.param(klm, "forward_z", [284, 280], "sort them", id="layers"),
        pytest.param(klm, "backward_iron", [4.7], "one a layer", id="iron"),
        pytest.param(klm, "straggling", 0.0, "allowed: above 0", id="sharp"),
        pytest.param(
            identification, "kaon_efficiency", 1.0, "keeps everything", id="all kaons"
        ),
        pytest.param(identification, "muon_from_klm", 2.0, "0 to 1", id="share"),
        pytest.param(identification, "top_theta", [128, 31], "smaller angle", id="TOP"),
        pytest.param(
            identification, "ecl_theta", [[32, 12]], "smaller angle", id="ECL"
        ),
        pytest.param(identification, "ring_index", [0.05], "above 1", id="index"),
        pytest.param(identification, "top_time", 0.0, "above 0", id="perfect clock"),
    ],
)
def test_a_bad_number_is_named(module, key, value, words):
    section = module.__name__.rpartition(".")[2]
    found = dict(module.check({**numbers(section), key: np.asarray(value)}))

    assert words in found[key]
