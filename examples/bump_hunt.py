"""A peak anywhere on a spectrum: local and global significance, and limits."""

from __future__ import annotations

import sys

import numpy as np
from scipy.special import ndtr

from darksector.execution import stream
from darksector.statistics.backgrounds import Chebyshev
from darksector.statistics.bumphunt import BumpHunt
from darksector.statistics.bumphunt_search import search
from darksector.statistics.bumphunt_toys import Toys, look_elsewhere
from darksector.statistics.windows import windows
from darksector.terminal import progress_bar


def main(toys: int = 10_000, workers: int = 2) -> None:
    """Hide 300 events at 4.2 GeV in a million, and find them."""
    edges = np.linspace(0.5, 10.5, 2001)  # GeV
    masses = np.linspace(0.8, 10.0, 500)
    resolution = 0.01 + 0.001 * masses
    found = windows(masses, resolution, edges, halfwidth=10.0)
    low, high = edges[found.bins], edges[found.bins + 1]
    m, r = masses[:, None], resolution[:, None]
    hunt = BumpHunt(found, ndtr((high - m) / r) - ndtr((low - m) / r), (Chebyshev(3),))

    expected = 1e6 * -np.diff(np.exp(-edges / 4))
    peak = 300 * np.diff(ndtr((edges - 4.2) / 0.0142))
    counts = stream(1, "example").poisson(expected + peak).astype(np.float64)

    result = search(hunt, counts, confidence_level=0.9)
    with progress_bar("toys") as progress:
        plan = Toys(toys, seed=1, workers=workers, progress=progress)
        elsewhere = look_elsewhere(hunt, expected, toys=plan)

    best = int(result.local_significance.argmax())
    local = float(result.local_significance[best])
    print(f"largest excess at {masses[best]:.3f} GeV: {local:.2f} sigma locally,")
    print(f"{elsewhere.global_significance(local):.2f} sigma globally ({toys} toys)")
    print(f"fitted {result.signal[best]:.0f} +- {result.error[best]:.0f} events,")
    print(f"fewer than {result.limits.observed[best]:.0f} at 90 % confidence (CLs)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
