"""What a machine card says of its rings and of the place where they collide."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf
from typing import final

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from darksector.errors import OutOfDomain

_SMALLEST = 2.0**-54  # half the spacing of uniform numbers: no infinite deviate


@final
@dataclass(frozen=True)
class Ring:
    """The beam of one ring at the interaction point; `None` where a card has no number.

    Parameters
    ----------
    current
        Total beam current, A.
    beta_x, beta_y
        Beta functions at the interaction point, cm; infinite for a parallel beam.
    emittance_x, emittance_y
        Emittances, cm rad.
    sigma_x, sigma_y
        Widths of the bunch at the interaction point, across the beam, cm.
    sigma_z
        Length of the bunch (rms), cm.
    xi_y
        Vertical beam-beam parameter, dimensionless.

    Raises
    ------
    OutOfDomain
        If a number is not positive.
    """

    current: float | None = None
    beta_x: float | None = None
    beta_y: float | None = None
    emittance_x: float | None = None
    emittance_y: float | None = None
    sigma_x: float | None = None
    sigma_y: float | None = None
    sigma_z: float | None = None
    xi_y: float | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None and not value > 0:
                msg = (
                    f"{each.name} of a ring must be > 0, got {value}; leave it out if "
                    "it is not known."
                )
                raise OutOfDomain(msg)


@final
@dataclass(frozen=True)
class LuminousRegion:
    """Where and when collisions happen: a Gaussian in (ct, x, y, z), cm.

    Parameters
    ----------
    sigma_x, sigma_y, sigma_z
        Standard deviations, cm.
    correlation_xz
        Correlation of x and z, the tilt of the region in the plane of the rings.
    sigma_ct
        Standard deviation of the time of the collision times c, cm.
    x, y, z
        Centre, cm.

    Raises
    ------
    OutOfDomain
        If a width is negative or not finite, or the correlation is not within (-1, 1).
    """

    sigma_x: float
    sigma_y: float
    sigma_z: float
    correlation_xz: float
    sigma_ct: float
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0

    def __post_init__(self) -> None:
        widths = (self.sigma_x, self.sigma_y, self.sigma_z, self.sigma_ct)
        if not all(0 <= width < inf for width in widths):
            msg = (
                f"widths of a luminous region must be finite and >= 0 cm, got {widths} "
                "for x, y, z, ct; 0 puts all collisions into one plane."
            )
            raise OutOfDomain(msg)
        if not -1 < self.correlation_xz < 1:
            msg = (
                "correlation_xz of a luminous region must be within (-1, 1), got "
                f"{self.correlation_xz}; it is the covariance of x and z over both widths."
            )
            raise OutOfDomain(msg)

    def vertices(self, u: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
        r"""Return collision points (ct, x, y, z) for uniform numbers, cm.

        .. math:: x = x_0 + \sigma_x (\rho\, g_z + \sqrt{1-\rho^2}\, g_x)

        with normal deviates g of the numbers; the other coordinates are independent.

        Examples
        --------
        >>> region = LuminousRegion(1e-3, 4e-6, 0.02, -0.3, 0.4)
        >>> region.vertices(np.full((1, 4), 0.5))
        array([[0., 0., 0., 0.]])
        """
        t, x, y, z = ndtri(np.maximum(u, _SMALLEST)).T
        x = self.correlation_xz * z + np.sqrt(1 - self.correlation_xz**2) * x
        return np.stack(
            [
                self.sigma_ct * t,
                self.x + self.sigma_x * x,
                self.y + self.sigma_y * y,
                self.z + self.sigma_z * z,
            ],
            axis=1,
        )
