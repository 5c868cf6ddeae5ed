"""One event as a detector shows it, in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, sqrt
from typing import final

import numpy as np
from jaxtyping import Float

Vector = Float[np.ndarray, "4"]
Place = Float[np.ndarray, "3"]


@final
@dataclass(frozen=True)
class Sight:
    """One particle and what the detector shows of it.

    Parameters
    ----------
    code, charge
        PDG code; charge in units of the positron's.
    response
        A word of `topology.RESPONSES`, "invisible", "decays" (into others of the event)
        or "not simulated".
    chance
        Probability of this response, dimensionless.
    p_gen
        True four-momentum (E, px, py, pz), GeV.
    vertex, end
        Where it was made and, if it decays, where it ends, (x, y, z) in cm.
    seen
        Measured four-momentum, GeV; None if nothing was measured.
    deposit
        Energy in the calorimeter, GeV.
    iron_layers
        Number of layers of the muon detector with a hit.
    """

    code: int
    charge: int
    response: str
    chance: float
    p_gen: Vector
    vertex: Place
    end: Place | None = None
    seen: Vector | None = None
    deposit: float = 0.0
    iron_layers: int = 0


@final
@dataclass(frozen=True)
class Snapshot:
    """An event as the detector shows it.

    Parameters
    ----------
    sights
        The particles, in the order of the event.
    p_beams
        Nominal total four-momentum of the beams, GeV.
    """

    sights: tuple[Sight, ...]
    p_beams: Vector

    @property
    def p_seen(self) -> Vector:
        """Sum of what was measured, GeV."""
        seen = [s.seen for s in self.sights if s.seen is not None]
        return np.sum([np.zeros(4), *seen], axis=0)

    @property
    def p_recoil(self) -> Vector:
        """What the beams have and nobody saw, GeV."""
        return self.p_beams - self.p_seen

    @property
    def recoil_mass(self) -> float:
        """Signed root of the squared mass of `p_recoil`, GeV; resolution makes it negative."""
        return _mass(self.p_recoil)

    @property
    def visible_mass(self) -> float:
        """Mass of all that was measured, GeV."""
        return _mass(self.p_seen)


def _mass(p: Vector) -> float:
    square = float(p[0] ** 2 - p[1:] @ p[1:])
    return copysign(sqrt(abs(square)), square)
