"""What is known of parameters before a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray


@final
@dataclass(frozen=True)
class Setting:
    """What is known of a parameter before the fit, in its unit, scalar or one per row.

    Parameters
    ----------
    value
        First guess, or what it is fixed or constrained to.
    width
        Standard deviation of a Gaussian constraint: zero fixes, infinity frees.
    lower, upper
        Bounds; by default those of the shape.
    """

    value: float | NDArray[np.float64]
    width: float | NDArray[np.float64]
    lower: float | NDArray[np.float64] = -np.inf
    upper: float | NDArray[np.float64] = np.inf


def fixed(value: float | Float[np.ndarray, " n"]) -> Setting:
    """Return a parameter that does not vary."""
    return Setting(value, 0.0)


def constrained(
    mean: float | Float[np.ndarray, " n"], width: float | Float[np.ndarray, " n"]
) -> Setting:
    """Return a parameter that an independent measurement knows, mean ± width."""
    return Setting(mean, width)


def free(
    start: float | Float[np.ndarray, " n"],
    *,
    lower: float | Float[np.ndarray, " n"] = -np.inf,
    upper: float | Float[np.ndarray, " n"] = np.inf,
) -> Setting:
    """Return a parameter with another first guess or narrower bounds than its shape's."""
    return Setting(start, np.inf, lower, upper)
