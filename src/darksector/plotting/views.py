"""What a figure shows: ranges, gaps and order, whatever library draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.limits.published import FACILITIES, CouplingBand, PublishedLimit
from darksector.plotting import labels
from darksector.results import SearchResult

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]  # masses and values
OTHERS = ("#D55E00", "#009E73", "#CC79A7", "#E69F00")  # as style.OTHERS
DASHES = ("solid", "dashed", "dashdot", "dotted")
LINES = (("#8C8C8C", "dashdot"), ("#5B3A8C", "dotted"), ("#7A4A00", "dashed"))

_WIDE = 30.0  # span of the masses from which their axis is logarithmic
_NARROW = 10.0  # span below which it reaches out to what others found
_ABOVE, _BELOW = 10.0, 100.0  # factors from our limits within which others set a scale
_STEPS = np.linspace(0, 1, 33)  # along one piece of a curve


@final
@dataclass(frozen=True)
class Plane:
    """What the plane of mass and coupling shows.

    Parameters
    ----------
    mass
        Ends of the mass axis, GeV.
    logarithmic
        Whether the mass axis is.
    values
        Ends of the limit axis, in its unit; None if there is no limit.
    overlays, bands
        Those that can be seen within these ends.
    """

    mass: tuple[float, float]
    logarithmic: bool
    values: tuple[float, float] | None
    overlays: tuple[PublishedLimit, ...] = ()
    bands: tuple[CouplingBand, ...] = ()


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


def event_range(result: SearchResult) -> tuple[float, float] | None:
    """Return the ends of a logarithmic axis of events: all peaks, at most seven decades.

    None if there are no events.
    """
    drawn = [*result.spectra.values(), *result.signal_spectra.values()]
    filled = [s.contents for s in drawn if np.any(s.contents > 0)]
    if not filled:
        return None
    total = np.sum([s.contents for s in result.spectra.values()], axis=0)
    high = max(float(np.max(contents)) for contents in filled)
    high = max(high, float(np.max(total, initial=0.0)))
    # A tenth of the typical bin: a stray bin far below sets no scale.
    low = min(float(np.median(c[c > 0])) / 10 for c in filled)
    return max(low / 2, high * 1e-7), high * 3


def plane(
    result: SearchResult,
    quantity: str,
    overlays: Sequence[PublishedLimit] = (),
    bands: Sequence[CouplingBand] = (),
) -> Plane:
    """Return the axes for a limit, and those results of others that fall within them.

    Notes
    -----
    Published limits on another coupling have no place on the axis of this one.
    """
    fitting = sorted(
        (limit for limit in overlays if limit.coupling == quantity),
        key=lambda limit: FACILITIES.index(limit.facility),
    )
    edges = [(band.mass, band.high) for band in bands]
    others = [*map(outline, fitting), *edges]
    mass = mass_range(result, others)
    values = value_range(result, quantity, others)
    if values is None:
        return Plane(mass, _is_wide(result), None)
    ends = (mass, values)
    return Plane(
        mass,
        _is_wide(result),
        values,
        tuple(limit for limit in fitting if _is_seen(outline(limit), ends, limit)),
        tuple(b for b, e in zip(bands, edges, strict=True) if _is_seen(e, ends)),
    )


def outline(limit: PublishedLimit) -> Curve:
    """Return the line to draw: a curve as it is, a contour closed."""
    if limit.shape == "curve":
        return limit.mass, limit.values
    return np.append(limit.mass, limit.mass[0]), np.append(
        limit.values, limit.values[0]
    )


def looks(limits: Sequence[PublishedLimit]) -> list[tuple[str, str]]:
    """Return colour and dashes of each limit: many share the colour of their facility."""
    if len(limits) <= len(OTHERS):
        return [(colour, DASHES[0]) for colour, _ in zip(OTHERS, limits, strict=False)]
    found: list[tuple[str, str]] = []
    kinds: list[str] = []
    for limit in limits:
        colour = OTHERS[FACILITIES.index(limit.facility) % len(OTHERS)]
        found.append((colour, DASHES[kinds.count(limit.facility) % len(DASHES)]))
        kinds.append(limit.facility)
    return found


def mass_range(
    result: SearchResult, others: Sequence[Curve] = ()
) -> tuple[float, float]:
    """Return the ends of the mass axis, GeV: our masses and a margin.

    Notes
    -----
    Masses within a decade leave their neighbourhood open: the axis then reaches out to
    what others found, at most to a decade about the middle of ours.
    """
    left, right = _own_range(result)
    low, high = result.limits.mass.min(), result.limits.mass.max()
    if high < _NARROW * low:
        reach = np.sqrt(low * high) * _NARROW ** np.array([-0.5, 0.5])
        for mass, _ in others:
            if mass.min() < reach[1] and mass.max() > reach[0]:
                left = min(left, max(float(mass.min()), float(reach[0])))
                right = max(right, min(float(mass.max()), float(reach[1])))
    return left, right


def value_range(
    result: SearchResult, quantity: str, others: Sequence[Curve]
) -> tuple[float, float] | None:
    """Return the ends of the limit axis, in its unit; None if there is no limit.

    Notes
    -----
    A published curve that shoots up at its end does not squeeze ours: what lies more
    than a decade above our weakest limit sets no scale, nor does what lies more than two
    decades below our strongest.
    """
    ours = _values(result, quantity)
    if not ours.size:
        return None
    left, right = mass_range(result, others)
    lowest, highest = ours.min() / _BELOW, ours.max() * _ABOVE
    near = [ours]
    for curve in others:
        mass, value = dense(curve)
        chosen = (left <= mass) & (mass <= right)
        near.append(value[chosen & (lowest < value) & (value < highest)])
    seen = np.concatenate(near)
    return float(seen.min() / 2), float(seen.max() * 2)


def dense(curve: Curve) -> Curve:
    """Return a curve with points along its pieces, straight on logarithmic axes."""
    if len(curve[0]) < 2:
        return curve
    pieces = []
    for along in curve:
        logs = np.log(along)
        inner = logs[:-1, None] + np.diff(logs)[:, None] * _STEPS
        pieces.append(np.exp(inner).ravel())
    return pieces[0], pieces[1]


def _own_range(result: SearchResult) -> tuple[float, float]:
    low, high = float(result.limits.mass.min()), float(result.limits.mass.max())
    if _is_wide(result):
        margin = (high / low) ** 0.02
        return low / margin, high * margin
    margin = 0.02 * (high - low) or 0.1 * low
    return low - margin, high + margin


def _is_wide(result: SearchResult) -> bool:
    mass = result.limits.mass
    return bool(mass.max() > _WIDE * mass.min())


def _is_seen(
    curve: Curve,
    ends: tuple[tuple[float, float], tuple[float, float]],
    limit: PublishedLimit | None = None,
) -> bool:
    """Tell whether a line is within the axes; a curve below them excludes all above."""
    (left, right), (bottom, top) = ends
    mass, value = dense(curve)
    inside = (left <= mass) & (mass <= right) & (value < top)
    if limit is None or limit.shape == "contour":
        inside &= bottom < value
    return bool(np.any(inside))


def _values(result: SearchResult, quantity: str) -> NDArray[np.float64]:
    """Return every number drawn for our limits on this axis, unordered."""
    limits = result.limits
    names = ("sigma",) if quantity == "sigma" else labels.couplings(result)
    parts = [limits.expected_band[quantity].compressed()]
    parts += [limits.expected[name].compressed() for name in names]
    if quantity in limits.observed:
        parts.append(limits.observed[quantity].compressed())
    return np.concatenate(parts).astype(np.float64)
