"""A detector card of one's own: Belle II with a backward gap twice as wide.

Issue of every single-photon search: e+e- -> γγ with one photon lost in a gap.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import darksector as ds
from darksector.detectors.objects import NORMALS
from darksector.detectors.outcomes import detect
from darksector.detectors.response import respond
from darksector.detectors.topology import Topology

CARD = """
title = "Belle II with a doubled gap"
based_on = "belle2"

[calorimeter.gaps]
value = {gaps}
source = "backward gap of Belle II, twice as wide around the same middle"
status = "assumed"
"""
ONE_PHOTON = Topology((), "none", clusters=1)  # lines see the barrel only
MACHINE = ds.machine("superkekb")
BACKWARD = (128.7, 130.7)  # degrees


@pytest.fixture(scope="module")
def photons():
    """Return two photons whose second may be lost in the backward gap."""
    events = ds.process("diphoton", isr=False).generate(400_000, MACHINE, seed=3)
    z = np.random.default_rng(4).standard_normal((400_000, 2, NORMALS))
    return events, jnp.asarray(z)


def doubled(tmp_path):
    """Return the card of a file, as a user would write it."""
    gaps = np.array(ds.detector("belle2").calorimeter.gaps)
    assert tuple(gaps[1]) == BACKWARD
    gaps[1] += (BACKWARD[1] - BACKWARD[0]) / 2 * np.array([-1, 1])
    path = tmp_path / "doubled.toml"
    path.write_text(CARD.format(gaps=gaps.tolist()), encoding="utf-8")
    return ds.detector(str(path))


def band(photons, detector):
    """Return the cross-section of photons opposite the backward gap, fb."""
    events, z = photons
    found = detect(
        events, z, jnp.asarray(MACHINE.p_beams), respond(detector), topology=ONE_PHOTON
    )
    theta = np.degrees(np.arctan2(*_transverse_and_z(found.clusters[0].p)))
    # row 25: the partner of a photon in the backward gap, 26.9 to 33.0 degrees, wider by
    # what the doubled gap and the angular resolution add
    here = (theta > 24) & (theta < 36)
    weights = np.asarray(found.weights) * here
    return weights.sum(), np.sqrt((weights**2).sum())


def _transverse_and_z(p):
    return np.hypot(p.x, p.y), np.asarray(p.z)


def crossing(photons, low, high):
    """Return the cross-section of photons between two angles, the other seen, fb."""
    events, _ = photons
    p = np.asarray(events.momenta)
    theta = np.degrees(np.arctan2(np.hypot(p[..., 1], p[..., 2]), p[..., 3]))
    lost = (theta > low) & (theta < high)
    seen = (theta > 24) & (theta < 36) & ~((theta > 31.4) & (theta < 32.2))
    here = (lost & seen[:, ::-1]).any(axis=1)
    return float(np.asarray(events.weights)[here].sum())


def test_a_doubled_gap_doubles_what_is_lost_in_it(photons, tmp_path):
    """The band scales as the cross-section of photons into the gap does.

    Expected ratio: that of the photons that hit the wide and the narrow gap.
    """
    before, error = band(photons, ds.detector("belle2"))
    after, wide_error = band(photons, doubled(tmp_path))
    low, high = BACKWARD
    expected = crossing(photons, low - 1, high + 1) / crossing(photons, low, high)

    ratio = after / before

    assert expected == pytest.approx(2, rel=0.05)
    spread = ratio * np.hypot(error / before, wide_error / after)
    assert abs(ratio - expected) < 4 * spread
