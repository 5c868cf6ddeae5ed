"""Named relative uncertainties of a counting experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from darksector.errors import InvalidCard


@final
@dataclass(frozen=True)
class Systematic:
    """One nuisance parameter, fully correlated between signal and background.

    A yield moves by the factor ``(1 + size)**alpha`` with ``alpha`` normal: the
    log-normal of HistFactory's ``normsys``, which never makes a yield negative.

    Parameters
    ----------
    name
        Name of the nuisance parameter.
    signal, background
        Relative size on the signal and on every background; 0 where it does not act.
    source
        Where the numbers come from.

    Raises
    ------
    InvalidCard
        If a size is negative or not finite.
    """

    name: str
    signal: float
    background: float
    source: str

    def __post_init__(self) -> None:
        for size in (self.signal, self.background):
            if not 0 <= size < float("inf"):
                msg = f"systematic {self.name!r} has size {size}; sizes are >= 0."
                raise InvalidCard(msg)


@final
@dataclass(frozen=True)
class Uncertainty:
    """Relative uncertainty of one background component, and where it comes from.

    Those of one source move together.

    Raises
    ------
    InvalidCard
        If the size is not positive and finite.
    """

    size: float
    source: str

    def __post_init__(self) -> None:
        if not 0 < self.size < float("inf"):
            msg = f"an uncertainty has the size {self.size}; leave out what is known."
            raise InvalidCard(msg)
