"""What `darksector doctor` checks: the environment, and what to do about it."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import final


@final
@dataclass(frozen=True)
class Check:
    """One line of the diagnosis; `status` is ok, warn or fail."""

    check: str
    status: str
    found: str
    remedy: str


def checks() -> tuple[Check, ...]:
    """Run every check."""
    return tuple(_all())


def _all() -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield _check("Python", sys.version_info >= (3, 11), python, "install 3.11 or newer")
    for package in _required():
        yield _package(package)
    yield _extra("pylhe", "lhe", "reading LHE files")
    if find_spec("jax"):
        yield _float64()
        yield _cache()
    cores = os.cpu_count() or 1
    yield Check("cores", "ok", str(cores), "")


def _required() -> tuple[str, ...]:
    """Return the packages that darksector declares it needs."""
    lines = requires("darksector") or ()
    return tuple(re.split(r"[<>=!~ ]", line)[0] for line in lines if ";" not in line)


def _check(name: str, good: bool, found: str, remedy: str) -> Check:
    return Check(name, "ok" if good else "fail", found, "" if good else remedy)


def _package(name: str) -> Check:
    try:
        return Check(name, "ok", version(name), "")
    except PackageNotFoundError:
        remedy = f"pip install {name}"
        return Check(name, "fail", "not installed", remedy)


def _extra(package: str, extra: str, purpose: str) -> Check:
    if find_spec(package):
        return Check(package, "ok", version(package), "")
    remedy = f"for {purpose}: pip install 'darksector[{extra}]'"
    return Check(package, "warn", "not installed", remedy)


def _float64() -> Check:
    import jax.numpy as jnp

    import darksector.compilation  # noqa: F401  what is checked here

    dtype = str(jnp.ones(1).dtype)
    remedy = "do not set JAX_ENABLE_X64=0: t-channel amplitudes need double precision"
    return _check("double precision", dtype == "float64", dtype, remedy)


def _cache() -> Check:
    import jax

    folder = Path(jax.config.values["jax_compilation_cache_dir"])
    remedy = "set JAX_COMPILATION_CACHE_DIR to a folder of yours, or compile every time"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Check("compilation cache", "ok", str(folder), "")
    except OSError:
        return Check("compilation cache", "warn", f"{folder} is not writable", remedy)
