"""Every process and every model, present and future; nobody edits a list here."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_type_hints

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.errors import OutOfDomain, UnknownName
from darksector.kinematics import Momentum, boost, momentum
from darksector.machines import load, symmetric
from darksector.phasespace import channels
from darksector.processes._generation import CHUNK
from darksector.provenance import known_references
from darksector.registry import MODELS, PROCESSES

N = 64
MACHINE = replace(load("superkekb"), energy_spread_her=0.0, energy_spread_ler=0.0)


def build(name, *, isr):
    kind = PROCESSES.load(name)
    options = {"isr": isr}
    if kind.needs_model:
        model = get_type_hints(kind)["model"]
        options["model"] = model(mass=1.0, **{model.coupling: 1.0})
    return kind(**options)


@pytest.fixture(
    # a process is compiled once: its tests stay together, and others run beside them
    params=[
        pytest.param(name, marks=pytest.mark.xdist_group(name))
        for name in PROCESSES.names()
    ],
    scope="module",
)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def events(name):
    return build(name, isr=False).generate(N, MACHINE, seed=1)


@pytest.fixture(scope="module")
def points(events):
    """Return all external momenta of the events."""
    beams = np.broadcast_to(np.stack([MACHINE.p_her, MACHINE.p_ler]), (N, 2, 4))
    return jnp.asarray(np.concatenate([beams, np.asarray(events.momenta)], axis=1))


def test_process_describes_itself(name):
    process = build(name, isr=True)

    assert process.title.startswith("e+e- ->")
    assert process.references
    assert set(process.cited()) <= set(known_references())
    assert {"coupling", "initial-state radiation", "order"} <= set(
        process.conventions()
    )
    assert "isr" in {field.name for field in fields(process)}
    assert 0 < process.threshold() < MACHINE.sqrt_s


def test_events_are_finite_and_have_weight(events, name):
    process = build(name, isr=False)
    weights = np.asarray(events.weights)

    assert events.pdg == process.final_state
    assert events.momenta.shape == (N, len(events.pdg), 4)
    assert np.isfinite(weights).all()
    assert np.isfinite(np.asarray(events.momenta)).all()
    assert (weights > 0).all()


def test_particles_have_their_masses(events, name):
    """E² - p² to the digits that E² leaves."""
    process = build(name, isr=False)
    p = np.asarray(events.momenta)

    mass2 = p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(axis=-1)

    expected = np.array(process.kernel().masses(process.parameters()), dtype=float)
    assert_allclose(mass2, np.broadcast_to(expected**2, mass2.shape), atol=1e-10)


def test_densities_of_channels_are_those_of_their_points(name):
    """Among points of all channels in equal shares, g / mean(g) is one on average.

    Each channel's density must integrate to one over the points that all draw: a wrong
    Jacobian or a hole in a channel's support shows here.
    """
    process = build(name, isr=False)
    generation = process._flat(MACHINE)
    parameters = process.parameters()
    declared = process.kernel().channels(parameters)
    masses = process.kernel().masses(parameters)
    u = generation.uniform(1, "densities", 0, CHUNK)

    order, found = generation._points(u)
    final = tuple(Momentum(*map(jnp.asarray, p)) for p in found.final)
    s = jnp.asarray(found.s)
    each = np.array([channels.density(c, final, s, masses) for c in declared])
    each = each[:, order >= 0]
    ratio = each / each.mean(axis=0)

    error = ratio.std(axis=1) / np.sqrt(ratio.shape[1])
    assert np.all(np.abs(ratio.mean(axis=1) - 1) < 4 * error + 1e-6)


def test_event_does_not_depend_on_how_many_are_asked_for(name, events):
    """Event i of a seed is the same; only the normalisation of the weights differs."""
    more = build(name, isr=False).generate(3 * N + 5, MACHINE, seed=1)

    assert np.array_equal(more.momenta[:N], events.momenta)
    assert_allclose(
        np.diff(np.log(np.asarray(more.weights[:N] / events.weights))), 0, atol=1e-12
    )


def test_event_does_not_depend_on_the_number_of_threads(name, events, monkeypatch):
    monkeypatch.setenv("NPROC", "3")

    again = build(name, isr=False).generate(N, MACHINE, seed=1)

    assert np.array_equal(again.momenta, events.momenta)
    assert np.array_equal(again.weights, events.weights)


def test_momentum_is_conserved(events):
    """No radiation and no beam spread: nothing may be missing above 1e-9 GeV."""
    final = np.asarray(events.momenta).sum(axis=1)

    assert_allclose(final, np.broadcast_to(MACHINE.p_beams, final.shape), atol=1e-9)
    assert_allclose(events.p_beams, np.broadcast_to(MACHINE.p_beams, (N, 4)))


def test_squared_amplitude_of_events(name, points):
    msq = np.asarray(build(name, isr=False).msq(points))

    assert np.isfinite(msq).all()
    assert (msq > 0).all()


def test_squared_amplitude_is_lorentz_invariant(name, points):
    """1e-6: at photon exchange, a boost costs the digits that 1e-11 GeV² needs."""
    process = build(name, isr=False)
    frame = Momentum(*jnp.array([3.0, 0.2, -0.5, -0.7]))

    moved = boost(momentum(points), frame).array()

    assert_allclose(process.msq(moved), process.msq(points), rtol=1e-6)


def test_events_are_a_function_of_the_seed(name, events):
    process = build(name, isr=False)

    again = process.generate(N, MACHINE, seed=1)
    other = process.generate(N, MACHINE, seed=2)

    assert np.array_equal(again.momenta, events.momenta)
    assert np.array_equal(again.weights, events.weights)
    assert not np.array_equal(other.momenta, events.momenta)


def test_radiation_takes_energy_along_the_beams(name):
    """With radiation, the final state never has more than the beams brought."""
    events = build(name, isr=True).generate(N, MACHINE, seed=1)
    weights = np.asarray(events.weights)
    inside = weights > 0

    missing = np.asarray(events.p_beams - events.momenta.sum(axis=1))[inside]

    assert np.isfinite(weights).all()
    assert inside.any()
    assert (missing[:, 0] > -1e-9).all()
    # collinear with two beams in the x-z plane
    assert_allclose(missing[:, 2], 0, atol=1e-9)
    fractions, *_ = np.linalg.lstsq(
        np.stack([MACHINE.p_her, MACHINE.p_ler], axis=1), missing.T, rcond=None
    )
    assert (fractions > -1e-9).all()
    assert (fractions < 1).all()


def test_threshold_is_an_error_that_names_the_energies(name):
    process = build(name, isr=False)
    below = symmetric(0.99 * process.threshold())

    for call in (
        lambda: process.cross_section(below),
        lambda: process.generate(N, below, seed=1),
    ):
        with pytest.raises(OutOfDomain, match="above the collision energy") as error:
            call()
        assert f"{process.threshold():.4g}" in str(error.value)


def test_no_events_is_an_error(name):
    with pytest.raises(OutOfDomain, match="at least 1, got 0"):
        build(name, isr=False).generate(0, MACHINE, seed=1)


@pytest.fixture(params=MODELS.names())
def model_class(request):
    return MODELS.load(request.param)


@pytest.mark.parametrize("mass", [0.01, 0.3, 1.0, 4.0, 9.0])
def test_model_has_widths_and_fractions(model_class, mass):
    model = model_class(mass=mass, **{model_class.coupling: 1e-3})
    widths = model.partial_widths()

    assert all(width > 0 for width in widths.values())
    assert set(widths) <= set(model.channels())
    assert model.width == pytest.approx(sum(widths.values()))
    assert model.invisible <= set(model.channels())
    if widths:
        assert 0 < model.ctau < np.inf
        assert model.branching_fraction(*model.channels()) == pytest.approx(1)
        assert 0 <= model.invisible_fraction() <= 1 + 1e-12
    else:  # stable: seen always or never
        assert model.ctau == np.inf
        assert model.branching_fraction(*model.channels()) == 0
        assert model.invisible_fraction() == 1 - model.leaves_trace


def test_fractions_do_not_depend_on_the_coupling(model_class):
    weak, strong = (
        model_class(mass=1.0, **{model_class.coupling: g}) for g in (1e-4, 1.0)
    )

    assert weak.invisible_fraction() == pytest.approx(strong.invisible_fraction())
    assert strong.width == pytest.approx(1e8 * weak.width)


def test_model_describes_itself(model_class):
    assert model_class.title
    assert set(model_class.references) <= set(known_references())


def test_model_refuses_nonsense(model_class):
    coupling = model_class.coupling

    for mass, g in ((0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, -1.0)):
        with pytest.raises(OutOfDomain):
            model_class(mass=mass, **{coupling: g})
    for mass, g in ((np.nan, 1.0), (np.inf, 1.0), (1.0, np.nan), (1.0, np.inf)):
        with pytest.raises(OutOfDomain):
            model_class(mass=mass, **{coupling: g})
    with pytest.raises(UnknownName):
        model_class(mass=1.0, **{coupling: 1.0}).branching_fraction("no such channel")
