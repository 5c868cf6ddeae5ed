"""What every process must do; test_signals, test_backgrounds and test_four_leptons run it.

Three files, because a worker takes a whole file, and compiling takes the time.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_type_hints

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.errors import OutOfDomain
from darksector.kinematics import Momentum, boost, momentum
from darksector.machines import load, symmetric
from darksector.phasespace import channels, two_body
from darksector.processes._generation import CHUNK
from darksector.provenance import known_references
from darksector.registry import PROCESSES
from darksector.units import GEV2_FB

N = 64
MACHINE = replace(load("superkekb"), energy_spread_her=0.0, energy_spread_ler=0.0)


def build(name, *, isr):
    kind = PROCESSES.load(name)
    options = {"isr": isr}
    if kind.needs_model:
        model = get_type_hints(kind)["model"]
        options["model"] = model(mass=1.0, **{model.coupling: 1.0})
    return kind(**options)


def named(*, signals, particles):
    """Return the processes of a kind, by the numbers of their final particles."""
    return [
        name
        for name in PROCESSES.names()
        if PROCESSES.load(name).needs_model == signals
        and len(build(name, isr=False).final_state) in particles
    ]


class ProcessTests:
    """Tests of one process; a module has the fixture `name`."""

    def test_process_describes_itself(self, name):
        process = build(name, isr=True)

        assert process.title.startswith("e+e- ->")
        assert process.references
        assert set(process.cited()) <= set(known_references())
        assert {"coupling", "initial-state radiation", "order"} <= set(
            process.conventions()
        )
        assert "isr" in {field.name for field in fields(process)}
        assert 0 < process.threshold() < MACHINE.sqrt_s

    def test_events_are_finite_and_have_weight(self, events, name):
        process = build(name, isr=False)
        weights = np.asarray(events.weights)

        assert events.pdg == process.final_state
        assert events.momenta.shape == (N, len(events.pdg), 4)
        assert np.isfinite(weights).all()
        assert np.isfinite(np.asarray(events.momenta)).all()
        assert (weights > 0).all()

    def test_particles_have_their_masses(self, events, name):
        """E² - p² to the digits that E² leaves."""
        process = build(name, isr=False)
        p = np.asarray(events.momenta)

        mass2 = p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(axis=-1)

        expected = np.array(process.kernel().masses(process.parameters()), dtype=float)
        assert_allclose(mass2, np.broadcast_to(expected**2, mass2.shape), atol=1e-10)

    def test_densities_of_channels_are_those_of_their_points(self, name):
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

    def test_event_does_not_depend_on_how_many_are_asked_for(self, name, events):
        """Event i of a seed is the same; only the normalisation of the weights differs."""
        more = build(name, isr=False).generate(3 * N + 5, MACHINE, seed=1)

        assert np.array_equal(more.momenta[:N], events.momenta)
        assert_allclose(
            np.diff(np.log(np.asarray(more.weights[:N] / events.weights))),
            0,
            atol=1e-12,
        )

    def test_event_does_not_depend_on_the_number_of_threads(
        self, name, events, monkeypatch
    ):
        monkeypatch.setenv("NPROC", "3")

        again = build(name, isr=False).generate(N, MACHINE, seed=1)

        assert np.array_equal(again.momenta, events.momenta)
        assert np.array_equal(again.weights, events.weights)

    def test_momentum_is_conserved(self, events):
        """No radiation and no beam spread: nothing may be missing above 1e-9 GeV."""
        final = np.asarray(events.momenta).sum(axis=1)

        assert_allclose(final, np.broadcast_to(MACHINE.p_beams, final.shape), atol=1e-9)
        assert_allclose(events.p_beams, np.broadcast_to(MACHINE.p_beams, (N, 4)))

    def test_squared_amplitude_of_events(self, name, points):
        msq = np.asarray(build(name, isr=False).msq(points))

        assert np.isfinite(msq).all()
        assert (msq > 0).all()

    def test_squared_amplitude_is_lorentz_invariant(self, name, points):
        """1e-6: at photon exchange, a boost costs the digits that 1e-11 GeV² needs."""
        process = build(name, isr=False)
        frame = Momentum(*jnp.array([3.0, 0.2, -0.5, -0.7]))

        moved = boost(momentum(points), frame).array()

        assert_allclose(process.msq(moved), process.msq(points), rtol=1e-6)

    def test_events_are_a_function_of_the_seed(self, name, events):
        process = build(name, isr=False)

        again = process.generate(N, MACHINE, seed=1)
        other = process.generate(N, MACHINE, seed=2)

        assert np.array_equal(again.momenta, events.momenta)
        assert np.array_equal(again.weights, events.weights)
        assert not np.array_equal(other.momenta, events.momenta)

    def test_radiation_takes_energy_along_the_beams(self, name):
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

    def test_threshold_is_an_error_that_names_the_energies(self, name):
        process = build(name, isr=False)
        below = symmetric(0.99 * process.threshold())

        for call in (
            lambda: process.cross_section(below),
            lambda: process.generate(N, below, seed=1),
        ):
            with pytest.raises(
                OutOfDomain, match="above the collision energy"
            ) as error:
                call()
            assert f"{process.threshold():.4g}" in str(error.value)

    def test_no_events_is_an_error(self, name):
        with pytest.raises(OutOfDomain, match="at least 1, got 0"):
            build(name, isr=False).generate(0, MACHINE, seed=1)

    def test_volume_of_two_body_phase_space(self, name):
        """|M|² = 1 gives β/8π times the accepted share of directions, by quadrature."""
        process = build(name, isr=False)
        if len(process.final_state) != 2:
            pytest.skip("more particles: their densities are compared with each other")
        kernel, parameters = process.kernel(), process.parameters()
        generation = process._flat(MACHINE)
        order, found = generation._points(generation.uniform(1, "volume", 0, CHUNK))
        volumes = np.asarray(found.weight) * 2 * np.asarray(found.s) / GEV2_FB
        volumes = volumes[order >= 0]
        cosine = (np.arange(200_000) + 0.5) / 100_000 - 1
        s = jnp.full(len(cosine), MACHINE.s)
        m1, m2 = (mass**2 for mass in kernel.masses(parameters))
        final = two_body.two_body(
            two_body.at_rest(s), (m1, m2), jnp.asarray(cosine), 0 * s
        )
        density = sum(
            channels.density(c, tuple(final), s, kernel.masses(parameters))
            for c in kernel.channels(parameters)
        )
        inside = (density > 0) & kernel.inside(tuple(final), s, parameters)
        expected = float(two_body.two_body_volume(s, m1, m2)[0]) * np.mean(inside)
        expected /= generation.setting.identical

        error = volumes.std() / np.sqrt(len(volumes))
        assert abs(volumes.mean() - expected) < 4 * error + 2e-5 * expected
