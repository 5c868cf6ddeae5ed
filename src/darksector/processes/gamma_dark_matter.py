"""e+e- -> gamma A'* -> gamma and dark matter, or leptons: any mass and width of the A'."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar, final

import jax

from darksector.errors import OutOfDomain, UnknownName
from darksector.kinematics import Momentum
from darksector.models.dark_photon import DarkPhoton
from darksector.particles import MASS, PDG, charge_squared
from darksector.phasespace.two_body import Pair
from darksector.processes._mediated import FermionPair, MediatedPair, ScalarPair
from darksector.processes._recoil import PhotonRecoil
from darksector.processes.base import Kernel, Parameters

LEPTONS = ("e", "mu", "tau")
_PAIRS = {"majorana": ("chi", "chi"), "pseudo_dirac": ("chi", "chi2")}
_NARROWEST = 1e-9  # GeV² of mass times width that momenta of double precision resolve
_FAR = 1e-12  # GeV^-2: least mass times width over mass⁴ of the map of s'


@final
@dataclass(frozen=True)
class GammaDarkMatter(MediatedPair, PhotonRecoil):
    r"""e+e- -> gamma A'* with massive electrons (arXiv:1309.5084, arXiv:0906.0580).

    .. math:: \frac{1}{(s'-m^2)^2 + m^2\Gamma^2}, \quad \Gamma = \Gamma_{A'}(m)

    is the propagator squared.  The photon comes from the beams; for leptons this is the
    signal alone, without its interference with radiation off them or with photons.

    Parameters
    ----------
    model
        The dark photon, with its width and its dark matter.
    product
        ``chi``, or ``e``, ``mu``, ``tau``; None for chi where the model has dark matter
        and for mu where it has none.
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
        If there is no such product.
    OutOfDomain
        If the model has no dark matter to produce, a cut is outside of its range, or the
        A' is too narrow.
    """

    model: DarkPhoton
    product: str | None = None
    isr: bool = True
    photon_energy_min: float = 0.01
    photon_angle_min: float = 0.1

    title: ClassVar[str] = "e+e- -> gamma A'*, A'* -> dark matter or leptons"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1309.5084", "arXiv:0906.0580")
    needs_model: ClassVar[bool] = True

    def __post_init__(self) -> None:
        PhotonRecoil.__post_init__(self)
        if self.product not in (None, "chi", *LEPTONS):
            kind = "product of the A'"
            raise UnknownName(kind, self.product, ("chi", *LEPTONS))
        if self.product == "chi" and self.model.dark_matter == "none":
            msg = (
                "product 'chi' needs dark matter, got a model with dark_matter 'none'."
            )
            raise OutOfDomain(msg)
        scale = self.model.mass * self.model.width
        if self.model.mass > sum(self._masses()) and scale < _NARROWEST:
            msg = (
                f"an A' of mass {self.model.mass:g} and width {self.model.width:.3g} GeV "
                f"is too narrow: mass times width must be at least {_NARROWEST:g} GeV²; "
                "take the process gamma_aprime."
            )
            raise OutOfDomain(msg)

    @property
    def final_state(self) -> tuple[int, ...]:  # type: ignore[override]
        """Codes of the photon and the pair."""
        if self._dark:
            names = _PAIRS.get(self.model.dark_matter, ("chi", "anti-chi"))
        else:
            names = (f"{self._lepton}-", f"{self._lepton}+")
        return (PDG["gamma"], *(PDG[name] for name in names))

    def kernel(self) -> type[Kernel]:
        """Return the amplitude of scalars or of fermions."""
        scalars = self._dark and self.model.dark_matter == "scalar"
        return ScalarPair if scalars else FermionPair

    def parameters(self) -> dict[str, float]:
        """Return masses, widths, couplings and cuts.

        Where the A' is off its mass shell, the map of s' is wider than the A': it follows
        the tail, which a narrow one would not resolve.
        """
        mass, width = self.model.mass, self.model.width
        first, second = self._masses()
        axial = self._dark and self.model.dark_matter == "majorana"
        electric2 = charge_squared() * self.model.epsilon**2
        dark2 = 4 * pi * self.model.alpha_dark
        return {
            **PhotonRecoil.parameters(self),
            "mass": mass,
            "width": width,
            "map_width": max(mass * width, _NARROWEST, _FAR * mass**4) / mass,
            "mass_first": first,
            "mass_second": second,
            "left": -1.0 if axial else 1.0,
            "coupling2": electric2 * (dark2 if self._dark else electric2),
        }

    def conventions(self) -> dict[str, str]:
        """Add the width and the pair."""
        kind = f"dark matter, {self.model.dark_matter}"
        leptons = f"{self._lepton}+ {self._lepton}-, signal only"
        return {
            **PhotonRecoil.conventions(self),
            "width": f"constant in the propagator, {self.model.width:.6g} GeV",
            "pair": kind if self._dark else leptons,
        }

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² for fermions, GeV^-2."""
        return FermionPair.squared_amplitude(beams, final, parameters)

    @property
    def _dark(self) -> bool:
        return self.model.dark_matter != "none" and self.product in (None, "chi")

    @property
    def _lepton(self) -> str:
        return self.product or "mu"

    def _masses(self) -> tuple[float, float]:
        if not self._dark:
            return (MASS[self._lepton], MASS[self._lepton])
        return (self.model.chi_mass, self.model.chi_mass + self.model.splitting)


PROCESS = GammaDarkMatter
