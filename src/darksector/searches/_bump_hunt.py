"""A bump on the spectrum of photon pairs, mass by mass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from darksector.searches._bump_fit import described
from darksector.searches._bump_results import (
    LABELS,
    Window,
    Yield,
    counting_model,
    limit_curve,
    tabulated,
)
from darksector.searches._bump_spectrum import Signal, local
from darksector.searches._plan import Plan
from darksector.searches._samples import Inference, Samples, Survivors
from darksector.searches._three_photons import (
    VARIABLES,
    Entries,
    Pairs,
    one_row_per_pair,
    sharper,
    threshold,
)
from darksector.searches.base import Strategy


@final
@dataclass(frozen=True)
class BumpHunt(Strategy):
    """Fit a peak and a polynomial to the spectrum of pairs around each mass.

    Parameters
    ----------
    energies
        Largest mass and the smallest photon energy up to it, GeV; the last is for all.
    peaking
        Components that peak: part of the fit with their own shape, within their
        uncertainty.
    reaches
        Windows to try, resolutions below and above the mass.
    degrees
        Of the polynomials to try, in each window.

    Notes
    -----
    The observable is that of the better resolution: the mass of the pair, or what recoils
    against the third photon.  Window and polynomial are those of the smallest error, which
    includes the signal that the fit finds in simulation without one; that bias is a
    parameter of the likelihood, too.  A limit at the mass of a known peak is about what
    the uncertainty of that peak leaves: its yield is a parameter, its shape is not.
    Uncertainties of smooth components do not matter, as the fit takes their yield from
    the spectrum.
    """

    energies: tuple[tuple[float, float], ...]
    peaking: tuple[str, ...] = ()
    reaches: tuple[tuple[float, float], ...] = (
        (20.0, 30.0),
        (15.0, 20.0),
        (10.0, 15.0),
    )
    degrees: tuple[int, ...] = (2, 3, 4, 5)

    @property
    def variables(self) -> tuple[str, ...]:
        """The other pairs, the recoils and the softest photon."""
        return VARIABLES

    @property
    def labels(self) -> tuple[str, ...]:
        """What is chosen per mass."""
        return LABELS

    def entries(self, sample: Survivors) -> Survivors:
        """Return one row per pair of photons."""
        return one_row_per_pair(sample)

    def infer(self, plan: Plan, samples: Samples) -> Inference:
        """Return windows, likelihood and limits."""
        signals = [
            self.signal(mass, sample)
            for mass, sample in zip(plan.masses, samples.signals, strict=True)
        ]
        energies = [threshold(mass, self.energies) for mass in plan.masses]
        keys = list(zip(energies, (signal.kind for signal in signals), strict=True))
        spectra = {key: spectrum(samples.backgrounds, *key) for key in set(keys)}
        found = [
            self.window(signal, spectra[key], luminosity=plan.luminosity)
            for key, signal in zip(keys, signals, strict=True)
        ]
        windows = tabulated(plan, samples, found, energies)
        counting = counting_model(plan, windows, found)
        return Inference(windows, counting, limit_curve(plan, windows, counting, found))

    def signal(self, mass: float, sample: Survivors) -> Signal:
        """Return the signal of one mass, GeV, in the observable that is sharper for it."""
        pairs = Pairs.of(sample, energy_min=threshold(mass, self.energies))
        resolutions = pairs.resolutions(mass)
        kind = sharper(resolutions)
        entries = pairs.entries(kind)
        return Signal(kind, mass**2, resolutions[kind], entries, sample.sigma)

    def window(
        self, signal: Signal, backgrounds: Mapping[str, Entries], *, luminosity: float
    ) -> Window:
        """Return the spectrum around one mass and the polynomial that describes it.

        Parameters
        ----------
        backgrounds
            Component to its entries in the observable of the signal.
        luminosity
            Integrated luminosity of the search, fb⁻¹.
        """
        spectra = [
            local(signal, backgrounds, peaking=self.peaking, reach=reach)
            for reach in self.reaches
        ]
        around, polynomial = described(spectra, self.degrees, luminosity=luminosity)
        core = around.edges[[around.core.start, around.core.stop]]
        return Window(
            around,
            polynomial,
            Yield.of(signal.entries, core),
            {name: Yield.of(part, core) for name, part in backgrounds.items()},
        )


def spectrum(
    backgrounds: Mapping[str, Survivors], energy_min: float, kind: str
) -> dict[str, Entries]:
    """Return component to its entries, of photons above an energy, GeV."""
    return {
        name: Pairs.of(sample, energy_min=energy_min).entries(kind)
        for name, sample in backgrounds.items()
    }
