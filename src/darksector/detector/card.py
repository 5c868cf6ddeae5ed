"""Detectors from TOML cards: every number with its source and how sure it is."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, final

import jax
import numpy as np

from darksector.detector.calorimeter import Calorimeter
from darksector.detector.muons import Muons
from darksector.detector.tracking import Tracking
from darksector.detector.trigger import Trigger
from darksector.errors import InvalidCard
from darksector.registry import DETECTORS

STATUS = ("read", "derived", "recalled", "assumed")

_SYSTEMS = {
    "tracking": Tracking,
    "calorimeter": Calorimeter,
    "muons": Muons,
    "trigger": Trigger,
}
_HEADER = {"title", "references"}

System = TypeVar("System", Tracking, Calorimeter, Muons, Trigger)


@final
@dataclass(frozen=True)
class Origin:
    """Where a number of a card comes from, and how sure it is."""

    source: str
    status: str


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Detector:
    """An experiment in one run period; a pytree, so every number can be differentiated.

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
    """Return the detector of a packaged card.

    Raises
    ------
    UnknownName
        If there is no such card.
    InvalidCard
        If the card lacks a number or a source, or has an unknown key.
    """
    return from_toml(DETECTORS.path(name).read_text(encoding="utf-8"), origin=name)


def from_toml(text: str, *, origin: str) -> Detector:
    """Return the detector that a card declares; `origin` names it in errors."""
    try:
        card = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"detector card {origin!r} is not valid TOML: {error}."
        raise InvalidCard(msg) from None
    _check_keys(set(card), _HEADER | set(_SYSTEMS), f"detector card {origin!r}")
    origins: dict[str, Origin] = {}
    systems = {
        name: _system(kind, card[name], f"detector card {origin!r}, [{name}]", origins)
        for name, kind in _SYSTEMS.items()
    }
    return Detector(
        **systems,  # type: ignore[arg-type]  # one entry per system, checked above
        title=str(card["title"]),
        origins=tuple(sorted(origins.items())),
        references=tuple(card["references"]),
    )


def _system(
    kind: type[System], table: Any, where: str, origins: dict[str, Origin]
) -> System:
    names = {f.name for f in fields(kind)}
    if not isinstance(table, dict):
        msg = f"{where} must be a table, got {table!r}."
        raise InvalidCard(msg)
    _check_keys(set(table), names, where)
    numbers = {}
    for name in sorted(names):
        entry = table[name]
        if not isinstance(entry, dict):
            msg = f"{where}: {name} must be a table of value, source and status."
            raise InvalidCard(msg)
        _check_keys(set(entry), {"value", "source", "status"}, f"{where}: {name}")
        if entry["status"] not in STATUS:
            msg = f"{where}: {name} has status {entry['status']!r}; allowed: {STATUS}."
            raise InvalidCard(msg)
        numbers[name] = _number(entry["value"], f"{where}: {name}")
        key = f"{kind.__name__.lower()}.{name}"
        origins[key] = Origin(str(entry["source"]), entry["status"])
    return kind(**numbers)  # type: ignore[arg-type]  # traced later, NumPy at rest


def _number(value: Any, where: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        msg = f"{where} must be a number or a rectangular array, got {value!r}."
        raise InvalidCard(msg) from None
    if not np.isfinite(array).all():
        msg = f"{where} must be finite, got {value!r}."
        raise InvalidCard(msg)
    return array


def _check_keys(found: set[str], wanted: set[str], where: str) -> None:
    unknown, missing = found - wanted, wanted - found
    if unknown:
        msg = (
            f"{where} has the unknown key {min(unknown)!r}; "
            f"allowed: {', '.join(sorted(wanted))}."
        )
        raise InvalidCard(msg)
    if missing:
        msg = f"{where} lacks {', '.join(sorted(missing))}; add it."
        raise InvalidCard(msg)
