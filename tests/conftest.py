"""What all tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_MAPS = Path("/proc/self/maps")
_MANY = 20_000  # memory maps of a process; the limit is 65530


@pytest.fixture(autouse=True, scope="module")
def _release_compiled_functions():
    """Forget what was compiled once the process has many memory maps.

    Every compiled function keeps a few: the whole suite in two processes has more than a
    process may have, and then the compiler aborts.
    """
    yield
    maps = _MAPS.read_bytes().count(b"\n") if _MAPS.exists() else _MANY
    if "jax" in sys.modules and maps >= _MANY:
        sys.modules["jax"].clear_caches()


def pytest_collection_modifyitems(items):
    """Run the file with the whole search first: at the end it would run alone."""
    items.sort(key=lambda item: "test_zprime_invisible.py" not in item.nodeid)
