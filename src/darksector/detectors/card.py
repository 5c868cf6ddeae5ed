"""Detectors from TOML cards: every number with its source and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, final

import jax
import jax.numpy as jnp

from darksector import cardfile
from darksector.cardfile import DETECTORS, Card, Number, Origin
from darksector.detectors import (
    calorimeter,
    cosmics,
    displacement,
    identification,
    klm,
    tracking,
    trigger,
)
from darksector.errors import InvalidCard

# system of the card to its dataclass and to what finds numbers that make no sense
_SYSTEMS: Mapping[str, tuple[Any, Callable[..., Iterator[tuple[str, str]]]]] = {
    "tracking": (tracking.Tracking, tracking.check),
    "calorimeter": (calorimeter.Calorimeter, calorimeter.check),
    "klm": (klm.Klm, klm.check),
    "identification": (identification.Identification, identification.check),
    "trigger": (trigger.Trigger, trigger.check),
    "displacement": (displacement.Displacement, displacement.check),
    "cosmics": (cosmics.Cosmics, cosmics.check),
}


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Detector:
    """An experiment in one run period; a pytree of its numbers.

    Everything that follows from it is differentiable in every number.

    Parameters
    ----------
    tracking, calorimeter, klm, identification, trigger, displacement, cosmics
        The numbers of each system.
    title
        Name for people.
    origins
        ``system.number`` to its origin.
    references
        Papers to cite.
    """

    tracking: tracking.Tracking
    calorimeter: calorimeter.Calorimeter
    klm: klm.Klm
    identification: identification.Identification
    trigger: trigger.Trigger
    displacement: displacement.Displacement
    cosmics: cosmics.Cosmics
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
        If the card lacks a number or a source, has an unknown key, or a number makes no
        sense.
    """
    return from_toml(DETECTORS.text(name), origin=name)


def from_toml(text: str, *, origin: str) -> Detector:
    """Return the detector that a card declares; `origin` names it in errors."""
    card = cardfile.resolve(text, DETECTORS, origin=origin)
    wanted = {"title", "references", *_SYSTEMS}
    cardfile.check_keys(card.tables, wanted, where=card.where())
    entries = {name: _entries(card, name) for name in _SYSTEMS}
    systems = {
        name: kind(**{key: jnp.asarray(e.value) for key, e in entries[name].items()})
        for name, (kind, _) in _SYSTEMS.items()
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


def _entries(card: Card, system: str) -> dict[str, Number]:
    """Return the numbers of a system; all that makes no sense is refused."""
    kind, check = _SYSTEMS[system]
    entries = cardfile.numbers(card, [f.name for f in fields(kind)], section=system)
    for key, complaint in check({key: entry.value for key, entry in entries.items()}):
        msg = f"{card.where(f'{system}.{key}')} {complaint}"
        raise InvalidCard(msg)
    return entries
