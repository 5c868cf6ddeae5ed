"""e+e- -> Upsilon(3S) -> pi+ pi- Upsilon(1S): the tag of invisible Upsilon(1S) decays."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, pi
from typing import ClassVar, final

import jax
import jax.numpy as jnp
import numpy as np

from darksector.errors import OutOfDomain
from darksector.kinematics import Momentum, breakup_velocity, squared
from darksector.particles import MASS, PDG
from darksector.phasespace.channels import Channel, Masses, Split
from darksector.phasespace.mappings import Pole
from darksector.phasespace.two_body import Pair
from darksector.processes.base import Parameters, Process
from darksector.units import GEV2_FB

BRANCHING_FRACTION = 0.0437  # Υ(3S) → π⁺π⁻ Υ(1S), Particle Data Group 2026
_PION, _UPSILON = MASS["pi+"], MASS["Upsilon(1S)"]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


@final
@dataclass(frozen=True)
class UpsilonTransition(Process):
    r"""Dipion transitions at the Υ(3S), with a declared cross-section of the resonance.

    The pions follow the soft-pion limit,
    :math:`|M|^2 \propto (m_{\pi\pi}^2 - 2 m_\pi^2)^2`, without preferred directions:
    an assumption that the Υ(3S), unlike the Υ(2S), is known to violate at small masses.

    Parameters
    ----------
    isr
        Whether the beams radiate.  Off by default: the peak cross-section contains what
        radiation takes off the resonance, and photons that leave it there are too soft.
    sigma_peak
        Cross-section of e+e- -> Upsilon(3S) at the peak, fb, as observed: with the
        beams' energy spread and radiation.

    Raises
    ------
    OutOfDomain
        If sigma_peak is not positive.

    Notes
    -----
    The energy of the machine stands for the mass of the resonance; the cross-section is
    the same at every energy.
    """

    isr: bool = False
    sigma_peak: float = 4e6  # fb; recalled for PEP-II, never a test value

    title: ClassVar[str] = "e+e- -> Upsilon(3S) -> pi+pi- Upsilon(1S)"
    references: ClassVar[tuple[str, ...]] = ("doi:10.1093/ptep/ptac097",)
    final_state: ClassVar[tuple[int, ...]] = (
        *(PDG["pi+"], PDG["pi-"]),
        PDG["Upsilon(1S)"],
    )

    def __post_init__(self) -> None:
        if not 0 < self.sigma_peak < inf:
            msg = (
                f"UpsilonTransition needs sigma_peak > 0 fb, got {self.sigma_peak}: the "
                "observed cross-section of the resonance."
            )
            raise OutOfDomain(msg)

    def parameters(self) -> dict[str, float]:
        """Return the cross-section of the final state, fb."""
        return {"sigma": self.sigma_peak * BRANCHING_FRACTION}

    def conventions(self) -> dict[str, str]:
        """Say where rate and shape come from."""
        rate = (
            f"declared: {self.sigma_peak:g} fb at the peak, observed, at any energy, "
            f"times B = {BRANCHING_FRACTION:g}"
        )
        return {
            **Process.conventions(self),
            "coupling": "none: the cross-section is declared",
            "order": "soft-pion matrix element (m(pipi)^2 - 2 m_pi^2)^2, assumed",
            "cross-section": rate,
        }

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of pi+, pi- and Upsilon(1S), GeV."""
        del parameters
        return (_PION, _PION, _UPSILON)

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return one channel: the pion pair, then the pions."""
        del parameters
        return ((Split((0, 1), (2,), first_mass=Pole(power=0)), Split((0,), (1,))),)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|², GeV^-2, normalised to the declared cross-section."""
        s = squared(beams.first + beams.second)
        flux = 2 * s * parameters["sigma"] / GEV2_FB
        return flux * _shape(squared(final[0] + final[1])) / _integral(s)


def _shape(mass2: jax.Array) -> jax.Array:
    """Return the squared matrix element of soft pions, GeV⁴."""
    return (mass2 - 2 * _PION**2) ** 2


def _integral(s: jax.Array) -> jax.Array:
    r"""Return :math:`\int (m_{\pi\pi}^2-2m_\pi^2)^2 d\Phi_3`, GeV⁶."""
    low, high = 4 * _PION**2, (jnp.sqrt(s) - _UPSILON) ** 2
    # quadrature in an angle: both ends of the spectrum are square roots
    angle = pi * (_NODES + 1) / 2
    mass2 = low + (high - low)[:, None] * (1 - np.cos(angle)) / 2
    volumes = breakup_velocity(s[:, None], mass2, _UPSILON**2)
    volumes = volumes * breakup_velocity(mass2, _PION**2, _PION**2) / (8 * pi) ** 2
    measure = (high - low) * pi / 4 / (2 * pi)
    return measure * jnp.sum(volumes * _shape(mass2) * np.sin(angle) * _WEIGHTS, axis=1)


PROCESS = UpsilonTransition
