"""What a record of a published limit must hold: its fields and its points."""

from __future__ import annotations

import csv
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darksector.errors import InvalidCard

KINDS = ("observed", "expected", "recast", "theory")
FACILITIES = (
    "e+e- collider", "heavy-ion collider", "fixed target", "astrophysics", "cosmology",
)  # fmt: skip
SHAPES = ("curve", "contour")
TEXTS = (
    "title", "reference", "experiment", "model", "final_state", "coupling", "kind",
    "facility", "shape", "source", "read_by",
)  # fmt: skip
_OPTIONAL = ("confidence_level", "inspire", "luminosity")
_REFERENCE = re.compile(r"arXiv:(\d{4}\.\d{4,5}|[a-z-]+/\d{7})")


def check_fields(file: str, card: dict[str, Any]) -> None:
    """Refuse a card with a missing, unknown or senseless field.

    Raises
    ------
    InvalidCard
        With the file, the field, its value and what is allowed.
    """
    for name in TEXTS:
        if name not in card:
            msg = f"{file} lacks the field {name!r}; add it from the paper."
            raise InvalidCard(msg)
    for name in card:
        if name not in (*TEXTS, *_OPTIONAL):
            allowed = ", ".join((*TEXTS, *_OPTIONAL))
            msg = f"{file} has the unknown field {name!r}; allowed are {allowed}."
            raise InvalidCard(msg)
    for name in TEXTS:
        _require(file, name, card[name], _is_text(card[name]), "a non-empty string")
    if "inspire" in card:
        value = card["inspire"]
        _require(file, "inspire", value, _is_text(value), "an INSPIRE key, or no field")
    fits = _REFERENCE.fullmatch(card["reference"]) is not None
    _require(file, "reference", card["reference"], fits, "arXiv:NUMBER")
    for name, words in (("kind", KINDS), ("facility", FACILITIES), ("shape", SHAPES)):
        fits = card[name] in words
        _require(file, name, card[name], fits, f"one of {', '.join(words)}")
    _check_numbers(file, card)


def points(file: str, text: str, coupling: str, shape: str) -> NDArray[np.float64]:
    """Return masses, GeV, and couplings of a curve or a contour, shape ``(n, 2)``.

    Raises
    ------
    InvalidCard
        If the text is no such table, a number is not positive, the masses of a curve do
        not increase, or a contour has fewer than three vertices.
    """
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
    if shape == "curve":
        _check_increase(file, table[:, 0])
    else:
        _check_vertices(file, table)
    return table


def _check_increase(file: str, mass: NDArray[np.float64]) -> None:
    wrong = np.flatnonzero(np.diff(mass) <= 0)
    if wrong.size:
        msg = (
            f"{file}: mass_gev {mass[wrong[0] + 1]:g} follows {mass[wrong[0]]:g}; masses "
            "must increase: sort the lines and remove doubles, or declare an outline "
            "with shape = 'contour'."
        )
        raise InvalidCard(msg)


def _check_vertices(file: str, table: NDArray[np.float64]) -> None:
    if len(table) < 3:
        msg = (
            f"{file}: a contour needs three vertices or more, got {len(table)}; declare "
            "an open line with shape = 'curve'."
        )
        raise InvalidCard(msg)
    if np.array_equal(table[0], table[-1]):
        msg = (
            f"{file}: the last vertex repeats the first; leave it out, a contour closes "
            "by itself."
        )
        raise InvalidCard(msg)


def _check_numbers(file: str, card: dict[str, Any]) -> None:
    level, luminosity = card.get("confidence_level"), card.get("luminosity", 1.0)
    if level is not None:
        fits = _is_number(level) and 0 < level < 1
        _require(file, "confidence_level", level, fits, "a number between 0 and 1")
    elif card["kind"] != "theory" and card["facility"] != "astrophysics":
        msg = (
            f"{file} lacks the field 'confidence_level'; add it from the paper: only "
            "theory and astrophysics may have none."
        )
        raise InvalidCard(msg)
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
