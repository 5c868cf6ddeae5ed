"""Separations and the answers of all systems together; their cards.

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
from darksector.detectors import identification, klm
from darksector.detectors.card import load
from darksector.detectors.identification import identify, roc, selected
from darksector.detectors.separation import Direction, separation, time2
from darksector.errors import UnknownName
from darksector.kinematics import Momentum
from darksector.particles import PDG
from darksector.plotting.identification import save_roc

FULL, PHASE2 = load("belle2"), load("belle2_phase2")
SYSTEMS = FULL.identification, FULL.klm
PAIRS = [("e", "mu"), ("e", "pi"), ("mu", "pi"), ("mu", "K"), ("K", "pi")]


def momenta(p, theta_deg, mass=0.0):
    p, theta = np.broadcast_arrays(np.atleast_1d(p), np.radians(theta_deg))
    parts = np.sqrt(p**2 + mass**2), p * np.sin(theta), 0 * p, p * np.cos(theta)
    return Momentum(*map(jnp.asarray, parts))


def track(p, theta_deg):
    p, theta = np.broadcast_arrays(np.atleast_1d(p), theta_deg)
    pt = p * np.sin(np.radians(theta))
    return Direction(*(jnp.asarray(x, dtype=float) for x in (p, pt, theta)))


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


# ---- figure


def test_the_figure_is_written_twice_alike(tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        save_roc(FULL, tmp_path / folder / "roc.png")

    for name in ("roc.png", "roc.pdf"):
        first, second = (tmp_path / f / name for f in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
