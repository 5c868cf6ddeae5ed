"""Magnetic monopole M of spin 1/2: stable, and bent along the magnetic field.

References: arXiv:1511.02200, arXiv:1807.09606 (charge e), arXiv:1803.08453 (couplings).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, final

from darksector.errors import OutOfDomain, UnknownName
from darksector.models._widths import require_positive
from darksector.models.base import Model
from darksector.particles import ALPHA

# coupling convention: velocity factor of pair production, of the velocity β of each
# monopole.  A charge that couples like the electric one of a Dirac fermion; the same
# times β (arXiv:1803.08453); an axial-like coupling
CONVENTIONS: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "dirac": lambda beta: beta * (3 - beta**2) / 2,
        "beta2": lambda beta: beta**3 * (3 - beta**2) / 2,
        "beta3": lambda beta: beta**3,
    }
)


@final
@dataclass(frozen=True)
class Monopole(Model):
    """Electrically neutral fermion with a magnetic charge.

    Parameters
    ----------
    mass
        Mass of the M, GeV.
    magnetic_charge
        Magnetic charge in units of the electric charge e; 68.5 is Dirac's.
    convention
        Coupling to the photon: ``dirac``, ``beta2`` (charge times velocity) or
        ``beta3`` (axial-like).

    Raises
    ------
    OutOfDomain
        If mass or charge is not positive.
    UnknownName
        If there is no such convention.

    Notes
    -----
    No field theory of monopoles at these couplings is agreed on: the convention is a
    declared assumption, and differs most at threshold.
    """

    mass: float
    magnetic_charge: float
    convention: str = "beta2"

    title: ClassVar[str] = "magnetic monopole"
    coupling: ClassVar[str] = "magnetic_charge"
    references: ClassVar[tuple[str, ...]] = (
        *("arXiv:1511.02200", "arXiv:1807.09606"),
        "arXiv:1803.08453",
    )
    invisible: ClassVar[frozenset[str]] = frozenset()
    leaves_trace: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive(
            "Monopole", mass=self.mass, magnetic_charge=self.magnetic_charge
        )
        if self.convention not in CONVENTIONS:
            kind = "coupling convention"
            raise UnknownName(kind, self.convention, CONVENTIONS)

    @classmethod
    def channels(cls) -> tuple[str, ...]:
        """Return no decay channel: magnetic charge is conserved."""
        return ()

    def partial_widths(self) -> Mapping[str, float]:
        """Return no width: the monopole is stable."""
        return {}

    @property
    def alpha_magnetic(self) -> float:
        """Return the magnetic fine-structure constant α (g/e)², dimensionless."""
        return ALPHA * self.magnetic_charge**2

    def velocity_factor(self, beta: float) -> float:
        """Return the factor of σ(e⁺e⁻→MM̄)/(4πα α_g/3s) at a velocity, dimensionless.

        Raises
        ------
        OutOfDomain
            If the velocity is outside [0, 1].
        """
        if not 0 <= beta <= 1:
            msg = f"a velocity must be within [0, 1], in units of c, got {beta}."
            raise OutOfDomain(msg)
        return CONVENTIONS[self.convention](beta)


MODEL = Monopole
