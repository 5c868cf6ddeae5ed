"""Fits of the batched engine against a general minimiser, window by window."""

from __future__ import annotations

import bumphunt_slow as slow
import numpy as np
import pytest
from scipy.special import ndtr

from darksector.execution import stream
from darksector.statistics.backgrounds import Bernstein, Chebyshev, ExpPolynomial
from darksector.statistics.bumphunt import BumpHunt
from darksector.statistics.bumphunt_search import search
from darksector.statistics.windows import windows

EDGES = np.linspace(0.0, 10.0, 201)
MASSES = np.array([1.1, 4.0, 9.5])  # the last window is clipped
RESOLUTION = np.full(3, 0.2)


def slow_background(family, edges):
    if family is Chebyshev:
        return slow.linear(edges, 2, slow.chebyshev)
    if family is Bernstein:
        return slow.linear(edges, 2, slow.bernstein(2))
    return slow.exponential(edges, 1)


@pytest.mark.parametrize("events", [3e3, pytest.param(1e5, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("family", "degree"), [(Chebyshev, 2), (Bernstein, 2), (ExpPolynomial, 1)]
)
def test_fits_agree_with_a_general_minimiser(family, degree, events):
    """Tolerances: yields to 1e-3 of their error, q0 to 1e-4, limits to 1e-4."""
    found = windows(MASSES, RESOLUTION, EDGES, halfwidth=5.0)
    low, high = EDGES[found.bins], EDGES[found.bins + 1]
    shares = ndtr((high - MASSES[:, None]) / 0.2) - ndtr((low - MASSES[:, None]) / 0.2)
    hunt = BumpHunt(found, shares, (family(degree),))
    truth = events * -np.diff(np.exp(-EDGES / 5))
    counts = stream(3, "slow twin", int(events)).poisson(truth).astype(float)

    fast = search(hunt, counts, confidence_level=0.9)

    for i in range(3):
        bins = found.slice(i)
        data, signal = counts[bins], shares[i, : bins.stop - bins.start]
        background = slow_background(family, EDGES[bins.start : bins.stop + 1])
        total = data.sum()
        even = {
            Chebyshev: [total, 0.0, 0.0],
            Bernstein: [total / 3] * 3,
            ExpPolynomial: [np.log(total), 0.0],
        }[family]
        unit = 1 / total**0.5 if family is ExpPolynomial else total**0.5
        scale = np.array([fast.error[i], *[unit] * (degree + 1)])
        start = np.array([0.0, *even])

        yields, q0, _, _ = slow.fit(data, signal, background, start, scale)

        assert abs(fast.signal[i] - yields) < 1e-3 * fast.error[i]
        assert abs(fast.q0[i] - q0) < 1e-4
        if family is Chebyshev:
            limit = slow.observed_limit(data, signal, background, start, scale, 0.9)
            assert fast.limits.observed[i] == pytest.approx(limit, rel=1e-4)
