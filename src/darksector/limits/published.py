"""Limits published by others: one `KEY.toml` and one `KEY.csv` per curve.

The TOML says whose curve it is and how it was read; the CSV has two columns,
``mass_gev`` and the coupling under its own name.
"""

from __future__ import annotations

import csv
import math
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from darksector.errors import InvalidCard, UnknownName

_KIND = "published limit"
KINDS = ("observed", "expected", "recast")
_TEXTS = (
    "title", "reference", "experiment", "model", "final_state", "coupling", "kind",
    "source", "read_by",
)  # fmt: skip
_REQUIRED = (*_TEXTS, "confidence_level")
_OPTIONAL = ("inspire", "luminosity")
_REFERENCE = re.compile(r"arXiv:(\d{4}\.\d{4,5}|[a-z-]+/\d{7})")


@final
@dataclass(frozen=True)
class PublishedLimit:
    """An upper limit on a coupling as a function of the mediator's mass.

    Parameters
    ----------
    title, experiment
        What was searched for, and by whom.
    reference, inspire
        ``arXiv:...`` key of the paper, and its INSPIRE key where known.
    luminosity
        Integrated luminosity, fb⁻¹; None if unknown.
    model, coupling
        Registry name of the model and the coupling that is limited.
    final_state
        Particles of the search, space separated.
    confidence_level
        Confidence or credibility level, between 0 and 1.
    kind
        ``observed``, ``expected`` or ``recast`` (derived by others from the data).
    source, read_by
        Where in the paper the numbers come from, and how they were read.
    mass
        Mass hypotheses, GeV, increasing, shape ``(n,)``.
    values
        Upper limits on the coupling, shape ``(n,)``.
    """

    title: str
    reference: str
    experiment: str
    luminosity: float | None
    model: str
    final_state: str
    coupling: str
    confidence_level: float
    kind: str
    source: str
    read_by: str
    mass: NDArray[np.float64]
    values: NDArray[np.float64]
    inspire: str | None = None


@final
@dataclass(frozen=True)
class CouplingBand:
    """A favoured range or a bound computed elsewhere, to draw beside a limit.

    Parameters
    ----------
    label
        Legend entry, in mathtext, with its reference and date.
    mass
        Mediator masses, GeV, increasing, shape ``(n,)``.
    low
        Lower edge of the range, shape ``(n,)``; None for an upper bound.
    high
        Upper edge of the range or the bound, shape ``(n,)``.
    """

    label: str
    mass: NDArray[np.float64]
    low: NDArray[np.float64] | None
    high: NDArray[np.float64]


def names() -> tuple[str, ...]:
    """Return the keys of all records, sorted.

    Examples
    --------
    >>> "lmu_ltau_4mu_babar2016" in names()
    True
    """
    entries = (entry.name for entry in _records().iterdir())
    return tuple(sorted(name[:-5] for name in entries if name.endswith(".toml")))


def load(key: str) -> PublishedLimit:
    """Return one record.

    Raises
    ------
    UnknownName
        If there is no such record.
    InvalidCard
        If the record is incomplete or its curve is not a limit.
    """
    if key not in names():
        raise UnknownName(_KIND, key, names())
    return read(_records(), key)


def read(folder: Traversable, key: str) -> PublishedLimit:
    """Return the record `key` of a folder with `KEY.toml` and `KEY.csv`.

    Raises
    ------
    InvalidCard
        If a file is missing or damaged, a field is missing, unknown or out of range,
        the masses do not increase, or a coupling is not positive.
    """
    file = f"{key}.toml"
    try:
        card = tomllib.loads(_text(folder, file))
    except tomllib.TOMLDecodeError as error:
        msg = f"{file} is not valid TOML: {error}; correct that line."
        raise InvalidCard(msg) from error
    _check_fields(file, card)
    table = _points(f"{key}.csv", _text(folder, f"{key}.csv"), card["coupling"])
    return PublishedLimit(
        **{name: card[name] for name in _TEXTS},
        confidence_level=float(card["confidence_level"]),
        luminosity=float(card["luminosity"]) if "luminosity" in card else None,
        inspire=card.get("inspire"),
        mass=table[:, 0],
        values=table[:, 1],
    )


def _records() -> Traversable:
    return files("darksector").joinpath("limits", "data")


def _text(folder: Traversable, file: str) -> str:
    try:
        return folder.joinpath(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = (
            f"{file} cannot be read ({error}); a record needs both KEY.toml and "
            "KEY.csv, in UTF-8."
        )
        raise InvalidCard(msg) from error


def _check_fields(file: str, card: dict[str, Any]) -> None:
    for name in _REQUIRED:
        if name not in card:
            msg = f"{file} lacks the field {name!r}; add it from the paper."
            raise InvalidCard(msg)
    for name in card:
        if name not in (*_REQUIRED, *_OPTIONAL):
            allowed = ", ".join((*_REQUIRED, *_OPTIONAL))
            msg = f"{file} has the unknown field {name!r}; allowed are {allowed}."
            raise InvalidCard(msg)
    for name in _TEXTS:
        _require(file, name, card[name], _is_text(card[name]), "a non-empty string")
    if "inspire" in card:
        value = card["inspire"]
        _require(file, "inspire", value, _is_text(value), "an INSPIRE key, or no field")
    _check_values(file, card)


def _check_values(file: str, card: dict[str, Any]) -> None:
    reference, kind = card["reference"], card["kind"]
    level, luminosity = card["confidence_level"], card.get("luminosity", 1.0)
    fits = _REFERENCE.fullmatch(reference) is not None
    _require(file, "reference", reference, fits, "arXiv:NUMBER")
    _require(file, "kind", kind, kind in KINDS, f"one of {', '.join(KINDS)}")
    fits = _is_number(level) and 0 < level < 1
    _require(file, "confidence_level", level, fits, "a number between 0 and 1")
    fits = _is_number(luminosity) and 0 < luminosity < math.inf
    allowed = "a number > 0 in fb^-1, or no field if unknown"
    _require(file, "luminosity", luminosity, fits, allowed)


def _require(file: str, field: str, value: Any, fits: bool, allowed: str) -> None:
    if not fits:
        msg = f"{file}: field {field!r} is {value!r}; write {allowed}."
        raise InvalidCard(msg)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _points(file: str, text: str, coupling: str) -> NDArray[np.float64]:
    header, *rows = list(csv.reader(text.splitlines())) or [[]]
    if header != ["mass_gev", coupling]:
        msg = (
            f"{file} starts with {','.join(header)!r}; the first line must be "
            f"'mass_gev,{coupling}', as in the field 'coupling' of the TOML."
        )
        raise InvalidCard(msg)
    try:
        table = np.array([[float(m), float(c)] for m, c in rows], dtype=np.float64)
    except ValueError as error:
        msg = f"{file}: {error}; every line after the first must be two numbers."
        raise InvalidCard(msg) from error
    if not (len(table) and np.all(np.isfinite(table)) and np.all(table > 0)):
        msg = f"{file}: masses and couplings must be finite and > 0, one line or more."
        raise InvalidCard(msg)
    wrong = np.flatnonzero(np.diff(table[:, 0]) <= 0)
    if wrong.size:
        msg = (
            f"{file}: mass_gev {table[wrong[0] + 1, 0]:g} follows {table[wrong[0], 0]:g}"
            "; masses must increase: sort the lines and remove doubles."
        )
        raise InvalidCard(msg)
    return table
