"""Limits published by others: one `KEY.toml` and one `KEY.csv` per curve.

The TOML says whose curve it is and how it was read; the CSV has two columns,
``mass_gev`` and the coupling under its own name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from darksector.errors import InvalidCard, UnknownName
from darksector.limits import _record

_KIND = "published limit"
KINDS = _record.KINDS
FACILITIES = _record.FACILITIES
SHAPES = _record.SHAPES


@final
@dataclass(frozen=True)
class PublishedLimit:
    """A limit on a coupling as a function of the mediator's mass, or a target in it.

    Parameters
    ----------
    title, experiment
        What was searched for, and by whom.
    reference, inspire
        ``arXiv:...`` key of the paper, and its INSPIRE key where known.
    luminosity
        Integrated luminosity, fb⁻¹; None if unknown.
    model, coupling
        Registry name of the model and the coupling that is limited; ``y`` for a target
        of thermal dark matter.
    final_state
        Particles of the search, space separated.
    confidence_level
        Confidence or credibility level, between 0 and 1; None where there is none, which
        only theory and astrophysics may lack.
    kind
        ``observed``, ``expected``, ``recast`` (derived by others from the data) or
        ``theory``.
    facility
        What made the particles: ``e+e- collider``, ``heavy-ion collider``,
        ``fixed target``, ``astrophysics`` or ``cosmology``.
    shape
        ``curve``: one coupling per mass, above which all are excluded (a target: the
        line itself).  ``contour``: vertices of an outline, in order, the last joined to
        the first; what is inside is excluded.
    source, read_by
        Where in the paper the numbers come from, and how they were read.
    mass
        Mass hypotheses, GeV, shape ``(n,)``, increasing for a curve; of the mediator, of
        the dark matter where the coupling is ``y``.
    values
        Coupling at these masses, shape ``(n,)``, GeV⁻¹ for ``g_agg``, else a number.
    """

    title: str
    reference: str
    experiment: str
    luminosity: float | None
    model: str
    final_state: str
    coupling: str
    confidence_level: float | None
    kind: str
    facility: str
    shape: str
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
        Lower edge of the range, shape ``(n,)``; None for an upper bound or a line.
    high
        Upper edge of the range, the bound or the line, shape ``(n,)``.
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
        If a file is missing or damaged, a field is missing, unknown or out of range, a
        coupling is not positive, the masses of a curve do not increase, or a contour has
        fewer than three vertices.
    """
    file = f"{key}.toml"
    try:
        card = tomllib.loads(_text(folder, file))
    except tomllib.TOMLDecodeError as error:
        msg = f"{file} is not valid TOML: {error}; correct that line."
        raise InvalidCard(msg) from error
    _record.check_fields(file, card)
    text = _text(folder, f"{key}.csv")
    table = _record.points(f"{key}.csv", text, card["coupling"], card["shape"])
    return PublishedLimit(
        **{name: card[name] for name in _record.TEXTS},
        confidence_level=_number(card, "confidence_level"),
        luminosity=_number(card, "luminosity"),
        inspire=card.get("inspire"),
        mass=table[:, 0],
        values=table[:, 1],
    )


def _number(card: Mapping[str, Any], name: str) -> float | None:
    return float(card[name]) if name in card else None


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
