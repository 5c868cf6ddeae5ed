"""How far the choice of a background moves the fitted signal of a bump hunt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray

from darksector.errors import OutOfDomain
from darksector.execution import stream
from darksector.statistics.backgrounds import Background
from darksector.statistics.bumphunt import BumpHunt, check_counts
from darksector.statistics.bumphunt_search import spread, whole_status
from darksector.statistics.fit import OK, Fit, fit
from darksector.statistics.profile import Discovery, discovery, tangent


@final
@dataclass(frozen=True)
class SpuriousSignal:
    """Signal that is fitted where there is none.

    Parameters
    ----------
    signal
        Fitted signal events, shape ``(m,)``.
    error
        Statistical error of the fit, events, shape ``(m,)``.
    status
        `OK` or why a mass has no fit, shape ``(m,)``.
    """

    signal: np.ma.MaskedArray
    error: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]

    @property
    def ratio(self) -> np.ma.MaskedArray:
        """Spurious signal in units of its statistical error, shape ``(m,)``."""
        return self.signal / self.error


@final
@dataclass(frozen=True)
class Injection:
    """Fits of toys with a signal of known size.

    Parameters
    ----------
    signal, error
        Fitted signal events and their standard error, shape ``(toys,)``.
    pull
        Fitted minus injected, over the error, shape ``(toys,)``.
    status
        `OK` or why a toy has no fit: its numbers are masked.
    """

    signal: np.ma.MaskedArray
    error: np.ma.MaskedArray
    pull: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]


def spurious_signal(
    hunt: BumpHunt, expected: Float[np.ndarray, " bins"]
) -> SpuriousSignal:
    """Fit signal and background to expected counts that have no signal.

    Parameters
    ----------
    hunt
        What is fitted.
    expected
        Expected counts per bin of the whole spectrum without signal, not rounded:
        from simulation, or from another fit of the spectrum.

    Raises
    ------
    OutOfDomain
        If the counts do not fit the edges or are negative.

    Notes
    -----
    The spurious signal of ATLAS, ATL-PHYS-PUB-2020-028.  Fluctuations of a simulated
    spectrum are part of the result: it needs many more events than the data.
    """
    check_counts(hunt, expected)
    return _spurious(hunt, discovery(hunt.likelihood(expected)))


def spurious_signal_of(
    hunt: BumpHunt,
    counts: Float[np.ndarray, " bins"],
    *,
    alternative: tuple[Background, ...],
) -> SpuriousSignal:
    """Fit expected counts of an alternative background that was fitted to the data.

    Parameters
    ----------
    hunt
        What is fitted.
    counts
        Events per bin of the whole spectrum.
    alternative
        Backgrounds, one or one per mass, that are fitted to the counts of each window,
        without signal, for the expected counts there.

    Raises
    ------
    OutOfDomain
        If the counts do not fit the edges or are negative.
    """
    check_counts(hunt, counts)
    other = replace(hunt, backgrounds=alternative)
    chosen = np.flatnonzero((hunt.status == OK) & (other.status == OK))
    source = other.likelihood(counts, masses=chosen)
    held = np.arange(len(source.names)) == source.poi
    null = fit(source, fixed=held)
    truth = source.asimov(null.theta).observed
    target = replace(hunt.likelihood(counts, masses=chosen), observed=truth)
    return _spurious(hunt, discovery(target), chosen=chosen, also=null)


def inject(
    hunt: BumpHunt,
    expected: Float[np.ndarray, " bins"],
    *,
    mass: int,
    signal: float,
    toys: int,
    seed: int,
) -> Injection:
    """Fit toys with `signal` events on top of the expected counts, at one mass.

    Parameters
    ----------
    hunt
        What is fitted.
    expected
        Expected counts per bin of the whole spectrum without signal.
    mass
        Index of the mass.
    signal
        Injected events, inside and outside of the window; negative as long as all
        expected counts stay >= 0.
    toys
        Number of toys.
    seed
        Of their random numbers.

    Raises
    ------
    OutOfDomain
        If an expected count is negative, or the mass cannot be tested.
    """
    if hunt.status[mass] != OK:
        msg = f"mass {mass} cannot be tested: {hunt.status[mass]}; choose another."
        raise OutOfDomain(msg)
    bins = hunt.windows.slice(mass)
    truth = expected.astype(np.float64)
    truth[bins] += signal * hunt.shares[mass, : bins.stop - bins.start]
    check_counts(hunt, truth)
    random = stream(seed, "signal injection", mass)
    counts = random.poisson(truth, size=(toys, truth.size)).astype(np.float64)
    likelihood = hunt.at(mass, counts)
    found = fit(likelihood)
    _, error = tangent(likelihood, found)
    fitted, bad = found.theta[:, likelihood.poi], ~found.converged
    return Injection(
        np.ma.MaskedArray(fitted, mask=bad),
        np.ma.MaskedArray(error, mask=bad),
        np.ma.MaskedArray((fitted - signal) / error, mask=bad),
        found.status,
    )


def _spurious(
    hunt: BumpHunt,
    test: Discovery,
    *,
    chosen: NDArray[np.int64] | None = None,
    also: Fit | None = None,
) -> SpuriousSignal:
    """Return the signal of the chosen masses at their places."""
    chosen = np.flatnonzero(hunt.status == OK) if chosen is None else chosen
    fits = [test.free] if also is None else [test.free, also]
    status = whole_status(hunt.status, chosen, fits)
    return SpuriousSignal(
        spread(test.poi, chosen, status == OK),
        spread(test.error, chosen, status == OK),
        status,
    )
