"""What all tests share."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True, scope="module")
def _release_compiled_functions():
    """Forget what a module compiled.

    Every compiled function keeps a few memory maps, and a process may have 65530: the
    whole suite in two processes has more, and then the compiler aborts.
    """
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


def pytest_collection_modifyitems(items):
    """Run the file with the whole search first: at the end it would run alone."""
    items.sort(key=lambda item: "test_zprime_invisible.py" not in item.nodeid)
