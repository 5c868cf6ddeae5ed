"""A model as arrays: which numbers move which cells (sample × bin)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from darksector.errors import InvalidCard
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    HistoSys,
    Lumi,
    Modifier,
    NormFactor,
    NormSys,
    ShapeFactor,
    ShapeSys,
    StatError,
    rows,
)


@final
@dataclass(frozen=True)
class Factors:
    """Parameters that multiply all bins of a sample in a channel, a block of cells.

    Parameters
    ----------
    parameter, block
        Index of the parameter and ``sample * channels + channel`` of each factor; first
        those that are their parameter, then those of `NormSys`.
    layers
        Indices of factors, so grouped that no block appears twice in a group.
    log_up, log_down
        Logarithms of the factors of `NormSys` at ±1, ``(q, k)``.
    """

    parameter: NDArray[np.int64]
    block: NDArray[np.int64]
    layers: tuple[NDArray[np.int64], ...]
    log_up: NDArray[np.float64]
    log_down: NDArray[np.float64]


@final
@dataclass(frozen=True)
class Shape:
    """One parameter that moves the bins of a sample: ``α odd + g(α) even`` events.

    The arrays are ``(q, bins)``, half of the difference and of the sum of both sides.
    """

    parameter: int
    sample: int
    bins: slice
    odd: NDArray[np.float64]
    even: NDArray[np.float64]


@final
@dataclass(frozen=True)
class PerBin:
    """Parameters that multiply one bin each, in some samples of a channel."""

    parameters: NDArray[np.int64]
    samples: NDArray[np.int64]
    bins: slice


@final
@dataclass(frozen=True)
class Tables:
    """The arrays of a model; ``q`` is 1 or the number of points of the batch.

    Parameters
    ----------
    names
        Parameters.
    bins
        The bins of each channel within all bins.
    channel_of
        Index of the channel of each bin, ``(bins,)``.
    nominal
        Events without modifiers, ``(q, samples, bins)``.
    factors, shapes, per_bin
        What the parameters change.
    """

    names: tuple[str, ...]
    bins: tuple[slice, ...]
    channel_of: NDArray[np.int64]
    nominal: NDArray[np.float64]
    factors: Factors
    shapes: tuple[Shape, ...]
    per_bin: tuple[PerBin, ...]

    def take(self, points: Int[np.ndarray, " r"]) -> Tables:
        """Return the tables with one row per entry of `points`; shared ones stay."""
        return replace(
            self,
            nominal=_take(self.nominal, points),
            factors=replace(
                self.factors,
                log_up=_take(self.factors.log_up, points),
                log_down=_take(self.factors.log_down, points),
            ),
            shapes=tuple(
                replace(x, odd=_take(x.odd, points), even=_take(x.even, points))
                for x in self.shapes
            ),
        )


def tables(model: Model) -> Tables:
    """Return the arrays of a model."""
    names = model.names
    index = {name: i for i, name in enumerate(names)}
    channels = model.channels
    samples = list(dict.fromkeys(s.name for c in channels for s in c.samples))
    ends = np.cumsum([channel.bins for channel in channels])
    bins = tuple(
        slice(int(end) - channel.bins, int(end))
        for end, channel in zip(ends, channels, strict=True)
    )
    return Tables(
        names,
        bins,
        np.repeat(np.arange(len(channels)), [channel.bins for channel in channels]),
        _nominal(model, samples, bins),
        _factors(model, samples, index),
        tuple(_shapes(model, samples, bins, index)),
        tuple(_per_bin(model, samples, bins, index)),
    )


def _nominal(
    model: Model, samples: list[str], bins: tuple[slice, ...]
) -> NDArray[np.float64]:
    parts = [
        (samples.index(sample.name), where, rows(sample.nominal))
        for channel, where in zip(model.channels, bins, strict=True)
        for sample in channel.samples
    ]
    points = max(len(part) for _, _, part in parts)
    nominal = np.zeros((points, len(samples), bins[-1].stop))
    for sample, where, part in parts:
        nominal[:, sample, where] = part
    return nominal


def _factors(model: Model, samples: list[str], index: dict[str, int]) -> Factors:
    plain, powers, logs = [], [], []
    for c, _, sample, modifier in _modifiers(model):
        block = samples.index(sample.name) * len(model.channels) + c
        match modifier:
            case NormFactor() | Lumi():
                plain.append((index[modifier.name], block))
            case NormSys():
                powers.append((index[modifier.name], block))
                ups, downs = np.atleast_1d(modifier.up), np.atleast_1d(modifier.down)
                logs.append(np.log(np.stack(np.broadcast_arrays(ups, downs))))
    points = max((pair.shape[1] for pair in logs), default=1)
    sides = np.zeros((2, points, len(logs)))
    for k, pair in enumerate(logs):
        sides[:, :, k] = pair
    entries = np.array([*plain, *powers], dtype=np.int64).reshape(-1, 2)
    order = [int(np.sum(entries[:i, 1] == b)) for i, b in enumerate(entries[:, 1])]
    layers = (
        np.flatnonzero(np.array(order) == k) for k in range(max(order, default=-1) + 1)
    )
    return Factors(entries[:, 0], entries[:, 1], tuple(layers), sides[0], sides[1])


def _shapes(
    model: Model, samples: list[str], bins: tuple[slice, ...], index: dict[str, int]
) -> Iterator[Shape]:
    for c, _, sample, modifier in _modifiers(model):
        if isinstance(modifier, HistoSys):
            nominal = rows(sample.nominal)
            up, down = rows(modifier.up) - nominal, rows(modifier.down) - nominal
            odd, even = (up - down) / 2, (up + down) / 2
            s = samples.index(sample.name)
            yield Shape(index[modifier.name], s, bins[c], odd, even)


def _per_bin(
    model: Model, samples: list[str], bins: tuple[slice, ...], index: dict[str, int]
) -> Iterator[PerBin]:
    owner: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for c, _, sample, modifier in _modifiers(model):
        if isinstance(modifier, ShapeFactor | ShapeSys | StatError):
            key = (type(modifier).__name__, modifier.name)
            owner.setdefault(key, []).append((c, samples.index(sample.name)))
    for (kind, name), cells in owner.items():
        where = sorted({c for c, _ in cells})
        shared = len(cells) if kind == "ShapeSys" else len(where)
        if kind != "ShapeFactor" and shared > 1:
            limit = "one sample" if kind == "ShapeSys" else "the samples of one channel"
            msg = f"{kind} {name!r} appears {shared} times; it belongs to {limit}."
            raise InvalidCard(msg)
        for c in where:
            count = bins[c].stop - bins[c].start
            parameters = np.array([index[f"{name}[{b}]"] for b in range(count)])
            inside = np.array([s for channel, s in cells if channel == c])
            yield PerBin(parameters, inside, bins[c])


def _modifiers(model: Model) -> Iterator[tuple[int, Channel, Sample, Modifier]]:
    places = {channel.name: i for i, channel in enumerate(model.channels)}
    for channel, sample, modifier in model.modifiers():
        yield places[channel.name], channel, sample, modifier


def _take(
    values: NDArray[np.float64], points: NDArray[np.int64]
) -> NDArray[np.float64]:
    return values if len(values) == 1 else values[points]
