"""Generator cuts: what they mean, and what they refuse."""

from __future__ import annotations

from math import inf, pi, radians

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.errors import InvalidConfig, OutOfDomain, UnknownName
from darksector.kinematics import Momentum
from darksector.machines import load
from darksector.phasespace import cuts
from darksector.phasespace.cuts import Frames, GeneratorCut
from darksector.processes.dimuon import Dimuon
from darksector.processes.dimuon_gamma import DimuonGamma
from darksector.processes.diphoton import Diphoton

SUPERKEKB = load("superkekb")


def momentum(*components):
    return Momentum(*(jnp.array([c]) for c in components))


def value(quantity, *p):
    frames = Frames(momentum(*SUPERKEKB.p_her), momentum(*SUPERKEKB.p_ler))
    return float(cuts._value(quantity, momentum(*p), frames)[0])


def test_quantities_in_the_laboratory():
    p = (3.0, 1.0, 2.0, -2.0)

    assert value("e_lab", *p) == 3
    assert value("pt_lab", *p) == pytest.approx(5**0.5)
    assert value("mass", *p) == pytest.approx(0, abs=1e-12)
    assert value("theta_lab", *p) == pytest.approx(np.arccos(-2 / 3))


def test_centre_of_mass_is_that_of_the_machine():
    """The beams themselves have half the collision energy and angles 0 and π there."""
    assert value("e_cms", *SUPERKEKB.p_her) == pytest.approx(SUPERKEKB.sqrt_s / 2)
    assert value("theta_cms", *SUPERKEKB.p_her) == pytest.approx(0, abs=1e-6)
    assert value("theta_cms", *SUPERKEKB.p_ler) == pytest.approx(pi)
    assert value("theta_beam_cms", *SUPERKEKB.p_ler) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("cut", "low", "high"),
    [
        (GeneratorCut("e_lab", ("mu-",), low=3.0), 3.0, inf),
        (GeneratorCut("theta_lab", ("mu-",), radians(37), radians(120)), 0.646, 2.094),
        (GeneratorCut("theta_cms", ("mu-",), high=1.0), 0.0, 1.0),
        (GeneratorCut("theta_beam_cms", ("mu-",), low=1.2), 1.2, pi / 2),
        (GeneratorCut("pt_lab", ("mu-",), high=2.0), 0.0, 2.0),
    ],
    ids=str,
)
def test_events_are_inside(cut, low, high):
    """Generated momenta, seen by an independent formula in NumPy."""
    events = Dimuon().generate(500, SUPERKEKB, seed=1, cuts=[cut])
    e, x, y, z = np.moveaxis(np.asarray(events.momenta[:, 0]), 1, 0)
    total = SUPERKEKB.p_beams
    gamma = total[0] / SUPERKEKB.sqrt_s

    def boosted(p):
        p = np.asarray(p).reshape(-1, 4)
        along = p[:, 1:] @ SUPERKEKB.boost
        b2 = SUPERKEKB.boost @ SUPERKEKB.boost
        shift = (gamma - 1) * along / b2 - gamma * p[:, 0]
        return p[:, 1:] + shift[:, None] * SUPERKEKB.boost

    axis = boosted(SUPERKEKB.p_her)[0]
    p_cms = boosted(np.stack([e, x, y, z], axis=1))
    cosine = p_cms @ axis / np.linalg.norm(axis) / np.linalg.norm(p_cms, axis=1)
    found = {
        "e_lab": e,
        "pt_lab": np.hypot(x, y),
        "theta_lab": np.arctan2(np.hypot(x, y), z),
        "theta_cms": np.arccos(cosine),
        "theta_beam_cms": np.arccos(np.abs(cosine)),
    }[cut.quantity]

    assert np.all((found > low - 1e-3) & (found < high + 1e-3))
    assert found.max() - found.min() > 0.05  # not at one end only


