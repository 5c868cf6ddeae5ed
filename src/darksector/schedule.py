"""How the luminosity of a collider grew, and how it is to reach its goal; from a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, final

import numpy as np
from jaxtyping import Float

from darksector import cardfile
from darksector.cardfile import SCHEDULES, Card
from darksector.errors import InvalidCard, OutOfDomain
from darksector.history import Record, day, records

_PER_DAY_FB = 86400 * 1e-39  # seconds in a day; fb⁻¹ per cm⁻²
_NUMBERS = ("total", "first", "target", "running", "average")
_HISTORY = ("phases", "totals", "peaks", "others")


@final
@dataclass(frozen=True)
class Plan:
    """A schedule: the peak luminosity grows linearly to its target, and stays there.

    Parameters
    ----------
    title
        Name for people.
    start, reached
        First day, and the day when the target is reached.
    total
        Integrated luminosity at the start, fb⁻¹.
    first, target
        Peak luminosity at the start and at the end of the ramp, cm⁻² s⁻¹.
    running
        Share of a year with collisions.
    average
        Mean luminosity over peak luminosity while there are collisions.

    Raises
    ------
    OutOfDomain
        If the ramp ends before it starts, a luminosity is negative, or a share is not
        within (0, 1].
    """

    title: str
    start: date
    reached: date
    total: float
    first: float
    target: float
    running: float
    average: float

    def __post_init__(self) -> None:
        if self.reached <= self.start:
            msg = f"plan {self.title!r} reaches its target on {self.reached}, before its start."
            raise OutOfDomain(msg)
        if not (0 < self.running <= 1 and 0 < self.average <= 1):
            msg = (
                f"running and average of plan {self.title!r} must be within (0, 1], got "
                f"{self.running} and {self.average}; they are shares of a year and of a peak."
            )
            raise OutOfDomain(msg)
        if not (self.total >= 0 and self.first >= 0 and self.target > 0):
            msg = f"luminosities of plan {self.title!r} must be >= 0, the target above."
            raise OutOfDomain(msg)

    def integrated(self, days: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Return the integrated luminosity some days after the start, fb⁻¹."""
        ramp = (self.reached - self.start).days
        rising = np.minimum(days, ramp)
        rise = self.first * rising + (self.target - self.first) * rising**2 / (2 * ramp)
        peaks = rise + self.target * np.maximum(days - ramp, 0.0)
        return self.total + peaks * (self.running * self.average * _PER_DAY_FB)

    def days_until(self, goal: float) -> float:
        """Return after how many days a total, fb⁻¹, is reached.

        Examples
        --------
        >>> plan = Plan("p", date(2030, 1, 1), date(2031, 1, 1), 0.0, 0.0, 1e35, 1.0, 1.0)
        >>> round(plan.days_until(float(plan.integrated(np.array([1000.0]))[0])), 6)
        1000.0
        """
        ramp = (self.reached - self.start).days
        scale = self.running * self.average * _PER_DAY_FB
        missing = (goal - self.total) / scale
        in_ramp = (self.first + self.target) * ramp / 2
        if missing >= in_ramp:
            return ramp + (missing - in_ramp) / self.target
        slope = (self.target - self.first) / ramp
        if slope == 0:
            return missing / self.first
        root = np.sqrt(self.first**2 + 2 * slope * max(missing, 0.0))
        return float((root - self.first) / slope)


@final
@dataclass(frozen=True)
class Schedule:
    """The history of a collider and its plans.

    Parameters
    ----------
    title
        Name for people.
    phases, totals
        Periods with their integrated luminosity, and the sum until a day, fb⁻¹.
    peaks, others
        Peak luminosities of this collider and of earlier ones, cm⁻² s⁻¹.
    goal
        Integrated luminosity that is aimed at, fb⁻¹.
    goals
        Peak luminosities that are aimed at, by name, cm⁻² s⁻¹.
    plans
        How the goal is reached.
    """

    title: str
    phases: tuple[Record, ...]
    totals: tuple[Record, ...]
    peaks: tuple[Record, ...]
    others: tuple[Record, ...]
    goal: float
    goals: Mapping[str, float]
    plans: tuple[Plan, ...]


def load(name: str) -> Schedule:
    """Return the schedule of a packaged card, or of a file ending in .toml.

    Raises
    ------
    UnknownName
        If there is no such card.
    InvalidCard
        If the card lacks a number, has an unknown key, or a number has no source.
    """
    return from_toml(SCHEDULES.text(name), origin=name)


def from_toml(text: str, *, origin: str) -> Schedule:
    """Return the schedule that a card declares; `origin` names it in errors."""
    card = cardfile.resolve(text, SCHEDULES, origin=origin)
    wanted = ("title", "goals", "plans", *_HISTORY)
    cardfile.check_keys(card.tables, wanted, where=card.where())
    names = ("total", "design", "intermediate")
    found = cardfile.numbers(card, names, section="goals")
    goals = {
        name: cardfile.scalar(entry, card.where(f"goals.{name}"))
        for name, entry in found.items()
    }
    return Schedule(
        title=str(card.tables["title"]),
        goal=goals.pop("total"),
        goals=goals,
        plans=_plans(card),
        **{section: records(card, section) for section in _HISTORY},
    )


def _plans(card: Card) -> tuple[Plan, ...]:
    table = card.tables["plans"]
    if not isinstance(table, Mapping):
        msg = f"{card.where('plans')} must be a table of tables, got {table!r}."
        raise InvalidCard(msg)
    return tuple(_plan(card, name, entry) for name, entry in table.items())


def _plan(card: Card, name: str, entry: Any) -> Plan:
    where = card.where(f"plans.{name}")
    if not isinstance(entry, Mapping):
        msg = (
            f"{where} must be a table of {', '.join(_NUMBERS)}, title, start, reached."
        )
        raise InvalidCard(msg)
    cardfile.check_keys(entry, ("title", "start", "reached", *_NUMBERS), where=where)
    values = {
        key: cardfile.scalar(cardfile.number(entry[key], place), place)
        for key, place in ((k, card.where(f"plans.{name}.{k}")) for k in _NUMBERS)
    }
    return Plan(
        title=str(entry["title"]),
        start=day(entry["start"], f"{where}: start"),
        reached=day(entry["reached"], f"{where}: reached"),
        **values,
    )
