"""The one place that configures the array compiler: float64 and a per-user cache.

Importing this module imports JAX; every module with a kernel imports it first.
float32 is not enough for the t-channel cancellations of e+e- -> e+e- mu+mu-.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import platformdirs

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
