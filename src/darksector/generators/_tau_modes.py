"""The decay modes of the tau: products, branching fractions, models.

Branching fractions: Particle Data Group, PTEP 2022 083C01 (doi:10.1093/ptep/ptac097),
constrained fit; the comment names the PDG identifier, "ex. K0" where it says so.  The
edition of 2026 agrees within its errors.  Together they are 97.3 % of all decays; kaons
with more pions and five hadrons are left out.

Model per mode: V-A with massless neutrinos, exact, for e, mu, pi, K; exact up to a
declared form factor for rho, Kpi0, piKS, piKL (vector resonances) and pi2pi0, 3pi (a1);
phase space without spin correlation for 3pipi0 and pi3pi0.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from darksector.generators._tau_mesons import Leptonic, Mode, OneMeson, TwoMesons
from darksector.generators._tau_pions import FourPions, ThreePions
from darksector.generators._tau_spectra import RHO, Resonance
from darksector.particles import BR_TAU_MU, MASS, PDG

_PI, _PI0, _K, _NU = (PDG[name] for name in ("pi-", "pi0", "K-", "nu_tau"))
_KS, _KL = PDG["K_S0"], PDG["K_L0"]
SELF_CONJUGATE = frozenset({_PI0, _KS, _KL})

_M_PI, _M_PI0 = MASS["pi+"], MASS["pi0"]
_M_K, _M_K0 = MASS["K+"], MASS["K0"]
_K_STAR = (Resonance(0.8955, 0.0462),)  # GeV, K*(892)± in tau decays, PTEP 2022 083C01
_BR_PI_K0 = 0.00838  # S035.117; half of it as K_S, half as K_L

MODES: Mapping[str, Mode] = MappingProxyType(
    {
        "e": Leptonic((PDG["e"], -PDG["nu_e"], _NU), 0.1782, "e"),  # S035.2
        "mu": Leptonic((PDG["mu"], -PDG["nu_mu"], _NU), BR_TAU_MU, "mu"),  # S035.1
        "pi": OneMeson((_PI, _NU), 0.1082, _M_PI),  # S035.12
        "K": OneMeson((_K, _NU), 0.00696, _M_K),  # S035.7
        "rho": TwoMesons((_PI, _PI0, _NU), 0.2549, (_M_PI, _M_PI0), RHO),  # S035.16
        "Kpi0": TwoMesons(
            (_K, _PI0, _NU), 0.00433, (_M_K, _M_PI0), _K_STAR
        ),  # S035.182
        "piKS": TwoMesons((_PI, _KS, _NU), _BR_PI_K0 / 2, (_M_PI, _M_K0), _K_STAR),
        "piKL": TwoMesons((_PI, _KL, _NU), _BR_PI_K0 / 2, (_M_PI, _M_K0), _K_STAR),
        # S035.201, ex. K0
        "pi2pi0": ThreePions((_PI0, _PI0, _PI, _NU), 0.0926, _M_PI0, _M_PI),
        # S035.258, ex. K0
        "3pi": ThreePions((_PI, _PI, -_PI, _NU), 0.0902, _M_PI, _M_PI),
        # S035.262, ex. K0
        "3pipi0": FourPions(
            (_PI, _PI, -_PI, _PI0, _NU), 0.0449, (_M_PI, _M_PI, _M_PI, _M_PI0)
        ),
        # S035.203, ex. K0
        "pi3pi0": FourPions(
            (_PI, _PI0, _PI0, _PI0, _NU), 0.0104, (_M_PI, _M_PI0, _M_PI0, _M_PI0)
        ),
    }
)
