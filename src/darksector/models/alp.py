"""Axion-like particle that couples to electroweak gauge bosons.

References: arXiv:1709.00009 (Belle II sensitivity; resolved, merged, invisible decays).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import asin, pi, sqrt
from types import MappingProxyType
from typing import ClassVar, final

from darksector.errors import OutOfDomain, UnknownName
from darksector.models._widths import require_pair, require_positive, velocity
from darksector.models.base import Model
from darksector.particles import MASS, SIN2_THETA_W

_TAN = sqrt(SIN2_THETA_W / (1 - SIN2_THETA_W))

# which gauge field couples: g_aγZ / g_aγγ for L = -(g_aγγ/4) a F F̃ - (g_aγZ/4) a F Z̃.
# With c_B, c_W of the hypercharge and SU(2) fields: g_aγγ = (c_B cos² + c_W sin²)/f,
# g_aγZ = sin 2θ_W (c_W - c_B)/f (derived, physics/alp-monopole.md section 1.1)
BENCHMARKS: Mapping[str, float] = MappingProxyType(
    {"photon": 0.0, "hypercharge": -2 * _TAN, "su2": 2 / _TAN}
)


@final
@dataclass(frozen=True)
class Alp(Model):
    r"""Pseudoscalar a with :math:`L = -\frac{g_{a\gamma\gamma}}{4} a F \tilde F`.

    Parameters
    ----------
    mass
        Mass of the a, GeV.
    g_agg
        Coupling to photons, GeV⁻¹.
    benchmark
        ``photon`` (no a γ Z vertex), ``hypercharge`` or ``su2``: fixes `g_agz`.
    yukawa
        Coupling y of a Dirac fermion, :math:`L = i y a \bar\chi\gamma^5\chi`.
    dark_mass
        Mass of this fermion, GeV; None for none.

    Raises
    ------
    OutOfDomain
        If mass or g_agg is not positive, or the dark matter is given by halves.
    UnknownName
        If there is no such benchmark.
    """

    mass: float
    g_agg: float
    benchmark: str = "photon"
    yukawa: float = 0.0
    dark_mass: float | None = None

    title: ClassVar[str] = "axion-like particle"
    coupling: ClassVar[str] = "g_agg"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1709.00009",)
    invisible: ClassVar[frozenset[str]] = frozenset({"chi chi"})

    def __post_init__(self) -> None:
        require_positive("Alp", mass=self.mass, g_agg=self.g_agg)
        require_pair("Alp", self.dark_mass, yukawa=self.yukawa)
        if self.benchmark not in BENCHMARKS:
            kind = "electroweak benchmark"
            raise UnknownName(kind, self.benchmark, BENCHMARKS)

    @classmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the names of all decay channels, open or closed."""
        return ("gamma gamma", "chi chi")

    def partial_widths(self) -> Mapping[str, float]:
        r"""Return the widths to photons and dark matter, GeV.

        .. math:: \Gamma_{\gamma\gamma} = \frac{g_{a\gamma\gamma}^2 m^3}{64\pi}, \quad
                  \Gamma_{\chi\chi} = \frac{y^2 m}{8\pi}\sqrt{1-4r^2}

        Sources: arXiv:1709.00009; the second is the textbook width of a pseudoscalar.
        """
        widths = {"gamma gamma": self.g_agg**2 * self.mass**3 / (64 * pi)}
        if self.dark_mass is not None:
            beta = velocity(self.mass, self.dark_mass)
            if beta > 0:
                widths["chi chi"] = self.yukawa**2 * self.mass / (8 * pi) * beta
        return widths

    @property
    def g_agz(self) -> float:
        """Coupling to a photon and a Z, GeV⁻¹, in the benchmark."""
        return BENCHMARKS[self.benchmark] * self.g_agg

    def z_width(self) -> float:
        r"""Return the width of Z → γ a, GeV.

        .. math:: \Gamma = \frac{g_{a\gamma Z}^2 m_Z^3}{384\pi}
                  \left(1 - \frac{m^2}{m_Z^2}\right)^3

        Notes
        -----
        Papers that write a factor 1/2 instead of 1/4 before :math:`a F \tilde Z` have
        96 in the place of 384.
        """
        closed = self.mass >= MASS["Z"]
        phase_space = 0.0 if closed else (1 - (self.mass / MASS["Z"]) ** 2) ** 3
        return self.g_agz**2 * MASS["Z"] ** 3 / (384 * pi) * phase_space

    def energy_cms(self, sqrt_s: float) -> float:
        """Return the energy of the a in e⁺e⁻ → γ a, centre-of-mass frame, GeV.

        Raises
        ------
        OutOfDomain
            If the collision energy, GeV, is not above the mass.
        """
        if not self.mass < sqrt_s:
            msg = (
                f"e+e- -> gamma a needs a collision energy above the mass {self.mass:g} "
                f"GeV, got {sqrt_s}."
            )
            raise OutOfDomain(msg)
        return (sqrt_s**2 + self.mass**2) / (2 * sqrt_s)

    def energy_lab(self, sqrt_s: float, cos_theta_cms: float, beta: float) -> float:
        """Return the energy of the a in the laboratory, GeV.

        Parameters
        ----------
        sqrt_s
            Collision energy, GeV.
        cos_theta_cms
            Cosine of the angle between the a and the boost, centre-of-mass frame.
        beta
            Velocity of the centre of mass in the laboratory, in units of c.
        """
        energy = self.energy_cms(sqrt_s)
        momentum = sqrt((energy - self.mass) * (energy + self.mass))
        return (energy + beta * momentum * cos_theta_cms) / sqrt(1 - beta**2)

    def opening_angle(self, energy: float) -> float:
        """Return the smallest opening angle of the two photons, rad, at an energy, GeV.

        The decay into equal energies has it: 2 arcsin(m/E).

        Raises
        ------
        OutOfDomain
            If the energy is below the mass.
        """
        if not energy >= self.mass:
            msg = f"energy {energy} GeV is below the mass {self.mass:g} GeV of the ALP."
            raise OutOfDomain(msg)
        return 2 * asin(self.mass / energy)


MODEL = Alp
