"""Cards: TOML files whose every number is a table of value, source and status.

The folder of the package is the registry, as for plugins; a card of your own is the same
text given to the `from_toml` of its kind.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from darksector.errors import InvalidCard, UnknownName

STATUS = ("read", "derived", "recalled", "assumed")


@final
@dataclass(frozen=True)
class CardFolder:
    """The cards of one kind, shipped in a folder of the package."""

    folder: str
    kind: str

    def names(self) -> tuple[str, ...]:
        """Return the card names, sorted."""
        entries = self._place().iterdir()
        return tuple(sorted(e.name[:-5] for e in entries if e.name.endswith(".toml")))

    def text(self, name: str) -> str:
        """Return the content of a packaged card, or of a file whose name ends in .toml.

        Raises
        ------
        UnknownName
            If there is no such packaged card.
        InvalidCard
            If the file cannot be read.
        """
        if name.endswith(".toml"):
            try:
                return Path(name).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                msg = f"{self.kind} card {name!r} cannot be read: {error}."
                raise InvalidCard(msg) from None
        if name not in self.names():
            raise UnknownName(self.kind, name, self.names())
        return (self._place() / f"{name}.toml").read_text(encoding="utf-8")

    def _place(self) -> Traversable:
        return files("darksector").joinpath("cards", self.folder)


MACHINES = CardFolder("machines", "machine")
DETECTORS = CardFolder("detectors", "detector")


@final
@dataclass(frozen=True)
class Origin:
    """Where a number of a card comes from, and how sure it is (one of `STATUS`)."""

    source: str
    status: str


@final
@dataclass(frozen=True)
class Number:
    """One entry of a card: a float64 scalar or rectangular array with its origin."""

    value: NDArray[np.float64]
    origin: Origin


def parse(text: str, *, where: str) -> dict[str, Any]:
    """Return the tables of a card.

    Raises
    ------
    InvalidCard
        If the text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{where} is not valid TOML: {error}."
        raise InvalidCard(msg) from None


def numbers(table: Any, names: Collection[str], *, where: str) -> dict[str, Number]:
    """Return the entries of a table that must hold exactly `names`.

    Raises
    ------
    InvalidCard
        If a name is unknown or missing, or an entry lacks value, source or status.
    """
    if not isinstance(table, dict):
        msg = f"{where} must be a table, got {table!r}."
        raise InvalidCard(msg)
    check_keys(table, names, where=where)
    return {name: _number(table[name], f"{where}: {name}") for name in names}


def check_keys(found: Collection[str], wanted: Collection[str], *, where: str) -> None:
    """Raise InvalidCard unless the keys are exactly those wanted."""
    unknown, missing = set(found) - set(wanted), set(wanted) - set(found)
    if unknown:
        msg = (
            f"{where} has the unknown key {min(unknown)!r}; "
            f"allowed: {', '.join(sorted(wanted))}."
        )
        raise InvalidCard(msg)
    if missing:
        msg = f"{where} lacks {', '.join(sorted(missing))}; add it."
        raise InvalidCard(msg)


def _number(entry: Any, where: str) -> Number:
    if not isinstance(entry, dict):
        msg = f"{where} must be a table of value, source and status, got {entry!r}."
        raise InvalidCard(msg)
    check_keys(entry, ("value", "source", "status"), where=where)
    if not isinstance(entry["source"], str) or not entry["source"]:
        msg = f"{where} must have a source in words, got {entry['source']!r}."
        raise InvalidCard(msg)
    if entry["status"] not in STATUS:
        msg = f"{where} has status {entry['status']!r}; allowed: {', '.join(STATUS)}."
        raise InvalidCard(msg)
    try:
        value = np.asarray(entry["value"], dtype=np.float64)
    except (TypeError, ValueError):
        msg = (
            f"{where} must be a number or a rectangular array, got {entry['value']!r}."
        )
        raise InvalidCard(msg) from None
    if not np.isfinite(value).all():
        msg = f"{where} must be finite, got {entry['value']!r}."
        raise InvalidCard(msg)
    return Number(value, Origin(entry["source"], entry["status"]))
