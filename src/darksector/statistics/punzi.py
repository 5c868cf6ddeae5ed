"""Punzi's figure of merit: the smallest cross-section a window is sensitive to."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from darksector.errors import OutOfDomain


def punzi_sensitivity(
    efficiency: Float[np.ndarray, "*n"],
    background: Float[np.ndarray, "*n"],
    *,
    luminosity: float,
    a: float = 3.0,
    b: float = 1.28155,
) -> Float[np.ndarray, "*n"]:
    r"""Cross-section that is discovered or excluded for sure, fb (smaller is better).

    .. math:: \sigma_\mathrm{min} = \frac{1}{\epsilon L} \left[ \frac{a^2}{8}
              + \frac{9 b^2}{13} + a\sqrt{B}
              + \frac{b}{2} \sqrt{b^2 + 4a\sqrt{B} + 4B} \right]

    Parameters
    ----------
    efficiency
        Signal efficiency of each choice of cuts, between 0 and 1.
    background
        Expected background events of the same choice.
    luminosity
        Integrated luminosity, fb⁻¹.
    a
        One-sided significance of a discovery, σ.
    b
        One-sided significance of an exclusion, σ; 1.28155 means 90 %.

    Raises
    ------
    OutOfDomain
        If an efficiency is outside [0, 1], a background is negative or not finite, or
        a luminosity or significance is not greater than 0.

    Notes
    -----
    arXiv:physics/0308063 (Punzi), in the form used by punzinet (fom.py).  Zero
    efficiency gives +inf, the worst value there is, so that `argmin` is always safe.

    Examples
    --------
    >>> sigma = punzi_sensitivity(np.array([0.1]), np.array([0.0]), luminosity=50.0)
    >>> print(f"{sigma[0]:.4f} fb")
    0.6166 fb
    """
    if not np.all((efficiency >= 0) & (efficiency <= 1)):
        msg = f"efficiency must lie between 0 and 1, got {efficiency}."
        raise OutOfDomain(msg)
    if not np.all((background >= 0) & np.isfinite(background)):
        msg = f"background must be finite and >= 0 events, got {background}."
        raise OutOfDomain(msg)
    if not (luminosity > 0 and a > 0 and b > 0):
        msg = f"luminosity, a and b must be > 0, got {luminosity}, {a} and {b}."
        raise OutOfDomain(msg)
    root = np.sqrt(background)
    events = a**2 / 8 + 9 * b**2 / 13 + a * root
    events += b / 2 * np.sqrt(b**2 + 4 * a * root + 4 * background)
    reach = efficiency * luminosity
    worst = np.full_like(events, np.inf)
    return np.divide(events, reach, out=worst, where=reach > 0)
