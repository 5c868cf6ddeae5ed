"""Relic targets: couplings at which dark matter froze out with today's density."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from darksector.errors import OutOfDomain, UnknownName
from darksector.limits.published import CouplingBand, load

# kind of dark matter: its record of y(m_χ) and its name in a legend
TARGETS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pseudo_dirac": ("dark_photon_relic_density_pseudo_dirac2018", "pseudo-Dirac"),
        "majorana": ("dark_photon_relic_density_majorana2018", "Majorana"),
        "scalar": ("dark_photon_relic_density_scalar2018", "complex scalar"),
    }
)
_THEIRS = 3.0  # m_A'/m_χ of the published targets


def relic_line(
    dark_matter: str, *, alpha_dark: float, mass_ratio: float = 3.0
) -> CouplingBand:
    r"""Return the kinetic mixing of the relic density against the mass of the A'.

    .. math:: \epsilon = \sqrt{y R^4 / \alpha_D}, \quad
              y = \epsilon^2 \alpha_D (m_\chi/m_{A'})^4, \quad R = m_{A'}/m_\chi

    Parameters
    ----------
    dark_matter
        ``pseudo_dirac``, ``majorana`` or ``scalar``, as in the model ``dark_photon``.
    alpha_dark
        Dark fine-structure constant α_D, at most 1.
    mass_ratio
        Mass of the A' in units of the mass of the dark matter, above 2.

    Raises
    ------
    UnknownName
        If there is no target for this kind of dark matter.
    OutOfDomain
        If α_D is outside (0, 1] or the ratio is not above 2.

    Notes
    -----
    The targets (arXiv:1808.05219) are for α_D = 0.1 and R = 3.  Well above the
    resonance, m_A' >> 2 m_χ, the density depends on y alone and not on α_D; the width of
    the A', with which α_D enters otherwise, is neglected.  For another ratio y is scaled
    by :math:`(1-4/R^2)^2/(1-4/3^2)^2`, the propagator at rest: the annihilation
    cross-section is y times the inverse (physics/dark-photon.md section 5).  Close to
    R = 2 thermal motion reaches the resonance and this scaling fails.

    Examples
    --------
    >>> line = relic_line("pseudo_dirac", alpha_dark=0.5)
    >>> line.low is None, bool(line.mass[0] == 3 * 0.001)
    (True, True)
    """
    if dark_matter not in TARGETS:
        kind = "relic target"
        raise UnknownName(kind, dark_matter, TARGETS)
    if not 0 < alpha_dark <= 1:
        msg = f"a relic line needs alpha_dark within (0, 1], got {alpha_dark}."
        raise OutOfDomain(msg)
    if not 2 < mass_ratio < np.inf:
        msg = (
            f"a relic line needs a finite mass_ratio above 2, got {mass_ratio}: a "
            "lighter A' does not decay to dark matter."
        )
        raise OutOfDomain(msg)
    key, name = TARGETS[dark_matter]
    target = load(key)
    y = target.values * (_propagator(mass_ratio) / _propagator(_THEIRS)) ** 2
    label = (
        rf"relic density, {name}, $\alpha_D = {alpha_dark:g}$, "
        rf"$m_{{A'}} = {mass_ratio:g}\,m_\chi$ ({target.reference})"
    )
    epsilon = np.sqrt(y * mass_ratio**4 / alpha_dark)
    return CouplingBand(label, mass_ratio * target.mass, None, epsilon)


def relic_lines(
    *, alpha_dark: float, mass_ratio: float = 3.0
) -> tuple[CouplingBand, ...]:
    """Return the lines of all kinds of dark matter, the lowest first.

    Raises
    ------
    OutOfDomain
        As `relic_line`.
    """
    return tuple(
        relic_line(kind, alpha_dark=alpha_dark, mass_ratio=mass_ratio)
        for kind in TARGETS
    )


def _propagator(ratio: float) -> float:
    return 1 - 4 / ratio**2
