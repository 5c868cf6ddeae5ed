"""The fast Feldman-Cousins intervals against the recipe of the paper.

Tolerances were set before the comparison: one step of the slow grids, in the signal
(0.005 or as given) and, where the upper end is lengthened, also in the background.
"""

from __future__ import annotations

import feldman_slow as slow
import numpy as np
import pytest

from darksector.statistics.feldman_cousins import feldman_cousins_interval
from darksector.statistics.feldman_cousins_smeared import feldman_cousins
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.systematics import Systematic


@pytest.mark.parametrize("level", [0.68, 0.9, 0.95])
@pytest.mark.parametrize(
    ("n", "b"), [(0, 0.0), (1, 0.0), (4, 1.3), (7, 3.0), (12, 2.5), (20, 15.0)]
)
def test_excesses(n, b, level):
    """Above the background no lengthening is at work."""
    low, high = slow.slow_interval(n, b, level=level, top=35)

    fast = feldman_cousins_interval(
        np.array([n]), np.array([b]), confidence_level=level
    )

    assert fast.lower[0] == pytest.approx(low, abs=slow.STEP)
    assert fast.upper[0] == pytest.approx(high, abs=slow.STEP)


@pytest.mark.parametrize(("n", "b"), [(0, 3.0), (1, 2.2), (2, 6.5), (5, 9.0)])
def test_deficits_are_lengthened(n, b):
    """Section IV.B: the largest upper end of all backgrounds from b on."""
    step = 0.05
    highs = [
        slow.slow_interval(n, b_there, level=0.9, top=10)[1]
        for b_there in b + np.arange(0, 2.5, step)
    ]

    fast = feldman_cousins_interval(np.array([n]), np.array([b]), confidence_level=0.9)

    assert -slow.STEP <= fast.upper[0] - max(highs) <= slow.STEP + step


@pytest.mark.parametrize(("n", "b"), [(0, 0.0), (5, 3.0), (1, 3.0)])
def test_averaged_nuisances(n, b):
    on_signal, on_background = 0.15, 0.25
    model = CountingModel(
        np.array([1.0]),
        np.array([b]),
        np.array([on_background]),
        (Systematic("signal", on_signal, 0.0, "test"),),
    )
    low, high = slow.slow_averaged_interval(
        n,
        b,
        level=0.9,
        top=15,
        step=0.02,
        on_signal=on_signal,
        on_background=on_background,
    )

    fast = feldman_cousins(model, np.array([n]), confidence_level=0.9)

    assert fast.lower[0] == pytest.approx(low, abs=0.02)
    assert fast.upper[0] == pytest.approx(high, abs=0.02)
