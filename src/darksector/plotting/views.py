"""What a figure shows: ranges, gaps and order, whatever library draws it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from darksector.limits.published import CouplingBand, PublishedLimit
from darksector.plotting import labels
from darksector.results import SearchResult

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]  # masses and values


def runs(present: NDArray[np.bool_]) -> list[slice]:
    """Return the unbroken stretches of a mask, so that absent points stay gaps.

    Examples
    --------
    >>> runs(np.array([True, True, False, True]))
    [slice(0, 2, None), slice(3, 4, None)]
    """
    steps = np.diff(np.concatenate(([0], present.astype(int), [0])))
    starts, stops = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


def stretches(band: np.ma.MaskedArray) -> list[slice]:
    """Return the unbroken stretches of a band shaped ``(m, 5)``."""
    return runs(np.logical_not(np.any(np.ma.getmaskarray(band), axis=1)))


def stacking_order(result: SearchResult) -> tuple[str, ...]:
    """Return the background components, the smallest total first."""
    return tuple(sorted(result.spectra, key=lambda name: result.spectra[name].total()))


def mass_range(result: SearchResult) -> tuple[float, float]:
    """Return the ends of the mass axis, our masses and a margin, GeV."""
    mass = result.limits.mass
    margin = 0.02 * (mass.max() - mass.min()) or 0.1 * mass[0]
    return float(mass.min() - margin), float(mass.max() + margin)


def in_range(
    result: SearchResult, overlays: Sequence[PublishedLimit], quantity: str
) -> list[PublishedLimit]:
    """Return the published limits on this coupling with a point at our masses."""
    return [
        limit
        for limit in overlays
        if limit.coupling == quantity and _meets(result, limit.mass)
    ]


def bands_in_range(
    result: SearchResult, bands: Sequence[CouplingBand]
) -> list[CouplingBand]:
    """Return the bands with a point at our masses."""
    return [band for band in bands if _meets(result, band.mass)]


def value_range(
    result: SearchResult, quantity: str, others: Sequence[Curve]
) -> tuple[float, float] | None:
    """Return the ends of the limit axis, in its unit; None if there is no limit.

    Notes
    -----
    A published curve that shoots up at its end does not squeeze ours: what lies more
    than a decade above our weakest limit sets no scale.
    """
    ours = _values(result, quantity)
    if not ours.size:
        return None
    left, right = mass_range(result)
    seen = [y[(left <= m) & (m <= right)] for m, y in others]
    near = np.concatenate([ours, *(y[y < 10 * ours.max()] for y in seen)])
    return float(near.min() / 2), float(near.max() * 2)


def curves(
    overlays: Sequence[PublishedLimit], bands: Sequence[CouplingBand]
) -> list[Curve]:
    """Return the upper edges of what others found, to set the scale."""
    published = [(limit.mass, limit.values) for limit in overlays]
    return [*published, *((band.mass, band.high) for band in bands)]


def _meets(result: SearchResult, mass: NDArray[np.float64]) -> bool:
    left, right = mass_range(result)
    return bool(mass.min() < right and mass.max() > left)


def _values(result: SearchResult, quantity: str) -> NDArray[np.float64]:
    """Return every number drawn for our limits on this axis, unordered."""
    limits = result.limits
    names = ("sigma",) if quantity == "sigma" else labels.couplings(result)
    parts = [limits.expected_band[quantity].compressed()]
    parts += [limits.expected[name].compressed() for name in names]
    if quantity in limits.observed:
        parts.append(limits.observed[quantity].compressed())
    return np.concatenate(parts).astype(np.float64)
