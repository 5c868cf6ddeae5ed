"""Enumerated detection outcomes against accept/reject on the same events.

Given the events and the smearing, the enumerated weights are the exact expectation of
the drawn ones, so the variance is exact too: Σ w² p (1 - p) over the repetitions.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from accept_reject import accept
from scipy.stats import chi2

import darksector as ds
from darksector.detectors import outcomes
from darksector.detectors.outcomes import Topology, detect
from darksector.events import Events
from darksector.generators import tau
from darksector.kinematics import momentum
from darksector.observables import OBSERVABLES
from darksector.particles import PDG, ZPRIME

MACHINE, DETECTOR = ds.machine("superkekb"), ds.detector("belle2_phase2")
TWO_MUONS = Topology(tracks=("mu", "mu"), trigger="two_track")
N, REPETITIONS, BINS = 65536, 6, 16


def generated(name):
    """Return events with a weight, so that none is detected in vain."""
    model = (
        ds.model("lmu_ltau", mass=2.0, gprime=1.0) if name == "dimuon_zprime" else None
    )
    events = ds.process(name, model).generate(N, MACHINE, seed=5)
    if name == "ditau":
        u = np.random.default_rng(6).random((N, tau.DIMENSION))
        events = tau.decay(u, events, MACHINE)
    # a dead event may hold momenta that mean nothing
    alive = np.asarray(events.weights) > 0
    first = int(np.argmax(alive))
    momenta = jnp.where(alive[:, None, None], events.momenta, events.momenta[first])
    return Events(momenta, events.weights, events.p_beams, events.pdg)


@pytest.fixture(
    scope="module",
    params=["dimuon_zprime", "dimuon_gamma", "two_photon_dimuon", "ditau"],
)
def experiment(request):
    """Return weights, then per observable the enumerated and the drawn values."""
    events = generated(request.param)
    z = np.random.default_rng(7).standard_normal((*events.momenta.shape[:2], 3))
    found = detect(
        events,
        jnp.asarray(z),
        jnp.asarray(MACHINE.p_beams),
        DETECTOR,
        topology=TWO_MUONS,
    )
    rng = np.random.default_rng(8)
    momenta = np.asarray(events.momenta)
    drawn = [
        accept(events.pdg, momenta, z, MACHINE.p_beams, DETECTOR, rng)
        for _ in range(REPETITIONS)
    ]
    index, mass2, energy = (np.concatenate(part) for part in zip(*drawn, strict=True))
    enumerated = {
        name: np.asarray(OBSERVABLES[name].compute(found))
        for name in ("recoil_mass2", "photon_energy_sum")
    }
    return {
        "weights": np.asarray(events.weights),
        "enumerated weights": np.asarray(found.weights),
        "enumerated": enumerated,
        "index": index,
        "drawn": {"recoil_mass2": mass2, "photon_energy_sum": energy},
    }


def edges(values, weights):
    """Return bins of equal weight; what is exactly zero has a bin of its own."""
    some = (weights > 0) & (values != 0)
    order = np.argsort(values[some])
    cumulative = np.cumsum(weights[some][order])
    if cumulative.size == 0:
        return np.array([-np.inf, np.inf])
    at = np.searchsorted(cumulative, np.linspace(0, cumulative[-1], BINS + 1)[1:-1])
    inner = np.unique(values[some][order][at])
    around_zero = [1e-12] if (values[weights > 0] == 0).any() else []
    return np.array([-np.inf, *around_zero, *inner, np.inf])


def pulls(experiment, values, drawn, bins):
    """Return (drawn - enumerated) / standard deviation per bin."""
    weights, index = experiment["weights"], experiment["index"]
    n = len(weights)
    event = np.tile(np.arange(n), len(values) // n)
    where = np.searchsorted(bins, values) - 1
    count = np.searchsorted(bins, drawn) - 1
    result = []
    for i in range(len(bins) - 1):
        here = where == i
        expected = np.bincount(
            event[here], experiment["enumerated weights"][here], minlength=n
        )
        seen = weights[index[count == i]].sum() / REPETITIONS
        variance = (expected * (weights - expected)).sum() / REPETITIONS
        result.append((seen - expected.sum()) / np.sqrt(variance))
    return np.array(result)


def total_pull(experiment, scale=1.0):
    weights = experiment["enumerated weights"] * scale
    nothing = np.zeros(len(weights)), np.zeros(len(experiment["index"]))
    everything = np.array([-np.inf, np.inf])
    (pull,) = pulls({**experiment, "enumerated weights": weights}, *nothing, everything)
    return pull


def unit_weights(experiment):
    """Return the experiment with equal weights of all events: the sharper test."""
    weights = experiment["weights"]
    inverse = np.divide(1, weights, out=np.zeros_like(weights), where=weights > 0)
    found = experiment["enumerated weights"]
    repeated = np.tile(inverse, len(found) // len(weights))
    return {
        **experiment,
        "weights": np.where(weights > 0, 1.0, 0.0),
        "enumerated weights": found * repeated,
    }


def test_total_weight(experiment):
    assert len(experiment["index"]) > 5_000
    assert abs(total_pull(experiment)) < 4
    assert abs(total_pull(unit_weights(experiment))) < 4


@pytest.mark.parametrize("name", ["recoil_mass2", "photon_energy_sum"])
def test_spectrum(experiment, name):
    values, drawn = experiment["enumerated"][name], experiment["drawn"][name]
    bins = edges(values, experiment["enumerated weights"])

    pull = pulls(experiment, values, drawn, bins)

    assert abs(pull).max() < 5
    assert chi2.sf((pull**2).sum(), len(pull)) > 1e-3


def test_the_twin_feels_a_wrong_efficiency(experiment):
    """Five per cent would be seen, so the agreement means something."""
    assert total_pull(unit_weights(experiment), 1.05) < -4


@pytest.mark.parametrize(
    "code",
    [
        PDG["mu"],
        -PDG["mu"],
        PDG["e"],
        -PDG["e"],
        PDG["gamma"],
        PDG["nu_mu"],
        -PDG["nu_tau"],
        ZPRIME,
    ],
)
def test_probabilities_of_all_outcomes_sum_to_one(code):
    rng = np.random.default_rng(1)
    p3 = rng.normal(size=(4096, 3)) * np.exp(rng.normal(size=(4096, 1)))
    p = np.concatenate([np.linalg.norm(p3, axis=1, keepdims=True), p3], axis=1)

    chances = outcomes._probabilities(momentum(jnp.asarray(p)), abs(code), DETECTOR)

    assert set(chances) == set(outcomes._responses(code))
    assert all((np.asarray(chance) >= 0).all() for chance in chances.values())
    np.testing.assert_allclose(sum(map(np.asarray, chances.values())), 1, rtol=1e-15)