def test_mass_of_a_pair():
    cut = GeneratorCut("mass", ("mu+", "mu-"), low=2.0, high=3.0)
    process = DimuonGamma(isr=False)

    events = process.generate(300, SUPERKEKB, seed=1, cuts=[cut])

    pair = np.asarray(events.momenta[:, 0] + events.momenta[:, 1])
    mass2 = pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(axis=1)
    assert np.all((mass2 > 4 - 1e-9) & (mass2 < 9 + 1e-9))
    assert_allclose(
        np.histogram(mass2, bins=[4, 6.5, 9])[0] > 0, True
    )  # the whole window


def test_cuts_add_up():
    """A cross-section is the sum of those in two halves of an angle."""
    process = Dimuon(isr=False)

    def sigma(*bounds):
        return process.cross_section(
            SUPERKEKB, cuts=[GeneratorCut("theta_cms", ("mu-",), *bounds)]
        )

    forward, backward = sigma(0.0, 1.0), sigma(1.0, pi)
    whole = process.cross_section(SUPERKEKB)

    error = np.hypot(np.hypot(forward.error_fb, backward.error_fb), whole.error_fb)
    assert abs(forward.value_fb + backward.value_fb - whole.value_fb) < 4 * error
    assert "theta_cms(mu-) < 1" in forward.conventions["cuts"]


def test_every_particle_of_a_name_has_to_pass():
    cut = GeneratorCut("e_cms", ("gamma",), low=0.5)

    assert cut.slots((22, 22, 13)) == (((0,),), ((1,),))
    pair = GeneratorCut("mass", ("gamma", "gamma"), low=0.5)
    assert pair.slots((22, 22, 22)) == (((0, 1),), ((0, 2),), ((1, 2),))


def test_one_particle_of_a_name_may_be_enough():
    """Pairs of photons with one in a band: all minus those with none in it."""
    band = {"low": radians(85), "high": radians(95)}
    one = GeneratorCut("theta_lab", ("gamma",), **band, one_is_enough=True)
    assert one.slots((22, 22, 13)) == (((0,), (1,)),)
    assert str(one).endswith("of one of them")

    found = Diphoton().cross_section(SUPERKEKB, precision=3e-3, cuts=[one])
    every = Diphoton().generate(200_000, SUPERKEKB, seed=3)
    theta = np.arccos(every.momenta[..., 3] / every.momenta[..., 0])
    inside = ((theta > band["low"]) & (theta < band["high"])).any(axis=1)
    weights = np.asarray(every.weights)[inside]
    error = np.hypot(found.error_fb, np.sqrt((weights**2).sum()))
    assert abs(found.value_fb - weights.sum()) < 4 * error


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("speed", ("mu-",)), UnknownName, "no quantity of a cut is called 'speed'"),
        (("e_lab", ("muon",)), UnknownName, "no particle is called 'muon'"),
        (("e_lab", ("mu-", "mu+")), InvalidConfig, "about one particle, got 2"),
        (("mass", ("mu-",)), InvalidConfig, "two or more particles, got 1"),
        (("e_lab", ("mu-",), 3.0, 1.0), OutOfDomain, "must have low < high"),
        (("theta_lab", ("mu-",), 4.0), OutOfDomain, "within"),
        (("theta_lab", ("mu-",), 0.0, 150.0), OutOfDomain, "angles are in rad"),
        (("theta_beam_cms", ("mu-",), 2.0), OutOfDomain, "within"),
        (("e_lab", ("mu-",), -inf, -1.0), OutOfDomain, "must have low < high"),
        (("e_lab", ("mu-",), np.nan, 1.0), OutOfDomain, "must have low < high"),
    ],
)
def test_nonsense_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        GeneratorCut(*arguments)


def test_absent_particles_are_refused():
    with pytest.raises(InvalidConfig, match="does not have"):
        Dimuon().cross_section(SUPERKEKB, cuts=[GeneratorCut("e_lab", ("tau-",), 1.0)])


def test_cuts_that_exclude_all_events_are_an_error():
    cut = GeneratorCut("e_cms", ("mu-",), low=6.0)

    with pytest.raises(OutOfDomain, match="no phase-space point of 4194304 passes the"):
        Dimuon().cross_section(SUPERKEKB, cuts=[cut])
