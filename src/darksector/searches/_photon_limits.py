"""Limits of a single-photon search beside its principal one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from darksector.results import Windows
from darksector.searches._counting import (
    cls_band,
    reaches,
    without_systematics,
)
from darksector.searches._escaping import escaping_bands
from darksector.searches._plan import Plan
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import LimitCurve, expected_band

FURTHER = {
    "no_systematics": "no systematics",
    "cls": "CL$_s$",
    "best_boundary": "best boundary",
    "fit": "fit of the spectrum",
}
FIT = (
    "CLs, asymptotic, fit of the recoil-mass spectrum; normalisations constrained by "
    "the data, simulated shapes taken as known"
)
NOT_ESCAPING = "no coupling with enough decays behind the detector"
ESCAPING = {
    "escaping": "photons only, smallest excluded",
    "escaping_largest": "photons only, largest excluded",
}


def further_limits(
    plan: Plan,
    limits: LimitCurve,
    windows: Windows,
    counting: tuple[CountingModel, CountingModel],
    fit: np.ma.MaskedArray,
) -> LimitCurve:
    """Add limits on the coupling, one for each of `FURTHER`.

    Parameters
    ----------
    counting
        Likelihoods of the declared windows, and of those of the best boundary.
    fit
        Limits of the fit on the cross-section, fb, ``(m, 5)``.
    """
    level = plan.search.confidence_level
    principal = plan.search.assumptions[0].quantity
    reach = reaches(plan, windows)[principal][:, None]
    declared, best = counting
    known = without_systematics(declared)
    bands = {
        f"{principal}_no_systematics": expected_band(known, confidence_level=level),
        f"{principal}_cls": cls_band(declared, confidence_level=level),
        f"{principal}_best_boundary": expected_band(best, confidence_level=level),
        f"{principal}_fit": fit,
    }
    couplings = {name: np.ma.sqrt(band / reach) for name, band in bands.items()}
    return replace(
        _extended(limits, couplings, "no signal expected"),
        methods={
            f"{principal}_no_systematics": f"{limits.method}; yields known exactly",
            f"{principal}_cls": "CLs, asymptotic, the same counts and nuisances",
            f"{principal}_best_boundary": f"{limits.method}; best boundary in E*, θ",
            f"{principal}_fit": FIT,
        },
    )


def escaping_limits(plan: Plan, limits: LimitCurve, windows: Windows) -> LimitCurve:
    """Add the couplings between which a particle that decays to photons is excluded."""
    principal = plan.search.assumptions[0].quantity
    reach = reaches(plan, windows)[principal]
    bands = escaping_bands(plan, limits.expected_band["sigma"], reach)
    names = [f"{principal}_{suffix}" for suffix in ESCAPING]
    return _extended(limits, dict(zip(names, bands, strict=True)), NOT_ESCAPING)


def _extended(
    limits: LimitCurve, bands: Mapping[str, np.ma.MaskedArray], reason: str
) -> LimitCurve:
    """Add limits on quantities in the unit of the first coupling.

    Parameters
    ----------
    reason
        Status where they are absent.
    """
    unit = list(limits.units.values())[1]
    statuses = {
        name: tuple(reason if row.any() else "ok" for row in np.ma.getmaskarray(band))
        for name, band in bands.items()
    }
    return replace(
        limits,
        units={**limits.units, **dict.fromkeys(bands, unit)},
        expected_band={**limits.expected_band, **bands},
        statuses={**limits.statuses, **statuses},
    )
