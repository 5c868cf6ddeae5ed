"""Reading the limits of a finished run back, without drawing anything."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import final

from darksector.errors import InvalidFile


@final
@dataclass(frozen=True)
class LimitRow:
    """One line of ``limits.csv``; its fields are the columns, absent values None.

    Parameters
    ----------
    mass_gev
        Mass hypothesis, GeV.
    quantity, unit
        What is limited, and the unit of all limits of the line.
    observed, expected
        Observed limit and median expected limit.
    expected_minus2, expected_minus1, expected_plus1, expected_plus2
        Edges of the expected bands.
    confidence_level, method, status
        Of the limit; `status` is ``ok`` or why values are absent.
    """

    mass_gev: float
    quantity: str
    unit: str
    observed: float | None
    expected: float | None
    expected_minus2: float | None
    expected_minus1: float | None
    expected_plus1: float | None
    expected_plus2: float | None
    confidence_level: float
    method: str
    status: str


COLUMNS = tuple(field.name for field in fields(LimitRow))
_REMEDY = "write the folder again with darksector run"


def summary_table(folder: Path) -> tuple[LimitRow, ...]:
    """Return the lines of a run's ``limits.csv``.

    Raises
    ------
    InvalidFile
        If the folder has no ``limits.csv``, or the file is damaged.
    """
    path = folder / "limits.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"cannot read {str(path)!r} ({error}); {_REMEDY}, or name another one."
        raise InvalidFile(msg) from error
    if tuple(header) != COLUMNS:
        msg = (
            f"{str(path)!r} has the columns {','.join(header)!r}; expected are "
            f"{','.join(COLUMNS)}: {_REMEDY}."
        )
        raise InvalidFile(msg)
    return tuple(_row(path, i, cells) for i, cells in enumerate(lines, start=2))


def _row(path: Path, number: int, cells: list[str]) -> LimitRow:
    try:
        named = dict(zip(COLUMNS, cells, strict=True))
        return LimitRow(
            mass_gev=_finite(named["mass_gev"]),
            quantity=named["quantity"],
            unit=named["unit"],
            observed=_optional(named["observed"]),
            expected=_optional(named["expected"]),
            expected_minus2=_optional(named["expected_minus2"]),
            expected_minus1=_optional(named["expected_minus1"]),
            expected_plus1=_optional(named["expected_plus1"]),
            expected_plus2=_optional(named["expected_plus2"]),
            confidence_level=_finite(named["confidence_level"]),
            method=named["method"],
            status=named["status"],
        )
    except ValueError as error:
        msg = f"{str(path)!r}, line {number}, is damaged ({error}); {_REMEDY}."
        raise InvalidFile(msg) from error


def _optional(text: str) -> float | None:
    return _finite(text) if text else None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        msg = f"{text!r} is not a finite number"
        raise ValueError(msg)
    return value
