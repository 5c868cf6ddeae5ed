"""Masses, widths, particle codes and the electroweak couplings.

Sources: lifetimes and masses of e, mu, tau, pi, K+, p and the branching fraction from the Particle
Data Group, PTEP 2022 083C01 (doi:10.1093/ptep/ptac097); the other masses and the widths
from the tables of the same group in the package ``particle`` 1.1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType

from darksector.errors import OutOfDomain, UnknownName

ALPHA = 1 / 137.035999  # fine-structure constant at zero momentum transfer
SIN2_THETA_W = 0.2312  # weak mixing angle at m_Z (Particle Data Group)
HIGGS_VEV = 246.22  # vacuum expectation value (√2 G_F)^(-1/2), GeV

MASS: Mapping[str, float] = MappingProxyType(
    {
        "e": 0.51099895e-3,
        "mu": 0.1056583755,
        "tau": 1.77686,
        "pi+": 0.13957039,
        "pi0": 0.1349768,
        "K+": 0.493677,
        "K0": 0.497611,
        "eta": 0.547862,
        "eta'": 0.95778,
        "rho0": 0.77526,
        "rho+": 0.77511,
        "omega": 0.78266,
        "phi": 1.01946,
        "a1+": 1.230,
        "J/psi": 3.0969,
        "psi(2S)": 3.686097,
        "psi(3770)": 3.7737,
        "Upsilon(1S)": 9.4604,
        "Upsilon(2S)": 10.0234,
        "Upsilon(3S)": 10.3551,
        "Upsilon(4S)": 10.5794,
        "p": 0.93827208816,
        "Z": 91.1876,
    }
)  # GeV

WIDTH: Mapping[str, float] = MappingProxyType(
    {
        "eta": 1.31e-6,
        "eta'": 1.88e-4,
        "rho0": 0.1474,
        "rho+": 0.1491,
        "omega": 8.68e-3,
        "phi": 4.249e-3,
        "a1+": 0.420,
        "J/psi": 9.26e-5,
        "psi(2S)": 2.93e-4,
        "psi(3770)": 2.72e-2,
        "Upsilon(1S)": 5.40e-5,
        "Upsilon(2S)": 3.20e-5,
        "Upsilon(3S)": 2.03e-5,
        "Upsilon(4S)": 2.05e-2,
        "Z": 2.4955,
    }
)  # total, GeV

# width into e+e-, GeV. Status: recalled (Particle Data Group), never a test value
ELECTRONIC_WIDTH: Mapping[str, float] = MappingProxyType(
    {
        "rho0": 7.04e-6,
        "omega": 0.60e-6,
        "phi": 1.27e-6,
        "J/psi": 5.5e-6,
        "psi(2S)": 2.33e-6,
        "psi(3770)": 0.26e-6,
        "Upsilon(1S)": 1.34e-6,
        "Upsilon(2S)": 0.612e-6,
        "Upsilon(3S)": 0.443e-6,
        "Upsilon(4S)": 0.272e-6,
    }
)

CTAU: Mapping[str, float] = MappingProxyType({"pi+": 780.45, "K+": 371.1})  # cm

# fmt: off
_CODES: Mapping[str, int] = MappingProxyType(
    {
        # Monte Carlo numbering scheme of the Particle Data Group
        "e-": 11, "e+": -11, "mu-": 13, "mu+": -13, "tau-": 15, "tau+": -15,
        "nu_e": 12, "anti-nu_e": -12, "nu_mu": 14, "anti-nu_mu": -14,
        "nu_tau": 16, "anti-nu_tau": -16, "gamma": 22, "Z": 23,
        "pi0": 111, "pi+": 211, "pi-": -211, "eta": 221, "eta'": 331,
        "K_L0": 130, "K_S0": 310, "K0": 311, "anti-K0": -311, "K+": 321, "K-": -321,
        "rho0": 113, "rho+": 213, "rho-": -213, "omega": 223, "phi": 333,
        "a1+": 20213, "a1-": -20213,
        "J/psi": 443, "psi(2S)": 100443, "psi(3770)": 30443,
        "Upsilon(1S)": 553, "Upsilon(2S)": 100553,
        "Upsilon(3S)": 200553, "Upsilon(4S)": 300553,
        "p": 2212, "anti-p": -2212,
        # Z'0 in basf2 framework/particledb/data/evt.pdl, as in the scheme; basf2's
        # generators/madgraph/models/Lmu_minus_Ltau_UFO writes 26
        "Z'": 32,
        # basf2 generators/madgraph/models/Dark_photon_UFO: Ap, DM
        "A'": 4900023, "chi": 4900101, "anti-chi": -4900101,
        # basf2 generators/madgraph/models/ALP_UFO and skim/scripts/skim/WGs/dark.py
        "a": 9000006,
        # basf2 simulation/examples/MonopolePair.py
        "M": 99666, "anti-M": -99666,
        # not found in basf2: our choice of codes 99xxxxx that the scheme leaves free
        "S": 9900025, "X": 9900026, "h'": 9900035,
        "chi2": 9900101, "anti-chi2": -9900101,
    }
)
# fmt: on
_NAMES: Mapping[int, str] = MappingProxyType({code: n for n, code in _CODES.items()})

# names of particles, and of lepton flavours (the negative one), to their codes
PDG: Mapping[str, int] = MappingProxyType(
    {**_CODES, "e": _CODES["e-"], "mu": _CODES["mu-"], "tau": _CODES["tau-"]}
)

ZPRIME = PDG["Z'"]

BR_TAU_MU = 0.1739  # tau -> mu nu nu


def code_of(name: str) -> int:
    """Return the PDG code of a particle.

    Raises
    ------
    UnknownName
        If no particle has this name.

    Examples
    --------
    >>> code_of("mu+")
    -13
    """
    if name not in PDG:
        kind = "particle"
        raise UnknownName(kind, name, PDG)
    return PDG[name]


def name_of(code: int) -> str:
    """Return the name of the particle with a PDG code.

    Raises
    ------
    OutOfDomain
        If no particle has this code.

    Examples
    --------
    >>> name_of(-13)
    'mu+'
    """
    if code not in _NAMES:
        known = ", ".join(f"{number} ({name})" for number, name in _NAMES.items())
        msg = f"no particle has the PDG code {code}; use one of: {known}."
        raise OutOfDomain(msg)
    return _NAMES[code]


def mass_of(code: int) -> float:
    """Return the mass of a particle of the Standard Model, GeV.

    Raises
    ------
    OutOfDomain
        If the code is unknown or of a particle whose mass a model gives.

    Examples
    --------
    >>> mass_of(-13) == MASS["mu"]
    True
    """
    name = name_of(abs(code)).rstrip("-")
    if name == "gamma" or name.startswith("nu_"):
        return 0.0
    if name not in MASS:
        msg = (
            f"{name_of(code)} has no mass of its own; its model gives it. Particles with "
            f"a mass are: {', '.join(MASS)}."
        )
        raise OutOfDomain(msg)
    return MASS[name]


def charge_squared() -> float:
    """Return e² = 4πα, dimensionless (Heaviside-Lorentz units)."""
    return 4 * pi * ALPHA
