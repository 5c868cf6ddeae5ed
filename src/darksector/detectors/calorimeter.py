"""The numbers of a crystal calorimeter, and what a card may hold.

`crystals` finds where a particle meets the crystals, `losses` whether it leaves a cluster,
and `clusters` what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import jax
import numpy as np
from numpy.typing import NDArray

_Numbers = Mapping[str, NDArray[np.float64]]


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Calorimeter:
    """Numbers of a calorimeter; lengths in cm, angles in degrees, energies in GeV.

    Parameters
    ----------
    theta_min, theta_max, edge_softness
        Acceptance of the front faces, and the width of its two edges.
    barrel_min, barrel_max, region_edges
        Polar edges of the barrel; what separates the r regions of the resolution,
        ``(r - 1,)``.
    gaps, gap_softness
        Gaps between regions, ``(g, 2)``, and the width of their edges, ``(g,)``.
    cracks, crack_softness, crack_leakage
        Cracks between crystals that face the origin, ``(c, 2)``, the width of their edges,
        and their effective width in units of the true one.
    depth, inefficiency
        Crystals in radiation lengths; photons lost everywhere for other reasons.
    wall_number, wall_thickness, wall_depth, wall_softness
        Walls of an endcap that face the origin, equally spaced in azimuth from zero:
        their number, thickness, radiation lengths along them, and width of their edges.
    energy_min
        Energy that a cluster must have.
    barrel_radius, endcap_forward, endcap_backward
        Front faces: radius of the barrel, and z of the endcaps.
    crystal_size
        Width of a front face.
    material
        What lies before the tracker, ``(k, 2)``: radius, and radiation lengths across.
    background, background_levels
        Beam background in units of the nominal one; values ``(l,)`` for which the
        resolution is given.  In between it is interpolated linearly.
    energy_resolution, theta_resolution, phi_resolution
        ``(l, r, 7)``; each row (threshold, below, a, b, c, d, q) stands for the root of
        (a/E + b/E^(1/2) + c/E^(1/4) + d)² + q² above the threshold and for a constant
        below: σ(E)/E in percent, σ(θ) and σ(φ) in mrad.
    tail_start, tail_loss
        Energy that showers leave in front of the crystals: `tail_loss` times the square
        of what the normal number is below minus `tail_start`.
    time_constants, time_floor, time_share
        Half-width of the 99 % interval of the time of a crystal: (a + b u + c u²)/E for
        the background u, in MeV ns, and never less than a floor, ns; share of the energy
        of a cluster that its hottest crystal has.
    separation
        Distance in crystals at which half of the pairs of equal showers are resolved, its
        growth with the square of the logarithm of the ratio of energies, and the width of
        the turn-on.
    rings
        Rings of crystals at equal polar angle, ``(n, 7)``: number of crystals, region,
        polar edges of the front faces, radius and z of the centre of the crystals, and
        polar angle of their axis.
    """

    theta_min: jax.Array
    theta_max: jax.Array
    edge_softness: jax.Array
    barrel_min: jax.Array
    barrel_max: jax.Array
    region_edges: jax.Array
    gaps: jax.Array
    gap_softness: jax.Array
    cracks: jax.Array
    crack_softness: jax.Array
    crack_leakage: jax.Array
    depth: jax.Array
    inefficiency: jax.Array
    wall_number: jax.Array
    wall_thickness: jax.Array
    wall_depth: jax.Array
    wall_softness: jax.Array
    energy_min: jax.Array
    barrel_radius: jax.Array
    endcap_forward: jax.Array
    endcap_backward: jax.Array
    crystal_size: jax.Array
    material: jax.Array
    background: jax.Array
    background_levels: jax.Array
    energy_resolution: jax.Array
    theta_resolution: jax.Array
    phi_resolution: jax.Array
    tail_start: jax.Array
    tail_loss: jax.Array
    time_constants: jax.Array
    time_floor: jax.Array
    time_share: jax.Array
    separation: jax.Array
    rings: jax.Array


_POSITIVE = (
    "edge_softness",
    "gap_softness",
    "crack_softness",
    "depth",
    "wall_number",
    "wall_softness",
    "barrel_radius",
    "endcap_forward",
    "crystal_size",
    "time_floor",
    "time_share",
)
_NOT_NEGATIVE = (
    "crack_leakage",
    "inefficiency",
    "wall_thickness",
    "wall_depth",
    "energy_min",
    "material",
    "background",
    "tail_loss",
    "separation",
)
_AT_MOST_ONE = ("inefficiency", "time_share")
_TABLES = ("energy_resolution", "theta_resolution", "phi_resolution")
_COLUMNS = {"gaps": 2, "cracks": 2, "material": 2, "rings": 7}


def check(numbers: _Numbers) -> Iterator[tuple[str, str]]:
    """Yield (number, complaint) for what cannot be a calorimeter."""
    shapes = tuple(_shapes(numbers))
    yield from shapes
    yield from _ranges(numbers)
    if not shapes:  # what follows looks into the tables
        yield from _angles(numbers)
        yield from _openings(numbers)
        yield from _rings(numbers["rings"])


def _shapes(numbers: _Numbers) -> Iterator[tuple[str, str]]:
    for key, columns in _COLUMNS.items():
        value = numbers[key]
        if value.ndim != 2 or value.shape[1] != columns or not len(value):
            yield (
                key,
                f"is shaped {value.shape}; give rows of {columns} numbers, one at least.",
            )
    levels, regions = (
        numbers["background_levels"].size,
        numbers["region_edges"].size + 1,
    )
    wanted = (levels, regions, 7)
    for key in _TABLES:
        if numbers[key].shape != wanted:
            yield (
                key,
                (
                    f"is shaped {numbers[key].shape}; {levels} levels of background "
                    f"and {regions} regions need {wanted}."
                ),
            )
    for key, size in (("time_constants", 3), ("separation", 3)):
        if numbers[key].shape != (size,):
            yield key, f"is shaped {numbers[key].shape}; give {size} numbers."
    if numbers["gap_softness"].shape != numbers["gaps"].shape[:1]:
        yield (
            "gap_softness",
            f"has {numbers['gap_softness'].size} numbers; give one for each gap.",
        )


def _ranges(numbers: _Numbers) -> Iterator[tuple[str, str]]:
    for key in _POSITIVE:
        if not (numbers[key] > 0).all():
            yield key, f"is {numbers[key].min():g}; it must be above 0."
    for key in _NOT_NEGATIVE:
        if not (numbers[key] >= 0).all():
            yield key, f"is {numbers[key].min():g}; it must not be negative."
    for key in _AT_MOST_ONE:
        if not (numbers[key] <= 1).all():
            yield key, f"is {numbers[key].max():g}; a share is at most 1."
    if not numbers["endcap_backward"] < 0:
        yield (
            "endcap_backward",
            f"is {numbers['endcap_backward']:g}; give a negative z.",
        )
    for key in ("background_levels", "region_edges"):
        if not (np.diff(numbers[key]) > 0).all():
            yield key, f"is {numbers[key].tolist()}; put it in increasing order."


def _angles(numbers: _Numbers) -> Iterator[tuple[str, str]]:
    low, high = numbers["theta_min"], numbers["theta_max"]
    if not 0 < low < high < 180:
        yield (
            "theta_min",
            f"to theta_max is {low:g} to {high:g}; order them in 0 to 180.",
        )
    barrel = numbers["barrel_min"], numbers["barrel_max"]
    if not low <= barrel[0] < barrel[1] <= high:
        yield (
            "barrel_min",
            (
                f"to barrel_max is {barrel[0]:g} to {barrel[1]:g}; "
                f"order them in the acceptance, {low:g} to {high:g}."
            ),
        )


def _openings(numbers: _Numbers) -> Iterator[tuple[str, str]]:
    low, high = numbers["theta_min"], numbers["theta_max"]
    for key in ("gaps", "cracks"):
        for start, end in numbers[key]:
            if not low <= start <= end <= high:
                yield (
                    key,
                    (
                        f"has {start:g} to {end:g}; order it in the acceptance, "
                        f"{low:g} to {high:g}."
                    ),
                )
    openings = np.concatenate((numbers["gaps"], numbers["cracks"]))
    openings = openings[np.argsort(openings[:, 0])]
    for (_, end), (start, _) in pairwise(openings):
        if start < end:
            yield (
                "gaps",
                (
                    f"overlap: one ends at {end:g} after the next starts at {start:g}; "
                    "merge them (cracks count as gaps)."
                ),
            )


def _rings(rings: NDArray[np.float64]) -> Iterator[tuple[str, str]]:
    crystals, region, low, high = rings[:, :4].T
    if not (crystals > 0).all():
        yield "rings", f"have {crystals.min():g} crystals; give a positive number."
    if not (low < high).all():
        yield "rings", "have an upper edge below the lower one; swap them."
    for name, column in (("lower edges", low), ("upper edges", high)):
        if not (np.diff(column) > 0).all():
            first = int(np.argmin(np.diff(column) > 0))
            yield (
                "rings",
                (
                    f"have {name} that fall from {column[first]:g} to "
                    f"{column[first + 1]:g} degrees; order the rings by angle."
                ),
            )
    if not (np.diff(region) >= 0).all():
        yield "rings", "return to an earlier region; order the rings by angle."
