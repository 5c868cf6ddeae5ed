"""The same integral with two mappings that share no code must agree within their errors.

The limit of 3.5 standard deviations was set before looking: one false alarm in 2000.
"""

from __future__ import annotations

import numpy as np
import pytest
import rambo
import second_mapping as second

from darksector.machines import symmetric
from darksector.phasespace.cuts import GeneratorCut
from darksector.processes.bhabha_gamma import BhabhaGamma
from darksector.processes.triphoton import Triphoton
from darksector.processes.two_photon_dielectron import TwoPhotonDielectron
from darksector.processes.two_photon_dimuon import TwoPhotonDimuon

MACHINE = symmetric(second.SQRT_S)
WIDE = np.radians(45), np.radians(135)
LOST = np.radians(17)
FULL = pytest.mark.slow  # the same comparisons, with ten times the points
LOST_CUTS = (
    GeneratorCut("e_cms", ("gamma",), low=1.5),
    GeneratorCut("theta_cms", ("gamma",), *WIDE),
    GeneratorCut("theta_beam_cms", ("e-",), high=LOST),
    GeneratorCut("theta_beam_cms", ("e+",), high=LOST),
)


def cosines(final):
    return final[:, :, 3] / np.linalg.norm(final[:, :, 1:], axis=2)


def alone(final):
    """Return where the photon is alone in the detector."""
    cosine = abs(cosines(final))
    lost = (cosine[:, :2] > np.cos(LOST)).all(axis=1)
    return lost & (final[:, 2, 0] > 1.5) & (cosine[:, 2] < np.cos(WIDE[0]))


@pytest.mark.parametrize(
    ("n", "precision"),
    [(500_000, 2e-2), pytest.param(6_000_000, 5e-3, marks=FULL)],
)
def test_single_photon_with_both_leptons_lost(n, precision):
    process = BhabhaGamma(isr=False)

    ours = process.cross_section(MACHINE, precision=precision, cuts=LOST_CUTS)
    plain = second.lost_leptons(
        process, n, 1, alone, photon_min=1.5, sine_max=np.sin(LOST)
    )

    assert plain.error < 2 * precision * plain.value
    assert plain.pull(ours) < 3.5


@pytest.mark.parametrize(
    ("n", "precision"),
    [(200_000, 3e-3), pytest.param(4_000_000, 1e-3, marks=FULL)],
)
def test_three_photons_anywhere(n, precision):
    """Down to the electron mass: each photon may be lost along either beam."""
    process = Triphoton(isr=False, photon_angle_min=0.0, photon_energy_min=0.05)
    low = 0.05 * second.BEAM

    ours = process.cross_section(MACHINE, precision=precision)
    plain = second.three_photons(
        process, n, 1, lambda final: (final[:, :, 0] > low).all(axis=1), photon_min=low
    )

    assert plain.error < 2 * precision * plain.value
    assert plain.pull(ours) < 3.5


@pytest.mark.parametrize(
    ("n", "precision"),
    [(100_000, 1e-2), pytest.param(2_000_000, 2e-3, marks=FULL)],
)
def test_two_photons_to_muons(n, precision):
    process = TwoPhotonDimuon(isr=False)

    ours = process.cross_section(MACHINE, precision=precision)
    plain = second.two_photon_pair(process, n, 1, mass=second.M_MU, pair_min=0.5)

    assert plain.error < 2 * precision * plain.value
    assert plain.pull(ours) < 3.5


def resolved_and_ordered(final):
    """Return where all pairs are heavy, and the first e- and e+ are those turned less.

    The order makes up for the two factors 1/2! of identical particles.
    """
    turned = second.versine(final.reshape(-1, 4)).reshape(-1, 4)
    turned = np.where(final[:, :, 3] * [1, -1, 1, -1] > 0, turned, 2 - turned)
    transfer = turned * np.linalg.norm(final[:, :, 1:], axis=2)
    pairs = [second.mass2(final[:, i] + final[:, j]) for i in (0, 2) for j in (1, 3)]
    ordered = (transfer[:, 0] < transfer[:, 2]) & (transfer[:, 1] < transfer[:, 3])
    return ordered & (np.min(pairs, axis=0) > 0.5**2)


@pytest.mark.slow
def test_two_photons_to_electrons():
    process = TwoPhotonDielectron(isr=False)

    ours = process.cross_section(MACHINE, precision=1e-2)
    plain = second.two_photon_pair(
        process, 400_000, 1, mass=second.M_E, pair_min=0.5, inside=resolved_and_ordered
    )

    assert plain.error < 0.02 * plain.value
    assert plain.pull(ours) < 3.5


def between(low, high):
    """Return where every particle is hard and far from the beams and the others."""

    def inside(final):
        size = np.linalg.norm(final[:, :, 1:], axis=2)
        units = final[:, :, 1:] / size[:, :, None]
        openings = np.einsum("nik,njk->nij", units, units) - 2 * np.eye(final.shape[1])
        hard = (final[:, :, 0] > low).all(axis=1)
        apart = (openings < high).all(axis=(1, 2))
        return hard & apart & (abs(units[:, :, 2]) < high).all(axis=1)

    return inside


@pytest.mark.parametrize(
    ("process", "masses", "identical"),
    [
        (Triphoton(isr=False, photon_angle_min=0.0), (0.0, 0.0, 0.0), 6),
        (BhabhaGamma(isr=False), (second.M_E, second.M_E, 0.0), 1),
        pytest.param(
            TwoPhotonDielectron(isr=False), (second.M_E,) * 4, 4, marks=pytest.mark.slow
        ),
    ],
    ids=lambda value: getattr(value, "title", None),
)
def test_wide_angle_slice_with_flat_phase_space(process, masses, identical):
    """RAMBO is flat and cannot fail where nothing peaks; events are ours, then cut."""
    inside = between(0.7, 0.8)
    flat = rambo.flat_phase_space(process, masses, 200_000, 1, inside)
    names = {22: "gamma", 11: "e-", -11: "e+"}
    cuts = [
        cut
        for name in dict.fromkeys(names[code] for code in process.final_state)
        for cut in (
            GeneratorCut("e_cms", (name,), low=0.7),
            GeneratorCut("theta_beam_cms", (name,), low=np.arccos(0.8)),
        )
    ]
    events = process.generate(60_000, MACHINE, seed=1, cuts=cuts)
    weight = np.asarray(events.weights) * inside(np.asarray(events.momenta))
    ours = second.Estimate(weight.sum(), np.sqrt((weight**2).sum()))
    flat = second.Estimate(flat.value / identical, flat.error / identical)

    assert flat.error < 0.03 * flat.value
    assert abs(flat.value - ours.value) < 3.5 * np.hypot(flat.error, ours.error)
