"""Starts, bounds and constraints of the parameters of a model, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log
from typing import final

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from darksector.errors import InvalidCard
from darksector.statistics.model import Model
from darksector.statistics.modifiers import (
    Constraint,
    Gaussian,
    HistoSys,
    LogNormal,
    Lumi,
    NormFactor,
    NormSys,
    Parameter,
    Poisson,
    ShapeFactor,
    ShapeSys,
    StatError,
    rows,
)

FREE, GAUSSIAN, POISSON, LOG_NORMAL = range(4)
_PULL = 5.0  # HistFactory's range of a standard normal nuisance parameter
_SMALLEST = 1e-10  # of a factor per bin, as in pyhf


@final
@dataclass(frozen=True)
class Settings:
    """One column per parameter; ``q`` is 1 or the number of points of the batch.

    Parameters
    ----------
    start, lower, upper
        First guess and bounds, ``(p,)``; of a constant, all are its value.
    kind
        `FREE`, `GAUSSIAN`, `POISSON` or `LOG_NORMAL`, ``(p,)``.
    centre
        Auxiliary measurement, in the unit of the parameter, ``(p,)``.
    spread
        Width, tau, or logarithm of kappa of the constraint, ``(q, p)``.
    """

    start: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    kind: NDArray[np.int64]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    def take(self, points: Int[np.ndarray, " r"]) -> Settings:
        """Return the settings with one row of spreads per entry of `points`."""
        if len(self.spread) == 1:
            return self
        return replace(self, spread=self.spread[points])


def settings(model: Model) -> Settings:
    """Return the settings of all parameters of a model.

    Raises
    ------
    InvalidCard
        If a `Lumi` has no constraint, or a start lies outside its bounds.
    """
    columns = _columns(model)
    for parameter in model.parameters:
        for name in [n for n in columns if parameter.name in {n, n.split("[")[0]}]:
            columns[name] = columns[name].overridden(parameter)
    for name, column in columns.items():
        if not column.lower <= column.start <= column.upper:
            msg = (
                f"parameter {name!r} starts at {column.start}, outside its bounds "
                f"[{column.lower}, {column.upper}]; set a start within them."
            )
            raise InvalidCard(msg)
    if any(column.kind is None for column in columns.values()):
        lacking = [name for name, column in columns.items() if column.kind is None]
        msg = (
            f"the luminosity parameter {lacking[0]!r} has no constraint; give a Parameter "
            "with its Gaussian centre and width."
        )
        raise InvalidCard(msg)
    return _stacked([columns[name] for name in model.names])


@final
@dataclass(frozen=True)
class _Column:
    """Settings of one parameter; `kind` None means that a constraint is missing."""

    kind: int | None
    start: float = 1.0
    lower: float = _SMALLEST
    upper: float = inf
    centre: float = 1.0
    spread: NDArray[np.float64] | float = 1.0  # one value, or one per point
    constant: NDArray[np.bool_] | bool = False

    def overridden(self, by: Parameter) -> _Column:
        low, high = by.bounds or (self.lower, self.upper)
        new = replace(
            self,
            lower=low,
            upper=high,
            start=self.start if by.start is None else by.start,
            constant=self.constant if by.fixed is None else by.fixed,
        )
        return new if by.constraint is None else new.constrained(by.constraint)

    def constrained(self, by: Constraint) -> _Column:
        match by:
            case Gaussian(centre, width):
                still = bool(self.constant or width == 0)
                return replace(
                    self, kind=GAUSSIAN, centre=centre, spread=width, constant=still
                )
            case Poisson(centre, tau):
                return replace(self, kind=POISSON, centre=centre, spread=tau)
            case LogNormal(centre, kappa):
                still = bool(self.constant or kappa == 1)
                spread = log(kappa)
                return replace(
                    self, kind=LOG_NORMAL, centre=centre, spread=spread, constant=still
                )


def _columns(model: Model) -> dict[str, _Column]:
    columns: dict[str, _Column] = {}
    errors: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
    for channel, sample, modifier in model.modifiers():
        per_bin = [f"{modifier.name}[{b}]" for b in range(channel.bins)]
        match modifier:
            case NormFactor():
                columns[modifier.name] = _Column(FREE, lower=0.0)
            case Lumi():
                columns.setdefault(modifier.name, _Column(None, lower=0.0))
            case NormSys() | HistoSys():
                columns[modifier.name] = _Column(
                    GAUSSIAN, start=0.0, lower=-_PULL, upper=_PULL, centre=0.0
                )
            case ShapeFactor():
                columns |= dict.fromkeys(per_bin, _Column(FREE, lower=0.0))
            case ShapeSys():
                tau = _ratio(rows(sample.nominal), rows(modifier.sigma)) ** 2
                columns |= _per_bin(per_bin, POISSON, tau)
            case StatError():
                pair = (rows(sample.nominal), rows(modifier.sigma))
                errors.setdefault(modifier.name, []).append(pair)
                events = sum(nominal for nominal, _ in errors[modifier.name])
                square = sum(sigma**2 for _, sigma in errors[modifier.name])
                width = _ratio(np.sqrt(square), np.asarray(events))
                columns |= _per_bin(per_bin, GAUSSIAN, width)
    return columns


def _per_bin(
    names: list[str], kind: int, spread: NDArray[np.float64]
) -> dict[str, _Column]:
    """Return one column per bin; a bin without events or uncertainty is a constant."""
    columns = {}
    for b, name in enumerate(names):
        usable = spread[:, b] > 0
        filled = np.where(usable, spread[:, b], 1.0)
        if len(spread) > 1 and usable.any() and not usable.all():
            # a constant in some points only: a constraint that pins it there
            filled = np.where(usable, spread[:, b], 1e-8 if kind == GAUSSIAN else 1e16)
        columns[name] = _Column(kind, spread=filled, constant=not usable.any())
    return columns


def _ratio(
    above: NDArray[np.float64], below: NDArray[np.float64]
) -> NDArray[np.float64]:
    shape = np.broadcast_shapes(above.shape, below.shape)
    return np.divide(above, below, out=np.zeros(shape), where=(below > 0) & (above > 0))


def _stacked(columns: list[_Column]) -> Settings:
    spreads = np.broadcast_arrays(*(np.atleast_1d(c.spread) for c in columns))
    fields = ("start", "lower", "upper", "centre")
    start, lower, upper, centre = (
        np.array([float(getattr(c, field)) for c in columns]) for field in fields
    )
    still = np.array([bool(c.constant) for c in columns])
    return Settings(
        start,
        np.where(still, start, lower),
        np.where(still, start, upper),
        np.array([c.kind for c in columns], dtype=np.int64),
        centre,
        np.stack(spreads, axis=1).astype(np.float64),
    )
