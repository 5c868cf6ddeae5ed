"""Two muons, a photon and a dark particle: an event to draw."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from darksector import machines
from darksector.events import Events
from darksector.io.event_file import SampleInfo
from darksector.particles import MASS, PDG

MACHINE = machines.load("superkekb")
P_BEAMS = MACHINE.p_beams
CODES = (PDG["mu-"], PDG["mu+"], PDG["gamma"], PDG["Z'"])


def vector(mass, p, theta, phi):
    """Return a four-momentum, GeV, from polar coordinates in degrees."""
    angle, azimuth = np.deg2rad(theta), np.deg2rad(phi)
    transverse = np.sin(angle)
    direction = (
        transverse * np.cos(azimuth),
        transverse * np.sin(azimuth),
        np.cos(angle),
    )
    return np.array([np.hypot(mass, p), *(p * np.array(direction))])


def events(n=3):
    """Return n events: muons and photon in the acceptance, the rest is dark."""
    seen = [
        vector(MASS["mu"], 2.5, 60.0, 40.0),
        vector(MASS["mu"], 0.3, 100.0, 200.0),
        vector(0.0, 1.5, 75.0, -60.0),
    ]
    momenta = np.array([*seen, P_BEAMS - sum(seen)])
    return Events(
        momenta=jnp.asarray(np.repeat(momenta[None], n, axis=0)),
        weights=jnp.ones(n),
        p_beams=jnp.asarray(np.repeat(P_BEAMS[None], n, axis=0)),
        pdg=CODES,
    )


def info():
    """Return what a file says about these events."""
    return SampleInfo(
        process="dimuon_zprime",
        title="muons, a photon and a Z'",
        cross_section_fb=3.0,
        error_fb=0.0,
        beams=tuple(tuple(map(float, p)) for p in (MACHINE.p_her, MACHINE.p_ler)),
        conventions={},
        seed=1,
        command="",
        weighted=True,
        version="0",
    )
