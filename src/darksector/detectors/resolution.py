"""Resolutions of a tracking system, tabulated once and looked up for each track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector.detectors.covariance import factor, information, passages
from darksector.detectors.tracker import Tracking

PARAMETERS = 5
_ENTRIES = 15  # of a triangle
_PT = (0.05, 8.0, 16)  # first, last, number; even in the logarithm; GeV
_ETA = (-1.55, 2.1, 38)  # pseudorapidity: 155 to 14 degrees
# no track is found with larger errors; keeps cells at the edge of the chamber finite
_LARGEST = (10.0, 0.5, 0.01, 20.0, 1.0)
_SECTORS = 1440  # of a quarter of a degree
_STEP = 7  # layers of wires between two tables of tracks made in the drift chamber


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrackTable:
    """Triangles F with F Fᵀ the covariance of (d0, φ0, ω, z0, cot θ); cm, rad, 1/cm.

    Parameters
    ----------
    triangles
        Upper triangles by rows, over `_scale`: ``(classes, momenta, angles, 15)``.
    covered
        Whether a ladder of each silicon layer covers a sector of azimuth, ``(layers,
        sectors)``.
    """

    triangles: jax.Array
    covered: jax.Array


def classes(silicon: int, wires: int) -> NDArray[np.float64]:
    """Return which surfaces the tracks of each class meet, ``(classes, surfaces)``.

    First come all subsets of beam pipe and silicon layers, in binary, then tracks made
    in the drift chamber.  The surfaces are those of `surfaces.surfaces`.
    """
    inner = silicon + 1
    bits = (np.arange(2**inner)[:, None] >> np.arange(inner)) & 1
    subsets = np.hstack([bits, np.ones((2**inner, 1 + wires))])
    starts = np.arange(0, wires, _STEP)
    outside = np.arange(wires) >= starts[:, None]
    late = np.hstack([np.zeros((starts.size, inner + 1)), outside])
    return np.vstack([subsets, late]).astype(np.float64)


def class_of(
    crossed: jax.Array, made: jax.Array | None, tracking: Tracking
) -> jax.Array:
    """Return the class of tracks, ``(n,)``.

    Parameters
    ----------
    crossed
        Whether beam pipe and silicon layers are met, ``(1 + layers, n)``.
    made
        Radius at which the particles were made, cm, ``(n,)``; None for the axis.
    tracking
        The tracking system.
    """
    powers = 2 ** jnp.arange(crossed.shape[0])
    subset = (crossed * powers[:, None]).sum(axis=0)
    if made is None:
        return subset
    inside = (made > tracking.wire_radius[:, None]).sum(axis=0)
    late = jnp.minimum(-(-inside // _STEP), (tracking.wire_radius.size - 1) // _STEP)
    return jnp.where(made > tracking.wall[0, 0], 2 ** crossed.shape[0] + late, subset)


@jax.jit
def tabulate(tracking: Tracking) -> TrackTable:
    """Return the table of resolutions of a tracking system."""
    masks = classes(tracking.silicon_radius.size, tracking.wire_radius.size)
    log_pt, eta = (jnp.linspace(first, last, n) for first, last, n in (_log(_PT), _ETA))
    pt = jnp.repeat(jnp.exp(log_pt), eta.size)
    cot = jnp.tile(jnp.sinh(eta), log_pt.size)
    seen = passages(tracking, pt, cot)
    known = jnp.diag(jnp.asarray(_LARGEST) ** -2.0)

    def one_class(crossed: jax.Array) -> jax.Array:
        rows = factor(information(seen, crossed) + known[:, :, None])
        return (
            jnp.stack([a for row in rows for a in row], axis=-1) / _scale(pt)[:, None]
        )

    triangles = jax.lax.map(one_class, jnp.asarray(masks))
    return TrackTable(
        triangles=triangles.reshape(len(masks), log_pt.size, eta.size, _ENTRIES),
        covered=_covered(tracking),
    )


def _covered(tracking: Tracking) -> jax.Array:
    number, azimuth, half = (a[:, None, None] for a in tracking.ladders.T)
    layer = 1 + jnp.arange(tracking.silicon_radius.size)[:, None]
    middle = (jnp.arange(_SECTORS) + 0.5) * 360 / _SECTORS
    away = jnp.abs((middle - azimuth + 180) % 360 - 180)
    return ((number == layer) & (away < half)).any(axis=0)


def sector_of(azimuth: jax.Array) -> jax.Array:
    """Return the sector of `TrackTable.covered` of an azimuth from -π to π, rad."""
    turns = jnp.where(azimuth < 0, azimuth + 2 * jnp.pi, azimuth) / (2 * jnp.pi)
    return jnp.minimum((turns * _SECTORS).astype(jnp.int32), _SECTORS - 1)


def look_up(
    table: TrackTable, kind: jax.Array, pt: jax.Array, cot: jax.Array
) -> list[list[jax.Array]]:
    """Return the triangles of tracks, as rows of ``(n,)``: bilinear in ln pT and η."""
    _, momenta, angles, _ = table.triangles.shape
    flat = table.triangles.reshape(-1, _ENTRIES)
    i, f = _cell(jnp.log(pt), _log(_PT))
    j, g = _cell(jnp.arcsinh(cot), _ETA)
    at = (kind * momenta + i) * angles + j
    corners = (
        (at, (1 - f) * (1 - g)),
        (at + 1, (1 - f) * g),
        (at + angles, f * (1 - g)),
        (at + angles + 1, f * g),
    )
    mean = sum(flat[where] * weight[:, None] for where, weight in corners)
    entries = iter((mean * _scale(pt)[:, None]).T)
    return [[next(entries) for _ in range(i, PARAMETERS)] for i in range(PARAMETERS)]


def _scale(pt: jax.Array) -> jax.Array:
    """Return what all errors nearly follow, from scattering to measurement."""
    return jnp.sqrt(1 / pt**2 + 0.25)


def _log(ends: tuple[float, float, int]) -> tuple[float, float, int]:
    first, last, n = ends
    return float(np.log(first)), float(np.log(last)), n


def _cell(x: jax.Array, ends: tuple[float, float, int]) -> tuple[jax.Array, jax.Array]:
    """Return the cell of x and the share of it that lies below x."""
    first, last, n = ends
    place = jnp.clip((x - first) * (n - 1) / (last - first), 0.0, n - 1.0)
    cell = jnp.minimum(jnp.floor(place), n - 2.0)
    return cell.astype(jnp.int32), place - cell
