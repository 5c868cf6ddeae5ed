"""From fitted spectra to the windows, the likelihood and the limits of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from darksector.results import Windows
from darksector.searches._bump_fit import Shape, limits, sideband_error
from darksector.searches._bump_spectrum import Local
from darksector.searches._counting import counts_with, curve_of
from darksector.searches._plan import Plan
from darksector.searches._samples import Numbers, Samples
from darksector.searches._three_photons import Entries
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import LimitCurve

METHOD = (
    "CLs, asymptotic, of a bump on a Bernstein polynomial in a window of the spectrum; "
    "observed: Bayesian, flat prior in the cross-section, counts within two resolutions"
)
LABELS = ("observable", "degree", "window", "softest photon")


@final
@dataclass(frozen=True)
class Yield:
    """Entries of the core, fb, and their statistical error."""

    value: float
    error: float

    @classmethod
    def of(cls, entries: Entries, core: Numbers) -> Yield:
        """Return the entries between two edges; the error of none is that of one."""
        (value,), (square,) = entries.fill(core)
        return cls(float(value), float(np.sqrt(square)) or entries.typical)


@final
@dataclass(frozen=True)
class Window:
    """The spectrum around one mass, what describes it, and the counts of its core."""

    spectrum: Local
    polynomial: Shape
    signal: Yield
    background: Mapping[str, Yield]


def tabulated(
    plan: Plan, samples: Samples, found: Sequence[Window], energies: Sequence[float]
) -> Windows:
    """Return the counts of all cores, yields at the luminosity of the run.

    Parameters
    ----------
    energies
        Smallest photon energy of each mass, GeV.
    """
    sigma = np.array([signal.sigma for signal in samples.signals])
    names, lumi = list(samples.backgrounds), plan.luminosity
    spectra = [w.spectrum for w in found]
    return Windows(
        mass=np.array(plan.masses),
        low=np.array([s.edges[s.core.start] for s in spectra]),
        high=np.array([s.edges[s.core.stop] for s in spectra]),
        resolution=np.array([s.resolution for s in spectra]),
        efficiency=np.array([w.signal.value for w in found]) / sigma,
        efficiency_error=np.array([w.signal.error for w in found]) / sigma,
        signal_sigma=sigma,
        background={
            n: np.array([w.background[n].value for w in found]) * lumi for n in names
        },
        background_error={
            n: np.array([w.background[n].error for w in found]) * lumi for n in names
        },
        choices=_choices(found, energies),
    )


def _choices(
    found: Sequence[Window], energies: Sequence[float]
) -> dict[str, np.ndarray]:
    def ends(s: Local) -> str:
        low, high = ((edge - s.mass2) / s.resolution for edge in s.edges[[0, -1]])
        return f"{low:+.1f} to {high:+.1f}"

    values = (
        [w.spectrum.kind for w in found],
        [w.polynomial.degree for w in found],
        [ends(w.spectrum) for w in found],
        energies,
    )
    return {label: np.array(value) for label, value in zip(LABELS, values, strict=True)}


def counting_model(
    plan: Plan, windows: Windows, found: Sequence[Window]
) -> CountingModel:
    """Return the likelihood of the counts in the cores.

    The error of the background is that of the fit to its sidebands, of the polynomial,
    and of the peaking components; none comes from the simulation of the smooth ones.
    """
    sizes = {name: u.size for name, u in plan.search.uncertainties().items()}
    lumi = plan.luminosity
    variance = np.array(
        [
            sideband_error(w.spectrum, w.polynomial.degree, luminosity=lumi) ** 2
            + (w.polynomial.bias(lumi) * w.spectrum.shares[w.spectrum.core].sum()) ** 2
            + sum(
                (sizes.get(name, 0.0) * w.background[name].value * lumi) ** 2
                for name in w.spectrum.peaking
            )
            for w in found
        ]
    )
    return counts_with(plan, windows, variance)


def limit_curve(
    plan: Plan, windows: Windows, counting: CountingModel, found: Sequence[Window]
) -> LimitCurve:
    """Return expected limits of the fits, and observed ones of counts in the cores."""
    level = plan.search.confidence_level
    each = [
        limits(
            w.spectrum,
            w.polynomial,
            luminosity=plan.luminosity,
            confidence_level=level,
            systematics=plan.search.systematics,
            uncertainties=plan.search.uncertainties(),
        )
        for w in found
    ]
    expected = np.concatenate([one.expected.filled(np.nan) for one in each])
    words = tuple(str(one.status[0]) for one in each)
    band = np.ma.masked_invalid(expected)
    return curve_of(plan, windows, counting, band, (words, METHOD))
