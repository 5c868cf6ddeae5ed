"""What a tracking system is made of: its layers, its ladders and what tunes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import jax
import numpy as np
from numpy.typing import NDArray

_PATTERNS_MOST = 8  # silicon layers; the table of resolutions doubles with each


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tracking:
    """Numbers of a tracking system; lengths in cm, angles in degrees, momenta in GeV.

    Layers are cylinders around the z axis, listed from inside out; a column holds one
    number per layer.

    Parameters
    ----------
    field
        Magnetic field along z that bends tracks as the real one does, T.
    theta_min, theta_max, theta_width
        Polar angles between which tracks are found, and width of these edges.
    pt_min, pt_width
        Transverse momentum at which half of the tracks are found, and width of the rise.
    efficiency
        Chance of a track far from all edges.
    displaced_radius, displaced_width
        Radius of the decay at which half of the daughters are found, and width of the
        fall.
    survival_radius
        Radius to which an unstable particle must live to be found as a track.
    pipe
        Rows (inner radius, outer radius, x/X0) of the beam pipe.
    silicon_radius, silicon_z_min, silicon_z_max
        Silicon layers.
    silicon_rphi, silicon_z
        Resolutions along the azimuth and along z.
    silicon_x0
        x/X0 of each layer at normal incidence.
    ladders
        Rows (layer, azimuth, half-width in azimuth); layers count from 1.  A layer has
        neither hits nor material where no ladder covers the azimuth.
    wall
        Rows (radius, x/X0) of the inner and of the outer wall of the drift chamber.
    wire_radius, wire_z_min, wire_z_max, wire_stereo, wire_cells
        Layers of sense wires: ends, angle to the z axis, and number of cells.
    wire_resolution
        Resolution of the drift distance.
    gas_x0
        Radiation length of gas and wires.
    scattering_scale
        Multiplies the width of multiple scattering.
    silicon_scale
        Multiplies x/X0 of the silicon layers.
    tail_fraction, tail_width
        Share of tracks whose errors are larger, and by what factor.
    photon_recovery
        Share of the energy of a radiated photon that is given back to the electron.
    """

    field: jax.Array
    theta_min: jax.Array
    theta_max: jax.Array
    theta_width: jax.Array
    pt_min: jax.Array
    pt_width: jax.Array
    efficiency: jax.Array
    displaced_radius: jax.Array
    displaced_width: jax.Array
    survival_radius: jax.Array
    pipe: jax.Array
    silicon_radius: jax.Array
    silicon_z_min: jax.Array
    silicon_z_max: jax.Array
    silicon_rphi: jax.Array
    silicon_z: jax.Array
    silicon_x0: jax.Array
    ladders: jax.Array
    wall: jax.Array
    wire_radius: jax.Array
    wire_z_min: jax.Array
    wire_z_max: jax.Array
    wire_stereo: jax.Array
    wire_cells: jax.Array
    wire_resolution: jax.Array
    gas_x0: jax.Array
    scattering_scale: jax.Array
    silicon_scale: jax.Array
    tail_fraction: jax.Array
    tail_width: jax.Array
    photon_recovery: jax.Array


_SHARES = ("efficiency", "tail_fraction", "photon_recovery")
_POSITIVE = (
    *("field", "theta_width", "pt_width", "displaced_width", "silicon_radius"),
    *("silicon_rphi", "silicon_z", "wire_radius", "wire_cells", "wire_resolution"),
    *("gas_x0", "scattering_scale", "silicon_scale", "tail_width"),
)
_NOT_NEGATIVE = ("silicon_x0", "pt_min", "survival_radius", "displaced_radius")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "silicon_radius": (
        *("silicon_z_min", "silicon_z_max", "silicon_rphi", "silicon_z"),
        "silicon_x0",
    ),
    "wire_radius": ("wire_z_min", "wire_z_max", "wire_stereo", "wire_cells"),
}
_ROWS: Mapping[str, int] = {"pipe": 3, "ladders": 3, "wall": 2}
_ORDERED = (
    ("theta_min", "theta_max"),
    ("silicon_z_min", "silicon_z_max"),
    ("wire_z_min", "wire_z_max"),
)


_Numbers = Mapping[str, NDArray[np.float64]]


def check(numbers: Mapping[str, NDArray[np.float64]]) -> Iterator[tuple[str, str]]:
    """Yield the name of each bad number of `Tracking` and what is wrong with it."""
    shapes = list(_bad_shapes(numbers))
    yield from shapes or (*_bad_values(numbers), *_bad_layers(numbers))


def _bad_shapes(numbers: _Numbers) -> Iterator[tuple[str, str]]:
    for key, width in _ROWS.items():
        shape = numbers[key].shape
        if len(shape) != 2 or shape[1] != width:
            complaint = f"must be rows of {width} numbers, got the shape {shape}; "
            yield key, complaint + "write [[...], [...]]."
    for first, others in _COLUMNS.items():
        wanted = numbers[first].shape
        for key in others:
            shape = numbers[key].shape
            if len(shape) != 1 or shape != wanted:
                complaint = f"has the shape {shape} but {first} {wanted}; "
                yield key, complaint + "give one number per layer."
    layers = numbers["silicon_radius"].size
    if layers > _PATTERNS_MOST:
        complaint = f"has {layers} layers; allowed: at most {_PATTERNS_MOST}. "
        yield "silicon_radius", complaint + "Join layers that are close to each other."


def _bad_values(numbers: _Numbers) -> Iterator[tuple[str, str]]:
    for key in _SHARES:
        if not 0 <= numbers[key] <= 1:
            yield (
                key,
                f"is {numbers[key]}; allowed: 0 to 1. It is a share, not percent.",
            )
    for key in (*_POSITIVE, *_NOT_NEGATIVE):
        least, strict = numbers[key].min(), key in _POSITIVE
        if least < 0 or (strict and least == 0):
            bound = "above 0" if strict else "0 or more"
            yield key, f"has the value {least}; allowed: {bound}. Check sign and unit."
    for low, high in _ORDERED:
        wrong = numbers[low] >= numbers[high]
        if wrong.any():
            a, b = (np.atleast_1d(numbers[k])[wrong.argmax()] for k in (low, high))
            yield low, f"is {a}, not below {high} = {b}; exchange them."


def _bad_layers(numbers: _Numbers) -> Iterator[tuple[str, str]]:
    for key in _COLUMNS:
        falls = np.diff(numbers[key]) <= 0
        if falls.any():
            before, after = numbers[key][falls.argmax() :][:2]
            complaint = f"falls from {before} to {after}; allowed: increasing radii. "
            yield key, complaint + "List the layers from inside out."
    last = numbers["silicon_radius"].size
    for layer, _, half_width in numbers["ladders"]:
        if layer not in range(1, last + 1):
            complaint = f"has a ladder of layer {layer:g}; allowed: 1 to {last}, "
            yield "ladders", complaint + "the layers of silicon_radius."
        if not 0 < half_width <= 180:
            complaint = f"has the half-width {half_width:g} degrees; "
            yield "ladders", complaint + "allowed: above 0 to 180."
