"""Instrumented iron and identification against what is published of them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import darksector as ds
from darksector.detectors.identification import selected
from darksector.detectors.klm import muon_reach, penetration
from darksector.detectors.separation import Direction, separation, time2
from darksector.kinematics import Momentum
from darksector.particles import PDG

CARD = ds.detector("belle2")
ACCEPTANCE = "basf2 analysis/variables/src/AcceptanceVariables.cc (00455f31): KLM"


def test_pions_that_fake_muons(agrees):
    """Calibrated, so this guards the card: flat in momentum, barrel, as it declares."""
    p, theta = np.meshgrid(
        np.linspace(0.7, 3.0, 93), np.radians(np.linspace(47, 122, 151))
    )
    vector = Momentum(
        *map(
            jnp.ravel,
            map(jnp.asarray, (p, p * np.sin(theta), 0 * p, p * np.cos(theta))),
        )
    )
    found = jax.jit(
        lambda vector: {
            name: selected(CARD.identification, CARD.klm, vector, PDG[name], "mu")
            for name in ("mu", "pi+")
        }
    )(vector)
    weights = np.sin(theta).ravel()

    efficiency, fake = (
        np.average(found[name], weights=weights) for name in ("mu", "pi+")
    )

    source = (
        "arXiv:2503.11351, abstract: 4.1 % of pions at 90 % efficiency, p > 0.7 GeV"
    )
    agrees(fake / efficiency, 0.041 / 0.9, source=source, rel=0.02)
    assert efficiency == pytest.approx(0.9, abs=0.02)


def test_threshold_of_muons_in_the_barrel(agrees):
    """Calibrated at 90 degrees, so this guards the card."""

    def half(p):
        where = jnp.array([p]), jnp.array([np.pi / 2])
        return float(muon_reach(CARD.klm, penetration(CARD.klm, *where))[0]) - 0.5

    agrees(brentq(half, 0.3, 1.5), 0.6, source=ACCEPTANCE + ", pT > 0.6", abs=0.01)


@pytest.mark.parametrize("theta_deg", [50.0, 70.0, 115.0])
def test_threshold_of_muons_elsewhere_in_the_barrel(agrees, theta_deg):
    """A prediction: the published cut in pT stands for the loss along the path."""
    theta = np.radians(theta_deg)

    def half(p):
        where = jnp.array([p]), jnp.array([theta])
        return float(muon_reach(CARD.klm, penetration(CARD.klm, *where))[0]) - 0.5

    pt = brentq(half, 0.3, 1.5) * np.sin(theta)
    agrees(pt, 0.6, source=ACCEPTANCE + ", pT > 0.6", abs=0.08)


@pytest.mark.parametrize(
    ("edge", "low", "high"),
    [
        pytest.param(18.0, 15, 25, id="forward endcap"),
        pytest.param(155.0, 148, 160, id="backward endcap"),
    ],
)
def test_acceptance_follows_from_the_layers(agrees, edge, low, high):
    """Not an input: the angle from which a fast muon leaves a hit, within two degrees."""

    def one_hit(theta_deg):
        where = jnp.array([1e3]), jnp.radians(jnp.array([theta_deg]))
        return float(penetration(CARD.klm, *where).layers[0]) - 0.5

    agrees(brentq(one_hit, low, high), edge, source=ACCEPTANCE, abs=2.0)


def test_depth_of_the_iron(agrees):
    where = jnp.array([100.0]), jnp.array([np.pi / 2])
    lengths = penetration(CARD.klm, *where).iron[0] / CARD.klm.iron_length

    agrees(lengths, 3.9, source="basf2 online book: 3.9 interaction lengths", abs=0.05)


@pytest.mark.parametrize("theta_deg", [45.0, 90.0, 120.0])
def test_pions_and_kaons_up_to_4_gev(theta_deg):
    """At 3 GeV 2.5 standard deviations by photons alone; at 4 GeV, with dE/dx."""
    p, theta = jnp.array([3.0, 4.0]), np.radians(theta_deg)
    track = Direction(p, p * np.sin(theta), jnp.full(2, theta_deg))

    alone = jnp.sqrt(time2(CARD.identification, track, ("K", "pi")))
    both = separation(CARD.identification, track, ("K", "pi"))

    words = "arXiv:2504.19090, abstract: to about 4 GeV"
    assert (alone > jnp.array([2.5, 1.9])).all(), words
    assert (both > jnp.array([2.8, 2.5])).all(), words
