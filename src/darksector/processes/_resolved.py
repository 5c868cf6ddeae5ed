"""What the processes with resolved photons share: which photons those are.

Softer photons, and photons closer to the beams, belong to the structure function, whose
scale ends where these processes begin, so that nothing is counted twice
(docs/decisions/0004-matching-of-photons.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

import jax
import jax.numpy as jnp

from darksector.errors import OutOfDomain
from darksector.kinematics import Momentum, modulus
from darksector.processes.base import Parameters, Process

_LEAST_ANGLE = 1e-3  # rad; below, the structure function has no collinear logarithm


@dataclass(frozen=True)
class ResolvedPhotons(Process):
    """A process with photons that are resolved: hard, and at an angle to the beams.

    Parameters
    ----------
    isr
        Whether the beams radiate further, collinear photons.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    photon_energy_min
        Smallest photon energy in the rest frame of the hard collision, as a fraction of
        the beam energy there.
    photon_angle_min
        Smallest angle of a photon with either beam in the same frame, rad; 0 resolves
        all angles, which leaves no room for `isr`.
    """

    isr: bool = True
    running_alpha: bool = False
    photon_energy_min: float = 0.01
    photon_angle_min: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.photon_energy_min < 1:
            msg = (
                "photon_energy_min must be within (0, 1) of the beam energy, got "
                f"{self.photon_energy_min}; softer photons diverge."
            )
            raise OutOfDomain(msg)
        least = _LEAST_ANGLE if self.isr else 0.0
        if not least <= self.photon_angle_min < pi / 2:
            msg = (
                f"photon_angle_min must be within [{least:g}, π/2) rad, got "
                f"{self.photon_angle_min}; to resolve collinear photons, turn isr off."
            )
            raise OutOfDomain(msg)

    def parameters(self) -> dict[str, float]:
        """Return the cuts on the photons: energy fraction and 1 - cosθ."""
        return {
            "v_min": self.photon_energy_min,
            "versine_min": 2 * sin(self.photon_angle_min / 2) ** 2,
            "running": float(self.running_alpha),
        }

    def isr_scale(self, s: float) -> float:
        """Return s sin²(θ/2): collinear photons up to the cut on the resolved one."""
        return s * sin(self.photon_angle_min / 2) ** 2 if self.isr else s

    def conventions(self) -> dict[str, str]:
        """Add the cuts on the resolved photons."""
        cuts = (
            f"2 E*/sqrt(s) > {self.photon_energy_min:g}, "
            f"angle to beams > {self.photon_angle_min:g} rad"
        )
        return {**Process.conventions(self), "photon": cuts}


def resolved(photon: Momentum, s: jax.Array, parameters: Parameters) -> jax.Array:
    """Return where a photon, in the rest frame of the collision, is resolved."""
    hard = 2 * photon.e > parameters["v_min"] * jnp.sqrt(s)
    return hard & (
        modulus(photon) - jnp.abs(photon.z) >= parameters["versine_min"] * photon.e
    )
