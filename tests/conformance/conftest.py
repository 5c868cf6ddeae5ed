"""Events of the process that a module of conformance tests is about."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from process_conformance import MACHINE, N, build


@pytest.fixture(scope="module")
def events(name):
    return build(name, isr=False).generate(N, MACHINE, seed=1)


@pytest.fixture(scope="module")
def points(events):
    """Return all external momenta of the events."""
    beams = np.broadcast_to(np.stack([MACHINE.p_her, MACHINE.p_ler]), (N, 2, 4))
    return jnp.asarray(np.concatenate([beams, np.asarray(events.momenta)], axis=1))
