"""What is expected in soft windows, and how numbers of the detector change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from darksector.detectors.losses import ORIGINS
from darksector.execution import Arrays
from darksector.searches._plan import Plan
from darksector.searches._samples import Halves, Samples
from darksector.searches._single_photon import with_flat
from darksector.searches._soft_windows import SoftWindows
from darksector.statistics.punzi import punzi_sensitivity

Chunks = Mapping[tuple[str, float], Sequence[Arrays]]  # by component and mass


@final
@dataclass(frozen=True)
class Yields:
    """What is expected in w windows, c components, and how k numbers change it.

    Slopes are derivatives by the logarithms of the numbers.

    Parameters
    ----------
    efficiency, efficiency_slopes
        Of the signal, ``(w,)`` and ``(w, k)``.
    background, background_slopes
        Components, fb, ``(c, w)`` and ``(c, w, k)``.
    sizes
        Relative uncertainties of the components, a row per source, ``(u, c)``.
    """

    efficiency: Float[np.ndarray, " w"]
    efficiency_slopes: Float[np.ndarray, "w k"]
    background: Float[np.ndarray, "c w"]
    background_slopes: Float[np.ndarray, "c w k"]
    sizes: Float[np.ndarray, "u c"]

    def at(self, chosen: Int[np.ndarray, " m"]) -> Yields:
        """Return the yields in some of the windows."""
        return Yields(
            self.efficiency[chosen],
            self.efficiency_slopes[chosen],
            self.background[:, chosen],
            self.background_slopes[:, chosen],
            self.sizes,
        )


def yields(
    plan: Plan, chunks: Chunks, flat: Mapping[str, Float[np.ndarray, " w"]]
) -> Yields:
    """Return the yields in all windows, those of the masses side by side.

    Parameters
    ----------
    chunks
        What `differentiated` left of each sample.
    flat
        Components that are not simulated, fb; none of the numbers changes them.
    """
    signals = [_mean(chunks["signal", mass], "generated") for mass in plan.masses]
    per_mass = signals[0].yields.shape[1] // len(plan.masses)
    own = [slice(i * per_mass, (i + 1) * per_mass) for i in range(len(signals))]
    values = {name: [value] for name, value in flat.items()}
    slopes = {name: [np.zeros_like(signals[0].slopes[0])] for name in flat}
    for background in plan.search.backgrounds:
        mean = _mean(chunks[background.sample, 0.0], "count")
        for part in background.components:
            rows = [1 + ORIGINS.index(name) for name in part.origins] or [0]
            values.setdefault(part.name, []).append(mean.yields[rows].sum(axis=0))
            slopes.setdefault(part.name, []).append(mean.slopes[rows].sum(axis=0))
    declared = plan.search.uncertainties()
    sources = sorted({uncertainty.source for uncertainty in declared.values()})
    sizes = np.zeros((len(sources), len(values)))
    for column, name in enumerate(values):
        if name in declared:
            row = sources.index(declared[name].source)
            sizes[row, column] = declared[name].size
    return Yields(
        np.concatenate([s.yields[0, w] for s, w in zip(signals, own, strict=True)]),
        np.concatenate([s.slopes[0, w] for s, w in zip(signals, own, strict=True)]),
        np.stack([np.sum(parts, axis=0) for parts in values.values()]),
        np.stack([np.sum(parts, axis=0) for parts in slopes.values()]),
        sizes,
    )


def flat_yields(plan: Plan, windows: SoftWindows) -> dict[str, NDArray[np.float64]]:
    """Return what is not simulated, fb, in the windows: component to ``(w,)``."""
    grids = with_flat(plan, Samples((), {}, Halves({}, {}))).backgrounds
    found = {}
    for name, grid in grids.items():
        value, energy, theta = map(jnp.asarray, (grid.value, *grid.variables))
        inside = windows.inside(value, energy, theta)
        found[name] = np.asarray(inside) @ grid.weight
    return found


@dataclass(frozen=True)
class _Mean:
    yields: NDArray[np.float64]
    slopes: NDArray[np.float64]


def _mean(parts: Sequence[Arrays], whole: str) -> _Mean:
    """Return yields of a sample per event or per weight of all events."""
    total = sum(float(part[whole]) for part in parts)
    return _Mean(
        *(
            np.sum([p[name] for p in parts], axis=0) / total
            for name in ("yields", "slopes")
        )
    )


def best_windows(plan: Plan, yields: Yields) -> Int[np.ndarray, " m"]:
    """Return which window of each mass has the best Punzi sensitivity.

    Parameters
    ----------
    yields
        Windows of all masses, equally many for each, the masses outermost.
    """
    measure = punzi_sensitivity(
        np.clip(yields.efficiency, 0.0, 1.0),
        yields.background.sum(axis=0) * plan.luminosity,
        luminosity=plan.luminosity,
    ).reshape(len(plan.masses), -1)
    best: NDArray[np.int64] = np.argmin(measure, axis=1)
    return best + measure.shape[1] * np.arange(len(best))
