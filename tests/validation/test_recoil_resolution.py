"""Width of the squared recoil mass against toys and against Belle II's simulation.

The toys are those of section 3 of shared/physics/machine-detector.md (M0): three-body
phase space without radiation, both muons at 17 to 150 degrees, the derived covariance
without calibration and without tails, beam spread included.

V32 of shared/physics/zprime.md: widths in the simulation behind Punzi-net
(arXiv:2110.00810, repository feichtip/punzinet, width.txt), which has the complete vertex
detector.  It collides fixed beams without radiation (MadGraph), so we do.
"""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import darksector as ds
from darksector.detectors.objects import NORMALS
from darksector.detectors.response import particle, respond
from darksector.events import Events
from darksector.kinematics import boost, momentum, squared, total
from darksector.particles import MASS, PDG

PUNZI = "arXiv:2110.00810, repository feichtip/punzinet, width.txt (V32)"
TOYS = "physics/machine-detector.md section 3, M0 with beam spread, 10 %"
MACHINE = ds.machine("superkekb")
FIXED_BEAMS = replace(MACHINE, energy_spread_her=0.0, energy_spread_ler=0.0)
FULL = ds.detector("belle2")
NOMINAL = replace(
    FULL,
    tracking=replace(
        FULL.tracking,
        field=jnp.asarray(1.5),
        scattering_scale=jnp.asarray(1.0),
        silicon_scale=jnp.asarray(1.0),
        tail_width=jnp.asarray(1.0),
    ),
)
MU = PDG["mu"]


def width(events, machine, detector):
    """Return half of the central 68.3 % interval of the residual of M²_rec, GeV²."""
    z = np.random.default_rng(4).standard_normal((events.weights.size, 2, NORMALS))
    residual, weights = _residual(
        events, jnp.asarray(z), jnp.asarray(machine.p_beams), respond(detector)
    )
    residual, weights = np.asarray(residual), np.asarray(weights)
    order = np.argsort(residual)
    share = np.cumsum(weights[order])
    low, high = np.interp([0.158655, 0.841345], share / share[-1], residual[order])
    return (high - low) / 2


@jax.jit
def _residual(events, z, p_beams, response):
    """Return measured minus true M²_rec, and the weight of events with two tracks."""
    weights, measured = events.weights, []
    for i, code in enumerate((MU, -MU)):
        found = particle(response, code, events.slot(i), None, z[:, i])
        weights = weights * (1 - found.chances["lost"])
        measured.append(found.charged.seen_as("mu").p)
    nominal = momentum(jnp.broadcast_to(p_beams, events.p_beams.shape))
    truth = momentum(events.p_beams) - total([events.slot(0), events.slot(1)])
    return squared(nominal - total(measured)) - squared(truth), weights


def phase_space(mass, *, n=65536):
    """Return muon pairs that recoil against a mass, GeV, flat in three-body phase space."""
    rng, m_mu = np.random.default_rng(3), MASS["mu"]
    spread = rng.standard_normal((n, 2)) * [
        MACHINE.energy_spread_her,
        MACHINE.energy_spread_ler,
    ]
    scale = 1 + spread / [MACHINE.energy_her, MACHINE.energy_ler]
    beams = scale[:, :1] * MACHINE.p_her + scale[:, 1:] * MACHINE.p_ler
    root = np.sqrt(beams[:, 0] ** 2 - (beams[:, 1:] ** 2).sum(axis=1))
    pair = 2 * m_mu + (root - mass - 2 * m_mu) * rng.random(n)
    slow = np.sqrt((root**2 - (pair + mass) ** 2) * (root**2 - (pair - mass) ** 2)) / (
        2 * root
    )
    fast = np.sqrt(pair**2 / 4 - m_mu**2)
    frame = boosted(directed(slow, pair, rng), beams)
    muon = directed(fast, m_mu, rng)
    momenta = np.stack(
        [boosted(muon, frame), boosted(muon * [1, -1, -1, -1], frame)], axis=1
    )
    return Events(
        momenta=jnp.asarray(momenta),
        weights=jnp.asarray(slow * fast),
        p_beams=jnp.asarray(beams),
        pdg=(MU, -MU),
    )


def directed(p, mass, rng):
    """Return four-momenta of modulus p in random directions."""
    unit = rng.standard_normal((len(p), 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    energy = np.sqrt(p**2 + mass**2)
    return np.concatenate([energy[:, None], p[:, None] * unit], axis=1)


def boosted(p, frame):
    vectors = (momentum(jnp.asarray(a)) for a in (p, frame))
    return np.asarray(boost(*vectors).array())


@pytest.mark.parametrize(
    ("mass", "derived"),
    [
        (1, 0.252),
        (2, 0.256),
        (3, 0.249),
        (5, 0.217),
        (7, 0.162),
        (8, 0.135),
        (9, 0.113),
    ],
)
def test_width_in_flat_phase_space(mass, derived, agrees):
    ours = width(phase_space(float(mass)), MACHINE, NOMINAL)

    agrees(ours, derived, source=f"{TOYS}, {mass} GeV", rel=0.10)


@pytest.mark.parametrize(("mass", "mev"), [(5.0, 21.7), (8.0, 8.4)])
def test_width_of_the_recoil_mass(mass, mev, agrees):
    """Row 32: σ(M) = σ(M²)/2M for a narrow peak."""
    ours = width(phase_space(mass), MACHINE, NOMINAL) / (2 * mass)

    agrees(1e3 * ours, mev, source=f"{TOYS}, row 32, {mass:g} GeV", rel=0.10)


@pytest.mark.parametrize(
    ("mass", "published"),
    [
        pytest.param(
            1.0,
            0.287,
            marks=pytest.mark.xfail(
                reason="ours is 0.20: too narrow for fast tracks, of which the sample "
                "that calibrates the card has none",
                strict=True,
            ),
        ),
        (3.0, 0.271),
        (5.0, 0.243),
        (8.0, 0.0962),
    ],
)
def test_width_in_full_simulation(mass, published, agrees):
    """15 % is what V32 allows a fast simulation."""
    model = ds.model("lmu_ltau", mass=mass, gprime=1.0)
    events = ds.process("dimuon_zprime", model, isr=False).chunk(FIXED_BEAMS, 3, 0)

    ours = width(events, FIXED_BEAMS, FULL)

    agrees(ours, published, source=f"{PUNZI}, {mass:g} GeV", rel=0.15)
