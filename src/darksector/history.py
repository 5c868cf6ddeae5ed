"""Dated numbers of cards: data sets, luminosity records, phases of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, final

from darksector import cardfile
from darksector.cardfile import Card, Origin
from darksector.errors import InvalidCard, OutOfDomain


@final
@dataclass(frozen=True)
class Record:
    """A number that belongs to a period, or to a day if `start` is `end`.

    Parameters
    ----------
    title
        Name for people.
    start, end
        First and last day.
    value
        Integrated luminosity in fb⁻¹, or luminosity in cm⁻² s⁻¹: the section says which.
    origin
        Where the number comes from.

    Raises
    ------
    OutOfDomain
        If the value is negative or the period ends before it starts.
    """

    title: str
    start: date
    end: date
    value: float
    origin: Origin

    def __post_init__(self) -> None:
        if not self.value >= 0:
            msg = f"{self.title!r} must have a value >= 0, got {self.value}."
            raise OutOfDomain(msg)
        if self.end < self.start:
            msg = (
                f"{self.title!r} ends on {self.end}, before its start on {self.start}; "
                "exchange the dates."
            )
            raise OutOfDomain(msg)

    @property
    def when(self) -> str:
        """The period in words, e.g. 2018-04-26 to 2018-07-17."""
        return (
            str(self.start) if self.start == self.end else f"{self.start} to {self.end}"
        )


def records(card: Card, section: str) -> tuple[Record, ...]:
    """Return the records of a section by date; none if the card has no such section.

    Each is a table ``[section.name]`` of title, start, end (may be left out: one day),
    value, source and status.

    Raises
    ------
    InvalidCard
        If an entry lacks a key, has an unknown one, or a date is not a date.
    """
    table = card.tables.get(section, {})
    if not isinstance(table, Mapping):
        msg = f"{card.where(section)} must be a table of tables, got {table!r}."
        raise InvalidCard(msg)
    found = [_record(e, card.where(f"{section}.{name}")) for name, e in table.items()]
    return tuple(sorted(found, key=lambda record: (record.start, record.end)))


def day(value: Any, where: str) -> date:
    """Return a date of a card.

    Raises
    ------
    InvalidCard
        If it is something else.
    """
    if type(value) is not date:
        msg = f"{where} must be a date like 2018-04-26, without quotes, got {value!r}."
        raise InvalidCard(msg)
    return value


def _record(entry: Any, where: str) -> Record:
    if not isinstance(entry, Mapping):
        msg = f"{where} must be a table of title, start, value, source, status."
        raise InvalidCard(msg)
    wanted = {"title", "start", *cardfile.ENTRY}
    cardfile.check_keys(entry, wanted, where=where, optional=("end",))
    number = cardfile.number({key: entry[key] for key in cardfile.ENTRY}, where)
    start = day(entry["start"], f"{where}: start")
    return Record(
        title=str(entry["title"]),
        start=start,
        end=day(entry.get("end", start), f"{where}: end"),
        value=cardfile.scalar(number, where),
        origin=number.origin,
    )
