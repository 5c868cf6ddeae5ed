"""Text to numbers at the edge: luminosities, mass grids, ħc.

Inside the package cross-sections are in fb, luminosities in fb⁻¹, lengths in cm,
energies in GeV; a unit in a string lives only here.
"""

from __future__ import annotations

import math
import re

from darksector.errors import InvalidConfig

HBARC_GEV_CM = 1.973269804e-14  # ħc, GeV cm; exact from the SI values (PDG 2022)
GEV2_FB = 3.893793721e11  # (ħc)², GeV² fb (PDG 2022)

_PER_FB = {"nb": 1e-6, "pb": 1e-3, "fb": 1.0, "ab": 1e3}
_LUMINOSITY = re.compile(r"\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*/?\s*([a-z]*)\s*")
_MAX_GRID = 100_000


def luminosity(text: str) -> float:
    """Return an integrated luminosity, fb⁻¹, from text like ``276/pb``.

    Raises
    ------
    InvalidConfig
        If the number is missing, not positive, or has no unit of /nb, /pb, /fb, /ab.

    Examples
    --------
    >>> luminosity("276/pb")
    0.276
    """
    match = _LUMINOSITY.fullmatch(text)
    if match is None or match[2] not in _PER_FB or "/" not in text:
        msg = (
            f"luminosity {text!r} is not understood; write a number and a unit out of "
            "/nb, /pb, /fb, /ab, for instance 276/pb or 50/ab."
        )
        raise InvalidConfig(msg)
    value = _number(match[1], "luminosity") * _PER_FB[match[2]]
    if not value > 0:
        msg = f"luminosity must be greater than zero, got {text!r}."
        raise InvalidConfig(msg)
    return value


def grid(text: str, what: str = "mass") -> tuple[float, ...]:
    """Return a grid of values of `what` from ``1,3,5`` or ``start:stop:step`` (stop included).

    Raises
    ------
    InvalidConfig
        If the text is neither form, a step is not positive, or the grid is empty.

    Examples
    --------
    >>> grid("0.5:2:0.5")
    (0.5, 1.0, 1.5, 2.0)
    """
    if ":" not in text:
        return tuple(_number(part, what) for part in text.split(","))
    parts = text.split(":")
    if len(parts) != 3:
        msg = f"{what} grid {text!r} is not understood; write start:stop:step or a,b,c."
        raise InvalidConfig(msg)
    start, stop, step = (_number(part, f"{what} grid") for part in parts)
    if not (step > 0 and stop >= start and (stop - start) / step < _MAX_GRID):
        msg = (
            f"{what} grid {text!r} needs a step > 0, stop >= start and fewer than "
            f"{_MAX_GRID} points."
        )
        raise InvalidConfig(msg)
    count = math.floor((stop - start) / step * (1 + 1e-12) + 1e-9) + 1
    return tuple(round(start + i * step, 12) for i in range(count))


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        msg = f"{what} {text!r} is not a number; write for instance 0.5."
        raise InvalidConfig(msg) from None
    if not math.isfinite(value):
        msg = f"{what} must be finite, got {text!r}."
        raise InvalidConfig(msg)
    return value


def bound(text: str) -> float:
    """Return a number from text; ``17deg`` becomes an angle in rad.

    Raises
    ------
    InvalidConfig
        If the text is no finite number.

    Examples
    --------
    >>> round(bound("180deg"), 6)
    3.141593
    """
    value = _number(text.removesuffix("deg"), "bound of a cut")
    return math.radians(value) if text.endswith("deg") else value
