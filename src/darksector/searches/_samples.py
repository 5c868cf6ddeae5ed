"""The candidates of each sample after the fixed cuts, and what is inferred from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.detectors.losses import ORIGINS
from darksector.execution import Arrays
from darksector.results import Plane, RegionYield, Windows
from darksector.searches.base import Background
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import LimitCurve
from darksector.statistics.spectrum import half_width

Numbers = NDArray[np.float64]

_NEAR = 50  # candidates to either side that tell a typical weight


@final
@dataclass(frozen=True)
class Survivors:
    """The candidates of one sample after the fixed cuts.

    Parameters
    ----------
    cutflow
        Sums of weights, fb, and of squared weights, fb², after each step.
    weight, value, residual
        Per candidate, sorted by `value`; weights in fb.
    variables
        Per further observable and candidate, ``(variables, n)``.
    origins
        Share of each origin of losses per candidate, ``(origins, n)``; ``(0, n)`` where
        a sample is not divided.
    """

    cutflow: Numbers
    weight: Numbers
    value: Numbers
    residual: Numbers
    variables: Numbers
    origins: Numbers

    @classmethod
    def merge(cls, chunks: Sequence[Arrays]) -> Survivors:
        """Join the chunks of one sample; their mean is the sample."""
        count = sum(int(c["count"]) for c in chunks)
        value = np.concatenate([c["value"] for c in chunks])
        order = np.argsort(value, kind="stable")
        cutflow = np.sum([c["cutflow"] for c in chunks], axis=0)
        return cls(
            cutflow=cutflow / np.array([count, count**2]),
            weight=np.concatenate([c["weight"] for c in chunks])[order] / count,
            value=value[order],
            residual=np.concatenate([c["residual"] for c in chunks])[order],
            variables=_side_by_side(chunks, "variables")[:, order],
            origins=_side_by_side(chunks, "origins")[:, order],
        )

    @property
    def sigma(self) -> float:
        """Cross-section before any cut, fb."""
        return float(self.cutflow[0, 0])

    def between(self, low: float, high: float) -> Survivors:
        """Return the candidates with a value in [low, high)."""
        first, last = np.searchsorted(self.value, [low, high])
        return self[first:last]

    def __getitem__(self, chosen: slice | NDArray[np.bool_]) -> Survivors:
        """Return some of the candidates."""
        return Survivors(
            self.cutflow,
            self.weight[chosen],
            self.value[chosen],
            self.residual[chosen],
            self.variables[:, chosen],
            self.origins[:, chosen],
        )

    def divided(self, background: Background) -> dict[str, Survivors]:
        """Return component to its part of the sample, the weights shared out."""
        found = {}
        for part in background.components:
            if not part.origins:
                found[part.name] = self
                continue
            share = self.origins[[ORIGINS.index(name) for name in part.origins]]
            whole = replace(self, weight=self.weight * share.sum(axis=0))
            found[part.name] = whole[whole.weight > 0]
        return found

    def joined(self, other: Survivors) -> Survivors:
        """Return the sum of two samples."""
        value = np.concatenate([self.value, other.value])
        order = np.argsort(value, kind="stable")
        return Survivors(
            self.cutflow + other.cutflow,
            np.concatenate([self.weight, other.weight])[order],
            value[order],
            np.concatenate([self.residual, other.residual])[order],
            np.concatenate([self.variables, other.variables], axis=1)[:, order],
            np.zeros((0, len(order))),
        )

    def typical_weight(self, value: float) -> float:
        """Return the mean weight of the candidates around a value, fb; 0 without any."""
        at = int(np.searchsorted(self.value, value))
        near = self.weight[max(at - _NEAR, 0) : at + _NEAR]
        return float(near.mean()) if near.size else 0.0

    def resolution(self) -> float:
        """Return half of the central 68.3 % interval of the residual; 0 if none is left."""
        return half_width(self.residual, self.weight) if self.weight.size else 0.0

    def sums(self, thresholds: Sequence[float] = ()) -> tuple[float, float]:
        """Return Σw and Σw², fb and fb², of what passes thresholds of the variables."""
        keep = np.ones(self.weight.size, dtype=bool)
        for variable, threshold in zip(self.variables, thresholds, strict=False):
            keep &= variable > threshold
        weight = self.weight[keep]
        return float(weight.sum()), float((weight**2).sum())


@final
@dataclass(frozen=True)
class Halves:
    """The backgrounds, to choose thresholds and to judge them, per component."""

    choose: Mapping[str, Survivors]
    judge: Mapping[str, Survivors]


@final
@dataclass(frozen=True)
class Samples:
    """All that a run has simulated.

    Parameters
    ----------
    signals
        One per mass, at unit coupling.
    backgrounds
        Component to its sample.
    halves
        The same in two independent halves.
    """

    signals: tuple[Survivors, ...]
    backgrounds: Mapping[str, Survivors]
    halves: Halves

    @classmethod
    def of(
        cls,
        signals: Sequence[Survivors],
        backgrounds: Sequence[Background],
        chunks: Mapping[str, Sequence[Arrays]],
    ) -> Samples:
        """Return the samples of finished chunks, background component to its chunks.

        What is chosen is chosen on one half and judged on the other: else choices would
        pick the downward fluctuations of the simulation.
        """
        every = slice(None), slice(None, None, 2), slice(1, None, 2)
        whole, choose, judge = (_components(backgrounds, chunks, s) for s in every)
        return cls(tuple(signals), whole, Halves(choose, judge))


@final
@dataclass(frozen=True)
class Inference:
    """What a strategy finds.

    Parameters
    ----------
    windows, counting, limits
        The counting experiment of every mass, its likelihood, and the limits.
    planes
        Pictures of the candidates in two observables.
    regions
        What each background component leaves in each region.
    """

    windows: Windows
    counting: CountingModel
    limits: LimitCurve
    planes: tuple[Plane, ...] = ()
    regions: tuple[RegionYield, ...] = ()


def _components(
    backgrounds: Sequence[Background],
    chunks: Mapping[str, Sequence[Arrays]],
    chosen: slice,
) -> dict[str, Survivors]:
    """Return component to its sample; samples of the same component add up."""
    found: dict[str, Survivors] = {}
    for background in backgrounds:
        merged = Survivors.merge(chunks[background.sample][chosen])
        for name, part in merged.divided(background).items():
            found[name] = found[name].joined(part) if name in found else part
    return found


def _side_by_side(chunks: Sequence[Arrays], name: str) -> Numbers:
    return np.concatenate([c[name] for c in chunks], axis=1)
