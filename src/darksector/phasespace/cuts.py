"""Generator-level cuts: bounds on energies, angles and invariant masses of true particles.

A cut names a quantity and the particles it is about; where several particles carry the
name, each of them (each combination, for a mass) has to pass, or one where that is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import inf, pi
from typing import NamedTuple, final

import jax
import jax.numpy as jnp

from darksector.errors import InvalidConfig, OutOfDomain, UnknownName
from darksector.kinematics import (
    Momentum,
    cos_angle,
    modulus,
    squared,
    to_rest_frame,
    total,
    transverse,
)
from darksector.particles import code_of

_ANGLES = {"theta_lab", "theta_cms", "theta_beam_cms"}
QUANTITIES = ("e_lab", "e_cms", "pt_lab", *sorted(_ANGLES), "mass")


@final
@dataclass(frozen=True)
class GeneratorCut:
    """Bounds on one quantity of some particles.

    Parameters
    ----------
    quantity
        ``e_lab``, ``e_cms``, ``pt_lab``, ``mass`` (GeV), ``theta_lab`` (to the z axis),
        ``theta_cms`` (to the electron beam), ``theta_beam_cms`` (to the nearer beam;
        rad).
    particles
        Names of one particle, or of the particles whose invariant mass is meant.
    low, high
        The bounds, both allowed values.
    one_is_enough
        Whether it is enough that one of the particles (combinations) passes.

    Raises
    ------
    UnknownName
        If the quantity or a particle is unknown.
    OutOfDomain
        If the bounds exclude everything, or are no angles.

    Examples
    --------
    >>> GeneratorCut("theta_beam_cms", ("e-",), high=0.17)  # lost along the beams
    GeneratorCut(quantity='theta_beam_cms', particles=('e-',), low=-inf, high=0.17, \
one_is_enough=False)
    """

    quantity: str
    particles: tuple[str, ...]
    low: float = -inf
    high: float = inf
    one_is_enough: bool = False

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            kind = "quantity of a cut"
            raise UnknownName(kind, self.quantity, QUANTITIES)
        for name in self.particles:
            code_of(name)
        wanted = "two or more particles" if self.quantity == "mass" else "one particle"
        if (len(self.particles) > 1) != (self.quantity == "mass"):
            msg = (
                f"a cut on {self.quantity} is about {wanted}, got "
                f"{len(self.particles)}: {', '.join(self.particles)}."
            )
            raise InvalidConfig(msg)
        top = {"theta_beam_cms": pi / 2}.get(self.quantity, pi)
        largest = top if self.quantity in _ANGLES else inf
        low, high = max(self.low, 0.0), min(self.high, largest)
        outside = {self.low, self.high} - {-inf, inf, low, high}
        if not low < high or outside:
            msg = (
                f"the cut {self} must have low < high within [0, {largest:.4g}]; angles "
                "are in rad, elsewhere in GeV."
            )
            raise OutOfDomain(msg)

    def __str__(self) -> str:
        low = "" if self.low == -inf else f"{self.low:g} < "
        high = "" if self.high == inf else f" < {self.high:g}"
        some = " of one of them" if self.one_is_enough else ""
        return f"{low}{self.quantity}({', '.join(self.particles)}){high}{some}"

    def slots(self, pdg: Sequence[int]) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """Return what has to pass: of each entry, one combination of slots.

        Raises
        ------
        InvalidConfig
            If the final state has no such particles.
        """
        codes = [code_of(name) for name in self.particles]
        found = {
            tuple(sorted(slots))
            for slots in permutations(range(len(pdg)), len(codes))
            if [pdg[slot] for slot in slots] == codes
        }
        if not found:
            msg = (
                f"the cut {self} names particles that the final state with the PDG "
                f"codes {tuple(pdg)} does not have."
            )
            raise InvalidConfig(msg)
        combinations = tuple(sorted(found))
        if self.one_is_enough:
            return (combinations,)
        return tuple((each,) for each in combinations)


class Frames(NamedTuple):
    """Nominal beams in the laboratory; they define the centre-of-mass frame."""

    her: Momentum
    ler: Momentum


def passes(
    applied: Sequence[tuple[str, tuple[tuple[int, ...], ...]]],
    limits: jax.Array,
    momenta_lab: Sequence[Momentum],
    frames: Frames,
) -> jax.Array:
    """Return which events pass all cuts.

    Parameters
    ----------
    applied
        Quantity of each cut and combinations of slots, of which one has to pass.
    limits
        Lower and upper bound of each, ``(cuts, 2)``.
    momenta_lab
        Final-state momenta in the laboratory.
    frames
        Nominal beams.
    """
    result = jnp.ones(momenta_lab[0].e.shape, dtype=bool)
    for (quantity, combinations), (low, high) in zip(applied, limits, strict=True):
        one = jnp.zeros_like(result)
        for slots in combinations:
            p = total(momenta_lab[slot] for slot in slots)
            value = _value(quantity, p, frames)
            one = one | ((value >= low) & (value <= high))
        result = result & one
    return result


def _value(quantity: str, p: Momentum, frames: Frames) -> jax.Array:
    if quantity == "e_lab":
        return p.e
    if quantity == "pt_lab":
        return transverse(p)
    if quantity == "mass":
        return jnp.sqrt(jnp.maximum(squared(p), 0.0))
    if quantity == "theta_lab":
        return jnp.arccos(jnp.clip(p.z / modulus(p), -1.0, 1.0))
    beams = frames.her + frames.ler
    moved = to_rest_frame(p, beams)
    if quantity == "e_cms":
        return moved.e
    cosine = cos_angle(moved, to_rest_frame(frames.her, beams))
    return jnp.arccos(jnp.abs(cosine) if quantity == "theta_beam_cms" else cosine)
