"""Generated events happen in the luminous region of the machine's card."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.beams import LuminousRegion
from darksector.compilation import BLOCK
from darksector.execution import stream
from darksector.generators import tau
from darksector.generators.decay import Mode, decay
from darksector.machines import load, symmetric
from darksector.processes.dimuon import PROCESS as DIMUON
from darksector.processes.ditau import PROCESS as DITAU
from darksector.processes.gamma_alp import PROCESS as GAMMA_ALP
from darksector.registry import MODELS

MACHINE = load("superkekb")
N = 20_000


@pytest.fixture(scope="module")
def muons():
    return DIMUON(isr=False).generate(N, MACHINE, seed=3, unweighted=True)


def test_moments_are_those_of_the_card(muons):
    region = MACHINE.luminous_region
    ct, x, y, z = np.asarray(muons.vertices[:, 0]).T

    widths = [region.sigma_ct, region.sigma_x, region.sigma_y, region.sigma_z]
    assert_allclose([v.std() for v in (ct, x, y, z)], widths, rtol=4 / np.sqrt(2 * N))
    assert_allclose([v.mean() for v in (ct, x, y, z)] / np.array(widths), 0, atol=0.03)
    assert np.corrcoef(x, z)[0, 1] == pytest.approx(region.correlation_xz, abs=0.03)


def test_all_particles_of_a_collision_come_from_one_vertex(muons):
    vertices = np.asarray(muons.vertices)

    assert vertices.shape == (N, 2, 4)
    assert np.array_equal(vertices[:, 0], vertices[:, 1])


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(symmetric(10.58), id="symmetric"),
        pytest.param(replace(MACHINE, luminous_region=None), id="card without region"),
    ],
)
def test_without_luminous_region_everything_is_at_the_origin(machine):
    assert DIMUON(isr=False).generate(10, machine, seed=1).vertices is None


def test_momenta_do_not_depend_on_the_luminous_region(muons):
    bare = replace(MACHINE, luminous_region=None)

    without = DIMUON(isr=False).generate(N, bare, seed=3, unweighted=True)

    assert np.array_equal(without.momenta, muons.momenta)


@pytest.mark.parametrize("unweighted", [False, True], ids=["weighted", "unweighted"])
def test_a_vertex_depends_on_seed_and_number_alone(unweighted, monkeypatch):
    few, many = (
        DIMUON(isr=False).generate(n, MACHINE, seed=8, unweighted=unweighted)
        for n in (1000, 3 * BLOCK + 5)
    )
    monkeypatch.setitem(os.environ, "NPROC", "1")
    alone = DIMUON(isr=False).generate(1000, MACHINE, seed=8, unweighted=unweighted)

    assert np.array_equal(few.vertices, many.vertices[:1000])
    assert np.array_equal(few.vertices, alone.vertices)


def test_taus_decay_where_they_are_made():
    modes = ("pi", "mu")
    pairs = DITAU(isr=False).generate(BLOCK, MACHINE, seed=4)
    u = stream(4, "tau").random((BLOCK, tau.dimension(modes)))

    decayed = tau.decay(u, pairs, MACHINE, modes)

    k = len(decayed.pdg)
    assert decayed.vertices.shape == (BLOCK, k, 4)
    assert np.array_equal(
        decayed.vertices, np.repeat(np.asarray(pairs.vertices[:, :1]), k, axis=1)
    )


def test_a_long_lived_particle_flies_from_the_collision():
    """Displacement along the flight of the ALP, on top of a region of known centre."""
    region = LuminousRegion(1e-3, 1e-5, 0.02, 0.0, 0.4, x=1.0, y=-2.0, z=3.0)
    machine = replace(MACHINE, luminous_region=region)
    alp = MODELS.load("alp")(mass=0.5, g_agg=1e-3)
    events = GAMMA_ALP(model=alp, isr=False).generate(BLOCK, machine, seed=2)
    slot, mode = 1, Mode((22, 22), (0.0, 0.0), ctau=2.0)
    u = stream(2, "decay").random((BLOCK, mode.dimension))

    decayed = decay(u, events, slot, mode)

    made, end = (np.asarray(decayed.vertices[:, i]) for i in (slot, 2))
    p = np.asarray(decayed.momenta[:, slot])
    assert_allclose(made.mean(axis=0)[1:], [1.0, -2.0, 3.0], atol=2e-3)
    flight = end - made
    assert_allclose(flight[:, 1:] * p[:, :1], flight[:, :1] * p[:, 1:], atol=1e-9)
    proper = flight[:, 0] / p[:, 0] * 0.5
    assert proper.mean() == pytest.approx(2.0, rel=4 / np.sqrt(BLOCK))
