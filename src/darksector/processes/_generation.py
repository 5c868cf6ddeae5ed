"""From uniform numbers to weighted events: chunks, channels, survivors, threads.

Event i of a seed is a function of i alone: its numbers come from page i // 1024 of the
stream, whatever the size of the chunks and the number of threads.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from math import sqrt
from typing import Any, NamedTuple, TypeVar, final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector.beams import LuminousRegion
from darksector.compilation import BLOCK
from darksector.errors import InvalidConfig, NotConverged
from darksector.execution import stream
from darksector.phasespace.integrate import Point, Sampler
from darksector.processes import _kernels
from darksector.processes._kernels import Numbers, Points, Setting

T = TypeVar("T")

CHUNK = 64 * BLOCK  # trials at a time
BATCH = 4 * BLOCK  # survivors at a time


class Weighed(NamedTuple):
    """The trials of a chunk that have a weight, in their order."""

    trial: NDArray[np.int64]  # which trial of the chunk each one is
    channel: NDArray[np.uint8]
    weight: NDArray[np.float64]  # fb; the mean over all trials is the cross-section
    points: Points  # arrays of NumPy


class Survivors(NamedTuple):
    """The same with momenta."""

    trial: NDArray[np.int64]
    weight: NDArray[np.float64]
    momenta: NDArray[np.float64]  # laboratory, (m, k, 4)
    p_beams: NDArray[np.float64]  # (m, 4)


class Drawn(NamedTuple):
    """A finished sample; Σ weight is the cross-section."""

    weight: NDArray[np.float64]  # fb
    momenta: NDArray[np.float64]
    p_beams: NDArray[np.float64]
    trials: int
    overflow: float  # share of the cross-section above the maximum weight
    vertices: NDArray[np.float64] | None  # (n, 4); None: all at the origin

    @property
    def error(self) -> float:
        """Statistical error of the cross-section, fb."""
        square = (
            float((self.weight**2).sum()) - float(self.weight.sum()) ** 2 / self.trials
        )
        return sqrt(max(square, 0.0))


@final
@dataclass(frozen=True)
class Generation:
    """All that the events of a process at a machine depend on, except the seed."""

    name: str
    setting: Setting
    numbers: Numbers
    sampler: Sampler
    region: LuminousRegion | None

    @property
    def dimension(self) -> int:
        """Number of uniform numbers per trial."""
        return self.setting.total_dimension

    def with_sampler(self, sampler: Sampler) -> Generation:
        """Return the same events drawn by another sampler."""
        numbers = self.numbers._replace(
            shares=jnp.asarray(sampler.shares), edges=jnp.asarray(sampler.edges)
        )
        return replace(self, numbers=numbers, sampler=sampler)

    def uniform(self, seed: int, stage: str, start: int, n: int) -> NDArray[np.float64]:
        """Return the uniform numbers of the trials from `start`, ``(n, dimension)``."""
        first, last = start // BLOCK, -(-(start + n) // BLOCK)
        pages = [
            stream(seed, stage, self.name, page).random((BLOCK, self.dimension))
            for page in range(first, last)
        ]
        return np.concatenate(pages)[start - first * BLOCK :][:n]

    def survivors(self, u: NDArray[np.float64]) -> Survivors:
        """Return the trials that lie inside the cuts, with weights and momenta."""
        return self.in_laboratory(self.weighed(u))

    def weighed(self, u: NDArray[np.float64]) -> Weighed:
        """Return the trials that lie inside the cuts, with weights."""
        order, found = self._points(u)
        alive = np.flatnonzero((np.asarray(found.weight) > 0) & (order >= 0))
        alive = alive[np.argsort(order[alive], kind="stable")]
        points = jax.tree.map(lambda a: np.take(np.asarray(a), alive), found)
        weight = [
            np.asarray(_kernels.weights(self.setting, part, self.numbers))
            for part in _batches(points)
        ]
        weighed = Weighed(
            trial=order[alive],
            channel=self.sampler.choose(u[order[alive], -1]),
            weight=np.concatenate([np.zeros(0), *weight])[: len(alive)],
            points=points,
        )
        self._check(weighed)
        return weighed

    def in_laboratory(self, weighed: Weighed) -> Survivors:
        """Return trials with their momenta."""
        n, k = len(weighed.trial), len(weighed.points.final)
        momenta, p_beams = np.zeros((n, k, 4)), np.zeros((n, 4))
        for i, part in enumerate(_batches(weighed.points)):
            done = _kernels.laboratory(part, self.numbers)
            rows = slice(i * BATCH, min((i + 1) * BATCH, n))
            size = rows.stop - rows.start
            for column in range(4):
                p_beams[rows, column] = np.asarray(done.p_beams[column])[:size]
                for slot in range(k):
                    component = np.asarray(done.final[slot][column])
                    momenta[rows, slot, column] = component[:size]
        return Survivors(weighed.trial, weighed.weight, momenta, p_beams)

    def _check(self, found: Weighed) -> None:
        """Raise NotConverged where an amplitude has lost its digits."""
        wrong = np.flatnonzero(~(np.isfinite(found.weight) & (found.weight >= 0)))
        if len(wrong):
            final = [[float(x[wrong[0]]) for x in p] for p in found.points.final]
            msg = (
                f"{self.name}: a squared amplitude is not a positive number, at the "
                f"momenta {final}; cut away from this singular region."
            )
            raise NotConverged(msg)

    def point(self, u: NDArray[np.float64]) -> Point:
        """Return trials as the adaptation of a sampler wants them."""
        found = self.weighed(u)
        every = self.sampler.choose(u[:, -1])
        return Point(
            found.channel,
            u[found.trial, : self.setting.grid_dimension],
            found.weight,
            np.bincount(every, minlength=self.sampler.channels),
        )

    def events(
        self,
        n: int,
        seed: int,
        *,
        highest: NDArray[np.float64] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Drawn:
        """Return the first n events of a seed; Σ weights is the cross-section, fb.

        With the maximum weights of all channels, events are unweighted.  `progress` is
        called with the numbers of events found so far and of all.
        """
        drawing, most = self, None
        if highest is not None:
            drawing = self.with_sampler(self.sampler.for_unweighting(highest))
            most = float(highest.sum())

        def chunk(i: int) -> Survivors:
            weighed = drawing.weighed(self.uniform(seed, "generate", i * CHUNK, CHUNK))
            if most is not None:
                weighed = self._accepted(weighed, most, seed, i)
            return drawing.in_laboratory(weighed)

        kept: list[Survivors] = []
        found = 0
        for part in self.in_order(chunk):
            kept.append(part)
            found += len(part.trial)
            if progress is not None:
                progress(min(found, n), n)
            if found > n:
                break
        # n over the trials before survivor n + 1 is unbiased; up to survivor n it is not
        last = n - (found - len(kept[-1].trial))
        trials = (len(kept) - 1) * CHUNK + int(kept[-1].trial[last])
        weight = np.concatenate([chunk.weight for chunk in kept])[:n] / trials
        return Drawn(
            weight=weight,
            momenta=np.concatenate([chunk.momenta for chunk in kept])[:n],
            p_beams=np.concatenate([chunk.p_beams for chunk in kept])[:n],
            trials=trials,
            overflow=_overflow(weight, most),
            vertices=self._vertices(n, seed),
        )

    def _vertices(self, n: int, seed: int) -> NDArray[np.float64] | None:
        """Return where the first n events of a seed happen, cm.

        They are numbered as events, not as trials: a trial that is thrown away costs none.
        """
        if self.region is None:
            return None
        pages = [
            stream(seed, "vertex", self.name, page).random((BLOCK, 4))
            for page in range(-(-n // BLOCK))
        ]
        return self.region.vertices(np.concatenate(pages)[:n])

    def _accepted(self, chunk: Weighed, most: float, seed: int, i: int) -> Weighed:
        """Return trials kept with probability weight over maximum."""
        first = i * CHUNK // BLOCK
        pages = range(first, first + CHUNK // BLOCK)
        r = [stream(seed, "accept", self.name, page).random(BLOCK) for page in pages]
        keep = np.concatenate(r)[chunk.trial] * most < chunk.weight
        return Weighed(
            trial=chunk.trial[keep],
            channel=chunk.channel[keep],
            weight=np.maximum(chunk.weight, most)[keep],
            points=jax.tree.map(lambda a: a[keep], chunk.points),
        )

    def chunks(self, seed: int, stage: str) -> Iterator[Weighed]:
        """Yield the weights of one chunk of trials after another, without end."""
        return self.in_order(
            lambda i: self.weighed(self.uniform(seed, stage, i * CHUNK, CHUNK))
        )

    def in_order(self, chunk: Callable[[int], T]) -> Iterator[T]:
        """Yield the results for chunk 0, 1, ... without end, computed in all threads."""
        workers = threads()
        self.compile_ahead()
        with ThreadPoolExecutor(workers) as pool:
            waiting: deque[Future[T]] = deque()
            try:
                for i in count():
                    waiting.append(pool.submit(chunk, i))
                    if len(waiting) > workers:
                        yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def compile_ahead(self) -> None:
        """Start compiling the second step while the first one is being compiled."""
        one = np.ones(BATCH)
        k = len(self.setting.kernel.masses(self.numbers.parameters))
        whole: Any = (((one,) * 4,) * k, one, (one, one), (one, one), one)
        pool = ThreadPoolExecutor(1)
        pool.submit(_kernels.weights, self.setting, Points(*whole), self.numbers)
        pool.shutdown(wait=False)

    def _points(self, u: NDArray[np.float64]) -> tuple[NDArray[np.int64], Points]:
        """Return points channel by channel, and which trial each one is (-1: padding)."""
        channel = self.sampler.choose(u[:, -1])
        order, blocks = _by_channel(channel, self.sampler.channels)
        numbers = np.take(u, np.maximum(order, 0), axis=0)
        return order, _kernels.points(
            self.setting, jnp.asarray(numbers), jnp.asarray(blocks), self.numbers
        )


def threads() -> int:
    """Return the number of threads: NPROC where it is set, as in worker processes.

    Raises
    ------
    InvalidConfig
        If NPROC is not a positive number.
    """
    given = os.environ.get("NPROC", str(len(os.sched_getaffinity(0))))
    if not given.isdecimal() or int(given) < 1:
        msg = (
            f"the environment variable NPROC must be a positive number, got {given!r}."
        )
        raise InvalidConfig(msg)
    return int(given)


def _batches(points: Points) -> Iterator[Points]:
    """Yield points in batches of one size; the last one is filled up with its end."""
    n = len(points.weight)
    for start in range(0, n, BATCH):
        missing = max(start + BATCH - n, 0)
        part = jax.tree.map(lambda a, i=start: a[i : i + BATCH], points)
        if missing:
            part = jax.tree.map(lambda a, m=missing: np.pad(a, (0, m), "edge"), part)
        yield part


def _by_channel(
    channel: NDArray[np.uint8], channels: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return trials ordered in blocks of one channel, -1 in padding, and its channel.

    The number of blocks depends on the number of trials only: one compilation.
    """
    counts = np.bincount(channel, minlength=channels)
    blocks = -(-counts // BLOCK)
    most = -(-len(channel) // BLOCK) + channels - 1
    order = np.full(most * BLOCK, -1, dtype=np.int64)
    of_block = np.full(most, -1, dtype=np.int32)
    sorted_ = np.argsort(channel, kind="stable")
    start = np.concatenate([[0], np.cumsum(counts)])
    begin = 0
    for c in range(channels):
        order[begin * BLOCK : begin * BLOCK + counts[c]] = sorted_[
            start[c] : start[c + 1]
        ]
        of_block[begin : begin + blocks[c]] = c
        begin += blocks[c]
    return order, of_block


def _overflow(weight: NDArray[np.float64], most: float | None) -> float:
    """Return the share of the weights that lies above the least one."""
    if most is None:
        return 0.0
    return max(float(1 - weight.min() * len(weight) / weight.sum()), 0.0)
