"""Limits from a fit of the recoil-mass spectrum, whose side bands fix the backgrounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.machines import load as load_machine
from darksector.searches._plan import Plan
from darksector.searches._region_spectra import Spectra, fill
from darksector.searches._regions import Region
from darksector.searches._samples import Samples
from darksector.statistics.bayesian import bayesian_limits
from darksector.statistics.histfactory import ModelLikelihood, likelihood
from darksector.statistics.limits import SIGMAS
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    HistoSys,
    Modifier,
    NormFactor,
    NormSys,
    StatError,
)
from darksector.statistics.profile_limits import cls_upper_limits

Numbers = NDArray[np.float64]

ENERGY_SCALE = 0.005  # relative, of E*; assumed: no public number for this search
_PRECISION = 1e-2  # of the Bayesian limit, statistical


def fitted_band(
    plan: Plan,
    samples: Samples,
    regions: Sequence[Region],
    *,
    confidence_level: float,
    simulation_error: bool,
) -> np.ma.MaskedArray:
    """Expected CLs limits of a fit of the spectrum in a region, ``(m, 5)``, fb.

    Parameters
    ----------
    plan, samples
        The run and all that it has simulated.
    regions
        The region of every mass.
    confidence_level
        Of the limits, between 0 and 1.
    simulation_error
        Whether the error of the simulated backgrounds is a nuisance in every bin: what
        this simulation can exclude.  If not, shapes are known: what one of any size can.

    Returns
    -------
    numpy.ma.MaskedArray
        At `SIGMAS`, masked where a region has no background or none of the signal, and
        where the fit fails.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1).

    Notes
    -----
    The model of HistFactory (CERN-OPEN-2012-016): bins as wide as the resolution over
    the whole region; one normalisation per component and the shared systematics, all
    log-normal; the scale of the photon's energy, which moves all spectra.  Shapes are
    else taken as known, at tree level: the optimistic end, as counting in one window is
    the pessimistic one.  The whole simulated background is used, as nothing is chosen.
    """
    shape = len(plan.masses), len(SIGMAS)
    band = np.ma.MaskedArray(np.zeros(shape), mask=True)
    for fit in _fits(plan, samples, regions, simulation_error=simulation_error):
        found = cls_upper_limits(fit.likelihood, confidence_level=confidence_level)
        band[fit.masses] = found.expected * fit.unit[:, None]
    return band


def fitted_bayesian(
    plan: Plan,
    samples: Samples,
    regions: Sequence[Region],
    *,
    confidence_level: float,
    simulation_error: bool,
) -> np.ma.MaskedArray:
    """Bayesian limits, flat prior in the signal, of a fit of the spectrum, ``(m,)``, fb.

    Notes
    -----
    Parameters, errors and model are those of `fitted_band`.  The data are what is
    expected without signal (Asimov's), so that this is the median up to the asymmetry of
    the limit's distribution.
    """
    limits = np.ma.MaskedArray(np.zeros(len(plan.masses)), mask=True)
    for fit in _fits(plan, samples, regions, simulation_error=simulation_error):
        found = bayesian_limits(
            fit.likelihood,
            confidence_level=confidence_level,
            precision=_PRECISION,
            seed=plan.seed,
        )
        limits[fit.masses] = found.observed * fit.unit
    return limits


@final
@dataclass(frozen=True)
class _Fit:
    """The likelihood of some masses, and the unit of its signal, fb, both ``(m,)``."""

    masses: NDArray[np.int64]
    likelihood: ModelLikelihood
    unit: Numbers


def _fits(
    plan: Plan,
    samples: Samples,
    regions: Sequence[Region],
    *,
    simulation_error: bool,
) -> Iterator[_Fit]:
    """Yield the fits of the masses of each region that have signal and background."""
    for region in dict.fromkeys(regions):
        masses = np.flatnonzero([other == region for other in regions])
        spectra = fill(plan, samples, region, masses)
        strength = (spectra.signal**2 / (1 + spectra.total)).sum(axis=1)
        seen = np.flatnonzero(strength > 0)
        if seen.size and spectra.backgrounds:
            # the parameter is in units of the error of a signal, all else known
            unit = 1 / np.sqrt(strength[seen])
            signal = spectra.signal[seen] * unit[:, None]
            model = _model(plan, spectra, signal, simulation_error=simulation_error)
            yield _Fit(masses[seen], likelihood(model), unit)


def _model(
    plan: Plan, spectra: Spectra, signal: Numbers, *, simulation_error: bool
) -> Model:
    """Return spectra with some signals, ``(m, bins)``, as a batch."""
    sizes = {name: u.size for name, u in plan.search.uncertainties().items()}
    s = load_machine(plan.search.machine).s
    parts = []
    for name, events in spectra.backgrounds.items():
        modifiers = [_scale(x.name, x.background) for x in plan.search.systematics]
        modifiers.append(energy_scale(events, spectra.edges, s))
        if name in sizes:
            modifiers.append(_scale(f"{name}_yield", sizes[name]))
        if simulation_error:
            modifiers.append(StatError("simulation", spectra.errors[name]))
        parts.append(Sample(name, events, tuple(modifiers)))
    on_signal = (
        NormFactor("signal"),
        *(_scale(x.name, x.signal) for x in plan.search.systematics),
        energy_scale(signal, spectra.edges, s),
    )
    channel = Channel(
        "region", (Sample("signal", signal, on_signal), *parts), spectra.total
    )
    return Model((channel,), poi="signal")


def _scale(name: str, size: float) -> Modifier:
    return NormSys(name, 1 + size, 1 / (1 + size))


def energy_scale(events: Numbers, edges: Numbers, s: float) -> Modifier:
    """Return what passes the edges of bins as s - 2 √s E* moves with E*.

    The density at an edge is the geometric mean of the two bins: that of an exponential,
    and much less subject to the fluctuations of a simulation than what is close to it.
    """
    density = events / np.diff(edges)
    middle = np.sqrt(density[..., 1:] * density[..., :-1])
    passing = middle * ENERGY_SCALE * (s - edges[1:-1])
    change = np.zeros_like(events)
    change[..., :-1] += passing
    change[..., 1:] -= passing
    return HistoSys("energy_scale", events + change, events - change)
