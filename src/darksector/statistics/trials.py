"""Global significance: what an excess is worth after looking at many masses.

Reference: E. Gross and O. Vitells, Eur. Phys. J. C 70 (2010) 525, arXiv:1005.1891.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from scipy.special import gammaincinv

from darksector.errors import OutOfDomain
from darksector.statistics.significance import (
    binomial_interval,
    check_level,
    check_statistic,
    log_p_value,
    significance_of,
)


@final
@dataclass(frozen=True)
class GlobalSignificance:
    """What the largest local excess of a scan is worth, the trials taken into account.

    Probabilities are kept as natural logarithms, which do not underflow.

    Parameters
    ----------
    log_p_local
        Logarithm of the local p-value.
    log_p_global
        Logarithm of the global p-value.
    log_p_interval
        Logarithms of the ends of its confidence interval, the smaller p-value first.
    confidence_level
        Confidence level of `log_p_interval`.
    """

    log_p_local: float
    log_p_global: float
    log_p_interval: tuple[float, float]
    confidence_level: float

    @property
    def local_significance(self) -> float:
        """Significance at the mass of the excess, σ."""
        return _significance(self.log_p_local)

    @property
    def global_significance(self) -> float:
        """Significance after the trials, σ."""
        return _significance(self.log_p_global)

    @property
    def global_interval(self) -> tuple[float, float]:
        """Confidence interval of the global significance, σ, the smaller end first."""
        small, large = self.log_p_interval
        return _significance(large), _significance(small)

    @property
    def effective_trials(self) -> float:
        """Ratio of the global to the local p-value: independent trials, if it is small."""
        return float(np.exp(self.log_p_global - self.log_p_local))


def upcrossings(q0: Float[np.ndarray, "t m"], level: float) -> Int[np.ndarray, " t"]:
    """Number of times that each curve rises through a level, no unit.

    Parameters
    ----------
    q0
        Curves over the masses, one per toy.
    level
        Level of q0 to cross; a curve that starts above it has not crossed it.

    Notes
    -----
    The masses must be finer than the mass resolution: a curve that rises and falls
    between two masses is not counted.

    Examples
    --------
    >>> print(upcrossings(np.array([[0.0, 2.0, 0.0, 3.0], [2.0, 1.5, 0.0, 0.5]]), 1.0))
    [2 0]
    """
    above = q0 >= level
    return np.sum(~above[:, :-1] & above[:, 1:], axis=1)


def global_significance_from_toys(
    q0: float, toy_maxima: Float[np.ndarray, " t"], *, confidence_level: float
) -> GlobalSignificance:
    r"""Global significance of the largest q0 of a scan, from the largest q0 of toys.

    .. math:: p_\mathrm{global} = \frac{k + 1}{t + 1}

    with k of t toys at or above the observation: never 0, and right at every t
    (Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39, arXiv:1603.05766).

    Parameters
    ----------
    q0
        Largest q0 of the observed scan.
    toy_maxima
        Largest q0 of each scan without signal.
    confidence_level
        Of the interval by Clopper and Pearson, Biometrika 26 (1934) 404.

    Raises
    ------
    OutOfDomain
        Without toys, for a negative statistic, or a level outside (0, 1).
    """
    check_level(confidence_level)
    check_statistic("q0", np.array([q0]))
    check_statistic("toy_maxima", toy_maxima)
    t = toy_maxima.size
    k = int(np.sum(toy_maxima >= q0))
    counts = np.array([[k], [t]], dtype=np.float64)
    ((low, high),) = binomial_interval(*counts, level=confidence_level)
    with np.errstate(divide="ignore"):
        interval = float(np.log(low)), float(np.log(high))
    return GlobalSignificance(
        log_p_local=_log_p_local(q0),
        log_p_global=float(np.log((k + 1) / (t + 1))),
        log_p_interval=interval,
        confidence_level=confidence_level,
    )


def global_significance_from_upcrossings(
    q0: float,
    toys: Float[np.ndarray, "t m"],
    *,
    reference_level: float,
    confidence_level: float,
) -> GlobalSignificance:
    r"""Global significance of the largest q0 of a scan, from few toys.

    .. math:: p_\mathrm{global} \le p_\mathrm{local}
              + \langle N(c_0) \rangle\, e^{-(c - c_0)/2}

    arXiv:1005.1891 section 2, for one degree of freedom.  The bound is taken as the value,
    and is close to it for small p-values.

    Parameters
    ----------
    q0
        Largest q0 of the observed scan, :math:`c`.
    toys
        Curves of q0 over the masses without signal, one per toy.
    reference_level
        Level :math:`c_0` at which crossings are frequent; about 0.5 is usual.
    confidence_level
        Of the interval, by Garwood, Biometrika 28 (1936) 437, for the crossings in
        all toys as one Poisson count.

    Raises
    ------
    OutOfDomain
        If no toy crosses the level, a statistic is negative, a level not positive, or
        the confidence level outside (0, 1).

    Notes
    -----
    q0 is one-sided: its local p-value is half of the chi-square tail, and only
    upward fluctuations cross.
    """
    check_level(confidence_level)
    check_statistic("q0", np.array([q0]))
    check_statistic("toys", toys)
    if not reference_level > 0:
        msg = (
            f"reference_level must be > 0, got {reference_level}; q0 is 0 in half of "
            "all scans and does not cross that."
        )
        raise OutOfDomain(msg)
    count = int(upcrossings(toys, reference_level).sum())
    if count == 0:
        msg = (
            f"none of {len(toys)} toys crosses reference_level = {reference_level}; "
            "lower it, or give more toys."
        )
        raise OutOfDomain(msg)
    tail = (1 - confidence_level) / 2
    low, high = gammaincinv(count, tail), gammaincinv(count + 1, 1 - tail)
    local = _log_p_local(q0)
    falling = -(q0 - reference_level) / 2 - np.log(len(toys))
    bounds = np.logaddexp(local, np.log([low, count, high]) + falling)
    lower, middle, upper = (float(x) for x in np.minimum(bounds, 0.0))
    return GlobalSignificance(local, middle, (lower, upper), confidence_level)


def _significance(log_p: float) -> float:
    return float(significance_of(np.array([log_p]))[0])


def _log_p_local(q0: float) -> float:
    return float(log_p_value(np.sqrt(np.array([q0])))[0])
