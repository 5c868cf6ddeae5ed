"""The numbers that make a model, as one array per kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    HistoSys,
    Modifier,
    NormSys,
    ShapeSys,
    StatError,
    Values,
    rows,
)
from darksector.statistics.settings import settings
from darksector.statistics.tables import tables


@final
@dataclass(frozen=True)
class Numbers:
    """One array per kind of number of a model, or of derivatives by them.

    Parameters
    ----------
    nominal
        Events of each sample in each bin, ``(n, samples, bins)``; samples in the order
        of their first appearance, bins of all channels side by side.
    observed
        Observed events, ``(n, bins)``.
    norm_up, norm_down
        Factors of each `NormSys` in the order of `Model.modifiers`, ``(n, k)``.
    shape_up, shape_down
        Events of each `HistoSys` in that order, ``(n, h, bins)``, zero outside its
        channel.
    sigma
        Absolute uncertainties of each `ShapeSys` or `StatError` in that order, events,
        ``(n, g, bins)``, zero outside its channel.
    centre
        Auxiliary measurement of each parameter, ``(n, p)``.
    spread
        Width, tau or logarithm of kappa of each constraint, ``(n, p)``, as a number of
        its own: where it follows from `sigma` and `nominal`, those hold the dependence.
    """

    nominal: NDArray[np.float64]
    observed: NDArray[np.float64]
    norm_up: NDArray[np.float64]
    norm_down: NDArray[np.float64]
    shape_up: NDArray[np.float64]
    shape_down: NDArray[np.float64]
    sigma: NDArray[np.float64]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    def map(
        self, function: Callable[..., NDArray[np.float64]], *others: Numbers
    ) -> Numbers:
        """Return what a function makes of each kind of number."""
        names = [field.name for field in fields(self)]
        return Numbers(
            *(function(*(getattr(x, n) for x in (self, *others))) for n in names)
        )

    def plus(self, other: Numbers, *, times: Float[np.ndarray, " n"]) -> Numbers:
        """Return the sum with a multiple of others, row by row."""
        return self.map(lambda a, b: a + scaled(b, times), other)


def scaled(values: NDArray[np.float64], by: Float[np.ndarray, " n"]) -> np.ndarray:
    """Return each row of an array times its factor."""
    return values * by.reshape(-1, *[1] * (values.ndim - 1))


def numbers(model: Model) -> Numbers:
    """Return the numbers of a model, one row per point of its batch."""
    table, setting, count = tables(model), settings(model), model.size
    kinds: dict[str, list[NDArray[np.float64]]] = {}
    for bins, _, _, modifier in placed(model):
        for name, values in _of(modifier):
            if isinstance(modifier, NormSys):
                array = np.broadcast_to(np.asarray(values, dtype=np.float64), (count,))
            else:
                array = np.zeros((count, len(table.channel_of)))
                array[:, bins] = rows(values)
            kinds.setdefault(name, []).append(array)
    none = (count, 0)
    lists = {
        name: np.stack(kinds[name], axis=1) if name in kinds else np.zeros(shape)
        for name, shape in (
            ("norm_up", none),
            ("norm_down", none),
            ("shape_up", (*none, len(table.channel_of))),
            ("shape_down", (*none, len(table.channel_of))),
            ("sigma", (*none, len(table.channel_of))),
        )
    }
    return Numbers(
        nominal=_full(table.nominal, count),
        observed=_full(model.observed, count),
        centre=_full(setting.centre[None], count),
        spread=_full(setting.spread, count),
        **lists,
    )


def placed(model: Model) -> Iterator[tuple[slice, Channel, Sample, Modifier]]:
    """Yield the modifiers of a model in its order, with the bins that they change."""
    ends = np.cumsum([channel.bins for channel in model.channels])
    places = {
        channel.name: slice(int(end) - channel.bins, int(end))
        for channel, end in zip(model.channels, ends, strict=True)
    }
    for channel, sample, modifier in model.modifiers():
        yield places[channel.name], channel, sample, modifier


def _of(modifier: Modifier) -> tuple[tuple[str, Values], ...]:
    match modifier:
        case NormSys():
            return ("norm_up", modifier.up), ("norm_down", modifier.down)
        case HistoSys():
            return ("shape_up", modifier.up), ("shape_down", modifier.down)
        case ShapeSys() | StatError():
            return (("sigma", modifier.sigma),)
    return ()


def _full(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.array(np.broadcast_to(values, (count, *values.shape[1:])))
