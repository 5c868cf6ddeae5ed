"""The fit of one spectrum: which polynomial describes it, and the limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import hypot, inf, sqrt
from typing import final

import numpy as np

from darksector.searches._bump_spectrum import Local
from darksector.statistics.backgrounds import Bernstein
from darksector.statistics.bias import spurious_signal
from darksector.statistics.fit import OK
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import HistoSys, NormFactor, NormSys
from darksector.statistics.profile_limits import UpperLimits, cls_upper_limits
from darksector.statistics.systematics import Systematic, Uncertainty

_KNOWN = 25.0  # the simulation is this many times larger than where a bias is read off


@final
@dataclass(frozen=True)
class Shape:
    """A Bernstein polynomial, and how far it misses the simulated spectrum.

    Parameters
    ----------
    degree
        Of the polynomial.
    error, spurious
        Statistical error of the signal, and the signal that is fitted where there is
        none, events before any cut, at `luminosity`.
    luminosity
        fb⁻¹; not more than a 25th of what the simulation is worth, so that its own
        fluctuations are a fifth of the error.
    """

    degree: int
    error: float
    spurious: float
    luminosity: float

    def bias(self, luminosity: float) -> float:
        """Return the spurious signal of a data set, events before any cut.

        With more data it stays at the same fraction of the statistical error: the
        background is then chosen with more simulation, or with the data.
        """
        return abs(self.spurious) * sqrt(luminosity / self.luminosity)

    @property
    def total(self) -> float:
        """Error and spurious signal in quadrature, events for 1 fb⁻¹."""
        return hypot(self.error, self.spurious) / sqrt(self.luminosity)


def shape(spectrum: Local, degree: int, *, luminosity: float) -> Shape:
    """Return how well a polynomial of some degree describes the simulated spectrum."""
    known = min(luminosity, spectrum.equivalent / _KNOWN)
    found = spurious_signal(spectrum.hunt(degree), spectrum.continuum * known)
    if found.status[0] != OK:
        return Shape(degree, inf, 0.0, known)
    return Shape(degree, float(found.error[0]), float(found.signal[0]), known)


def described(
    spectra: Iterable[Local], degrees: Sequence[int], *, luminosity: float
) -> tuple[Local, Shape]:
    """Return the window and the polynomial of the smallest total error."""
    tried = [
        (spectrum, shape(spectrum, degree, luminosity=luminosity))
        for spectrum, degree in product(spectra, degrees)
    ]
    return min(tried, key=lambda pair: pair[1].total)


def sideband_error(spectrum: Local, degree: int, *, luminosity: float) -> float:
    r"""Return the error of the smooth background of the core from its sidebands, events.

    .. math:: \sigma^2 = B\, I^{-1} B^T, \quad
              I_{kl} = \sum_{b \notin \mathrm{core}} B_{bk} B_{bl} / \nu_b

    with the integrals B of the polynomials over the bins.
    """
    basis = Bernstein(degree).basis(spectrum.edges, 0)[:, 0, :-1]
    rate = np.maximum(spectrum.continuum * luminosity, 1e-9)
    outside = np.ones(len(rate), dtype=bool)
    outside[spectrum.core] = False
    information = (basis[outside] / rate[outside, None]).T @ basis[outside]
    inside = basis[spectrum.core].sum(axis=0)
    return float(np.sqrt(inside @ np.linalg.pinv(information) @ inside))


def limits(
    spectrum: Local,
    polynomial: Shape,
    *,
    luminosity: float,
    confidence_level: float,
    systematics: Sequence[Systematic] = (),
    uncertainties: Mapping[str, Uncertainty] | None = None,
) -> UpperLimits:
    """Return CLs limits on the cross-section before any cut, fb.

    The parameters are the coefficients of the polynomial, one yield per peaking
    background within its uncertainty, the spurious signal, and the systematics of the
    signal.  The data of the expected limit are those of the fit without signal, so that
    fluctuations of the simulation make no bumps in it.
    """
    scale = _scale(spectrum, luminosity)
    model = _model(
        spectrum, polynomial, (luminosity, scale), systematics, uncertainties or {}
    )
    found = cls_upper_limits(likelihood(model), confidence_level=confidence_level)
    return UpperLimits(found.observed * scale, found.expected * scale, found.status)


def _scale(spectrum: Local, luminosity: float) -> float:
    """Return a cross-section of the size of the limit, fb."""
    events = max(float(spectrum.continuum[spectrum.core].sum()) * luminosity, 1.0)
    return float(np.sqrt(events) / (spectrum.shares[spectrum.core].sum() * luminosity))


def _model(
    spectrum: Local,
    polynomial: Shape,
    numbers: tuple[float, float],
    systematics: Sequence[Systematic],
    uncertainties: Mapping[str, Uncertainty],
) -> Model:
    luminosity, scale = numbers
    events = spectrum.continuum * luminosity
    observed = events + sum(spectrum.peaking.values()) * luminosity
    acting = [s for s in systematics if s.signal > 0]
    signal = Sample(
        "signal",
        spectrum.shares * luminosity * scale,
        (
            NormFactor("sigma"),
            *(NormSys(s.name, 1 + s.signal, 1 / (1 + s.signal)) for s in acting),
        ),
    )
    basis = Bernstein(polynomial.degree).basis(spectrum.edges, 0)[:, 0, :-1]
    coefficient = events.sum() / (polynomial.degree + 1)
    smooth = [
        Sample(
            f"background {k}", column * coefficient, (NormFactor(f"background {k}"),)
        )
        for k, column in enumerate(basis.T)
    ]
    peaks = [
        Sample(name, contents * luminosity, _within(name, uncertainties.get(name)))
        for name, contents in spectrum.peaking.items()
    ]
    bias = spectrum.shares * polynomial.bias(luminosity)
    spurious = Sample(
        "spurious signal", 0 * bias, (HistoSys("spurious signal", bias, -bias),)
    )
    samples = (signal, *smooth, *peaks, spurious)
    return Model((Channel("spectrum", samples, observed),), poi="sigma")


def _within(name: str, uncertainty: Uncertainty | None) -> tuple[NormSys, ...]:
    if uncertainty is None:
        return ()
    return (NormSys(name, 1 + uncertainty.size, 1 / (1 + uncertainty.size)),)
