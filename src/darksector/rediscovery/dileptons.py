"""Pairs of leptons of one event: J/psi of B decays, and QED in the same selection.

The selection: two identified leptons of opposite charge, at least one more track in the
event, momentum of the pair in the centre-of-mass frame below 2 GeV, as from B decays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from math import pi
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from darksector.events import Events
from darksector.execution import stream
from darksector.generators.decay import Mode, decay
from darksector.kinematics import Momentum, boost, modulus, squared, to_rest_frame
from darksector.machines import Machine
from darksector.particles import MASS, PDG
from darksector.phasespace.cuts import GeneratorCut
from darksector.rediscovery import measure, numbers
from darksector.rediscovery.sample import Sample, Setup, joined
from darksector.registry import PROCESSES

PAIR_P_MAX = 2.0  # GeV, momentum of the pair in the centre-of-mass frame
_EVENTS = 1 << 16
_REPLICAS = 4  # each event is measured this often
_THETA = (0.2, 2.75)  # rad, generated angles of leptons: beyond the drift chamber
# the backgrounds of each lepton, with options; masses below the range never get in
QED: dict[str, dict[str, dict[str, Any]]] = {
    "mu": {
        "dimuon_gamma": {"running_alpha": True},
        "two_photon_dimuon": {"pair_mass_min": 2.4},
    },
    "e": {
        "bhabha_gamma": {"running_alpha": True},
        "two_photon_dielectron": {"pair_mass_min": 1.0},
    },
}
_MASSES = {"mu": (2.9, 3.3), "e": (2.5, 3.4)}  # GeV, generated masses of the pair


def generate(lepton: str, machine: Machine, seed: int) -> dict[str, Events]:
    """Return the J/psi and QED events of one lepton; Σ weights is σ times fractions, fb."""
    made = {"signal": jpsi(lepton, machine, seed, _EVENTS)}
    minus, plus = f"{lepton}-", f"{lepton}+"
    cuts = (
        GeneratorCut("mass", (minus, plus), *_MASSES[lepton]),
        *(GeneratorCut("theta_lab", (name,), *_THETA) for name in (minus, plus)),
    )
    for name, options in QED[lepton].items():
        process = PROCESSES.load(name)(**options)
        # of four electrons any two may be the pair: no cut on all of them
        cuts = () if name == "two_photon_dielectron" else cuts
        made[name] = process.generate(_EVENTS, machine, seed=seed, cuts=cuts)
    return made


def jpsi(lepton: str, machine: Machine, seed: int, n: int) -> Events:
    r"""Return J/psi of B decays that decayed to two leptons, both isotropic.

    .. math:: \sigma = 2 \sigma(B\bar B)\, B(B \to J/\psi X)\, B(J/\psi \to \ell\ell)

    Notes
    -----
    Unpolarised, without final-state radiation, of no width (93 keV).
    """
    random = stream(seed, "rediscovery", "jpsi", lepton)
    a, b = numbers.load()["jpsi_p_powers"].value
    p = numbers.value("jpsi_p_max") * random.beta(a + 1, b + 1, n)
    cosine, phi = random.uniform(-1, 1, n), random.uniform(-pi, pi, n)
    sine = np.sqrt(1 - cosine**2)
    cms = Momentum(
        jnp.asarray(np.sqrt(p**2 + MASS["J/psi"] ** 2)),
        jnp.asarray(p * sine * np.cos(phi)),
        jnp.asarray(p * sine * np.sin(phi)),
        jnp.asarray(p * cosine),
    )
    p_beams = jnp.asarray(np.tile(machine.p_beams, (n, 1)))
    made = Events(
        momenta=boost(cms, Momentum(*p_beams.T)).array()[:, None],
        weights=jnp.full(n, 2 * numbers.value("cross_section_bb") / n),
        p_beams=p_beams,
        pdg=(PDG["J/psi"],),
    )
    word = {"mu": "jpsi_to_mumu", "e": "jpsi_to_ee"}[lepton]
    fraction = numbers.value("b_to_jpsi") * numbers.value(word)
    code, mass = PDG[lepton], MASS[lepton]
    mode = Mode((code, -code), (mass, mass), branching_fraction=fraction)
    return decay(random.random((n, mode.dimension)), made, 0, mode)


def look(lepton: str, events: Mapping[str, Events], setup: Setup) -> dict[str, Sample]:
    """Return the masses of all selected pairs, GeV, by component."""
    return {
        name: joined(
            [
                part
                for replica in range(_REPLICAS)
                for part in _pairs(lepton, name, each, replica, setup)
            ],
            _REPLICAS,
        )
        for name, each in events.items()
    }


def _pairs(
    lepton: str, name: str, events: Events, replica: int, setup: Setup
) -> list[Sample]:
    random = stream(setup.seed, "rediscovery", "look", lepton, name, replica)
    shape = (*events.momenta.shape[:2], measure.NORMALS)
    z = jnp.asarray(random.standard_normal(shape))
    hadronic = numbers.value("hadronic_efficiency") if name == "signal" else None
    truth = MASS["J/psi"] if name == "signal" else 0.0
    made = _masses(lepton, hadronic is None, events, z, (setup.response, setup.p_beams))
    return [
        Sample(np.asarray(mass), np.asarray(weight) * (hadronic or 1.0), truth)
        for mass, weight in made
    ]


@partial(jax.jit, static_argnums=(0, 1))
def _masses(
    lepton: str,
    alone: bool,
    events: Events,
    z: jax.Array,
    setup: tuple[measure.Response, jax.Array],
) -> list[tuple[jax.Array, jax.Array]]:
    """Return mass and weight of every pair; `alone`: all that there is in the event."""
    response, p_beams = setup
    beams = Momentum(*p_beams)
    final = events.final_slots()
    code, pairs = PDG[lepton], []
    minus, plus = ([i for i in final if events.pdg[i] == c] for c in (code, -code))
    for pair in product(minus, plus):
        seen = [
            measure.lepton(response, events.pdg[i], events.slot(i), z[:, i])
            for i in pair
        ]
        both = seen[0].p + seen[1].p
        slow = modulus(to_rest_frame(both, beams)) < PAIR_P_MAX
        weight = events.weights * seen[0].chance * seen[1].chance * slow
        if alone:
            others = [i for i in final if i not in pair]
            weight = weight * _more_tracks(response, events, others)
            true = tuple(events.slot(i) for i in pair)
            weight = weight * measure.two_track(response, true, tuple(seen), p_beams)
        pairs.append((jnp.sqrt(jnp.maximum(squared(both), 0.0)), weight))
    return pairs


def _more_tracks(
    response: measure.Response, events: Events, others: Sequence[int]
) -> jax.Array:
    """Return the chance that at least one of the other particles leaves a track."""
    none = jnp.ones_like(events.weights)
    for i in others:
        none = none * (1 - measure.found(response, events.pdg[i], events.slot(i)))
    return 1 - none
