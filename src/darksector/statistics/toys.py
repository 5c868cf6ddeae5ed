"""CLs of binned models from toy experiments instead of asymptotic formulae."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray

from darksector.errors import OutOfDomain
from darksector.statistics.experiments import (
    FAILED,
    LOST,
    Experiments,
    Hypothesis,
    Progress,
    physical,
    qtilde_mu,
    tail,
    throw,
)
from darksector.statistics.fit import OK
from darksector.statistics.histfactory import ModelLikelihood
from darksector.statistics.profile import discovery, fit_at

EMPTY = "no background toy is as far from the signal as the data"


@final
@dataclass(frozen=True)
class ToyCls:
    r"""CLs of tested signals, with their errors from the number of toys, no unit.

    Parameters
    ----------
    cls, clsb, clb
        :math:`CL_{s+b}/CL_b` and :math:`P(\tilde q_\mu \ge \tilde q_{obs})` for data
        with the signal and without, shape ``(n,)``, masked where there is none.
    cls_error, clsb_error, clb_error
        Binomial standard errors, shape ``(n,)``, masked likewise.
    status
        `OK` or why a row has no result, shape ``(n,)``.
    """

    cls: np.ma.MaskedArray
    clsb: np.ma.MaskedArray
    clb: np.ma.MaskedArray
    cls_error: np.ma.MaskedArray
    clsb_error: np.ma.MaskedArray
    clb_error: np.ma.MaskedArray
    status: Shaped[np.ndarray, " n"]


def toy_cls(
    likelihood: ModelLikelihood,
    mu: Float[np.ndarray, " n"],
    *,
    toys: int,
    seed: int,
    progress: Progress | None = None,
) -> ToyCls:
    r"""Return CLs of every row at its own signal from toys, no unit.

    Parameters
    ----------
    likelihood
        The data sets.
    mu
        Tested parameters of interest, >= 0.
    toys, seed, progress
        As of `Experiments`.

    Raises
    ------
    OutOfDomain
        If a tested value is negative or not finite, or a number of `Experiments` small.

    Notes
    -----
    q̃_μ as arXiv:1007.1727 eq. 16, CLs as J. Phys. G 28 (2002) 2693.  Toys have the
    nuisances that the data prefer for the signal μ and for none, and their auxiliary
    measurements vary too.  Statistics that differ by less than `TIE` are equal: counts
    are whole numbers, and the last digits of a fit must not decide.
    """
    run = Experiments(toys, seed, progress)
    if not np.all((mu >= 0) & np.isfinite(mu)):
        msg = (
            f"tested signals must be finite and >= 0, got {np.min(mu)} to {np.max(mu)}."
        )
        raise OutOfDomain(msg)
    data = physical(likelihood)
    result = discovery(data)
    at = fit_at(data, mu, start=result.free.theta)
    pairs = [
        Hypothesis(i, theta[i], mu[i : i + 1], label)
        for theta, label in ((at.theta, "signal"), (result.null.theta, "background"))
        for i in range(data.size)
    ]
    thrown = np.array(throw(data, pairs, qtilde_mu, run))[:, 0]
    lost = np.isnan(thrown).mean(axis=1).reshape(2, -1).max(axis=0)
    status = np.where(at.converged, result.status, at.status)
    status = np.where((status == OK) & (lost > LOST), FAILED, status)
    observed = qtilde_mu(data, result.free, mu)
    above, below = np.split(thrown, 2)
    return _ratio(tail(above, observed), tail(below, observed), status)


def _ratio(
    clsb: tuple[NDArray[np.float64], NDArray[np.float64]],
    clb: tuple[NDArray[np.float64], NDArray[np.float64]],
    status: Shaped[np.ndarray, " n"],
) -> ToyCls:
    """Return CLs of two tails with their errors, independent of each other."""
    status = np.where((status == OK) & (clb[0] == 0), EMPTY, status)
    absent = status != OK
    with np.errstate(divide="ignore", invalid="ignore"):
        cls = clsb[0] / clb[0]
        error = np.hypot(clsb[1], cls * clb[1]) / clb[0]
    return ToyCls(
        np.ma.array(cls, mask=absent),
        np.ma.array(clsb[0], mask=absent),
        np.ma.array(clb[0], mask=absent),
        np.ma.array(error, mask=absent),
        np.ma.array(clsb[1], mask=absent),
        np.ma.array(clb[1], mask=absent),
        status,
    )
