"""What every model of a mediator gives."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import ClassVar

from darksector.errors import UnknownName
from darksector.units import HBARC_GEV_CM


class Model(abc.ABC):
    """A mediator with a mass, a coupling and partial widths.

    Subclasses are frozen dataclasses; `coupling` names the field that scales every
    width quadratically, so that branching fractions do not depend on it.
    """

    mass: float
    title: ClassVar[str]
    coupling: ClassVar[str]
    references: ClassVar[tuple[str, ...]]
    invisible: ClassVar[frozenset[str]]

    @abc.abstractmethod
    def partial_widths(self) -> Mapping[str, float]:
        """Return the partial width of every open channel, GeV."""

    @property
    def width(self) -> float:
        """Total width, GeV."""
        return sum(self.partial_widths().values())

    @property
    def ctau(self) -> float:
        """Mean proper decay length, cm."""
        return HBARC_GEV_CM / self.width

    def branching_fraction(self, *channels: str) -> float:
        """Return the summed branching fraction of some channels; 0 for closed ones.

        Raises
        ------
        UnknownName
            If a name is not a channel of the model at any mass.
        """
        widths = self.partial_widths()
        for name in channels:
            if name not in self.channels():
                msg = "decay channel"
                raise UnknownName(msg, name, self.channels())
        return sum(widths.get(name, 0.0) for name in channels) / sum(widths.values())

    def invisible_fraction(self) -> float:
        """Return the branching fraction to final states that leave no trace."""
        return self.branching_fraction(*sorted(self.invisible))

    @classmethod
    @abc.abstractmethod
    def channels(cls) -> tuple[str, ...]:
        """Return the names of all decay channels, open or closed."""
