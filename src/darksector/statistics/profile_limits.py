"""CLs upper limits of any likelihood, by asymptotic formulae."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from darksector.errors import OutOfDomain
from darksector.statistics.asymptotic import Profiles, log_cls
from darksector.statistics.fit import OK, STATUS
from darksector.statistics.limits import SIGMAS
from darksector.statistics.profile import ProfileLikelihood
from darksector.statistics.roots import Crossings, crossings
from darksector.statistics.significance import check_level


@final
@dataclass(frozen=True)
class UpperLimits:
    """Upper limits on the parameter of interest, its unit.

    Parameters
    ----------
    observed
        Of the data, shape ``(n,)``, masked where there is none.
    expected
        Without signal, at `SIGMAS` (-2 to +2 σ), shape ``(n, 5)``, masked likewise.
    status
        `OK` or why a limit is absent, shape ``(n,)``.
    """

    observed: np.ma.MaskedArray
    expected: np.ma.MaskedArray
    status: Shaped[np.ndarray, "*n"]


def cls_upper_limits(
    likelihood: ProfileLikelihood, *, confidence_level: float
) -> UpperLimits:
    r"""CLs upper limits with the test statistic q̃_μ, unit of the parameter.

    The observed one solves CLs(μ) = 1 - CL, those without signal

    .. math:: \sqrt{q_A(\mu_N)} = \Phi^{-1}(1 - (1 - CL)\,\Phi(N)) + N

    Parameters
    ----------
    likelihood
        Data sets whose parameter of interest is >= 0 for a physical signal; if its
        bounds admit less, such a minimum is replaced by that at zero.
    confidence_level
        Of the limits, between 0 and 1.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1).

    Notes
    -----
    arXiv:1007.1727, eqs. 16, 65, 66 and 89; CLs as J. Phys. G 28 (2002) 2693.
    The Asimov data have the nuisances of the fit to the data without signal.
    """
    check_level(confidence_level)
    profiles = Profiles.of(likelihood)
    good = np.flatnonzero(profiles.status == OK)
    status = profiles.status.astype(STATUS)
    limits = np.full((likelihood.size, len(SIGMAS) + 1), np.nan)
    if good.size:
        alpha = 1 - confidence_level
        found = (_observed(profiles, good, alpha), _expected(profiles, good, alpha))
        limits[good] = np.concatenate(
            [f.value.reshape(good.size, -1) for f in found], axis=1
        )
        for reasons in (f.status.reshape(good.size, -1) for f in found):
            for column in reasons.T:
                status[good] = np.where(column == OK, status[good], column)
    masked = np.ma.masked_invalid(limits)
    return UpperLimits(masked[:, 0], masked[:, 1:], status)


@final
@dataclass(frozen=True)
class ClsScan:
    """CLs at tested values of the parameter of interest.

    Parameters
    ----------
    poi
        The tested values, shape ``(k,)``.
    observed
        Shape ``(n, k)``, masked where a fit failed.
    expected
        Without signal, at `SIGMAS`, shape ``(n, k, 5)``, masked likewise.
    status
        `OK` or why a row has no result, shape ``(n,)``.
    """

    poi: NDArray[np.float64]
    observed: np.ma.MaskedArray
    expected: np.ma.MaskedArray
    status: Shaped[np.ndarray, " n"]


def cls_scan(likelihood: ProfileLikelihood, poi: Float[np.ndarray, " k"]) -> ClsScan:
    """Return CLs at each of some values of the parameter of interest, asymptotic.

    Raises
    ------
    OutOfDomain
        If a tested value is negative or not finite.

    Notes
    -----
    As `cls_upper_limits`; expected values by arXiv:1007.1727 eq. 89: data that lie N
    standard deviations from the Asimov data have the root of q̃ smaller by N.
    """
    if not np.all((poi >= 0) & np.isfinite(poi)):
        msg = f"CLs is tested at finite values >= 0, got {poi}."
        raise OutOfDomain(msg)
    profiles = Profiles.of(likelihood)
    rows = np.repeat(np.arange(likelihood.size), poi.size)
    mu = np.tile(poi, likelihood.size)
    q, q_asimov = profiles.data.q(mu, rows), profiles.asimov.q(mu, rows)
    sigmas = np.array(SIGMAS, dtype=np.float64)
    root = np.sqrt(q_asimov)[:, None]
    expected = ndtr(sigmas - root) / ndtr(sigmas)
    good = (profiles.status == OK)[rows] & np.isfinite(q) & np.isfinite(q_asimov)
    shape = (likelihood.size, poi.size)
    return ClsScan(
        poi,
        np.ma.masked_array(np.exp(log_cls(q, q_asimov)), ~good).reshape(shape),
        np.ma.masked_array(expected, np.repeat(~good[:, None], sigmas.size, 1)).reshape(
            *shape, -1
        ),
        profiles.status,
    )


def _expected(profiles: Profiles, rows: NDArray[np.int64], alpha: float) -> Crossings:
    sigmas = np.array(SIGMAS, dtype=np.float64)
    targets = ndtri(1 - alpha * ndtr(sigmas)) + sigmas
    index, target = np.repeat(rows, sigmas.size), np.tile(targets, rows.size)

    def excess(
        mu: NDArray[np.float64], row: NDArray[np.int64], root: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return np.sqrt(profiles.asimov.q(mu, row)) - root

    return crossings(excess, target * profiles.error[index], (index, target))


def _observed(profiles: Profiles, rows: NDArray[np.int64], alpha: float) -> Crossings:
    def excess(mu: NDArray[np.float64], row: NDArray[np.int64]) -> NDArray[np.float64]:
        cls = log_cls(profiles.data.q(mu, row), profiles.asimov.q(mu, row))
        return cls - np.log(alpha)

    best = profiles.data.theta[rows, profiles.data.likelihood.poi]
    guess = best + ndtri(1 - alpha / 2) * profiles.error[rows]
    return crossings(excess, guess, (rows,))
