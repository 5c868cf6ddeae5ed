"""Binned models: channels of samples whose yields depend on parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from darksector.errors import InvalidCard, OutOfDomain, UnknownName
from darksector.statistics.modifiers import (
    HistoSys,
    Lumi,
    Modifier,
    NormFactor,
    NormSys,
    Parameter,
    Values,
    arrays,
    rows,
)


@final
@dataclass(frozen=True)
class Sample:
    """One process in one channel.

    Parameters
    ----------
    name
        Name of the process; the same in all channels where it is the same process.
    nominal
        Expected events per bin, shape ``(bins,)``, or ``(m, bins)`` for a batch.
    modifiers
        What changes them.
    """

    name: str
    nominal: Values
    modifiers: tuple[Modifier, ...] = ()

    @property
    def arrays(self) -> tuple[NDArray[np.float64], ...]:
        """All numbers, ``(q, bins)`` or ``(q, 1)`` each."""
        return (rows(self.nominal), *(a for m in self.modifiers for a in arrays(m)))


@final
@dataclass(frozen=True)
class Channel:
    """One selection whose bins are counted.

    Parameters
    ----------
    name
        Name of the channel.
    samples
        The processes that fill it.
    observed
        Observed events per bin, shape ``(bins,)`` or ``(m, bins)``.
    """

    name: str
    samples: tuple[Sample, ...]
    observed: Values

    def __post_init__(self) -> None:
        _unique("sample", [sample.name for sample in self.samples])
        counts = np.asarray(self.observed, dtype=np.float64)
        if counts.ndim not in {1, 2} or not self.samples or not counts.size:
            msg = (
                f"channel {self.name!r} needs samples and observed events of shape "
                f"(bins,) or (m, bins), got {len(self.samples)} samples and the shape "
                f"{counts.shape}."
            )
            raise InvalidCard(msg)
        bad = ~(np.isfinite(counts) & (counts >= 0))
        if bad.any():
            msg = (
                f"channel {self.name!r} has observed {counts[bad][0]} events in a bin; "
                "they must be finite and >= 0."
            )
            raise OutOfDomain(msg)
        for sample in self.samples:
            where = f"sample {sample.name!r} of channel {self.name!r}"
            _unique(
                f"modifier of {where}",
                [f"{type(m).__name__} {m.name}" for m in sample.modifiers],
            )
            for array in sample.arrays:
                _check_array(f"an array of {where}", array)
            binned = [m for m in sample.modifiers if not isinstance(m, NormSys)]
            for array in (
                rows(sample.nominal),
                *(a for m in binned for a in arrays(m)),
            ):
                if array.shape[1] != self.bins:
                    msg = (
                        f"{where} has an array with {array.shape[1]} bins; it needs "
                        f"{self.bins} bins as observed."
                    )
                    raise InvalidCard(msg)

    @property
    def bins(self) -> int:
        """Number of bins."""
        return int(np.shape(self.observed)[-1])


@final
@dataclass(frozen=True)
class Model:
    r"""Channels × samples × bins with parameters correlated by name.

    .. math:: \nu_b = \sum_s \Big[ n_{sb} + \sum_h \Delta_{hsb}(\alpha_h) \Big]
              \prod_f \theta_f \prod_k \kappa_{ks}(\alpha_k) \prod_g \gamma_{gb}

    A batch is one model for many points (masses, luminosities, data sets): each array
    may have a leading axis of the batch, and what has none is shared.

    Parameters
    ----------
    channels
        The selections.
    poi
        Name of the parameter of interest, a `NormFactor`.
    parameters
        Settings that differ from the modifiers' own.

    Raises
    ------
    InvalidCard
        If names repeat, shapes differ, a modifier's numbers are not allowed, or one
        name stands for parameters of different kinds.
    UnknownName
        If the parameter of interest or a setting names no parameter.
    OutOfDomain
        If observed events are negative, or a number is not finite.

    Notes
    -----
    The model of HistFactory (CERN-OPEN-2012-016) with the interpolations that pyhf
    takes by default: ``code4`` for `NormSys`, ``code4p`` for `HistoSys`.

    Examples
    --------
    >>> signal = Sample("signal", [2.0, 5.0], (NormFactor("mu"),))
    >>> background = Sample("background", [9.0, 8.0], (NormSys("scale", 1.1, 0.9),))
    >>> model = Model((Channel("region", (signal, background), [8, 9]),), poi="mu")
    >>> model.names
    ('mu', 'scale')
    """

    channels: tuple[Channel, ...]
    poi: str
    parameters: tuple[Parameter, ...] = ()

    def __post_init__(self) -> None:
        _unique("channel", [channel.name for channel in self.channels])
        _unique("parameter", [parameter.name for parameter in self.parameters])
        sizes = {len(array) for array in self._arrays()} - {1}
        if len(sizes) > 1:
            msg = (
                f"the arrays of a model hold {sorted(sizes)} points; a batch has one "
                "number of points, and arrays without its axis are shared."
            )
            raise InvalidCard(msg)
        self._check_names()

    def _check_names(self) -> None:
        kinds: dict[str, set[str]] = {}
        for _, _, modifier in self.modifiers():
            kinds.setdefault(modifier.name, set()).add(type(modifier).__name__)
        for name, kind in kinds.items():
            if len(kind) > 1 and kind != {"NormSys", "HistoSys"}:
                msg = (
                    f"parameter {name!r} is a {' and a '.join(sorted(kind))}; only "
                    "NormSys and HistoSys may share a name."
                )
                raise InvalidCard(msg)
        factors = [name for name, kind in kinds.items() if kind == {"NormFactor"}]
        if self.poi not in factors:
            what = "normalisation factor"
            raise UnknownName(what, self.poi, factors)
        for parameter in self.parameters:
            if parameter.name.split("[")[0] not in kinds:
                what = "parameter"
                raise UnknownName(what, parameter.name, kinds)

    def modifiers(self) -> Iterator[tuple[Channel, Sample, Modifier]]:
        """Yield every modifier with the channel and sample that it changes."""
        for channel in self.channels:
            for sample in channel.samples:
                for modifier in sample.modifiers:
                    yield channel, sample, modifier

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters; one per bin where a modifier has one per bin."""
        found: dict[str, None] = {}
        for channel, _, modifier in self.modifiers():
            if isinstance(modifier, NormFactor | Lumi | NormSys | HistoSys):
                found[modifier.name] = None
            else:
                found |= dict.fromkeys(
                    f"{modifier.name}[{b}]" for b in range(channel.bins)
                )
        return tuple(found)

    @property
    def size(self) -> int:
        """Number of points of the batch, 1 without one."""
        return max(len(array) for array in self._arrays())

    def _arrays(self) -> Iterator[NDArray[np.float64]]:
        for channel in self.channels:
            yield rows(channel.observed)
            for sample in channel.samples:
                yield from sample.arrays

    @property
    def observed(self) -> Float[np.ndarray, "m bins"]:
        """Observed events of all channels side by side, shape ``(m, bins)``."""
        parts = [rows(channel.observed) for channel in self.channels]
        shape = (max(len(part) for part in parts),)
        return np.concatenate(
            [np.broadcast_to(p, (*shape, p.shape[1])) for p in parts], axis=1
        ).astype(np.float64)

    def with_observed(self, counts: Float[np.ndarray, "m bins"]) -> Model:
        """Return the model with other observed events, shape ``(m, bins)``."""
        ends = np.cumsum([channel.bins for channel in self.channels])[:-1]
        parts = np.split(counts, ends, axis=1)
        channels = zip(self.channels, parts, strict=True)
        return replace(
            self, channels=tuple(replace(c, observed=part) for c, part in channels)
        )


def _unique(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            msg = f"{kind} {name!r} appears twice; names of a model must differ."
            raise InvalidCard(msg)


def _check_array(where: str, values: NDArray[np.float64]) -> None:
    if values.ndim != 2:
        msg = f"{where} has {values.ndim} axes; shapes are (bins,) or (m, bins)."
        raise InvalidCard(msg)
    if not np.all(np.isfinite(values)):
        msg = f"{where} holds a value that is not finite."
        raise OutOfDomain(msg)
