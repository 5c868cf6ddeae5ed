"""Windows with soft edges around the squared mass, in a region of energy and angle.

What crosses a hard edge has no derivative, event by event; what crosses a soft one has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
import numpy as np

from darksector.detectors.edges import rise, window
from darksector.searches._plan import Plan
from darksector.searches._regions import Region
from darksector.searches._samples import Survivors
from darksector.searches._windows import HALF_WIDTH

# both edges are `rise`, whose slope has a standard deviation of 0.19 widths
EDGE = 1.0  # resolutions, at the ends in the squared mass
ANGLE = 1.0  # degrees, at the polar edges of a region


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SoftWindows:
    """Windows of several masses and regions, w of them.

    Parameters
    ----------
    ends
        Ends in the squared mass, ``(w, 2)``, GeV².
    width
        Width of the two edges, ``(w,)``, GeV².
    lower, upper
        Polar edges, degrees: coefficients of powers of E*, the highest first, ``(w, p)``.
    """

    ends: jax.Array
    width: jax.Array
    lower: jax.Array
    upper: jax.Array

    def inside(
        self, value: jax.Array, energy: jax.Array, theta: jax.Array
    ) -> jax.Array:
        """Return how much of each candidate is inside, 0 to 1, ``(w, n)``.

        Parameters
        ----------
        value, energy, theta
            Squared mass, GeV², E*, GeV, and laboratory angle, rad, of the candidates.
        """
        angle = jnp.rad2deg(theta)

        def one(
            ends: jax.Array, width: jax.Array, lower: jax.Array, upper: jax.Array
        ) -> jax.Array:
            above = rise(angle, jnp.polyval(lower, energy), ANGLE)
            below = rise(jnp.polyval(upper, energy), angle, ANGLE)
            return window(value, ends, width) * above * below

        rows = (self.ends, self.width, self.lower, self.upper)
        found: jax.Array = jax.vmap(one)(*rows)
        return found


def soft_windows(
    plan: Plan, signals: Sequence[Survivors], regions: Sequence[Region]
) -> SoftWindows:
    """Return the windows of all masses in all regions, the masses outermost.

    Parameters
    ----------
    signals
        Candidates of the signal of each mass after the fixed cuts.
    """
    resolutions = np.array(
        [
            signal[region.contains(*signal.variables)].resolution()
            for signal in signals
            for region in regions
        ]
    )
    middle = np.repeat(np.array(plan.masses) ** 2, len(regions))
    reach = HALF_WIDTH * resolutions
    return SoftWindows(
        ends=jnp.asarray(np.stack((middle - reach, middle + reach), axis=1)),
        # a window that no signal reaches is empty, and its edges need a width
        width=jnp.asarray(np.maximum(EDGE * resolutions, 1e-9)),
        lower=_repeated([region.lower for region in regions], len(plan.masses)),
        upper=_repeated([region.upper for region in regions], len(plan.masses)),
    )


def _repeated(coefficients: Sequence[tuple[float, ...]], times: int) -> jax.Array:
    """Return coefficients, zeros in front of the shorter ones, once per mass."""
    longest = max(len(row) for row in coefficients)
    padded = [(0.0,) * (longest - len(row)) + row for row in coefficients]
    return jnp.tile(jnp.array(padded), (times, 1))
