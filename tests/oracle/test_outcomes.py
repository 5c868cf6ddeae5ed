"""Enumerated detection outcomes against accept/reject on the same events.

Given the events and the smearing, the enumerated weights are the exact expectation of
the drawn ones, so the variance is exact too: Σ w² p (1 - p) over the repetitions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
import pytest
from accept_reject import accept
from scipy.stats import chi2

import darksector as ds
from darksector.detectors.objects import NORMALS
from darksector.detectors.outcomes import detect
from darksector.detectors.response import particle, respond
from darksector.detectors.topology import Topology, responses_to
from darksector.generators import decay, tau
from darksector.kinematics import momentum
from darksector.observables import OBSERVABLES
from darksector.particles import PDG, ZPRIME

MACHINE = ds.machine("superkekb")
PHASE_2, FULL = ds.detector("belle2_phase2"), ds.detector("belle2")
TWO_MUONS = Topology(("mu", "mu"), "two_track")
ONE_PHOTON = Topology((), "single_photon_1gev", clusters=1, vetoes=("klm",))
THREE_PHOTONS = Topology((), "total_energy", clusters=3)
TO_PHOTONS = decay.Mode((PDG["gamma"], PDG["gamma"]), (0.0, 0.0))
N, REPETITIONS, BINS = 32768, 6, 16


def softened(detector):
    """Return a detector that loses photons a hundred times more often in its crystals.

    Wider gaps and losses that an experiment of this size can see.
    """
    calorimeter = detector.calorimeter
    gaps = np.asarray(calorimeter.gaps)
    middle = gaps.mean(axis=1, keepdims=True)
    return replace(
        detector,
        calorimeter=replace(
            calorimeter,
            gaps=jnp.asarray(middle + 2 * (gaps - middle)),
            inefficiency=jnp.asarray(0.05),
        ),
    )


# process, detector, topology, observables
CASES = {
    "Z' signal": ("dimuon_zprime", PHASE_2, TWO_MUONS, "recoil_mass2"),
    "mu mu gamma": ("dimuon_gamma", PHASE_2, TWO_MUONS, "recoil_mass2"),
    "e e mu mu": ("two_photon_dimuon", PHASE_2, TWO_MUONS, "recoil_mass2"),
    "tau tau": ("ditau", PHASE_2, TWO_MUONS, "recoil_mass2"),
    "gamma gamma": ("diphoton", softened(FULL), ONE_PHOTON, "photon_recoil_mass2"),
    "gamma gamma gamma": (
        "triphoton",
        softened(FULL),
        ONE_PHOTON,
        "photon_recoil_mass2",
    ),
    "e e gamma": ("bhabha_gamma", softened(FULL), ONE_PHOTON, "photon_recoil_mass2"),
    "three photons": ("triphoton", FULL, THREE_PHOTONS, "photon_recoil_mass2"),
    "ALP": ("gamma_alp", FULL, THREE_PHOTONS, "photon_recoil_mass2"),
}
MODELS = {
    "dimuon_zprime": lambda: ds.model("lmu_ltau", mass=2.0, gprime=1.0),
    "gamma_alp": lambda: ds.model("alp", mass=0.3, g_agg=1.0),
}


def generated(name):
    """Return events with a weight, so that none is detected in vain."""
    model = MODELS[name]() if name in MODELS else None
    events = ds.process(name, model).generate(N, MACHINE, seed=5)
    if name == "ditau":
        u = np.random.default_rng(6).random((N, tau.DIMENSION))
        events = tau.decay(u, events, MACHINE)
    if name == "gamma_alp":
        u = np.random.default_rng(6).random((N, TO_PHOTONS.dimension))
        events = decay.decay(u, events, 1, TO_PHOTONS)
    # a dead event may hold momenta that mean nothing
    alive = np.asarray(events.weights) > 0
    first = int(np.argmax(alive))
    momenta = jnp.where(alive[:, None, None], events.momenta, events.momenta[first])
    return replace(events, momenta=momenta)


@dataclass(frozen=True)
class Experiment:
    """The same events seen both ways, and the values of two observables."""

    weights: np.ndarray
    index: np.ndarray
    enumerated_weights: np.ndarray
    enumerated: dict[str, np.ndarray]
    drawn: dict[str, np.ndarray]


SLOW = ("mu mu gamma", "e e mu mu", "tau tau", "gamma gamma gamma", "e e gamma")
SLOW += ("three photons",)  # as the ALP


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in CASES
    ],
)
def experiment(request):
    name, detector, topology, observable = CASES[request.param]
    events, response = generated(name), respond(detector)
    z = jnp.asarray(
        np.random.default_rng(7).standard_normal((*events.momenta.shape[:2], NORMALS))
    )
    p_beams = jnp.asarray(MACHINE.p_beams)
    found = detect(events, z, p_beams, response, topology=topology)
    rng = np.random.default_rng(8)
    drawn = [
        accept(events, z, MACHINE.p_beams, response, topology, rng)
        for _ in range(REPETITIONS)
    ]
    names = (observable, "photon_energy_sum")
    return Experiment(
        weights=np.asarray(events.weights),
        index=np.concatenate([index for index, _ in drawn]),
        enumerated_weights=np.asarray(found.weights),
        enumerated={n: np.asarray(OBSERVABLES[n].compute(found)) for n in names},
        drawn={n: np.concatenate([values[n] for _, values in drawn]) for n in names},
    )


def edges(values, weights):
    """Return bins of equal weight; what is exactly zero has a bin of its own."""
    some = (weights > 0) & (values != 0)
    order = np.argsort(values[some])
    cumulative = np.cumsum(weights[some][order])
    if cumulative.size == 0:
        return np.array([-np.inf, np.inf])
    at = np.searchsorted(cumulative, np.linspace(0, cumulative[-1], BINS + 1)[1:-1])
    # between two values: the twin computes them in another order
    sorted_values = values[some][order]
    inner = np.unique((sorted_values[at] + sorted_values[np.maximum(at - 1, 0)]) / 2)
    around_zero = [1e-12] if (values[weights > 0] == 0).any() else []
    return np.array([-np.inf, *around_zero, *inner, np.inf])


def pulls(experiment, values, drawn, bins):
    """Return (drawn - enumerated) / standard deviation per bin."""
    weights, index = experiment.weights, experiment.index
    n = len(weights)
    event = np.tile(np.arange(n), len(values) // n)
    where = np.searchsorted(bins, values) - 1
    count = np.searchsorted(bins, drawn) - 1
    result = []
    for i in range(len(bins) - 1):
        here = where == i
        expected = np.bincount(
            event[here], experiment.enumerated_weights[here], minlength=n
        )
        seen = weights[index[count == i]].sum() / REPETITIONS
        variance = (expected * (weights - expected)).sum() / REPETITIONS
        result.append((seen - expected.sum()) / np.sqrt(variance))
    return np.array(result)


def total_pull(experiment, scale=1.0):
    scaled = replace(
        experiment, enumerated_weights=experiment.enumerated_weights * scale
    )
    nothing = np.zeros(len(scaled.enumerated_weights)), np.zeros(len(experiment.index))
    (pull,) = pulls(scaled, *nothing, np.array([-np.inf, np.inf]))
    return pull


def unit_weights(experiment):
    """Return the experiment with equal weights of all events: the sharper test."""
    weights, found = experiment.weights, experiment.enumerated_weights
    inverse = np.divide(1, weights, out=np.zeros_like(weights), where=weights > 0)
    return replace(
        experiment,
        weights=np.where(weights > 0, 1.0, 0.0),
        enumerated_weights=found * np.tile(inverse, len(found) // len(weights)),
    )


def test_total_weight(experiment):
    assert len(experiment.index) > 500
    assert abs(total_pull(experiment)) < 4
    assert abs(total_pull(unit_weights(experiment))) < 4


@pytest.mark.parametrize("which", [0, 1])
def test_spectrum(experiment, which):
    name = list(experiment.enumerated)[which]
    values, drawn = experiment.enumerated[name], experiment.drawn[name]
    bins = edges(values, experiment.enumerated_weights)

    pull = pulls(experiment, values, drawn, bins)

    assert abs(pull).max() < 5
    assert chi2.sf((pull**2).sum(), len(pull)) > 1e-3


def test_the_twin_feels_a_wrong_efficiency(experiment):
    """A change of four standard deviations of the sample's size would be seen."""
    change = 8 / np.sqrt(len(experiment.index))

    assert total_pull(unit_weights(experiment), 1 - change) > 4


@pytest.mark.parametrize(
    "code",
    [
        PDG["mu"],
        -PDG["mu"],
        PDG["e"],
        -PDG["e"],
        PDG["pi+"],
        PDG["K-"],
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
    z = jnp.zeros((4096, NORMALS))

    found = particle(respond(FULL), code, momentum(jnp.asarray(p)), None, z)

    # what only the iron sees of an electron is an outcome where a topology asks for it
    iron = {"klm"} if abs(code) == PDG["e"] else set()
    assert set(found.chances) == set(responses_to(code)) | iron
    assert all((np.asarray(chance) >= 0).all() for chance in found.chances.values())
    np.testing.assert_allclose(
        sum(map(np.asarray, found.chances.values())), 1, rtol=1e-12
    )
