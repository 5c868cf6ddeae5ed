"""Trigger lines as products of chances against drawing what the trigger measures.

The chance of an event is the expectation of its decision, so the variance is exact:
Σ p (1 - p).  Widths are those of the card, with and without its plateaux.
"""

from __future__ import annotations

from dataclasses import fields, replace

import jax.numpy as jnp
import numpy as np
import pytest
from trigger_slow import draw

from darksector.detectors.card import load
from darksector.detectors.trigger import Seen
from darksector.detectors.trigger_lines import LINES
from darksector.kinematics import Momentum

N = 16384
P_BEAMS = np.array([11.006, 0.4566, 0.0, 2.9994])
COMPLETE = load("belle2").trigger
ONES = {
    f.name: jnp.asarray(1.0) for f in fields(COMPLETE) if f.name.endswith("_efficiency")
}
# wider than the card's, so that many events lie on an edge
WIDE = replace(
    COMPLETE,
    **ONES,
    cell_width=jnp.asarray(1.0),
    energy_resolution=jnp.asarray(0.1),
    bhabha_width=jnp.asarray(2.0),
    track_angle_width=jnp.asarray(0.2),
    track_pt_width=jnp.asarray(0.01),
)


def lab(cms):
    """Return momenta ``(n, k, 4)`` of the centre-of-mass frame in the laboratory."""
    mass = np.sqrt(P_BEAMS[0] ** 2 - P_BEAMS[1:] @ P_BEAMS[1:])
    along = cms[..., 1:] @ P_BEAMS[1:]
    energy = (cms[..., 0] * P_BEAMS[0] + along) / mass
    factor = (cms[..., 0] + energy) / (mass + P_BEAMS[0])
    three = cms[..., 1:] + factor[..., None] * P_BEAMS[1:]
    return np.concatenate([energy[..., None], three], axis=-1)


def massless(energy, direction):
    unit = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return energy[..., None] * np.concatenate(
        [np.ones((*energy.shape, 1)), unit], axis=-1
    )


def random_events(rng):
    """Return deposits, some nearly back to back and hard, and tracks; some slots empty."""
    directions = rng.normal(size=(N, 5, 3))
    directions[:, 1] = -directions[:, 0] + 0.2 * rng.normal(size=(N, 3))
    energy = np.exp(rng.uniform(np.log(0.05), np.log(3.0), size=(N, 5)))
    hard = rng.random(N) < 0.3
    energy[hard, :2] = rng.uniform(2.5, 5.3, size=(hard.sum(), 2))
    crowd = rng.integers(1, 6, size=N)
    energy *= np.arange(5) < crowd[:, None]
    momenta = np.exp(rng.normal(size=(N, 3))) * (rng.random((N, 3)) < 0.7)
    tracks = massless(momenta, rng.normal(size=(N, 3, 3)))
    return lab(massless(energy, directions)), lab(tracks), rng.random((N, 3))


def columns(p):
    return tuple(Momentum(*jnp.asarray(p[:, i].T)) for i in range(p.shape[1]))


@pytest.fixture(scope="module", params=["card", "wide"])
def experiment(request):
    """Return the trigger, the events and one decision of every line for every event."""
    trigger = {"card": COMPLETE, "wide": WIDE}[request.param]
    deposits, tracks, muons = random_events(np.random.default_rng(1))
    seen = Seen(
        columns(tracks),
        columns(deposits),
        Momentum(*jnp.broadcast_to(jnp.asarray(P_BEAMS)[:, None], (4, N))),
        tuple(jnp.asarray(muons.T)),
    )
    numbers = {f.name: np.asarray(getattr(trigger, f.name)) for f in fields(trigger)}
    events = zip(deposits, tracks, muons, [P_BEAMS] * N, strict=True)
    return trigger, seen, draw(numbers, events, np.random.default_rng(2))


def pull(chance, drawn):
    return (drawn - chance).sum() / np.sqrt((chance * (1 - chance)).sum())


@pytest.mark.parametrize("line", [line for line in LINES if line != "none"])
def test_lines_agree_with_drawing(experiment, line):
    trigger, seen, drawn = experiment
    chance = np.asarray(LINES[line](trigger, seen))

    assert drawn[line].sum() > 100
    assert ((chance > 0.01) & (chance < 0.99)).sum() > 30
    assert abs(pull(chance, drawn[line])) < 4
    # where the line is sure, so is the drawing, but for what the tails have beyond 1e-9
    sure = chance * (1 - chance) < 1e-9
    assert (drawn[line][sure] != (chance[sure] > 0.5)).sum() <= 4


@pytest.mark.parametrize(
    ("line", "number", "value"),
    [
        ("two_track", "two_track_opening", 92.0),
        ("single_photon_1gev", "other_cluster_max", 0.33),
        ("total_energy", "total_energy_min", 1.1),
        ("many_clusters", "cluster_min", 0.11),
    ],
)
def test_drawing_feels_a_wrong_number(experiment, line, number, value):
    """A threshold wrong by 10 % or 2 degrees would be seen, so agreement means much."""
    trigger, seen, drawn = experiment
    wrong = replace(trigger, **{number: jnp.asarray(value)})

    assert abs(pull(np.asarray(LINES[line](wrong, seen)), drawn[line])) > 4


def test_no_trigger_keeps_everything(experiment):
    trigger, seen, drawn = experiment

    assert drawn["none"].all()
    assert (LINES["none"](trigger, seen) == 1).all()
