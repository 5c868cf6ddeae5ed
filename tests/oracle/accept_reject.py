"""Slow twin of `detectors.outcomes`: draw one response of every particle, then accept.

Written in NumPy in the order of the formula; of the package only the numbers of the card
are used.  Angles of the card are in degrees, everything else in GeV and rad.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RegularGridInterpolator

MUON_MASS = 0.1056583755
MUON, ELECTRON, PHOTON = 13, 11, 22


def theta_deg(p):
    return np.degrees(np.arccos(p[:, 3] / np.linalg.norm(p[:, 1:], axis=1)))


def pt(p):
    return np.sqrt(p[:, 1] ** 2 + p[:, 2] ** 2)


def track_chance(tracking, p):
    theta = theta_deg(p)
    seen = (theta > tracking.theta_min) & (theta < tracking.theta_max)
    return tracking.efficiency * (seen & (pt(p) > tracking.pt_min))


def rise(x, edge, width):
    """Integral of 30 t² (1 - t)², the density of the edge, from t = 0 on."""
    t = np.clip((x - edge) / np.asarray(width) + 0.5, 0, 1)
    return 30 * (t**3 / 3 - t**4 / 2 + t**5 / 5)


def identified_chance(identification, p):
    """Muons of the calorimeter, as in Phase 2; the iron of others is not drawn here."""
    assert identification.muon_from_klm == 0
    low, high = np.asarray(identification.ecl_muon_theta)
    width = identification.ecl_muon_theta_width
    theta, momentum = theta_deg(p), np.linalg.norm(p[:, 1:], axis=1)
    chance = rise(theta, low, width) - rise(theta, high, width)
    chance *= rise(
        momentum, identification.ecl_muon_p_min, identification.ecl_muon_p_width
    )
    return identification.muon_efficiency * identification.muon_from_ecl * chance


def cluster_chance(calorimeter, p):
    theta = theta_deg(p)
    seen = (theta > calorimeter.theta_min) & (theta < calorimeter.theta_max)
    seen &= p[:, 0] > calorimeter.energy_min
    for low, high in calorimeter.gaps:
        seen &= ~((theta > low) & (theta < high))
    return (1 - calorimeter.inefficiency) * seen


def draw(code, p, detector, rng):
    """Return what each particle of one slot leaves: a word per event."""
    n = len(p)
    left = np.full(n, "nothing", dtype="<U11")
    if abs(code) in (MUON, ELECTRON):
        found = rng.random(n) < track_chance(detector.tracking, p)
        left[found] = "other track"
        if abs(code) == MUON:
            named = rng.random(n) < identified_chance(detector.identification, p)
            left[found & named] = "mu"
    if abs(code) in (ELECTRON, PHOTON):
        seen = rng.random(n) < cluster_chance(detector.calorimeter, p)
        left[seen & (left == "nothing")] = "cluster"
    return left


def measured_track(tracking, p, z):
    grid = (tracking.theta_grid, tracking.pt_grid)
    here = np.stack(
        [
            np.clip(x, g[0], g[-1])
            for x, g in zip((theta_deg(p), pt(p)), grid, strict=True)
        ],
        axis=1,
    )
    sigma_pt, sigma_phi, sigma_cot = (
        RegularGridInterpolator(grid, np.asarray(table))(here)
        for table in (
            tracking.pt_resolution,
            tracking.phi_resolution,
            tracking.cot_resolution,
        )
    )
    new_pt = 1 / ((1 + sigma_pt / 100 * z[:, 0]) / pt(p))
    phi = np.arctan2(p[:, 2], p[:, 1]) + sigma_phi / 1000 * z[:, 1]
    cot = 1 / np.tan(np.radians(theta_deg(p))) + sigma_cot / 1000 * z[:, 2]
    px, py, pz = new_pt * np.cos(phi), new_pt * np.sin(phi), new_pt * cot
    energy = np.sqrt(px**2 + py**2 + pz**2 + MUON_MASS**2)
    return np.stack([energy, px, py, pz], axis=1)


def cluster_energy(calorimeter, p, z):
    region = np.zeros(len(p), dtype=int)
    for edge in calorimeter.region_edges:
        region += theta_deg(p) > edge
    relative = np.zeros(len(p))
    for number, (threshold, below, a, b, c, d) in enumerate(
        calorimeter.energy_resolution
    ):
        e = p[:, 0]
        above = a / e + b / e**0.5 + c / e**0.25 + d
        percent = np.where(e > threshold, above, below)
        relative = np.where(region == number, percent / 100, relative)
    return np.maximum(p[:, 0] * (1 + relative * z[:, 0]), 0)


def trigger_chance(trigger, minus, plus):
    fires = np.ones(len(minus), dtype=bool)
    for p in (minus, plus):
        theta = theta_deg(p)
        fires &= (theta > trigger.cdc_theta_min) & (theta < trigger.cdc_theta_max)
        fires &= pt(p) > trigger.cdc_pt_min
    cosine = (
        (minus[:, 1] * plus[:, 1] + minus[:, 2] * plus[:, 2]) / pt(minus) / pt(plus)
    )
    opening = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return trigger.two_track_efficiency * (
        fires & (opening > trigger.two_track_opening)
    )


def accept(pdg, momenta, z, p_beams, detector, rng):
    """Return one accept/reject experiment with two muons and no other track.

    The result is the index of every accepted event, its squared recoil mass, GeV², and
    the energy of its clusters, GeV.
    """
    slots = range(len(pdg))
    left = np.stack([draw(c, momenta[:, i], detector, rng) for i, c in enumerate(pdg)])
    charge = -np.sign(pdg)[:, None] * (left == "mu")
    keep = (left == "mu").sum(axis=0) == 2
    keep &= ~(left == "other track").any(axis=0)
    keep &= charge.sum(axis=0) == 0
    kept = np.flatnonzero(keep)
    left, charge, z = left[:, kept], charge[:, kept], z[kept]
    momenta = momenta[kept]
    minus, plus, photons = np.zeros((3, len(kept), 4))
    for i in slots:
        if abs(pdg[i]) == MUON:
            track = measured_track(detector.tracking, momenta[:, i], z[:, i])
            minus[charge[i] < 0] = track[charge[i] < 0]
            plus[charge[i] > 0] = track[charge[i] > 0]
        seen = left[i] == "cluster"
        energy = cluster_energy(detector.calorimeter, momenta[:, i], z[:, i])
        photons[seen, 0] += energy[seen]
    fired = rng.random(len(kept)) < trigger_chance(detector.trigger, minus, plus)
    recoil = p_beams - minus - plus
    mass2 = recoil[:, 0] ** 2 - (recoil[:, 1:] ** 2).sum(axis=1)
    return kept[fired], mass2[fired], photons[fired, 0]
