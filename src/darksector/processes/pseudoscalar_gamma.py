"""e+e- -> gamma P with a light pseudoscalar meson, at the asymptotic form factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import ClassVar, final

from darksector.errors import OutOfDomain, UnknownName
from darksector.particles import MASS, PDG, charge_squared
from darksector.processes._pseudoscalar import PhotonToPseudoscalar

# q²|F(q²)|, GeV. η and η': measured at q² = 112 GeV² (arXiv:hep-ex/0605018);
# π⁰: 2 f_π, the limit of large q² (not measured in annihilation)
FORM_FACTOR: Mapping[str, float] = MappingProxyType(
    {"pi0": 0.185, "eta": 0.229, "eta'": 0.251}
)


@final
@dataclass(frozen=True)
class PseudoscalarGamma(PhotonToPseudoscalar):
    r"""e+e- -> gamma P with the form factor F(s) = c/s.

    .. math:: \frac{d\sigma}{d\cos\theta} = \frac{\pi^2\alpha^3}{4}
              \left(1-\frac{m^2}{s}\right)^3 |F(s)|^2\, (1+\cos^2\theta)

    Parameters
    ----------
    meson
        ``pi0``, ``eta`` or ``eta'``.
    isr
        Whether the beams radiate.
    running_alpha
        Whether the photon propagator carries the vacuum polarisation.
    mass_min
        Smallest mass of the final state, GeV.

    Raises
    ------
    UnknownName
        If there is no form factor of this meson.
    OutOfDomain
        If the smallest mass is not above that of the meson.

    Notes
    -----
    The form factor holds for large s only.  Returns to smaller masses, where vector
    mesons take over, belong to the process isr_resonance.
    """

    meson: str = "pi0"
    isr: bool = True
    running_alpha: bool = False
    mass_min: float = 5.0

    title: ClassVar[str] = "e+e- -> gamma P, P a pseudoscalar meson"
    references: ClassVar[tuple[str, ...]] = ("arXiv:hep-ex/0605018",)

    def __post_init__(self) -> None:
        if self.meson not in FORM_FACTOR:
            kind = "pseudoscalar meson"
            raise UnknownName(kind, self.meson, FORM_FACTOR)
        if not MASS[self.meson] < self.mass_min < inf:
            msg = (
                f"mass_min must be finite and above the mass of the {self.meson}, "
                f"{MASS[self.meson]:.4g} GeV, got {self.mass_min}."
            )
            raise OutOfDomain(msg)

    def threshold(self) -> float:
        """Return the smallest mass of the final state, GeV."""
        return self.mass_min

    @property
    def final_state(self) -> tuple[int, ...]:  # type: ignore[override]
        """Codes of the photon and the meson."""
        return (PDG["gamma"], PDG[self.meson])

    def parameters(self) -> dict[str, float]:
        """Return the mass, GeV, and e² q²F, GeV: a coupling g = e²F to photons."""
        return {
            "mass": MASS[self.meson],
            "coupling": charge_squared() * FORM_FACTOR[self.meson],
            "falling": 1.0,
            "running": float(self.running_alpha),
        }

    def conventions(self) -> dict[str, str]:
        """Add the form factor, and from where on it holds."""
        law = f"F(s) = {FORM_FACTOR[self.meson]:g} GeV / s, √s > {self.mass_min:g} GeV"
        return {**PhotonToPseudoscalar.conventions(self), "form factor": law}


PROCESS = PseudoscalarGamma
