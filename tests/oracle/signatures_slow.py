"""Slow twin of `signatures`: decays are drawn, one by one they get one signature.

Production, flight and geometry are done here again in NumPy, with the true place of every
decay.  Of the package are the decay of the generators, the numbers of the card and the
chance of a cluster of a single photon, which has twins of its own.
"""

from __future__ import annotations

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import erf

from darksector.detectors.response import particle
from darksector.events import Events
from darksector.generators.decay import Mode, decay
from darksector.kinematics import momentum


def produced(machine, mass, n, rng):
    """Return momenta ``(n, 4)`` of the a: 1 + cos² by rejection, boosted as a matrix."""
    cosine = rng.uniform(-1, 1, 4 * n)
    cosine = cosine[rng.uniform(0, 2, 4 * n) < 1 + cosine**2][:n]
    azimuth = rng.uniform(0, 2 * np.pi, n)
    sqrt_s = machine.sqrt_s
    p = (sqrt_s**2 - mass**2) / (2 * sqrt_s)
    sine = np.sqrt(1 - cosine**2)
    both = np.asarray(machine.p_her + machine.p_ler)
    to_lab = boost_matrix(both)
    her = np.linalg.solve(to_lab, machine.p_her)[1:]
    axis = her / np.linalg.norm(her)
    first = np.cross([0.0, 1.0, 0.0], axis)
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    direction = (
        np.outer(cosine, axis)
        + np.outer(sine * np.cos(azimuth), first)
        + np.outer(sine * np.sin(azimuth), second)
    )
    energy = np.full((n, 1), np.hypot(p, mass))
    return np.hstack([energy, p * direction]) @ to_lab.T


def boost_matrix(frame):
    """Return the 4 x 4 matrix from the rest frame of `frame` to where it moves."""
    beta = frame[1:] / frame[0]
    gamma = 1 / np.sqrt(1 - beta @ beta)
    matrix = np.eye(4)
    matrix[0, 0] = gamma
    matrix[0, 1:] = matrix[1:, 0] = gamma * beta
    matrix[1:, 1:] += (gamma - 1) * np.outer(beta, beta) / (beta @ beta)
    return matrix


def impacts(card, vertex, p):
    """Return where photons meet the front faces, ``(n, 3)`` cm."""
    n = p[:, 1:] / np.linalg.norm(p[:, 1:], axis=1)[:, None]
    a = n[:, 0] ** 2 + n[:, 1] ** 2
    b = 2 * (vertex[:, 0] * n[:, 0] + vertex[:, 1] * n[:, 1])
    c = vertex[:, 0] ** 2 + vertex[:, 1] ** 2 - card.barrel_radius**2
    barrel = vertex + ((-b + np.sqrt(b**2 - 4 * a * c)) / (2 * a))[:, None] * n
    plane = np.where(n[:, 2] > 0, card.endcap_forward, card.endcap_backward)
    endcap = vertex + ((plane - vertex[:, 2]) / n[:, 2])[:, None] * n
    theta = np.degrees(np.arctan2(card.barrel_radius, barrel[:, 2]))
    inside = (theta > card.barrel_min) & (theta < card.barrel_max)
    return np.where(inside[:, None], barrel, endcap)


def merged_chance(card, spots, energies):
    """Return the chance of one cluster: a Gaussian turn-on in crystals."""
    far = [np.linalg.norm(spot, axis=1) for spot in spots]
    first, second = (s / r[:, None] for s, r in zip(spots, far, strict=True))
    across = np.linalg.norm(np.cross(first, second), axis=1)
    angle = np.arctan2(across, (first * second).sum(axis=1))
    crystals = angle * (far[0] + far[1]) / 2 / card.crystal_size
    half, growth, width = (float(x) for x in card.separation)
    needed = half + growth * np.log(energies[0] / energies[1]) ** 2
    return (1 - erf((crystals - needed) / width / np.sqrt(2))) / 2


def in_numpy(system):
    """Return the numbers of a system of the card as NumPy arrays."""
    return SimpleNamespace(**{k: np.asarray(v) for k, v in vars(system).items()})


@jax.jit
def cluster_chance(response, p, vertex):
    z = jnp.zeros((len(p), 7))
    made = particle(response, 22, momentum(p), momentum(vertex), z)
    return made.chances["cluster"]


def count(response, machine, model, n, rng):
    """Return the share of each signature among n drawn decays to photons."""
    a = produced(machine, model.mass, n, rng)
    beams = np.tile(machine.p_beams, (n, 1))
    events = Events(*map(jnp.asarray, (a[:, None], np.ones(n), beams)), (9000006,))
    mode = Mode((22, 22), (0.0, 0.0), 1.0, model.ctau)
    made = decay(rng.random((n, 3)), events, 0, mode)
    p, vertices = np.asarray(made.momenta), np.asarray(made.vertices)
    place = vertices[:, 1, 1:]
    card = response.detector
    calorimeter, klm = in_numpy(card.calorimeter), in_numpy(card.klm)
    prompt = np.linalg.norm(place, axis=1) < float(card.displacement.photon_distance)
    behind = (
        (np.hypot(place[:, 0], place[:, 1]) > klm.barrel_radii[-1])
        | (place[:, 2] > klm.forward_z[-1])
        | (place[:, 2] < klm.backward_z[-1])
    )
    seen = prompt.copy()
    spots = []
    for i in (1, 2):
        chance = np.asarray(cluster_chance(response, p[:, i], vertices[:, i]))
        seen &= rng.random(n) < chance
        at_origin = np.where(prompt[:, None], place, 0.0)  # others are not needed
        spots.append(impacts(calorimeter, at_origin, p[:, i]))
    chance = merged_chance(calorimeter, spots, (p[:, 1, 0], p[:, 2, 0]))
    together = rng.random(n) < chance
    return {
        "resolved": (seen & ~together).mean(),
        "merged": (seen & together).mean(),
        "displaced": (~prompt & ~behind).mean(),
        "invisible": behind.mean(),
        "lost": (prompt & ~seen).mean(),
    }
