"""From yields and their derivatives to the derivatives of the expected limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from darksector.searches._counting import cls_model
from darksector.searches._plan import Plan
from darksector.searches._yields import Yields
from darksector.statistics.gradients import limit_gradient
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import SIGMAS


def coupling_slopes(
    plan: Plan, replicas: Sequence[Yields]
) -> Float[np.ndarray, "r m n"]:
    """Return d ln(limit on the coupling) / d ln(number), ``(r, m, k + 1)``.

    The luminosity is the last; it is NaN where a window lacks signal or background.

    Parameters
    ----------
    replicas
        Yields of the m windows, r times.

    Notes
    -----
    The limit is the median one without signal by asymptotic CLs, whose derivatives are
    exact (`limit_gradient`).  It is smooth; the Bayesian one moves in the steps of whole
    counts.  The uncertainty of the background is what the search declares for each
    component and moves with their composition; that of the simulation is left out.
    """
    signal = np.stack([y.efficiency for y in replicas]).ravel()
    total, own = (np.stack(x) for x in zip(*map(_background, replicas), strict=True))
    shape = (len(replicas), replicas[0].efficiency.size, -1)
    good = np.flatnonzero((signal > 0) & (total[..., 0].ravel() > 0))
    found = np.full((signal.size, total.shape[-1]), np.nan)
    if good.size:
        rows = np.stack([y.efficiency_slopes for y in replicas])
        by_signal = rows.reshape(signal.size, -1)[good] / signal[good, None]
        by_signal = np.concatenate((by_signal, np.ones((good.size, 1))), axis=1)
        events = plan.luminosity * total.reshape(signal.size, -1)[good]
        spread = own.reshape(signal.size, -1)[good]
        counting = CountingModel(
            plan.luminosity * signal[good],
            events[:, 0],
            spread[:, 0],
            plan.search.systematics,
        )
        level = plan.search.confidence_level
        by_background = _slopes_of_signal(counting, events[:, 1:], spread[:, 1:], level)
        found[good, 1:] = (by_background - by_signal) / 2
    return found[:, 1:].reshape(shape)


def _background(yields: Yields) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all background, fb, and its relative uncertainty, ``(w, 1 + k + 1)`` each.

    The value first, then its derivatives by the numbers and by the luminosity.
    """
    total = yields.background.sum(axis=0)
    slopes = yields.background_slopes.sum(axis=0)
    moved = yields.sizes @ yields.background  # of each source, (u, w)
    variance = (moved**2).sum(axis=0)
    # d ln of the variance; nothing changes where no component has an uncertainty
    by_source = np.einsum("uc,cwk->uwk", yields.sizes, yields.background_slopes)
    half = np.einsum("uw,uwk->wk", moved, by_source)
    safe = np.where(total > 0, total, 1.0)[:, None]
    change = half / np.where(variance > 0, variance, 1.0)[:, None] - slopes / safe
    own = np.sqrt(variance)[:, None] / safe
    events = np.concatenate((total[:, None], slopes, total[:, None]), axis=1)
    return events, np.concatenate((own, own * change, 0 * own), axis=1)


def _slopes_of_signal(
    counting: CountingModel,
    events: Float[np.ndarray, "n k"],
    spread: Float[np.ndarray, "n k"],
    level: float,
) -> Float[np.ndarray, "n k"]:
    """Return the relative changes of the limit on the number of signal events.

    Parameters
    ----------
    events, spread
        Changes of the background and of its own relative uncertainty.
    """
    model = cls_model(counting, np.arange(counting.signal.size))
    gradient = limit_gradient(model, confidence_level=level).expected[SIGMAS.index(0)]
    up = np.zeros_like(gradient.by.norm_up)
    slopes = np.empty_like(events)
    for k in range(events.shape[1]):
        nominal = np.zeros_like(gradient.by.nominal)
        nominal[:, 1, 0] = events[:, k]
        up[:, -1] = spread[:, k]  # the last modifier is the background's own
        change = gradient.along(
            nominal=nominal,
            observed=events[:, k : k + 1],
            norm_up=up,
            norm_down=-up / (1 + counting.background_error[:, None]) ** 2,
        )
        slopes[:, k] = (change / gradient.value).filled(np.nan)
    return slopes
