"""p-values, significances and confidence levels, also far in the tail.

Reference: G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554, arXiv:1007.1727.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.special import betaincinv, log_ndtr, ndtri_exp

from darksector.errors import OutOfDomain


def log_p_value(significance: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    r"""Logarithms of one-sided p-values, no unit.

    .. math:: \ln p = \ln(1 - \Phi(Z))

    Parameters
    ----------
    significance
        Significances Z, σ.

    Examples
    --------
    >>> print(np.round(np.exp(log_p_value(np.array([5.0]))) * 1e7, 4))
    [2.8665]
    """
    return log_ndtr(-significance)


def significance_of(log_p: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    r"""Significances of one-sided p-values, σ.

    .. math:: Z = \Phi^{-1}(1 - p)

    Parameters
    ----------
    log_p
        Natural logarithms of the p-values.

    Raises
    ------
    OutOfDomain
        If a logarithm is positive or not a number.
    """
    if not np.all(log_p <= 0):
        msg = f"log_p reaches {log_p.max()}; logarithms of p-values are <= 0."
        raise OutOfDomain(msg)
    return -ndtri_exp(log_p)


def local_significance(q0: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    r"""Significances of the discovery statistic q0, σ.

    .. math:: Z = \sqrt{q_0}

    arXiv:1007.1727 section 3.5, for many events.

    Parameters
    ----------
    q0
        Twice the logarithm of the likelihood ratio, 0 without an excess.

    Raises
    ------
    OutOfDomain
        Without a value, or if one is negative or not finite.
    """
    check_statistic("q0", q0)
    return np.sqrt(q0)


def check_statistic(field: str, values: NDArray[np.float64]) -> None:
    """Refuse values that no discovery statistic takes.

    Parameters
    ----------
    field
        Name for the message.
    values
        Values of q0, no unit.

    Raises
    ------
    OutOfDomain
        Without a value, or if one is negative or not finite.
    """
    if values.size == 0 or not np.all((values >= 0) & np.isfinite(values)):
        msg = (
            f"{field} holds {values.size} values from {values.min(initial=np.inf)} to "
            f"{values.max(initial=-np.inf)}; at least one is needed, finite and >= 0."
        )
        raise OutOfDomain(msg)


def check_level(confidence_level: float) -> None:
    """Raise OutOfDomain if a confidence level is not between 0 and 1."""
    if not 0 < confidence_level < 1:
        msg = (
            f"confidence_level must lie between 0 and 1, got {confidence_level}; "
            "90 % is 0.9."
        )
        raise OutOfDomain(msg)


def binomial_interval(
    successes: Float[np.ndarray, " n"], trials: Float[np.ndarray, " n"], *, level: float
) -> Float[np.ndarray, "n 2"]:
    """Return the central interval of Clopper and Pearson, no unit."""
    half, missed = (1 - level) / 2, trials - successes
    low = betaincinv(successes, missed + 1, half)
    high = betaincinv(successes + 1, missed, 1 - half)
    return np.stack(
        [np.where(successes > 0, low, 0.0), np.where(missed > 0, high, 1.0)], axis=1
    )
