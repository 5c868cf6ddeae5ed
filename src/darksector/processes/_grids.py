"""Samplers adapted to a process and its cuts, kept in the user's cache by content."""

from __future__ import annotations

import contextlib
import inspect
import sys
import uuid
import zipfile
import zlib
from functools import cache
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from darksector import provenance
from darksector.phasespace.integrate import (
    Point,
    Sampler,
    joined,
    maxima,
    refined,
)
from darksector.processes._generation import CHUNK, Generation

ITERATIONS = 8  # at most
_GAIN = 0.9  # adaptation goes on while it lowers the scatter of the weights by more
ENOUGH = 3000  # survivors of an iteration; with fewer, grids follow single points
MOST = 64 * CHUNK  # trials of an iteration
_MAXIMA = 8 * CHUNK  # trials that tell the maximum weights
_MARGIN, _HEAVY = 1.2, 1.6  # of the maxima over those of the trials; with heavy tails
_FEW_KEPT = 0.05  # share of trials kept below which tails count as heavy
_SAMPLE = 50_000  # unweighted events among the trials that tell the maxima
_CODE = ("amplitudes", "phasespace", "processes")
_DAMAGED = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error)


def adapted(generation: Generation) -> Sampler | None:
    """Return the adapted sampler, `None` if no trial of the first iteration has weight.

    It depends on no seed of the user, so that all seeds share one cached file.
    """
    path = _file(generation, "grid")
    with contextlib.suppress(*_DAMAGED), np.load(path, allow_pickle=False) as stored:
        return Sampler(stored["shares"], stored["edges"])
    generation.compile_ahead()
    scatter = inf
    for iteration in range(ITERATIONS):
        points = _points(generation, iteration, ENOUGH, least=CHUNK)
        if not len(points.weight):
            return None
        before, scatter = scatter, _scatter(points)
        if scatter > _GAIN * before:
            break
        generation = generation.with_sampler(refined(generation.sampler, points))
    sampler = generation.sampler
    _store(path, shares=sampler.shares, edges=sampler.edges)
    return sampler


def highest(generation: Generation) -> NDArray[np.float64]:
    """Return the maximum weights of an adapted generation, for unweighting.

    They come from trials of the final grids, more of them where few are kept.
    """
    path = _file(generation, "maxima")
    with contextlib.suppress(*_DAMAGED), np.load(path, allow_pickle=False) as stored:
        return np.asarray(stored["highest"])
    sampler = generation.sampler
    seen = _points(generation, ITERATIONS, 10 * ENOUGH, least=_MAXIMA)
    kept = seen.weight.sum() / seen.trials.sum() / maxima(sampler, seen).sum()
    # heavy tails show in many events only: as many as a sample has
    least = min(max(_MAXIMA, int(_SAMPLE / kept)), MOST)
    more = _points(generation, ITERATIONS + 1, 10 * ENOUGH, least=least)
    margin = _HEAVY if kept < _FEW_KEPT else _MARGIN
    found = margin * maxima(sampler, joined([seen, more]))
    _store(path, highest=found)
    return found


def _scatter(points: Point) -> float:
    """Return the variance of the weights over the square of their mean."""
    trials = points.trials.sum()
    return float(trials * (points.weight**2).sum() / points.weight.sum() ** 2 - 1)


def _points(generation: Generation, iteration: int, enough: int, least: int) -> Point:
    """Return the points of an iteration: chunks until enough of them have a weight."""
    parts: list[Point] = []
    found = 0
    for start in range(0, MOST, CHUNK):
        u = generation.uniform(0, "adapt", iteration * MOST + start, CHUNK)
        parts.append(generation.point(u))
        found += len(parts[-1].weight)
        if found >= enough and start + CHUNK >= least:
            break
    return joined(parts)


def _file(generation: Generation, kind: str) -> Path:
    folder = platformdirs.user_cache_dir("darksector/grids", appauthor=False)
    return Path(folder) / f"{_key(generation)}.{kind}.npz"


def _store(path: Path, **arrays: NDArray[np.float64]) -> None:
    """Keep arrays for later, if the folder can be written: a cache is a convenience."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{uuid.uuid4().hex}.npz")
        np.savez(part, **arrays)  # type: ignore[arg-type]
        part.replace(path)


def _key(generation: Generation) -> str:
    """Return the hash of all that the adaptation depends on, the code included."""
    numbers = generation.numbers
    values = [
        sorted((name, float(value)) for name, value in numbers.parameters.items()),
        *(np.asarray(x).tolist() for x in numbers[1:7]),
    ]
    setting = generation.setting
    own = inspect.getsource(sys.modules[setting.kernel.__module__])
    named = (generation.name, setting.kernel.__name__, setting[1:])
    return provenance.sha256(repr((_code(), own, named, values)).encode())


@cache
def _code() -> str:
    root: Any = files("darksector")
    sources = [
        (entry.name, entry.read_bytes())
        for folder in _CODE
        for entry in sorted((root / folder).iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".py")
    ]
    shared = [(root / name).read_bytes() for name in ("kinematics.py", "particles.py")]
    return provenance.sha256(repr((sources, shared)).encode())
