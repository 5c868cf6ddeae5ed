"""What the processes through one annihilation photon share: a pair of leptons."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin
from typing import ClassVar, final

import jax

from darksector.amplitudes.qed import annihilation_sum
from darksector.amplitudes.spinors import antifermion_out, current, fermion_out
from darksector.amplitudes.vacuum import photon_denominator
from darksector.kinematics import Momentum, squared
from darksector.particles import MASS, charge_squared
from darksector.phasespace.channels import Channel, Masses, Split
from darksector.phasespace.two_body import Pair
from darksector.processes._unresolved import (
    initial_emission,
    require_resolution,
    unresolved_share,
)
from darksector.processes.base import Kernel, Parameters, Process


class PairKernel(Kernel):
    """The compiled parts; a subclass names the lepton."""

    lepton: ClassVar[str]

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the mass of the lepton twice, GeV."""
        del parameters
        return (MASS[cls.lepton],) * 2

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return the isotropic channel."""
        del parameters
        return ((Split((0,), (1,)),),)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the one diagram, dimensionless."""
        minus, plus = final
        mass = MASS[cls.lepton]
        legs = [fermion_out(minus, mass), antifermion_out(plus, mass)]
        s = squared(beams.first + beams.second)
        q2 = photon_denominator(s, parameters["running"])
        msq = (charge_squared() / q2) ** 2 / 4 * annihilation_sum(current, beams, legs)
        return msq * cls.share(s, parameters)

    @classmethod
    def share(cls, s: jax.Array, parameters: Parameters) -> jax.Array | float:
        """Return the share of pairs that belong to the process."""
        del s, parameters
        return 1.0


class _Unresolved(PairKernel):
    """Pairs without a resolved photon."""

    @classmethod
    def share(cls, s: jax.Array, parameters: Parameters) -> jax.Array:
        """Return the share of pairs without a resolved photon."""
        return unresolved_share(s, MASS[cls.lepton], parameters)


@final
class _UnresolvedMuons(_Unresolved):
    lepton: ClassVar[str] = "mu"


@final
class _UnresolvedTaus(_Unresolved):
    lepton: ClassVar[str] = "tau"


_UNRESOLVED = {kernel.lepton: kernel for kernel in (_UnresolvedMuons, _UnresolvedTaus)}


@dataclass(frozen=True)
class LeptonPair(PairKernel, Process):
    """e+e- -> l- l+ through one photon; a leaf names the lepton.

    Parameters
    ----------
    isr
        Whether the beams radiate.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    photon_energy_min, photon_angle_min
        Both absent: all photons are counted here.  Both given: only pairs without a
        photon above this fraction of the beam energy and this angle to both beams, rad,
        in the rest frame of the hard collision; `dimuon_gamma` and `ditau_gamma` with
        the same numbers have the others (docs/decisions/0008).

    Raises
    ------
    OutOfDomain
        If one of the two is given without the other, or one is out of bounds.
    """

    isr: bool = True
    running_alpha: bool = False
    photon_energy_min: float | None = None
    photon_angle_min: float | None = None

    def __post_init__(self) -> None:
        require_resolution(self.photon_energy_min, self.photon_angle_min)

    def kernel(self) -> type[Kernel]:
        """Return the compiled parts: of all pairs or of those without photons."""
        inclusive = self.photon_energy_min is None
        return type(self) if inclusive else _UNRESOLVED[self.lepton]

    def parameters(self) -> dict[str, float]:
        """Return whether the coupling runs, 0 or 1, and which photons are resolved."""
        numbers = {"running": float(self.running_alpha)}
        energy, angle = self.photon_energy_min, self.photon_angle_min
        if energy is None or angle is None:
            return numbers
        beams = initial_emission(energy, angle)
        veto = {"v_min": energy, "cos_max": cos(angle), "initial_emission": beams}
        return {**numbers, **veto}

    def isr_scale(self, s: float) -> float:
        """Return s, or the scale that ends where photons are resolved, GeV²."""
        angle = self.photon_angle_min
        return s if angle is None else s * sin(angle / 2) ** 2

    def conventions(self) -> dict[str, str]:
        """Add which photons are left to the processes that resolve them."""
        if self.photon_energy_min is None:
            return Process.conventions(self)
        veto = (
            f"none with 2 E*/sqrt(s) > {self.photon_energy_min:g} and an angle to the "
            f"beams > {self.photon_angle_min:g} rad; share of pairs to O(alpha)"
        )
        return {**Process.conventions(self), "photon": veto}
