"""Slow twin of `detectors.trigger_lines`: draw what the trigger measures, then decide.

Written in NumPy after basf2 trg/ecl/src/TrgEclMaster.cc (04e0800b): one energy and one
angle drawn for every deposit, then the public definition, event by event.  Of the package
only the numbers of the card are used.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np


def rest_frame(p, total):
    """Return p (4,) in the rest frame of `total` by the textbook boost."""
    beta = total[1:] / total[0]
    beta2 = beta @ beta
    gamma = 1 / np.sqrt(1 - beta2)
    along = beta @ p[1:]
    energy = gamma * (p[0] - along)
    three = p[1:] + ((gamma - 1) * along / beta2 - gamma * p[0]) * beta
    return np.array([energy, *three])


def theta_deg(p):
    return np.degrees(np.arctan2(np.hypot(p[1], p[2]), p[3]))


def phi_deg(p):
    return np.degrees(np.arctan2(p[2], p[1]))


def opening(a, b):
    difference = abs(phi_deg(a) - phi_deg(b))
    return min(difference, 360 - difference)


class Event:
    """One event as the trigger measures it."""

    def __init__(self, trigger, deposits, tracks, muons, p_beams, rng):
        self.t, self.rng = trigger, rng
        self.deposits = [p for p in deposits if p[0] > 0]
        self.cms = [rest_frame(p, p_beams) for p in self.deposits]
        self.energy = [self.measured_energy(p[0]) for p in self.deposits]
        self.energy_cms = [
            e * c[0] / p[0]
            for e, c, p in zip(self.energy, self.cms, self.deposits, strict=True)
        ]
        self.theta_id = [self.cell(theta_deg(p)) for p in self.deposits]
        self.bhabha = any(
            self.is_bhabha(i, j) for i, j in combinations(range(len(self.cms)), 2)
        )
        here = [i for i, p in enumerate(tracks) if p[0] > 0]
        self.full = [i for i in here if self.is_full(tracks[i])]
        self.tracks = tracks
        self.fast = [
            i
            for i in self.full
            if self.smeared(np.linalg.norm(tracks[i][1:]), self.t["track_pt_width"])
            > self.t["single_track_p_min"]
        ]
        self.in_klm = [i for i in self.full if rng.random() < muons[i]]

    def smeared(self, value, width):
        return value + width * self.rng.standard_normal()

    def measured_energy(self, e):
        noise, relative = self.t["energy_noise"], self.t["energy_resolution"]
        return self.smeared(e, np.sqrt(noise**2 + (relative * e) ** 2))

    def cell(self, theta):
        return int(
            np.searchsorted(
                self.t["cell_theta"], self.smeared(theta, self.t["cell_width"])
            )
        )

    def is_bhabha(self, i, j):
        t, (a, b) = self.t, (self.cms[i], self.cms[j])
        both, one = t["bhabha_energies"]
        low, high = t["bhabha_theta_sum"]
        first, second = self.energy_cms[i], self.energy_cms[j]
        return (
            min(first, second) > both
            and max(first, second) > one
            and self.smeared(opening(a, b), t["bhabha_width"]) > t["bhabha_opening_min"]
            and low
            < self.smeared(theta_deg(a) + theta_deg(b), t["bhabha_width"])
            < high
        )

    def is_full(self, p):
        theta = self.smeared(theta_deg(p), self.t["track_angle_width"])
        pt = self.smeared(np.hypot(p[1], p[2]), self.t["track_pt_width"])
        inside = self.t["cdc_theta_min"] < theta < self.t["cdc_theta_max"]
        return inside and pt > self.t["cdc_pt_min"]

    def wide(self, a, b):
        angle = self.smeared(opening(a, b), self.t["track_angle_width"])
        return angle > self.t["two_track_opening"]

    def hard(self, threshold, cells):
        """Return how many clusters with these ThetaIds exceed E*."""
        return sum(
            e > threshold and k in cells
            for e, k in zip(self.energy_cms, self.theta_id, strict=True)
        )

    def clusters(self, threshold, cells=range(18 + 1)):
        """Return how many clusters with these ThetaIds exceed E."""
        return sum(
            e > threshold and k in cells
            for e, k in zip(self.energy, self.theta_id, strict=True)
        )

    def alone(self, name, cells):
        above = self.hard(self.t[f"{name}_min"], cells)
        return above == 1 and self.clusters(self.t["other_cluster_max"]) == 1

    def fired(self):
        """Return the decision of every line, before its plateau."""
        t, veto = self.t, self.bhabha
        total = sum(
            e for e, k in zip(self.energy, self.theta_id, strict=True) if 2 <= k <= 15
        )
        inner = range(2, 16 + 1)
        return {
            "two_track": not veto
            and any(
                self.wide(self.tracks[i], self.tracks[j])
                for i, j in combinations(self.full, 2)
            ),
            "single_photon_2gev": self.hard(
                t["single_photon_2gev_min"], range(4, 14 + 1)
            )
            > 0,
            "single_photon_1gev": self.alone("single_photon_1gev", range(4, 15 + 1)),
            "single_photon_1gev_endcap": self.alone("single_photon_1gev", (2, 3, 16)),
            "single_photon_05gev": self.alone("single_photon_05gev", range(6, 11 + 1)),
            "total_energy": total > t["total_energy_min"] and not veto,
            "many_clusters": self.clusters(t["cluster_min"]) > 3 and not veto,
            "three_clusters": self.clusters(t["cluster_min"], inner) >= 3
            and self.clusters(t["three_clusters_min"], inner) >= 1
            and not veto,
            "single_track": len(self.fast) > 0 and not veto,
            "track_cluster": not veto
            and any(
                self.wide(self.tracks[i], p)
                for i in self.full
                for p, e in zip(self.deposits, self.energy, strict=True)
                if e > t["track_cluster_min"]
            ),
            "cdc_klm": len(self.in_klm) > 0 and not veto,
            "none": True,
        }


def draw(trigger, events, rng):
    """Return how often each line fires: per event one experiment, with its plateau.

    Parameters
    ----------
    trigger
        Numbers of the card by name.
    events
        Per event deposits, tracks, chances of muons, total momentum of the beams.
    """
    found = []
    for deposits, tracks, muons, p_beams in events:
        fired = Event(trigger, deposits, tracks, muons, p_beams, rng).fired()
        found.append(
            {
                line: yes and rng.random() < trigger.get(f"{line}_efficiency", 1.0)
                for line, yes in fired.items()
            }
        )
    return {line: np.array([event[line] for event in found]) for line in found[0]}
