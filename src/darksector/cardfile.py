"""Cards: TOML files whose every number is a table of value, source and status.

The folder of the package is the registry, as for plugins; a card of your own is the same
text given to the `from_toml` of its kind.  A card that says ``based_on = "other"`` starts
from that card and states what differs; ``without = ["section.key"]`` leaves entries of the
other card out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from darksector.errors import InvalidCard, UnknownName

STATUS = ("read", "derived", "recalled", "assumed")
ENTRY = {"value", "source", "status"}
_HEADER = re.compile(r"\[\[?\s*([A-Za-z_][\w.\-]*)\s*\]\]?")
_KEY = re.compile(r"([A-Za-z_][\w.\-]*)\s*=")


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

    def whole_text(self, name: str) -> str:
        """Return the texts of a card and of all it is based on: what its numbers follow from.

        Raises
        ------
        UnknownName, InvalidCard
            As `text` and `family`.
        """
        return "".join(family(self.text(name), self, origin=name).values())

    def _place(self) -> Traversable:
        return files("darksector").joinpath("cards", self.folder)


MACHINES = CardFolder("machines", "machine")
DETECTORS = CardFolder("detectors", "detector")
SCHEDULES = CardFolder("schedules", "schedule")


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


@final
@dataclass(frozen=True)
class Card:
    """A card joined with those it is based on.

    Parameters
    ----------
    tables
        The content, without ``based_on`` and ``without``.
    texts
        What errors call each card, and its text; the card itself first.
    """

    tables: Mapping[str, Any]
    texts: Mapping[str, str]

    @cached_property
    def _lines(self) -> dict[str, dict[str, int]]:
        return {name: _lines(text) for name, text in self.texts.items()}

    def where(self, path: str = "") -> str:
        """Return what an error says before its message: card, line and ``[path]``."""
        for name, lines in self._lines.items():
            if path in lines:
                return f"{name}, line {lines[path]}, [{path}]"
        name = next(iter(self.texts))
        return f"{name}, [{path}]" if path else name


def resolve(text: str, folder: CardFolder, *, origin: str) -> Card:
    """Return a card joined with the cards it is based on.

    Entries (tables of value, source and status) and lists replace those of the other
    card, other tables are merged, and references are those of both.

    Parameters
    ----------
    text
        The card, TOML.
    folder
        Where the names after ``based_on`` are looked up; one that ends in .toml is a
        file beside the card.
    origin
        Name or file of the card, for errors.

    Raises
    ------
    InvalidCard
        If a text is not TOML, a card it is based on is unknown or based on this one, or
        ``without`` names what is not there.
    """
    texts = family(text, folder, origin=origin)
    tables: dict[str, Any] = {}
    for name, each in reversed(texts.items()):
        new = parse(each, where=name)
        new.pop("based_on", None)
        for path in new.pop("without", ()):
            _leave_out(tables, path, f"{name}, line {line_of(each, 'without')}")
        own = new.get("references", [])
        inherited = [r for r in tables.get("references", []) if r not in own]
        tables = _merged(tables, new)
        if own or inherited:
            tables["references"] = [*own, *inherited]
    return Card(tables, texts)


def family(text: str, folder: CardFolder, *, origin: str) -> dict[str, str]:
    """Return the texts of a card and of all it is based on, by their name in errors.

    Raises
    ------
    InvalidCard
        If a card that it is based on is unknown, or based on this one.
    """
    texts: dict[str, str] = {}
    name = f"{folder.kind} card {origin!r}"
    while True:
        texts[name] = text
        parent = parse(text, where=name).get("based_on")
        if parent is None:
            return texts
        where = f"{name}, line {line_of(text, 'based_on')}, based_on = {parent!r}"
        origin = _beside(origin, str(parent))
        name = f"{folder.kind} card {origin!r}"
        if name in texts:
            msg = f"{where} closes a circle: a card cannot be based on itself."
            raise InvalidCard(msg)
        try:
            text = folder.text(origin)
        except (UnknownName, InvalidCard) as error:
            msg = f"{where}: {error}"
            raise InvalidCard(msg) from None


def line_of(text: str, path: str) -> int | None:
    r"""Return the line where ``[path]``, or the key of ``[section]``, begins; else None.

    Examples
    --------
    >>> line_of("a = 1\n[b.c]\nvalue = 2\n[d]\ne = {}", "b.c")
    2
    >>> line_of("a = 1\n[b.c]\nvalue = 2\n[d]\ne = {}", "d.e")
    5
    """
    return _lines(text).get(path)


def _lines(text: str) -> dict[str, int]:
    """Return the line where each section and each key begins."""
    section = ""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line.strip()):
            section = header[1]
            found.setdefault(section, number)
        elif key := _KEY.match(line.strip()):
            path = f"{section}.{key[1]}" if section else key[1]
            found.setdefault(path, number)
    return found


def parse(text: str, *, where: str) -> dict[str, Any]:
    """Return the tables of one TOML text.

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


