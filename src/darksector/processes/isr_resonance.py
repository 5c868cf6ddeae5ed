"""e+e- -> gamma V: radiative return to a narrow vector meson."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import ClassVar, final

from darksector.errors import UnknownName
from darksector.particles import ELECTRONIC_WIDTH, MASS, PDG
from darksector.processes._recoil import ME, PhotonRecoil, VectorGamma

RESONANCES = ("rho0", "omega", "phi", "J/psi", "psi(2S)")


@final
@dataclass(frozen=True)
class IsrResonance(VectorGamma):
    r"""e+e- -> gamma V with massive electrons and the meson on its mass shell.

    The coupling to electrons is that of the width into them,

    .. math:: \Gamma_{ee} = \frac{g^2 m}{12\pi} (1+2r^2) \sqrt{1-4r^2}, \quad r = m_e/m.

    Parameters
    ----------
    resonance
        ``rho0``, ``omega``, ``phi``, ``J/psi`` or ``psi(2S)``.
    isr
        Whether the beams radiate further, collinear photons.
    photon_energy_min
        Smallest photon energy in the rest frame of the hard collision, as a fraction of
        the beam energy there.
    photon_angle_min
        Smallest angle of the photon with either beam in the same frame, rad; 0 for all
        angles, which leaves no room for `isr`.

    Raises
    ------
    UnknownName
        If there is no such resonance.
    """

    resonance: str = "J/psi"
    isr: bool = True
    photon_energy_min: float = 0.01
    photon_angle_min: float = 0.1

    title: ClassVar[str] = "e+e- -> gamma V, radiative return"
    references: ClassVar[tuple[str, ...]] = ("doi:10.1093/ptep/ptac097",)

    def __post_init__(self) -> None:
        PhotonRecoil.__post_init__(self)
        if self.resonance not in RESONANCES:
            kind = "resonance"
            raise UnknownName(kind, self.resonance, RESONANCES)

    @property
    def final_state(self) -> tuple[int, ...]:  # type: ignore[override]
        """Codes of the photon and the meson."""
        return (PDG["gamma"], PDG[self.resonance])

    def parameters(self) -> dict[str, float]:
        """Return the mass, GeV, the coupling to electrons and the photon's cuts."""
        mass = MASS[self.resonance]
        r2 = (ME / mass) ** 2
        unit = mass / (12 * pi) * (1 + 2 * r2) * sqrt(1 - 4 * r2)
        coupling = sqrt(ELECTRONIC_WIDTH[self.resonance] / unit)
        numbers = {"mass": mass, "coupling": coupling}
        return {**PhotonRecoil.parameters(self), **numbers}

    def conventions(self) -> dict[str, str]:
        """Add the coupling of the meson, and that it has no width here."""
        width = ELECTRONIC_WIDTH[self.resonance]
        coupling = f"alpha(0); Γ(V→ee) = {1e6 * width:.4g} keV at the meson"
        narrow = f"zero: {self.resonance} on its mass shell"
        own = {"coupling": coupling, "width": narrow}
        return {**PhotonRecoil.conventions(self), **own}


PROCESS = IsrResonance
