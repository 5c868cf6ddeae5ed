r"""The overlap integral of two crossing bunches with hourglass in both planes.

.. math::

    L = f_0 n_b N_+ N_-\, 2\cos^2\phi \int \rho_+ \rho_-\, \mathrm{d}^3r\, \mathrm{d}(ct)

(Herr and Muratori, Concept of luminosity, eq. 12).  Bunches are Gaussian along and across
their beams; their widths grow from the interaction point as
:math:`\sigma(w) = \sigma^* \sqrt{1 + w^2/\beta^2}`.  The integrals over y and ct are done
analytically, those over x and z by the trapezoidal rule, which converges exponentially.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, pi, sin, sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.beams import LuminousRegion
from darksector.luminosity import flux, geometric, needed
from darksector.machines import Machine

_SHAPE = ("beta_x", "beta_y", "sigma_x", "sigma_y", "sigma_z")
_NODES_Z, _NODES_X = 8001, 41
_REACH = 7.0  # standard deviations integrated over

Grid = NDArray[np.float64]


@final
@dataclass(frozen=True)
class _Bunch:
    """A bunch of one ring on the grid; `sign` is the direction of its beam along z."""

    sign: float
    angle: float
    beta_x: float
    beta_y: float
    sigma_x: float
    sigma_y: float
    sigma_z: float

    def along(self, x: Grid, z: Grid) -> Grid:
        return x * sin(self.angle) + self.sign * z * cos(self.angle)

    def across(self, x: Grid, z: Grid) -> Grid:
        return x * cos(self.angle) - self.sign * z * sin(self.angle)

    def width_x(self, along: Grid) -> Grid:
        return self.sigma_x * np.sqrt(1 + (along / self.beta_x) ** 2)

    def width_y(self, along: Grid) -> Grid:
        return self.sigma_y * np.sqrt(1 + (along / self.beta_y) ** 2)

    def density_x(self, x: Grid, z: Grid) -> Grid:
        width = self.width_x(self.along(x, z))
        pull = self.across(x, z) / width
        return np.exp(-(pull**2) / 2) / (sqrt(2 * pi) * width)


@final
@dataclass(frozen=True)
class _Density:
    """∫ρ₊ρ₋ dy d(ct) on a grid; Σ weight is the integral over x and z too, cm⁻²."""

    x: Grid
    z: Grid
    weight: Grid
    variance_y: Grid
    mean_ct: Grid
    variance_ct: float

    def mean(self, values: Grid) -> float:
        return float((self.weight * values).sum() / self.weight.sum())


def luminosity(machine: Machine) -> float:
    """Return the luminosity with crossing angle and hourglass, cm⁻² s⁻¹.

    Raises
    ------
    MissingNumber
        If the card lacks currents, bunch sizes or beta functions.
    """
    needed(machine, ("n_bunches", "circumference"), ("current", *_SHAPE))
    kinematic = 2 * cos(machine.half_crossing_angle) ** 2
    return flux(machine) * kinematic * float(_density(machine).weight.sum())


def hourglass_factor(machine: Machine) -> float:
    """Return the luminosity over that of bunches that keep their size."""
    return luminosity(machine) / geometric(machine)


def luminous_region(machine: Machine) -> LuminousRegion:
    """Return the moments of the place and time of collisions, cm.

    Raises
    ------
    MissingNumber
        If the card lacks bunch sizes or beta functions.
    """
    density = _density(machine)
    xx, zz, xz = (
        density.mean(product)
        for product in (density.x**2, density.z**2, density.x * density.z)
    )
    ct = density.mean(density.mean_ct**2) + density.variance_ct
    return LuminousRegion(
        sigma_x=sqrt(xx),
        sigma_y=sqrt(density.mean(density.variance_y)),
        sigma_z=sqrt(zz),
        correlation_xz=xz / sqrt(xx * zz),
        sigma_ct=sqrt(ct),
    )


def _density(machine: Machine) -> _Density:
    a, b = _bunches(machine)
    x, z, area = _grid(a, b)
    along_a, along_b = a.along(x, z), b.along(x, z)
    length = hypot(a.sigma_z, b.sigma_z)
    meet = np.exp(-(((along_a - along_b) / length) ** 2) / 2) / (sqrt(2 * pi) * length)
    variances = a.width_y(along_a) ** 2, b.width_y(along_b) ** 2
    height = np.sqrt(2 * pi * (variances[0] + variances[1]))
    weight = area * meet * a.density_x(x, z) * b.density_x(x, z) / height
    share = (a.sigma_z / length) ** 2
    return _Density(
        x=x,
        z=z,
        weight=weight,
        variance_y=variances[0] * variances[1] / (variances[0] + variances[1]),
        mean_ct=along_a * (1 - share) + along_b * share,
        variance_ct=(a.sigma_z * b.sigma_z / length) ** 2,
    )


def _grid(a: _Bunch, b: _Bunch) -> tuple[Grid, Grid, Grid]:
    """Return x and z of the nodes, and the area of each, where the bunches meet."""
    reach = _REACH * hypot(a.sigma_z, b.sigma_z) / (2 * cos(a.angle))
    z, step_z = np.linspace(-reach, reach, _NODES_Z, retstep=True)
    t, step_t = np.linspace(-_REACH, _REACH, _NODES_X, retstep=True)
    z = z[:, None]
    tilt = np.tan(a.angle)
    square_a, square_b = (
        each.width_x(each.sign * z / cos(a.angle)) ** 2 for each in (a, b)
    )
    both = square_a + square_b
    # the maximum of the product lies between the axes of the beams, x = ±z tan φ
    centre = (a.sign * square_b + b.sign * square_a) / both * z * tilt
    width = np.sqrt(square_a * square_b / both) / cos(a.angle)
    return centre + width * t, z, width * float(step_z * step_t)


def _bunches(machine: Machine) -> tuple[_Bunch, _Bunch]:
    _, her, ler = needed(machine, rings=_SHAPE)
    angle = machine.half_crossing_angle
    return _Bunch(1.0, angle, *her), _Bunch(-1.0, angle, *ler)
