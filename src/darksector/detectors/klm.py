r"""Muons, hadrons and photons in the instrumented iron: KLM of Belle II, IFR of BaBar.

The acceptance is that of the layers themselves: a straight line from the origin crosses
those whose active area it meets.  A muon reaches a layer if its kinetic energy exceeds
the mean loss in front of it (Particle Data Group, *Passage of particles through matter*,
minimum ionisation; constant within 10 % from 0.3 to 3 GeV):

.. math:: T_i(\theta) = T_\mathrm{front} + \frac{dE}{dx}\, \frac{x_i}{\sin\theta}

with :math:`\cos\theta` in the endcaps.  What hadrons leave is in
`punch_through`.

Notes
-----
Straight lines: the bending in the field is not followed.  In the overlap of barrel and
endcap the layers of both count, without the loss in one before the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector.detectors.edges import rise, window
from darksector.kinematics import Momentum
from darksector.particles import MASS

_POSITIVE = (
    *("edge_width", "straggling", "muon_layers_width", "photon_layers_width"),
    *("photon_energy_width", "front_energy", "iron_loss", "iron_length"),
    *("front_lengths", "front_radiation_lengths", "hadron_reach", "decay_path"),
)
_POSITIONS = {
    "barrel": "barrel_radii",
    "forward": "forward_z",
    "backward": "backward_z",
}
_FAST = 1e3  # GeV: a muon that crosses every layer


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Klm:
    """Numbers of the instrumented iron; lengths in cm, energies in GeV.

    Parameters
    ----------
    barrel_radii, forward_z, backward_z
        Positions of the layers from the inside out.
    barrel_iron, forward_iron, backward_iron
        Iron in front of each layer, at normal incidence.
    barrel_efficiency, endcap_efficiency
        Chance of a hit, per layer of the barrel and of any layer of an endcap.
    barrel_z, endcap_radii
        Active range of the layers; `edge_width` spreads its ends.
    front_energy
        Loss of a muon before the barrel and before an endcap.
    iron_loss, straggling
        Mean loss in iron, GeV/cm; the energy over which a layer comes into reach.
    front_lengths, front_radiation_lengths, iron_length
        Interaction and radiation lengths in front; interaction length of iron.
    muon_layers, muon_layers_width
        Expected hits from which on a track is called a muon, and their spread.
    hadron_reach, decay_path, decay_share
        α, L and κ of `punch_through`.
    photon_inefficiency, photon_layers, photon_layers_width
        Photons lost among those that have enough layers ahead.
    photon_energy_min, photon_energy_width
        Energy from which on a photon is seen.
    """

    barrel_radii: jax.Array
    barrel_iron: jax.Array
    barrel_efficiency: jax.Array
    barrel_z: jax.Array
    forward_z: jax.Array
    forward_iron: jax.Array
    backward_z: jax.Array
    backward_iron: jax.Array
    endcap_efficiency: jax.Array
    endcap_radii: jax.Array
    edge_width: jax.Array
    front_energy: jax.Array
    iron_loss: jax.Array
    straggling: jax.Array
    front_lengths: jax.Array
    front_radiation_lengths: jax.Array
    iron_length: jax.Array
    muon_layers: jax.Array
    muon_layers_width: jax.Array
    hadron_reach: jax.Array
    decay_path: jax.Array
    decay_share: jax.Array
    photon_inefficiency: jax.Array
    photon_layers: jax.Array
    photon_layers_width: jax.Array
    photon_energy_min: jax.Array
    photon_energy_width: jax.Array


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Penetration:
    """What a muon is expected to leave: number of hits, and iron crossed, cm."""

    layers: jax.Array
    iron: jax.Array


def penetration(klm: Klm, p: jax.Array, theta: jax.Array) -> Penetration:
    """Return hits and iron, cm, of a muon of momentum p, GeV, at theta, rad."""
    energy = jnp.sqrt(p**2 + MASS["mu"] ** 2) - MASS["mu"]
    sin, cos = _safe(jnp.sin(theta)), _safe(jnp.cos(theta))
    parts = [
        _crossed(
            _Layers(klm.barrel_radii, klm.barrel_iron, klm.barrel_efficiency),
            _Line(energy - klm.front_energy[0], cos / sin, 1 / sin),
            klm.barrel_z,
            klm,
        )
    ]
    line = _Line(energy - klm.front_energy[1], sin / cos, 1 / jnp.abs(cos))
    for z, iron in (
        (klm.forward_z, klm.forward_iron),
        (klm.backward_z, klm.backward_iron),
    ):
        same = jnp.broadcast_to(klm.endcap_efficiency, z.shape)
        parts.append(_crossed(_Layers(z, iron, same), line, klm.endcap_radii, klm))
    return jax.tree.map(lambda *part: sum(part[1:], part[0]), *parts)


def muon_reach(klm: Klm, expected: Penetration) -> jax.Array:
    """Return the chance that a muon with the `expected` hits can be called one."""
    return rise(expected.layers, klm.muon_layers, klm.muon_layers_width)


def photon_probability(klm: Klm, p: Momentum, theta: jax.Array) -> jax.Array:
    """Return the chance that a photon without a cluster in the ECL is seen in the iron.

    It is that of the hits a fast muon would leave at `theta`, rad, times a threshold in energy, times
    the declared efficiency.
    """
    fast = jnp.full_like(theta, _FAST)
    ahead = penetration(klm, fast, theta).layers
    covered = rise(ahead, klm.photon_layers, klm.photon_layers_width)
    visible = rise(p.e, klm.photon_energy_min, klm.photon_energy_width)
    return (1 - klm.photon_inefficiency) * covered * visible


def check(numbers: Mapping[str, NDArray[np.float64]]) -> Iterator[tuple[str, str]]:
    """Yield the name of each bad number of a card and what is wrong with it."""
    for key in ("barrel_efficiency", "endcap_efficiency", "photon_inefficiency"):
        yield from _fraction(key, numbers[key])
    yield from _fraction("decay_share", numbers["decay_share"])
    for key in _POSITIVE:
        if not (numbers[key] > 0).all():
            yield key, f"is {numbers[key]}; allowed: above 0; use a small number."
    for key in ("barrel_z", "endcap_radii"):
        low, high = numbers[key]
        if not low < high:
            yield (
                key,
                f"{low:g} to {high:g} cm; allowed: lower end first; swap the two.",
            )
    yield from _check_layers(numbers)


def _check_layers(
    numbers: Mapping[str, NDArray[np.float64]],
) -> Iterator[tuple[str, str]]:
    for part, key in _POSITIONS.items():
        if not (np.diff(np.abs(numbers[key])) > 0).all():
            yield key, f"is {numbers[key]}; allowed: from the inside out; sort them."
        iron, layers = numbers[f"{part}_iron"].size, numbers[key].size
        if iron != layers:
            yield f"{part}_iron", f"has {iron} entries; allowed: {layers}, one a layer."
        if not (np.diff(numbers[f"{part}_iron"]) >= 0).all():
            yield f"{part}_iron", "decreases; allowed: all iron in front; add it up."
    if numbers["barrel_efficiency"].size != numbers["barrel_radii"].size:
        yield "barrel_efficiency", "allowed: one entry per layer; add or remove some."


def _fraction(key: str, value: NDArray[np.float64]) -> Iterator[tuple[str, str]]:
    if ((value < 0) | (value > 1)).any():
        yield key, f"is {value}; allowed: 0 to 1; give a fraction, not per cent."


@dataclass(frozen=True)
class _Layers:
    """Radius or z of each layer, cm, iron in front, cm, and chance of a hit."""

    position: jax.Array
    iron: jax.Array
    efficiency: jax.Array


@dataclass(frozen=True)
class _Line:
    """Energy left behind what is in front, GeV; slope, and path per unit of depth."""

    energy: jax.Array
    slope: jax.Array
    path: jax.Array


def _crossed(layers: _Layers, line: _Line, active: jax.Array, klm: Klm) -> Penetration:
    """Sum over layers one by one: what a layer touches stays in the cache."""

    def add(
        sums: tuple[jax.Array, jax.Array], layer: tuple[jax.Array, ...]
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        position, iron, plate, efficiency = layer
        met = window(position * line.slope, active, klm.edge_width)
        loss = klm.iron_loss * iron * line.path
        met *= rise(line.energy, loss, klm.straggling)
        return (sums[0] + efficiency * met, sums[1] + plate * line.path * met), None

    plates = jnp.diff(layers.iron, prepend=0.0)
    rows = (layers.position, layers.iron, plates, layers.efficiency)
    nothing = jnp.zeros_like(line.energy)
    return Penetration(*jax.lax.scan(add, (nothing, nothing), rows)[0])


def _safe(x: jax.Array) -> jax.Array:
    """Return x, or a tiny number: the other of sine and cosine then leaves no layer."""
    return jnp.where(jnp.abs(x) < 1e-9, 1e-9, x)
