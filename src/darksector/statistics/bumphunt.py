"""Search for a narrow peak on one spectrum, at many masses at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.special import chdtrc

from darksector.errors import OutOfDomain
from darksector.statistics.backgrounds import Background
from darksector.statistics.binned import BinnedLikelihood
from darksector.statistics.fit import OK
from darksector.statistics.profile import Discovery, discovery
from darksector.statistics.profile_limits import UpperLimits, cls_upper_limits
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
    background
        Family of the background.

    Raises
    ------
    OutOfDomain
        If the shares have another shape, are negative or sum to more than one.
    """

    windows: Windows
    shares: NDArray[np.float64]
    background: Background

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

    @property
    def status(self) -> NDArray[np.str_]:
        """`OK` or why a mass cannot be tested, shape ``(m,)``."""
        w = self.windows
        few = w.stop - w.first <= self.background.degree + 2
        none = np.where(w.mask, self.shares, 0.0).sum(axis=1) <= 0
        problem = np.select([few, none], [TOO_FEW_BINS, NO_SIGNAL], OK)
        return np.where(w.status == OK, problem, w.status)

    def likelihood(self, counts: Float[np.ndarray, " bins"]) -> BinnedLikelihood:
        """Return the likelihoods of all usable masses, one per row, for one spectrum."""
        chosen, mask = np.flatnonzero(self.status == OK), self.windows.mask
        k = self.background.degree + 1
        pieces = [self._basis(mass) for mass in chosen]
        points = pieces[0].shape[1] if pieces else 1
        basis = np.zeros((chosen.size, mask.shape[1], points, k + 1))
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

    def _basis(self, mass: int) -> NDArray[np.float64]:
        bins = self.windows.slice(mass)
        return self.background.basis(
            self.windows.edges[bins.start : bins.stop + 1], bins.start
        )

    def _assemble(
        self,
        signal: NDArray[np.float64],
        basis: NDArray[np.float64],
        observed: NDArray[np.float64],
        mask: NDArray[np.bool_],
    ) -> BinnedLikelihood:
        """Return a likelihood; an empty window starts with one event."""
        total = np.maximum((observed * mask).sum(axis=1), 1.0)
        background = self.background.start(total)
        names = ("signal", *(f"background {k}" for k in range(background.shape[1])))
        start = np.insert(background, 0, 0.0, axis=1)
        lower = np.insert(self.background.lower(), 0, -np.inf)
        return BinnedLikelihood(
            observed,
            self.background.rates(signal, basis),
            names,
            start,
            lower,
            np.full(lower.size, np.inf),
            len(observed),
        )


@final
@dataclass(frozen=True)
class BumpHuntResult:
    """Signal yields, significances and limits; masked where `status` says why.

    Parameters
    ----------
    masses
        Mass hypotheses, shape ``(m,)``.
    signal, error
        Fitted signal events and their standard error, shape ``(m,)``.
    q0
        Discovery test statistic, arXiv:1007.1727 eq. 12, shape ``(m,)``.
    local_significance
        Its root, with the sign of the signal, σ, shape ``(m,)``.
    p_value
        Local p-value, above 0.5 for a deficit, shape ``(m,)``.
    goodness
        p-value of the deviance of the fit with signal: χ² with bins minus parameters
        degrees of freedom, which needs some ten events per bin; shape ``(m,)``.
    limits
        CLs upper limits on the signal events.
    status
        `OK` or why a mass has no fit, shape ``(m,)``; the limits have their own.
    """

    masses: NDArray[np.float64]
    signal: np.ma.MaskedArray
    error: np.ma.MaskedArray
    q0: np.ma.MaskedArray
    local_significance: np.ma.MaskedArray
    p_value: np.ma.MaskedArray
    goodness: np.ma.MaskedArray
    limits: UpperLimits
    status: NDArray[np.str_]


def search(
    hunt: BumpHunt, counts: Float[np.ndarray, " bins"], *, confidence_level: float
) -> BumpHuntResult:
    """Fit a spectrum at every mass and set limits on the signal events.

    Parameters
    ----------
    hunt
        What is fitted.
    counts
        Events per bin of the whole spectrum, >= 0.
    confidence_level
        Of the limits, between 0 and 1.

    Raises
    ------
    OutOfDomain
        If the counts do not fit the edges or are negative, or the level is not in
        (0, 1).

    Notes
    -----
    The yield may be negative as long as all rates are positive; a deficit that would
    go further ends at that edge and is not `OK`.  Limits use yields >= 0 only, and
    exist there too.
    """
    check_counts(hunt, counts)
    likelihood = hunt.likelihood(counts)
    test = discovery(likelihood)
    limits = cls_upper_limits(
        likelihood.bounded(0.0), confidence_level=confidence_level
    )
    chosen = np.flatnonzero(hunt.status == OK)
    status = hunt.status.astype(np.dtypes.StrDType(80))
    status[chosen] = test.status
    limit_status = hunt.status.astype(np.dtypes.StrDType(80))
    limit_status[chosen] = limits.status
    good = status == OK

    def spread(values: NDArray[np.float64]) -> np.ma.MaskedArray:
        return _spread(values, chosen, good)

    limited = limit_status == OK
    return BumpHuntResult(
        hunt.windows.masses,
        spread(test.poi),
        spread(test.error),
        spread(test.q0),
        spread(test.local_significance),
        spread(test.p_value),
        spread(goodness_of_fit(hunt, test)),
        UpperLimits(
            _spread(limits.observed.filled(0.0), chosen, limited),
            _spread(limits.expected.filled(0.0), chosen, limited),
            limit_status,
        ),
        status,
    )


def goodness_of_fit(hunt: BumpHunt, test: Discovery) -> NDArray[np.float64]:
    """Return p-values of the deviance of the usable masses (Baker, Cousins 1984)."""
    chosen = hunt.status == OK
    bins = (hunt.windows.stop - hunt.windows.first)[chosen]
    return chdtrc(bins - hunt.background.degree - 2.0, 2 * test.free.nll)


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


def _spread(
    values: NDArray[np.float64], chosen: NDArray[np.int64], good: NDArray[np.bool_]
) -> np.ma.MaskedArray:
    """Return values of the chosen masses at their places, masked where not good."""
    whole = np.zeros((good.size, *values.shape[1:]))
    whole[chosen] = values
    absent = np.broadcast_to(~good, whole.T.shape).T
    return np.ma.MaskedArray(np.where(absent, 0.0, whole), mask=absent)
