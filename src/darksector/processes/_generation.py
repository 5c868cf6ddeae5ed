"""From uniform numbers to weighted events: chunks, channels, survivors, threads.

Event i of a seed is a function of i alone: its numbers come from page i // 1024 of the
stream, whatever the size of the chunks and the number of threads.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from math import sqrt
from typing import NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector.compilation import BLOCK
from darksector.errors import InvalidConfig, NotConverged
from darksector.execution import stream
from darksector.phasespace.integrate import Point, Sampler
from darksector.processes import _kernels
from darksector.processes._kernels import Numbers, Points, Setting

CHUNK = 64 * BLOCK  # trials at a time
BATCH = 4 * BLOCK  # survivors at a time


class Survivors(NamedTuple):
    """The trials of a chunk that have a weight, in their order."""

    trial: NDArray[np.int64]  # which trial of the chunk each one is
    channel: NDArray[np.uint8]
    weight: NDArray[np.float64]  # fb; the mean over all trials is the cross-section
    momenta: NDArray[np.float64]  # laboratory, (m, k, 4)
    p_beams: NDArray[np.float64]  # (m, 4)


class Drawn(NamedTuple):
    """A finished sample; Σ weight is the cross-section."""

    weight: NDArray[np.float64]  # fb
    momenta: NDArray[np.float64]
    p_beams: NDArray[np.float64]
    trials: int
    overflow: float  # share of the cross-section above the maximum weight

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

    @property
    def dimension(self) -> int:
        """Number of uniform numbers per trial."""
        return self.setting.total_dimension

    def with_sampler(self, sampler: Sampler) -> Generation:
        """Return the same events drawn by another sampler."""
        numbers = self.numbers._replace(
            shares=jnp.asarray(sampler.shares), edges=jnp.asarray(sampler.edges)
        )
        return Generation(self.name, self.setting, numbers, sampler)

    def uniform(self, seed: int, stage: str, start: int, n: int) -> NDArray[np.float64]:
        """Return the uniform numbers of the trials from `start`, ``(n, dimension)``."""
        first, last = start // BLOCK, -(-(start + n) // BLOCK)
        pages = [
            stream(seed, stage, self.name, page).random((BLOCK, self.dimension))
            for page in range(first, last)
        ]
        return np.concatenate(pages)[start - first * BLOCK :][:n]

    def survivors(self, u: NDArray[np.float64]) -> Survivors:
        """Return the trials that lie inside the cuts, with weights."""
        order, found = self._points(u)
        alive = np.flatnonzero((np.asarray(found.weight) > 0) & (order >= 0))
        alive = alive[np.argsort(order[alive], kind="stable")]
        batches = [
            self._finish(found, alive[i : i + BATCH])
            for i in range(0, len(alive), BATCH)
        ]
        k = len(found.final)
        empty = (np.zeros(0), np.zeros((0, k, 4)), np.zeros((0, 4)))
        joined = [
            np.concatenate(parts) for parts in zip(*batches, strict=True)
        ] or empty
        own = self.sampler.choose(u[order[alive], -1])
        survivors = Survivors(order[alive], own, *joined)
        self._check(survivors)
        return survivors

    def _check(self, found: Survivors) -> None:
        """Raise NotConverged where an amplitude has lost its digits."""
        wrong = ~(np.isfinite(found.weight) & (found.weight >= 0))
        if wrong.any():
            momenta = found.momenta[wrong][0].tolist()
            msg = (
                f"{self.name}: a squared amplitude is not a positive number, at the "
                f"momenta {momenta}; cut away from this singular region."
            )
            raise NotConverged(msg)

    def point(self, u: NDArray[np.float64]) -> Point:
        """Return trials as the adaptation of a sampler wants them."""
        found = self.survivors(u)
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
        kept: list[Survivors] = []
        found = 0
        for i, chunk in enumerate(drawing.chunks(seed, "generate")):
            kept.append(chunk if most is None else self._accepted(chunk, most, seed, i))
            found += len(kept[-1].trial)
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
        )

    def _accepted(self, chunk: Survivors, most: float, seed: int, i: int) -> Survivors:
        """Return survivors kept with probability weight over maximum."""
        first = i * CHUNK // BLOCK
        pages = range(first, first + CHUNK // BLOCK)
        r = [stream(seed, "accept", self.name, page).random(BLOCK) for page in pages]
        keep = np.concatenate(r)[chunk.trial] * most < chunk.weight
        weight = np.maximum(chunk.weight, most)
        return Survivors(
            trial=chunk.trial[keep],
            channel=chunk.channel[keep],
            weight=weight[keep],
            momenta=chunk.momenta[keep],
            p_beams=chunk.p_beams[keep],
        )

    def chunks(self, seed: int, stage: str, size: int = CHUNK) -> Iterator[Survivors]:
        """Yield the survivors of one chunk of trials after another, without end."""

        def chunk(i: int) -> Survivors:
            return self.survivors(self.uniform(seed, stage, i * size, size))

        workers = threads()
        self.compile_ahead()
        with ThreadPoolExecutor(workers) as pool:
            waiting: deque[Future[Survivors]] = deque()
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
        one = jnp.ones(BATCH)
        k = len(self.setting.kernel.masses(self.numbers.parameters))
        nothing = Points(((one,) * 4,) * k, one, (one, one), (one, one), one)
        pool = ThreadPoolExecutor(1)
        pool.submit(_kernels.finished, self.setting, nothing, self.numbers)
        pool.shutdown(wait=False)

    def _points(self, u: NDArray[np.float64]) -> tuple[NDArray[np.int64], Points]:
        """Return points channel by channel, and which trial each one is (-1: padding)."""
        channel = self.sampler.choose(u[:, -1])
        order, blocks = _by_channel(channel, self.sampler.channels)
        numbers = np.take(u, np.maximum(order, 0), axis=0)
        return order, _kernels.points(
            self.setting, jnp.asarray(numbers), jnp.asarray(blocks), self.numbers
        )

    def _finish(
        self, found: Points, index: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], ...]:
        done = _kernels.finished(
            self.setting, _kernels.take(found, index, BATCH), self.numbers
        )
        done = jax.tree.map(lambda a: np.asarray(a)[: len(index)], done)
        momenta = [np.stack(p, axis=-1) for p in done.final]
        return (
            np.asarray(done.weight),
            np.stack(momenta, axis=1),
            np.stack(done.p_beams, axis=-1),
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
    return float(1 - weight.min() * len(weight) / weight.sum())
