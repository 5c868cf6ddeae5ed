"""Limits on a coupling that also decides whether the particle escapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from darksector.detectors.card import load as load_detector
from darksector.detectors.response import respond
from darksector.machines import load as load_machine
from darksector.models.alp import Alp
from darksector.searches._plan import Plan
from darksector.signatures import signatures

Numbers = NDArray[np.float64]

_COUPLINGS = np.geomspace(1e-6, 1e-1, 61)  # GeV^-1
_LONGEST = 0.2  # GeV: heavier ones decay inside the detector unless g is tiny


def escaping_bands(
    plan: Plan, sigma: np.ma.MaskedArray, reach: Numbers
) -> tuple[np.ma.MaskedArray, np.ma.MaskedArray]:
    """Return the smallest and largest excluded coupling of a that decays to photons.

    Parameters
    ----------
    plan
        The run; its model is an axion-like particle.
    sigma
        Limits on the cross-section into an invisible a, fb, ``(m, k)``.
    reach
        Cross-section at a coupling of 1 GeV⁻¹, fb, ``(m,)``.

    Returns
    -------
    tuple
        Both in GeV⁻¹, ``(m, k)``, masked where no coupling is excluded.

    Notes
    -----
    Excluded is where g² × reach × P(escape) is above the limit.  P is the mean over all
    directions; that it depends on where the photon is seen is left out.
    """
    low, high = np.full(sigma.shape, np.nan), np.full(sigma.shape, np.nan)
    light = np.flatnonzero(np.array(plan.masses) <= _LONGEST)
    for i in light:
        rate = _COUPLINGS**2 * reach[i] * _escape(plan, plan.masses[i])
        for k in range(sigma.shape[1]):
            above = np.flatnonzero(rate > np.ma.filled(sigma[i, k], np.inf))
            if above.size:
                first, last = above[0], above[-1]
                target = float(sigma[i, k])
                low[i, k] = _crossing(rate, target, first - 1)
                high[i, k] = _crossing(rate, target, last)
    return np.ma.masked_invalid(low), np.ma.masked_invalid(high)


def _escape(plan: Plan, mass: float) -> Numbers:
    response = respond(load_detector(plan.search.detector))
    machine = load_machine(plan.search.machine)
    models = [Alp(mass=mass, g_agg=float(g)) for g in _COUPLINGS]
    return np.asarray(signatures(response, machine, models).invisible)


def _crossing(rate: Numbers, target: float, i: int) -> float:
    """Return the coupling at which the rate crosses a value between i and i + 1."""
    if not 0 <= i < len(rate) - 1:
        return float("nan")
    x = np.log(_COUPLINGS[i : i + 2])
    y = np.log(np.maximum(rate[i : i + 2], 1e-300))
    share = (np.log(target) - y[0]) / (y[1] - y[0])
    return float(np.exp(x[0] + share * (x[1] - x[0])))
