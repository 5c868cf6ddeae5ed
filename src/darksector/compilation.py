"""The one place that configures the array compiler: float64 and a per-user cache.

Importing this module imports JAX; every module with a kernel imports it first.
float32 is not enough for the t-channel cancellations of e+e- -> e+e- mu+mu-.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import platformdirs

from darksector.errors import OutOfDomain

In = TypeVar("In")
Out = TypeVar("Out")

_set: Callable[[str, object], None] = jax.config.update

_set("jax_enable_x64", True)
if jax.config.values["jax_compilation_cache_dir"] is None:
    # Compiled code is trusted code: the folder belongs to the user alone.
    _set(
        "jax_compilation_cache_dir",
        platformdirs.user_cache_dir("darksector/compiled", appauthor=False),
    )
    _set("jax_persistent_cache_min_compile_time_secs", 0.0)
    _set("jax_persistent_cache_min_entry_size_bytes", -1)

Arrays = TypeVar("Arrays")

BLOCK = 1024  # events per inner step: what a kernel touches stays in the cache


def whole_blocks(events: Arrays) -> Arrays:
    """Return arrays with their last row repeated, so that they fit `in_blocks`."""
    n = jax.tree.leaves(events)[0].shape[0]
    padding = -n % BLOCK if n > BLOCK else 0
    if not padding:
        return events
    return jax.tree.map(
        lambda a: jnp.pad(a, [(0, padding)] + [(0, 0)] * (a.ndim - 1), mode="edge"),
        events,
    )


def in_blocks(kernel: Callable[[In], Out], events: In) -> Out:
    """Return a kernel's result for events, computed block after block.

    Parameters
    ----------
    kernel
        Pure function of arrays with the event axis first.
    events
        Arrays ``(n, ...)``, n at most `BLOCK` or a multiple of it.

    Raises
    ------
    OutOfDomain
        If n is neither.
    """
    n = jax.tree.leaves(events)[0].shape[0]
    block = min(BLOCK, n)
    if n % block:
        msg = f"{n} events do not fit: take at most {BLOCK}, or a multiple of {BLOCK}."
        raise OutOfDomain(msg)
    blocks = jax.tree.map(lambda a: a.reshape(n // block, block, *a.shape[1:]), events)
    done = jax.lax.map(kernel, blocks)
    return jax.tree.map(lambda a: a.reshape(n, *a.shape[2:]), done)
