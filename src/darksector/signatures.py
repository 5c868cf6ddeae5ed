r"""How an axion-like particle of e⁺e⁻ → γ a, a → γγ or dark matter shows itself.

Every point (mass, coupling) has five probabilities that sum to one: the four signatures
of arXiv:1709.00009, and what is lost.  They are means over the production angle
(:math:`1+\cos^2\theta^*`, tree level, no radiation) and the isotropic decay, at points
that are the same for all masses and couplings; the place of the decay is integrated
along the flight.  Nothing is drawn, so that they are smooth in mass and coupling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import pi
from typing import NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import qmc

from darksector.detectors.clusters import merging_probability
from darksector.detectors.fate import decay_shares
from darksector.detectors.klm import Klm
from darksector.detectors.objects import NORMALS
from darksector.detectors.response import Response, particle
from darksector.errors import OutOfDomain
from darksector.generators._phase_space import two_products
from darksector.kinematics import (
    Momentum,
    boost,
    modulus,
    rotate_z_to,
    to_rest_frame,
    transverse,
)
from darksector.machines import Machine
from darksector.models.alp import Alp
from darksector.particles import PDG

_LOG2_NODES = 13  # of a net in the four angles
_NEAR = 1e-3  # below it a series replaces a difference of large numbers


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Signatures:
    """Probabilities of what an axion-like particle looks like, ``(points,)`` each.

    Parameters
    ----------
    resolved
        Prompt decay, each photon makes a cluster.
    merged
        Prompt decay, both photons make one cluster.
    displaced
        Decay away from the collision, but inside of the last layer of the iron: angles
        and mass are wrong, or the iron vetoes.
    invisible
        Decay behind the last layer, or to dark matter.
    lost
        Prompt decay, but a photon is outside of the acceptance, lost or converted.
    """

    resolved: jax.Array
    merged: jax.Array
    displaced: jax.Array
    invisible: jax.Array
    lost: jax.Array


def signatures(
    response: Response, machine: Machine, models: Sequence[Alp]
) -> Signatures:
    """Return the probabilities of the signatures of axion-like particles.

    Parameters
    ----------
    response
        The experiment; its `displacement.photon_distance` is where prompt ends.
    machine
        Collision energy and boost.
    models
        Points of mass, couplings and dark matter.

    Raises
    ------
    OutOfDomain
        If there is no point, or a mass is not below the collision energy.

    Notes
    -----
    Whether the recoil photon is seen is no part of the signature.  All decays within
    `photon_distance` are put at their mean distance, right to second order in its ratio
    to the radius of the calorimeter.  The iron is closed by two planes, so that decays
    in the holes for the beams count as displaced.  Gaps and edges of the calorimeter
    leave an error of 0.001, at most 0.003, of the mean over angles.

    Examples
    --------
    >>> import darksector as ds
    >>> from darksector.detectors.response import respond
    >>> points = [Alp(mass=1.0, g_agg=1e-3)]
    >>> found = signatures(respond(ds.detector("belle2")), ds.machine("superkekb"), points)
    >>> bool(found.resolved[0] > 0.5)
    True
    """
    if not models:
        msg = "signatures need at least one point of mass and coupling, got none."
        raise OutOfDomain(msg)
    for model in models:
        model.energy_cms(machine.sqrt_s)  # refuses what cannot be produced
    points = _Points(
        *(
            jnp.asarray(values)
            for values in (
                [model.mass for model in models],
                [model.ctau for model in models],
                [model.branching_fraction("gamma gamma") for model in models],
            )
        )
    )
    beams = jnp.asarray(machine.p_her), jnp.asarray(machine.p_ler)
    return _signatures(response, beams, jnp.asarray(_nodes()), points)


def escape_distance(klm: Klm, direction: Momentum) -> jax.Array:
    """Return the path from the origin to the last layers of the iron, cm, ``(n,)``.

    They are a cylinder closed by two planes, without the holes for the beams.
    """
    norm = modulus(direction)
    across = jnp.maximum(transverse(direction) / norm, 1e-12)
    along = direction.z / norm
    plane = jnp.where(along > 0, klm.forward_z[-1], -klm.backward_z[-1])
    return jnp.minimum(
        klm.barrel_radii[-1] / across, plane / jnp.maximum(jnp.abs(along), 1e-12)
    )


class _Points(NamedTuple):
    """Mass, GeV, decay length at rest, cm, and share of a → γγ, ``(points,)``."""

    mass: jax.Array
    ctau: jax.Array
    photons: jax.Array


def _nodes() -> np.ndarray:
    """Return evenly spread points ``(nodes, 4)``, none of them on an edge."""
    net = qmc.Sobol(4, scramble=False).random_base2(_LOG2_NODES)
    return np.asarray(net + 0.5 / len(net))


@jax.jit
def _signatures(
    response: Response,
    beams: tuple[jax.Array, jax.Array],
    u: jax.Array,
    points: _Points,
) -> Signatures:
    return jax.lax.map(partial(_of_point, response, beams, u), points)


def _of_point(
    response: Response,
    beams: tuple[jax.Array, jax.Array],
    u: jax.Array,
    point: _Points,
) -> Signatures:
    """Return the probabilities of one point, each a scalar."""
    flight = _produced(beams, u, point.mass)
    near = response.detector.displacement.photon_distance
    far = jnp.maximum(escape_distance(response.detector.klm, flight), near)
    prompt, inside, outside = decay_shares(flight, point.ctau, (near, far))
    mean = _mean_before(near, modulus(flight) / point.mass * point.ctau)
    vertex = flight.scaled(mean / modulus(flight))
    seen, together = _pair(response, flight, vertex, u)
    return Signatures(
        resolved=point.photons * (prompt * seen * (1 - together)).mean(),
        merged=point.photons * (prompt * seen * together).mean(),
        displaced=point.photons * inside.mean(),
        invisible=(1 - point.photons) + point.photons * outside.mean(),
        lost=point.photons * (prompt * (1 - seen)).mean(),
    )


def _produced(
    beams: tuple[jax.Array, jax.Array], u: jax.Array, mass: jax.Array
) -> Momentum:
    """Return momenta of the a in the laboratory, ``(nodes,)``, spread as 1 + cos²θ*."""
    her, ler = (
        Momentum(*jnp.broadcast_to(beam[:, None], (4, len(u)))) for beam in beams
    )
    both = her + ler
    sqrt_s = jnp.sqrt(both.e**2 - modulus(both) ** 2)
    # c³ + 3c = 8u - 4 is the inverse of the integral of 3 (1 + c²)/8
    cosine = 2 * jnp.sinh(jnp.arcsinh(4 * u[:, 0] - 2) / 3)
    sine = jnp.sqrt(1 - cosine**2)
    azimuth = 2 * pi * u[:, 1]
    p = (sqrt_s - mass) * (sqrt_s + mass) / (2 * sqrt_s)
    cms = Momentum(
        jnp.sqrt(p**2 + mass**2),
        p * sine * jnp.cos(azimuth),
        p * sine * jnp.sin(azimuth),
        p * cosine,
    )
    return boost(rotate_z_to(cms, to_rest_frame(her, both)), both)


def _mean_before(edge: jax.Array, length: jax.Array) -> jax.Array:
    r"""Return the mean distance of decays before an edge, cm, ``(n,)``.

    .. math:: \ell - \frac{d}{e^{d/\ell} - 1}
    """
    ratio = edge / jnp.maximum(length, 1e-300)
    safe = jnp.maximum(ratio, _NEAR)
    share = 1 / safe - 1 / jnp.expm1(safe)
    return edge * jnp.where(ratio < _NEAR, 0.5 - ratio / 12, share)


def _pair(
    response: Response, mother: Momentum, vertex: Momentum, u: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Return the chances that both photons reach the crystals, and share a cluster."""
    massless = (jnp.zeros(()), jnp.zeros(()))
    photons = two_products(u[:, 2:], mother, massless).momenta
    z = jnp.zeros((len(u), NORMALS))
    made = [particle(response, PDG["gamma"], p, vertex, z) for p in photons]
    first, second = (
        (each.neutral.spot, each.p.e) for each in made if each.neutral is not None
    )
    together = merging_probability(response.detector.calorimeter, first, second)
    return made[0].chances["cluster"] * made[1].chances["cluster"], together
