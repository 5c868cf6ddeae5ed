"""Samplers adapted to a process and its cuts, kept in the user's cache by content."""

from __future__ import annotations

import contextlib
import inspect
import sys
import zipfile
import zlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from darksector import provenance
from darksector.errors import OutputError
from darksector.phasespace.integrate import Point, Sampler, adapt
from darksector.processes._generation import CHUNK, Generation

ITERATIONS = 5
TRIALS = CHUNK  # of each iteration: a chunk, so that nothing is compiled twice
_CODE = ("amplitudes", "phasespace", "processes")
_DAMAGED = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error)


def adapted(generation: Generation) -> Sampler | None:
    """Return the adapted sampler, `None` if no trial of the first iteration has weight.

    It depends on no seed of the user, so that all seeds share one cached file.
    """
    path = _folder() / f"{_key(generation)}.npz"
    with contextlib.suppress(*_DAMAGED), np.load(path, allow_pickle=False) as stored:
        return Sampler(stored["shares"], stored["edges"], stored["highest"])
    alive = False

    def evaluate(sampler: Sampler, iteration: int) -> Point:
        nonlocal alive
        u = generation.uniform(0, "adapt", iteration * TRIALS, TRIALS)
        point = generation.with_sampler(sampler).point(u)
        alive = alive or bool(point.weight.any())
        return point

    sampler = adapt(generation.sampler, evaluate, ITERATIONS)
    if not alive:
        return None
    with contextlib.suppress(OSError, OutputError):  # a cache is a convenience
        _store(path, sampler)
    return sampler


def _folder() -> Path:
    return Path(platformdirs.user_cache_dir("darksector/grids", appauthor=False))


def _store(path: Path, sampler: Sampler) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{id(sampler)}.npz")
    np.savez(part, shares=sampler.shares, edges=sampler.edges, highest=sampler.highest)
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
