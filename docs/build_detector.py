"""Draws docs/figures for docs/detector.md: maps, and what enumeration gains."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import darksector as ds
from darksector.detectors.card import Detector
from darksector.detectors.crystals import impact
from darksector.detectors.identification import selected
from darksector.detectors.losses import cluster_probability
from darksector.detectors.objects import NORMALS
from darksector.detectors.outcomes import detect
from darksector.detectors.response import respond
from darksector.detectors.topology import Topology
from darksector.detectors.tracking import measure_track, track_probability
from darksector.kinematics import Momentum, transverse
from darksector.particles import MASS, PDG
from darksector.plotting import maps, style
from darksector.plotting.identification import save_roc
from darksector.plotting.trigger import turn_on

FOLDER = Path(__file__).with_name("figures")
DETECTOR, MACHINE = ds.detector("belle2"), ds.machine("superkekb")
THETA = ("polar angle θ [degrees]", np.linspace(10.0, 160.0, 301))
Grid = NDArray[np.float64]


def particles(theta: Grid, p: Grid, mass: float, phi: Grid | float = 0.0) -> Momentum:
    """Return momenta of a mass, GeV, at angles in degrees."""
    angle, azimuth = np.radians(theta), np.radians(phi)
    vectors = (
        np.sqrt(p**2 + mass**2),
        p * np.sin(angle) * np.cos(azimuth),
        p * np.sin(angle) * np.sin(azimuth),
        p * np.cos(angle),
    )
    return Momentum(
        *(jnp.asarray(np.broadcast_to(v, p.shape).ravel()) for v in vectors)
    )


def losses() -> list[maps.Map]:
    """Return the chance that the calorimeter misses a photon of 4 GeV."""
    found = []
    for name, angles in (
        ("whole calorimeter", np.linspace(10.0, 160.0, 901)),
        ("around the crack at 90°", np.linspace(89.7, 90.3, 301)),
    ):
        phi = np.linspace(0.0, 45.0, 181)
        theta, azimuth = np.meshgrid(angles, phi)
        p = particles(theta, np.full(theta.shape, 4.0), 0.0, azimuth)
        card = DETECTOR.calorimeter
        chance = 1 - cluster_probability(card, p.e, impact(card, p))
        found.append(
            maps.Map(
                f"Photon of 4 GeV without a cluster: {name}",
                (THETA[0], angles),
                ("azimuth φ [degrees]", phi),
                np.asarray(chance).reshape(theta.shape),
                "probability",
                (1e-6, 1.0),
                logarithmic=True,
            )
        )
    return found


def tracks() -> list[maps.Map]:
    """Return the efficiency and the momentum resolution of muon tracks."""
    pt = np.geomspace(0.05, 5.0, 181)
    theta, momentum = np.meshgrid(THETA[1], pt)
    p = particles(theta, momentum / np.sin(np.radians(theta)), MASS["mu"])
    chance = track_probability(DETECTOR.tracking, p, None, PDG["mu"])
    z = jnp.zeros((p.e.size, NORMALS))
    table = respond(DETECTOR).tracks
    squares = jnp.zeros_like(p.e)
    for i in range(5):  # each independent part of the errors in turn
        moved = measure_track(
            DETECTOR.tracking, table, p, vertex=None, z=z.at[:, i].set(0.1), code=13
        )
        squares += (10 * (transverse(moved.p) / transverse(p) - 1)) ** 2
    axes = (THETA, ("transverse momentum $p_T$ [GeV]", pt))
    return [
        maps.Map(
            "Muons that give a track",
            *axes,
            np.asarray(chance).reshape(theta.shape),
            "probability",
            (0.0, 1.0),
        ),
        maps.Map(
            "Resolution of the core, without tails",
            *axes,
            100 * np.asarray(jnp.sqrt(squares)).reshape(theta.shape),
            r"$\sigma(p_T)/p_T$ [%]",
            (0.15, 10.0),
            logarithmic=True,
        ),
    ]


def identities() -> list[maps.Map]:
    """Return the efficiency of muons, and pions that are taken for them."""
    p = np.linspace(0.2, 5.0, 181)
    theta, momentum = np.meshgrid(THETA[1], p)
    found = []
    for name, code, limits in (
        ("Muons identified as muons", PDG["mu"], (0.0, 1.0)),
        ("Pions identified as muons", PDG["pi+"], (0.0, 0.2)),
    ):
        track = particles(theta, momentum, MASS["mu"])
        chance = selected(DETECTOR.identification, DETECTOR.klm, track, code, "mu")
        found.append(
            maps.Map(
                name,
                THETA,
                ("momentum $p$ [GeV]", p),
                np.asarray(chance).reshape(theta.shape),
                "probability",
                limits,
            )
        )
    return found


def gain() -> tuple[Grid, dict[str, Grid]]:
    """Return effective events per generated event, both ways, by scale of the losses.

    γγ without radiation, one photon at 35 to 120 degrees: the other is inside, too.
    """
    events = ds.process("diphoton", isr=False).chunk(MACHINE, 1, 0)
    z = np.random.default_rng(1).standard_normal((*events.momenta.shape[:2], NORMALS))
    topology = Topology((), "none", clusters=1, vetoes=("klm",))
    scales = np.geomspace(1.0, 1e4, 9)
    enumerated, drawn = [], []
    generated = np.asarray(events.weights)
    for scale in scales:
        found = detect(
            events,
            jnp.asarray(z),
            jnp.asarray(MACHINE.p_beams),
            respond(softened(scale)),
            topology=topology,
        )
        angle = np.degrees(np.arctan2(*_sides(found.clusters[0].p)))
        weights = np.where((angle > 35) & (angle < 120), np.asarray(found.weights), 0.0)
        copies = np.tile(generated, weights.size // generated.size)
        enumerated.append(weights.sum() ** 2 / (weights**2).sum() / generated.size)
        drawn.append(weights.sum() ** 2 / (weights * copies).sum() / generated.size)
    return scales, {
        "outcomes enumerated": np.array(enumerated),
        "drawn: accept or reject": np.array(drawn),
    }


def _sides(p: Momentum) -> tuple[Grid, Grid]:
    return np.hypot(p.x, p.y), np.asarray(p.z)


def softened(scale: float) -> Detector:
    """Return Belle II without a crack and with more photons that do not convert.

    The depth of the crystals makes the chance exp(-7/9 depth).
    """
    card = DETECTOR.calorimeter
    depth = card.depth - 9 / 7 * math.log(scale)
    closed = replace(card, depth=depth, crack_leakage=jnp.asarray(0.0))
    return replace(DETECTOR, calorimeter=closed)


def main() -> None:
    """Write every figure."""
    maps.save_maps(losses(), FOLDER, "photon_losses")
    maps.save_maps(tracks(), FOLDER, "tracks")
    maps.save_maps(identities(), FOLDER, "identities")
    save_roc(DETECTOR, FOLDER / "roc")
    style.save(turn_on(DETECTOR, MACHINE.p_beams), FOLDER, "turn_on")
    maps.save_gain(
        "γγ, one photon at 35° to 120°, the other not converted in its crystal (no crack)",
        *gain(),
        FOLDER,
        "enumeration_gain",
    )


if __name__ == "__main__":
    main()
