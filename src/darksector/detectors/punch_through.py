r"""Hadrons and electrons that look like muons in the instrumented iron.

A hadron looks like a muon if it crosses the same depth :math:`\Lambda`, in interaction
lengths, without a strong interaction, or if it decays to a muon on the way:

.. math:: f = e^{-\alpha\Lambda} + (1 - e^{-\alpha\Lambda})\, \kappa\, B
          \left(1 - e^{-L m / (p\, c\tau)}\right)

with α below one because particles of the shower reach deeper than the hadron itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri

from darksector.detectors.klm import Klm, Penetration
from darksector.particles import CTAU, MASS

# name, and branching fraction into a muon (Particle Data Group, PTEP 2022 083C01)
DECAYS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {"pi": ("pi+", 0.9999), "K": ("K+", 0.6356)}
)
MASSES: Mapping[str, float] = MappingProxyType(
    {"e": MASS["e"], "mu": MASS["mu"], "pi": MASS["pi+"], "K": MASS["K+"]}
)
REFERENCE_EFFICIENCY = 0.9  # of muons, to which the hadron fraction f belongs


def muon_likeness(
    klm: Klm, p: jax.Array, expected: Penetration, species: str
) -> jax.Array:
    """Return f of the module for e, pi or K: the chance to look like a muon.

    Electrons shower in the calorimeter: theirs is exp(-radiation lengths in front).
    """
    if species == "e":
        return jnp.exp(-klm.front_radiation_lengths)
    name, branching = DECAYS[species]
    lengths = klm.front_lengths + expected.iron / klm.iron_length
    through = jnp.exp(-klm.hadron_reach * lengths)
    decays = -jnp.expm1(-klm.decay_path * MASSES[species] / (p * CTAU[name]))
    return through + (1 - through) * klm.decay_share * branching * decays


def muon_separation(
    klm: Klm, p: jax.Array, expected: Penetration, species: str
) -> jax.Array:
    """Return how far muons lie from a species, standard deviations.

    It is the shift of the probit that gives the fake rate f at 90 % muon efficiency.
    """
    if species == "mu":
        return jnp.zeros_like(p)
    likeness = muon_likeness(klm, p, expected, species)
    return ndtri(REFERENCE_EFFICIENCY) - ndtri(likeness)
