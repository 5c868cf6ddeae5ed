"""Deposits, tracks and triggers from which tests of the trigger are made."""

from __future__ import annotations

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np

from darksector.detectors.card import load
from darksector.detectors.trigger import Seen, Trigger
from darksector.detectors.trigger_lines import LINES
from darksector.kinematics import Momentum, boost

COMPLETE, PHASE2 = load("belle2").trigger, load("belle2_phase2").trigger
P_BEAMS = Momentum(*(jnp.array([x]) for x in (11.006, 0.4566, 0.0, 2.9994)))
EFFICIENCIES = [f.name for f in fields(Trigger) if f.name.endswith("_efficiency")]
PLATEAU = {name: jnp.asarray(1.0) for name in EFFICIENCIES}
WIDTHS = ("cell_width", "energy_noise", "energy_resolution", "bhabha_width")
WIDTHS = (*WIDTHS, "track_angle_width", "track_pt_width")
EXACT = replace(COMPLETE, **PLATEAU, **{name: jnp.asarray(0.0) for name in WIDTHS})
# widths such that every edge is within reach of a random event
BLURRED = replace(
    COMPLETE,
    cell_width=jnp.asarray(8.0),
    energy_noise=jnp.asarray(0.2),
    energy_resolution=jnp.asarray(0.3),
    bhabha_width=jnp.asarray(20.0),
    track_angle_width=jnp.asarray(20.0),
    track_pt_width=jnp.asarray(0.5),
)


def deposit(energy, theta_deg, phi_deg=0.0):
    """Return a massless momentum in the laboratory."""
    theta, phi = np.radians(theta_deg), np.radians(phi_deg)
    direction = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi))
    p = np.multiply(energy, (1, *direction, np.cos(theta)))
    return Momentum(*(jnp.array([x]) for x in p))


def deposit_cms(energy, theta_deg, phi_deg=0.0):
    """Return a massless momentum of this energy in the centre-of-mass frame and angles
    in the laboratory."""
    p = deposit(1.0, theta_deg, phi_deg)
    in_cms = boost(p, replace(P_BEAMS, x=-P_BEAMS.x, y=-P_BEAMS.y, z=-P_BEAMS.z))
    return p.scaled(energy / in_cms.e)


def from_cms(energy, theta_deg, phi_deg=0.0):
    """Return a massless momentum whose energy and angles are centre-of-mass ones."""
    return boost(deposit(energy, theta_deg, phi_deg), P_BEAMS)


def seen(*deposits, tracks=(), muons=None):
    muons = (jnp.zeros(1),) * len(tracks) if muons is None else muons
    return Seen(tuple(tracks), tuple(deposits), P_BEAMS, muons)


def fires(line, what, trigger=EXACT):
    return float(LINES[line](trigger, what)[0])


def random_events(n=400, deposits=4, tracks=3):
    """Return events of massless particles in all directions, some slots empty."""
    rng = np.random.default_rng(1)

    def some(scale):
        p = rng.normal(size=(n, 3)) * np.exp(rng.normal(size=(n, 1))) * scale
        p *= rng.random((n, 1)) < 0.8
        return Momentum(*jnp.asarray([np.linalg.norm(p, axis=1), *p.T]))

    beams = jax.tree.map(lambda x: jnp.broadcast_to(x, (n,)), P_BEAMS)
    return Seen(
        tuple(some(1.0) for _ in range(tracks)),
        tuple(some(0.7) for _ in range(deposits)),
        beams,
        tuple(jnp.asarray(rng.random(n)) for _ in range(tracks)),
    )