def numbers(
    card: Card,
    names: Collection[str],
    *,
    section: str = "",
    optional: Collection[str] = (),
) -> dict[str, Number]:
    """Return the entries of a section, or of the top level, by name.

    Parameters
    ----------
    card
        The card.
    names
        Entries that the section must have.
    section
        Which table; the top level, whose other keys are not looked at, if empty.
    optional
        Entries that the section may have besides.

    Raises
    ------
    InvalidCard
        If a name is unknown or missing, or an entry lacks value, source or status.
    """
    table = card.tables[section] if section else card.tables
    where = card.where(section)
    if not isinstance(table, Mapping):
        msg = f"{where} must be a table, got {table!r}."
        raise InvalidCard(msg)
    if section:
        check_keys(table, names, where=where, optional=optional)
    path = f"{section}." if section else ""
    return {
        name: number(table[name], card.where(path + name))
        for name in (*names, *optional)
        if name in table
    }


def scalar(number: Number, where: str) -> float:
    """Return the value of an entry that must be one number.

    Raises
    ------
    InvalidCard
        If it is an array.
    """
    if number.value.ndim:
        msg = f"{where} must be one number, got {number.value.tolist()}."
        raise InvalidCard(msg)
    return float(number.value)


def check_keys(
    found: Collection[str],
    wanted: Collection[str],
    *,
    where: str,
    optional: Collection[str] = (),
) -> None:
    """Raise InvalidCard unless the keys are those wanted; `optional` may be absent."""
    unknown = set(found) - set(wanted) - set(optional)
    missing = set(wanted) - set(found)
    if unknown:
        allowed = ", ".join(sorted({*wanted, *optional}))
        msg = f"{where} has the unknown key {min(unknown)!r}; allowed: {allowed}."
        raise InvalidCard(msg)
    if missing:
        msg = f"{where} lacks {', '.join(sorted(missing))}; add it."
        raise InvalidCard(msg)


def _beside(origin: str, parent: str) -> str:
    """Return the name of a card, or the path of a file beside the file `origin`."""
    if parent.endswith(".toml") and origin.endswith(".toml"):
        return str(Path(origin).parent / parent)
    return parent


def _merged(old: Any, new: Any) -> Any:
    both = isinstance(old, dict) and isinstance(new, dict)
    if not both or ENTRY & (old.keys() | new.keys()):
        return new
    return old | {
        key: _merged(old[key], value) if key in old else value
        for key, value in new.items()
    }


def _leave_out(tables: dict[str, Any], path: str, where: str) -> None:
    """Remove the entry or section that a dotted path names."""
    *sections, last = path.split(".")
    table: Any = tables
    for section in sections:
        table = table.get(section) if isinstance(table, dict) else None
    if not isinstance(table, dict) or last not in table:
        msg = f"{where}: without names {path!r}, which the other card does not have."
        raise InvalidCard(msg)
    del table[last]


def number(entry: Any, where: str) -> Number:
    """Return one entry of a card; `where` leads the message of its errors.

    Raises
    ------
    InvalidCard
        If it is no table of value, source and status, or one of them is wrong.
    """
    if not isinstance(entry, dict):
        msg = f"{where} must be a table of value, source and status, got {entry!r}."
        raise InvalidCard(msg)
    check_keys(entry, ENTRY, where=where)
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
