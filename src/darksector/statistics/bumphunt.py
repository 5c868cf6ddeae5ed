"""Search for a narrow peak on one spectrum, at many masses at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray

from darksector.errors import OutOfDomain
from darksector.statistics.backgrounds import Background
from darksector.statistics.binned import BinnedLikelihood
from darksector.statistics.fit import OK
from darksector.statistics.windows import Windows

TOO_FEW_BINS = "the window has no more bins than the fit has parameters"
NO_SIGNAL = "no signal falls into the window"


@final
@dataclass(frozen=True)
class BumpHunt:
    """What is fitted at each mass: a signal on a smooth background in a window.

    Parameters
    ----------
    windows
        Bins of each mass.
    shares
        Fraction of the signal in each bin of its window, shape ``(m, b)`` with ``b``
        the `width` of the windows; what is beyond a window's end is left out.
    backgrounds
        Family of the background: one for all masses, or one per mass of the same
        family and of degrees that may differ.

    Raises
    ------
    OutOfDomain
        If the shares have another shape, are negative or sum to more than one, or the
        backgrounds have another number or several families.
    """

    windows: Windows
    shares: NDArray[np.float64]
    backgrounds: tuple[Background, ...]

    def __post_init__(self) -> None:
        shape = (self.windows.masses.size, self.windows.width)
        if self.shares.shape != shape:
            msg = (
                f"shares need the shape {shape} (masses, bins of a window), got "
                f"{self.shares.shape}; integrate the signal over windows.bins."
            )
            raise OutOfDomain(msg)
        inside = np.where(self.windows.mask, self.shares, 0.0)
        if not (np.all(inside >= 0) and inside.sum(axis=1).max(initial=0.0) < 1 + 1e-6):
            msg = (
                "shares must be >= 0 and sum to at most 1 per mass, got a minimum of "
                f"{inside.min()} and a sum of {inside.sum(axis=1).max()}; divide them "
                "by the events of the whole signal."
            )
            raise OutOfDomain(msg)
        number = len(self.backgrounds)
        if number not in {1, shape[0]} or len(set(map(type, self.backgrounds))) > 1:
            msg = (
                f"backgrounds need 1 or {shape[0]} (one per mass) of one family, got "
                f"{number}; give one, or one per mass with its own degree."
            )
            raise OutOfDomain(msg)

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Degree of the background of each mass, shape ``(m,)``."""
        degrees = np.array([b.degree for b in self.backgrounds], dtype=np.int64)
        return np.broadcast_to(degrees, self.windows.masses.shape)

    @property
    def status(self) -> Shaped[np.ndarray, "*n"]:
        """`OK` or why a mass cannot be tested, shape ``(m,)``."""
        w = self.windows
        few = w.stop - w.first <= self.degrees + 2
        none = np.where(w.mask, self.shares, 0.0).sum(axis=1) <= 0
        problem = np.select([few, none], [TOO_FEW_BINS, NO_SIGNAL], OK)
        return np.where(w.status == OK, problem, w.status)

    def likelihood(
        self,
        counts: Float[np.ndarray, " bins"],
        *,
        masses: Int[np.ndarray, " n"] | None = None,
    ) -> BinnedLikelihood:
        """Return the likelihoods of masses, one per row, for one spectrum.

        `masses` are indices of usable masses; default: all of them.
        """
        usable = np.flatnonzero(self.status == OK)
        chosen, mask = usable if masses is None else masses, self.windows.mask
        pieces = [self._basis(int(mass)) for mass in chosen]
        shape = pieces[0].shape[1:] if pieces else (1, self._richest.degree + 2)
        basis = np.zeros((chosen.size, mask.shape[1], *shape))
        for row, piece in zip(basis, pieces, strict=True):
            row[: len(piece)] = piece
        mask = mask[chosen]
        signal = np.where(mask, self.shares[chosen], 0.0)
        observed = counts[self.windows.bins[chosen]].astype(np.float64)
        return self._assemble(signal, basis, np.where(mask, observed, 1.0), mask)

    def at(self, mass: int, counts: Float[np.ndarray, "n bins"]) -> BinnedLikelihood:
        """Return the likelihood of one mass, given its index, for many spectra."""
        basis = self._basis(mass)[None]
        signal = self.shares[mass, : basis.shape[1]][None]
        observed = counts[:, self.windows.slice(mass)]
        return self._assemble(signal, basis, observed, np.ones_like(signal, dtype=bool))

    @property
    def _richest(self) -> Background:
        return max(self.backgrounds, key=lambda background: background.degree)

    def _basis(self, mass: int) -> NDArray[np.float64]:
        """Return the background of one mass, with zeros for what its degree lacks."""
        bins = self.windows.slice(mass)
        background = self.backgrounds[mass % len(self.backgrounds)]
        basis = background.basis(
            self.windows.edges[bins.start : bins.stop + 1], bins.start
        )
        lacking = self._richest.degree - background.degree
        return np.insert(basis, [background.degree + 1] * lacking, 0.0, axis=2)

    def _assemble(
        self,
        signal: NDArray[np.float64],
        basis: NDArray[np.float64],
        observed: NDArray[np.float64],
        mask: NDArray[np.bool_],
    ) -> BinnedLikelihood:
        """Return a likelihood; an empty window starts with one event."""
        total = np.maximum((observed * mask).sum(axis=1), 1.0)
        background = self._richest.start(total)
        names = ("signal", *(f"background {k}" for k in range(background.shape[1])))
        start = np.insert(background, 0, 0.0, axis=1)
        lower = np.insert(self._richest.lower(), 0, -np.inf)
        return BinnedLikelihood(
            observed,
            self._richest.rates(signal, basis),
            names,
            start,
            lower,
            np.full(lower.size, np.inf),
            len(observed),
        )


def check_counts(hunt: BumpHunt, counts: Float[np.ndarray, " *n"]) -> None:
    """Raise `OutOfDomain` unless counts match the spectrum's bins and are >= 0."""
    bins = hunt.windows.edges.size - 1
    good = counts.shape[-1:] == (bins,) and np.all((counts >= 0) & np.isfinite(counts))
    if not good:
        msg = (
            f"counts must be {bins} finite numbers >= 0, one per bin, got the shape "
            f"{counts.shape} with the minimum {counts.min(initial=np.inf)}; fill them "
            "with the edges of the windows."
        )
        raise OutOfDomain(msg)
