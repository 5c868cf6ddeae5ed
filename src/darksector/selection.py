"""Cuts, and the cuts whose thresholds are optimised per mass."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import jax

from darksector.detectors.card import Detector
from darksector.detectors.objects import Candidates
from darksector.errors import InvalidCard

Mask = jax.Array


@final
@dataclass(frozen=True)
class Cut:
    """A declared cut; the docstring of `passes` is its row in the report.

    Parameters
    ----------
    label
        Heads the row of the cutflow.
    passes
        Candidates and detector to the mask of those that stay.

    Raises
    ------
    InvalidCard
        If `passes` has no docstring.
    """

    label: str
    passes: Callable[[Candidates, Detector], Mask]

    def __post_init__(self) -> None:
        if not inspect.getdoc(self.passes):
            msg = (
                f"cut {self.label!r} needs a docstring that says what it keeps and why."
            )
            raise InvalidCard(msg)

    @property
    def description(self) -> str:
        """The docstring of the cut on one line."""
        return " ".join((inspect.getdoc(self.passes) or "").split())


@final
@dataclass(frozen=True)
class OptimisedCut:
    """Keep ``observable > threshold``; the threshold is chosen per mass from `grid`.

    Parameters
    ----------
    label
        Heads the column of thresholds.
    observable
        Name in the table of observables.
    grid
        Thresholds to try, in the unit of the observable.
    source
        Where the variable and the criterion come from.
    """

    label: str
    observable: str
    grid: tuple[float, ...]
    source: str
