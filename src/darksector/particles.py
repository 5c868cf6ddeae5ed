"""Masses, PDG codes and the electromagnetic coupling.

Source of all values: Particle Data Group, PTEP 2022 083C01 (doi:10.1093/ptep/ptac097).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType

ALPHA = 1 / 137.035999  # fine-structure constant at zero momentum transfer

MASS: Mapping[str, float] = MappingProxyType(
    {
        "e": 0.51099895e-3,
        "mu": 0.1056583755,
        "tau": 1.77686,
        "pi+": 0.13957039,
        "pi0": 0.1349768,
        "K+": 0.493677,
        "p": 0.93827208816,
    }
)  # GeV

PDG: Mapping[str, int] = MappingProxyType(
    {"e": 11, "nu_e": 12, "mu": 13, "nu_mu": 14, "tau": 15, "nu_tau": 16, "gamma": 22}
)

ZPRIME = 32  # PDG code of a Z' boson, Monte Carlo numbering scheme

BR_TAU_MU = 0.1739  # tau -> mu nu nu


def charge_squared() -> float:
    """Return e² = 4πα, dimensionless (Heaviside-Lorentz units)."""
    return 4 * pi * ALPHA
