"""What every model of a mediator gives."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from math import inf, sqrt
from typing import ClassVar

from darksector.errors import OutOfDomain, UnknownName
from darksector.units import HBARC_GEV_CM


class Model(abc.ABC):
    """A new particle with a mass, a coupling and partial widths.

    Subclasses are frozen dataclasses; `coupling` names the field that scales every
    width into known particles quadratically, so that their ratios do not depend on it.
    A particle without an open channel is stable: no width, an infinite decay length.
    """

    mass: float
    title: ClassVar[str]
    coupling: ClassVar[str]
    references: ClassVar[tuple[str, ...]]
    invisible: ClassVar[frozenset[str]]
    leaves_trace: ClassVar[bool] = False  # whether the particle itself is detected

    @abc.abstractmethod
    def partial_widths(self) -> Mapping[str, float]:
        """Return the partial width of every open channel, GeV."""

    @property
    def width(self) -> float:
        """Total width, GeV."""
        return float(sum(self.partial_widths().values()))

    @property
    def ctau(self) -> float:
        """Mean proper decay length, cm; infinite for a stable particle."""
        width = self.width
        return HBARC_GEV_CM / width if width > 0 else inf

    def decay_length(self, energy: float) -> float:
        r"""Return the mean decay length :math:`(|p|/m)\, c\tau`, cm, at an energy, GeV.

        Raises
        ------
        OutOfDomain
            If the energy is not above the mass.
        """
        if not self.mass < energy < inf:
            msg = (
                f"a decay length needs a finite energy above the mass {self.mass:g} GeV, "
                f"got {energy}."
            )
            raise OutOfDomain(msg)
        momentum = sqrt((energy - self.mass) * (energy + self.mass))
        return momentum / self.mass * self.ctau

    def branching_fraction(self, *channels: str) -> float:
        """Return the summed branching fraction of some channels; 0 for closed ones.

        Raises
        ------
        UnknownName
            If a name is not a channel of the model at any mass.
        """
        for name in channels:
            if name not in self.channels():
                msg = "decay channel"
                raise UnknownName(msg, name, self.channels())
        widths = self.partial_widths()
        total = sum(widths.values())
        found = sum(widths.get(name, 0.0) for name in channels)
        return found / total if total > 0 else 0.0

    def invisible_fraction(self) -> float:
        """Return the fraction of these particles that leave no trace.

        A stable particle always or never does, as `leaves_trace` says.
        """
        if not self.partial_widths():
            return 0.0 if self.leaves_trace else 1.0
        return self.branching_fraction(*sorted(self.invisible))

    @classmethod
    @abc.abstractmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the names of all decay channels, open or closed."""
