"""Detectors from TOML cards: every number with its source and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, final

import jax
import jax.numpy as jnp

from darksector import cardfile
from darksector.cardfile import DETECTORS, Origin
from darksector.detectors.calorimeter import Calorimeter
from darksector.detectors.muons import Muons
from darksector.detectors.tracking import Tracking
from darksector.detectors.trigger import Trigger

_SYSTEMS: Mapping[str, Any] = {
    "tracking": Tracking,
    "calorimeter": Calorimeter,
    "muons": Muons,
    "trigger": Trigger,
}


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Detector:
    """An experiment in one run period; a pytree of its numbers.

    Derivatives with respect to efficiencies and resolutions are meaningful; those with
    respect to edges are not yet, as edges are steps.

    Parameters
    ----------
    tracking, calorimeter, muons, trigger
        The numbers of each system.
    title
        Name for people.
    origins
        ``system.number`` to its origin.
    references
        Papers to cite.
    """

    tracking: Tracking
    calorimeter: Calorimeter
    muons: Muons
    trigger: Trigger
    title: str = field(metadata={"static": True})
    origins: tuple[tuple[str, Origin], ...] = field(metadata={"static": True})
    references: tuple[str, ...] = field(metadata={"static": True})


def load(name: str) -> Detector:
    """Return the detector of a packaged card, or of a file ending in .toml.

    Raises
    ------
    UnknownName
        If there is no such card.
    InvalidCard
        If the card lacks a number or a source, or has an unknown key.
    """
    return from_toml(DETECTORS.text(name), origin=name)


def from_toml(text: str, *, origin: str) -> Detector:
    """Return the detector that a card declares; `origin` names it in errors."""
    card = cardfile.resolve(text, DETECTORS, origin=origin)
    wanted = {"title", "references", *_SYSTEMS}
    cardfile.check_keys(card.tables, wanted, where=card.where())
    entries = {
        name: cardfile.numbers(card, [f.name for f in fields(kind)], section=name)
        for name, kind in _SYSTEMS.items()
    }
    systems = {
        name: kind(
            **{key: jnp.asarray(entry.value) for key, entry in entries[name].items()}
        )
        for name, kind in _SYSTEMS.items()
    }
    return Detector(
        **systems,
        title=str(card.tables["title"]),
        origins=tuple(
            (f"{name}.{key}", entry.origin)
            for name in _SYSTEMS
            for key, entry in entries[name].items()
        ),
        references=tuple(card.tables["references"]),
    )
