"""Hadrons from a virtual photon: the ratio R of hadrons to point-like muon pairs."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

REFERENCES = ("arXiv:1801.04847", "arXiv:2201.01788", "doi:10.1093/ptep/ptac097")

# active flavours: sum of squared quark charges, QCD scale of the two-loop coupling, GeV.
# Status: recalled (Particle Data Group, review of quantum chromodynamics)
_FLAVOURS = {4: (10 / 9, 0.292), 5: (11 / 9, 0.210)}
_OPEN_BEAUTY = 10.559  # 2 m_B, GeV


def r_ratio(masses: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return :math:`R = \sigma(e^+e^- \to hadrons) / (4\pi\alpha^2/3s)`, ``(n,)``.

    Parameters
    ----------
    masses
        Mass of the virtual photon, GeV, shape ``(n,)``.

    Notes
    -----
    Vector-meson dominance below 2 GeV, averaged data to 4.8 GeV and perturbative QCD
    above.  The narrow resonances J/psi, psi(2S) and Upsilon are left out: searches skip
    the masses at which a dark photon would mix with them.

    Examples
    --------
    >>> r_ratio(np.array([0.2, 2.0])).round(2)
    array([0.  , 2.18])
    """
    mass, ratio = _table()
    inside = np.interp(masses, mass, ratio, left=0.0)
    return np.where(masses > mass[-1], _perturbative(np.maximum(masses, 1.0)), inside)


@cache
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    source = files("darksector.models").joinpath("data", "hadronic_ratio.csv")
    lines = source.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if not line.startswith("#")][1:]
    mass, ratio = np.array([row.split(",") for row in rows], dtype=np.float64).T
    return mass, ratio


def _perturbative(masses: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return :math:`3 \sum Q^2 (1 + a + c_2 a^2)` with :math:`a = \alpha_s/\pi`."""
    four, five = (_flavours(masses, number) for number in _FLAVOURS)
    return np.where(masses < _OPEN_BEAUTY, four, five)


def _flavours(masses: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    charges, scale = _FLAVOURS[number]
    b0, b1 = 11 - 2 * number / 3, 102 - 38 * number / 3
    log = 2 * np.log(masses / scale)
    a = 4 / (b0 * log) * (1 - b1 / b0**2 * np.log(log) / log)
    return 3 * charges * (1 + a + (1.9857 - 0.1152 * number) * a**2)
