r"""Decays of one particle of events into two or three, with the place where they happen.

Decays are isotropic in the rest frame of the mother: exact for spin zero
(π⁰, ALP, dark Higgs) and for an unpolarised mother.  For a polarised vector only the
total is right: angles of A' → ℓℓ about its line of flight are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector.compilation import in_blocks, whole_blocks
from darksector.errors import OutOfDomain
from darksector.events import Events
from darksector.generators._phase_space import three_products, two_products
from darksector.kinematics import Momentum, momentum, squared

_LIGHTEST = 1e-6  # mass over energy; below it round-off fakes a mass


@final
@dataclass(frozen=True)
class Mode:
    """One decay channel of one particle.

    Parameters
    ----------
    products
        PDG codes of the two or three daughters.
    masses
        Their masses, GeV.
    branching_fraction
        What the weights are multiplied by.
    ctau
        Mean proper decay length of the mother, cm; 0 decays on the spot.

    Raises
    ------
    OutOfDomain
        If the number of products is not 2 or 3, a code is 0, a mass is negative, the
        branching fraction is not in (0, 1], or the decay length is not in [0, ∞).
    """

    products: tuple[int, ...]
    masses: tuple[float, ...]
    branching_fraction: float = 1.0
    ctau: float = 0.0

    def __post_init__(self) -> None:
        n = len(self.products)
        if n not in (2, 3) or len(self.masses) != n or 0 in self.products:
            msg = (
                f"products {self.products} with masses {self.masses}: needed are two or "
                "three PDG codes other than 0 and as many masses; make longer decays of "
                "several short ones."
            )
            raise OutOfDomain(msg)
        if not all(0 <= mass < inf for mass in self.masses):
            msg = (
                f"masses must be finite and >= 0 GeV, got {self.masses}; take them from "
                "darksector.particles.MASS or the model."
            )
            raise OutOfDomain(msg)
        if not 0 < self.branching_fraction <= 1:
            msg = (
                f"branching_fraction must be in (0, 1], got {self.branching_fraction}; "
                "leave it out to keep the weights."
            )
            raise OutOfDomain(msg)
        if not 0 <= self.ctau < inf:
            msg = (
                f"ctau must be finite and >= 0 cm, got {self.ctau}; do not decay what is "
                "stable, and write 0 for a decay on the spot."
            )
            raise OutOfDomain(msg)

    @property
    def dimension(self) -> int:
        """Uniform numbers per event: the angles, the mass of a pair, the lifetime."""
        return 3 if len(self.products) == 2 else 6


def decay(u: NDArray[np.float64], events: Events, slot: int, mode: Mode) -> Events:
    r"""Return events in which the particle of one slot has decayed.

    The daughters are new slots at the end; the mother stays where it was and is
    intermediate.  With :math:`c\tau > 0` they are made at

    .. math:: x = x_0 - \ln(1-u)\, c\tau\, p/m, \qquad x = (ct, \vec x)

    in cm, with the mother's vertex, momentum and mass :math:`x_0, p, m`.

    Parameters
    ----------
    u
        Uniform numbers ``(n, mode.dimension)`` in [0, 1).
    events
        Events in the laboratory.
    slot
        Which particle decays.
    mode
        How it decays.

    Raises
    ------
    OutOfDomain
        If there is no such slot or it has decayed already, the numbers have another
        shape, or the mother is too light in an event of weight other than zero.

    Notes
    -----
    The mass of the mother is that of its momentum in each event, so that momentum is
    conserved off its mass shell too.  Weights of two-body decays are multiplied by the
    branching fraction; those of three-body decays also by a factor that is one up to
    the grid of the pair's mass, on average exactly.

    Examples
    --------
    >>> pion = Events(
    ...     momenta=jnp.array([[[0.1349768, 0.0, 0.0, 0.0]]]),
    ...     weights=jnp.ones(1), p_beams=jnp.zeros((1, 4)), pdg=(111,)
    ... )
    >>> photons = decay(np.full((1, 3), 0.5), pion, 0, Mode((22, 22), (0.0, 0.0)))
    >>> photons.pdg, photons.mothers
    ((111, 22, 22), (-1, 0, 0))
    >>> float(photons.momenta[0, 1, 0])
    0.0674884
    """
    _check(u, events, slot, mode)
    n = len(u)
    padded = whole_blocks((jnp.asarray(u), events))
    numbers = (mode.masses, mode.branching_fraction, mode.ctau)
    decayed = _decay(slot, mode.products, mode.ctau > 0, padded, numbers)
    return jax.tree.map(lambda a: a[:n], decayed)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _decay(
    slot: int,
    products: tuple[int, ...],
    flies: bool,
    sample: tuple[jax.Array, Events],
    numbers: tuple[tuple[jax.Array, ...], jax.Array, jax.Array],
) -> Events:
    return in_blocks(lambda part: _block(slot, products, flies, part, numbers), sample)


def _block(
    slot: int,
    products: tuple[int, ...],
    flies: bool,
    sample: tuple[jax.Array, Events],
    numbers: tuple[tuple[jax.Array, ...], jax.Array, jax.Array],
) -> Events:
    u, events = sample
    masses, branching_fraction, ctau = numbers
    mother = momentum(events.momenta[:, slot])
    kernel = two_products if len(products) == 2 else three_products
    made = kernel(u, mother, [mass**2 for mass in masses])
    daughters = jnp.stack([p.array() for p in made.momenta], axis=1)
    vertices = events.vertices
    if flies and vertices is None:
        vertices = jnp.zeros_like(events.momenta)
    if vertices is not None:
        place = vertices[:, slot]
        if flies:
            place = place + _flight(u[:, -1], mother, ctau)
        places = jnp.repeat(place[:, None], len(products), axis=1)
        vertices = jnp.concatenate([vertices, places], axis=1)
    return replace(
        events,
        momenta=jnp.concatenate([events.momenta, daughters], axis=1),
        weights=events.weights * made.weight * branching_fraction,
        pdg=events.pdg + products,
        mothers=_mothers(events) + (slot,) * len(products),
        vertices=vertices,
    )


def _flight(u: jax.Array, mother: Momentum, ctau: jax.Array) -> jax.Array:
    """Return (ct, x, y, z) from production to decay, cm."""
    proper = -jnp.log1p(-u) * ctau
    return mother.scaled(proper / jnp.sqrt(squared(mother))).array()


def _mothers(events: Events) -> tuple[int, ...]:
    return events.mothers or (-1,) * len(events.pdg)


def _check(u: NDArray[np.float64], events: Events, slot: int, mode: Mode) -> None:
    mothers = _mothers(events)
    if not 0 <= slot < len(events.pdg) or slot in mothers:
        free = [i for i in range(len(events.pdg)) if i not in mothers]
        msg = (
            f"slot {slot} of the particles {events.pdg} cannot decay; allowed are those "
            f"that are there and have not decayed: {free}."
        )
        raise OutOfDomain(msg)
    expected = (len(events.weights), mode.dimension)
    if u.shape != expected:
        msg = (
            f"the uniform numbers have the shape {u.shape}; this decay takes {expected}: "
            "draw them with execution.stream and mode.dimension."
        )
        raise OutOfDomain(msg)
    _check_open(events, slot, mode)


def _check_open(events: Events, slot: int, mode: Mode) -> None:
    p = np.asarray(events.momenta)[:, slot]
    mass = np.sqrt(np.maximum(p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(axis=1), 0.0))
    light = ~(mass > np.maximum(sum(mode.masses), _LIGHTEST * p[:, 0]))
    bad = light & (np.asarray(events.weights) != 0)
    if bad.any():
        where = int(np.argmax(bad))
        msg = (
            f"particle {events.pdg[slot]} has a mass of {mass[where]:.6g} GeV in event "
            f"{where}, and {mode.products} need more than {sum(mode.masses):.6g} GeV; "
            "choose an open channel."
        )
        raise OutOfDomain(msg)
