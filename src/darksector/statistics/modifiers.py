"""What may change an expected yield: the modifiers of HistFactory, and constraints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, final

import numpy as np

from darksector.errors import InvalidCard

Values = (
    np.ndarray | Sequence[Any] | float
)  # numbers, nested as the arrays that they make


@final
@dataclass(frozen=True)
class Gaussian:
    """Auxiliary measurement with a normal distribution around the parameter."""

    centre: float
    width: float


@final
@dataclass(frozen=True)
class Poisson:
    """Auxiliary count ``centre * tau`` with the mean ``parameter * tau``."""

    centre: float
    tau: float


@final
@dataclass(frozen=True)
class LogNormal:
    """Auxiliary measurement whose logarithm is normal with the width ``ln(kappa)``."""

    centre: float
    kappa: float


Constraint = Gaussian | Poisson | LogNormal


@final
@dataclass(frozen=True)
class Parameter:
    """Settings of one parameter of a model that differ from those of its modifier.

    Parameters
    ----------
    name
        The name that modifiers use; a parameter per bin is called ``name[bin]``.
    start
        First guess of fits; None leaves the modifier's own, as for all below.
    bounds
        Smallest and largest value; without a constraint the prior is uniform between.
    fixed
        Whether the parameter is a constant.
    constraint
        Replaces the constraint of the modifier.

    Raises
    ------
    InvalidCard
        If a number is not finite, a bound is on the wrong side, or a width negative.
    """

    name: str
    start: float | None = None
    bounds: tuple[float, float] | None = None
    fixed: bool | None = None
    constraint: Constraint | None = None

    def __post_init__(self) -> None:
        low, high = self.bounds or (-inf, inf)
        if not low <= high:
            msg = (
                f"parameter {self.name!r} has the bounds [{low}, {high}]; low <= high."
            )
            raise InvalidCard(msg)
        if self.start is not None and not isfinite(self.start):
            msg = f"parameter {self.name!r} starts at {self.start}; it must be finite."
            raise InvalidCard(msg)
        check_constraint(self.name, self.constraint)


def check_constraint(name: str, constraint: Constraint | None) -> None:
    """Raise InvalidCard if a constraint of parameter `name` is not a distribution."""
    match constraint:
        case None:
            good = True
        case Gaussian(centre, width):
            good = isfinite(centre) and 0 <= width < inf
        case Poisson(centre, tau):
            good = 0 <= centre < inf and 0 < tau < inf
        case LogNormal(centre, kappa):
            good = 0 < centre < inf and 1 <= kappa < inf
    if not good:
        msg = (
            f"parameter {name!r} has the constraint {constraint}; allowed are Gaussian "
            "width >= 0, Poisson centre >= 0 and tau > 0, LogNormal centre > 0 and "
            "kappa >= 1, all finite."
        )
        raise InvalidCard(msg)


@final
@dataclass(frozen=True)
class NormFactor:
    """Free factor on all bins of a sample; the parameter of interest is one."""

    name: str


@final
@dataclass(frozen=True)
class Lumi:
    """Factor common to all samples; its centre and width come from a `Parameter`."""

    name: str


@final
@dataclass(frozen=True)
class NormSys:
    """Factor on all bins: `up` and `down` at ±1, exponential beyond, smooth between.

    The factors may be arrays with one value per point of the batch.
    """

    name: str
    up: Values
    down: Values

    def __post_init__(self) -> None:
        for factor in (np.asarray(self.up), np.asarray(self.down)):
            if factor.ndim > 1 or not np.all((factor > 0) & (factor < inf)):
                msg = (
                    f"NormSys {self.name!r} has the factor {factor}; factors are finite "
                    "and > 0, one or one per point."
                )
                raise InvalidCard(msg)


@final
@dataclass(frozen=True)
class HistoSys:
    """Shape of a sample, events: `up` and `down` at ±1, linear beyond, smooth between.

    Arrays have the shape of the sample's nominal events.
    """

    name: str
    up: Values
    down: Values


@final
@dataclass(frozen=True)
class ShapeFactor:
    """Free factor for each bin."""

    name: str


@final
@dataclass(frozen=True)
class ShapeSys:
    """Factor for each bin with a Poisson constraint; `sigma` is absolute, events."""

    name: str
    sigma: Values

    def __post_init__(self) -> None:
        _check_sigma(self.name, self.sigma)


@final
@dataclass(frozen=True)
class StatError:
    """Factor for each bin, shared by the samples that name it, Gaussian constraint.

    `sigma` is absolute, events; the samples add in quadrature (Barlow-Beeston "lite",
    arXiv:1103.0354).
    """

    name: str
    sigma: Values

    def __post_init__(self) -> None:
        _check_sigma(self.name, self.sigma)


Modifier = NormFactor | Lumi | NormSys | HistoSys | ShapeFactor | ShapeSys | StatError


def arrays(modifier: Modifier) -> tuple[np.ndarray, ...]:
    """Return the numbers of a modifier, ``(q, bins)`` each, of `NormSys` ``(q, 1)``."""
    match modifier:
        case NormSys(_, up, down):
            return tuple(np.atleast_1d(side)[:, None] for side in (up, down))
        case HistoSys(_, up, down):
            return rows(up), rows(down)
        case ShapeSys(_, sigma) | StatError(_, sigma):
            return (rows(sigma),)
    return ()


def rows(values: Values) -> np.ndarray:
    """Return an array with the axis of the batch in front, of length one if shared."""
    array = np.asarray(values, dtype=np.float64)
    return array if array.ndim > 1 else array[None]


def _check_sigma(name: str, sigma: Values) -> None:
    values = np.asarray(sigma, dtype=np.float64)
    bad = ~((values >= 0) & (values < inf))
    if bad.any():
        msg = (
            f"modifier {name!r} has the uncertainty {values[bad][0]}; uncertainties are "
            "finite and >= 0 events."
        )
        raise InvalidCard(msg)
