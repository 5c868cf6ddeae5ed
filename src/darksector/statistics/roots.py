"""Where functions of one variable cross zero, many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray
from scipy.optimize import elementwise

from darksector.statistics.fit import OK

UNBOUNDED = "no value of the parameter of interest is excluded"
NO_ROOT = "the root search for the limit did not converge"

_PRECISION = 1e-8  # of a root, relative


@final
@dataclass(frozen=True)
class Crossings:
    """Roots and how they were found.

    Parameters
    ----------
    value
        The roots, shape ``(n,)``, NaN where there is none.
    status
        `OK` or why a root is absent, shape ``(n,)``.
    """

    value: NDArray[np.float64]
    status: Shaped[np.ndarray, " n"]


def crossings(
    function: Callable[..., NDArray[np.float64]],
    guess: NDArray[np.float64],
    args: tuple[NDArray[Any], ...],
    *,
    highest: NDArray[np.float64] | float = np.inf,
) -> Crossings:
    """Return where rising or falling functions vanish between 0 and `highest`.

    Parameters
    ----------
    function
        Called as ``function(x, *args)`` with the entries of `args` that belong to `x`.
    guess
        Positive first guesses, shape ``(n,)``.
    args
        Arrays of shape ``(n,)``, such as the rows of a batch.
    highest
        Largest argument of the function, shape ``(n,)`` or one for all.

    Notes
    -----
    Brackets grow from the guess; roots by Chandrupatla's method (Adv. Eng. Softw. 28
    (1997) 145), both of `scipy.optimize.elementwise`.
    """
    bracket = elementwise.bracket_root(
        function,
        0.8 * guess,
        xr0=1.2 * guess,
        xmin=0.0,
        xmax=highest,
        args=args,
        maxiter=60,
    )
    both = np.where(bracket.success, bracket.bracket, guess)
    found = elementwise.find_root(
        function, tuple(both), args=args, tolerances={"xrtol": _PRECISION}
    )
    good = bracket.success & found.success
    endless = ~bracket.success & np.isfinite(bracket.f_bracket).all(axis=0)
    status = np.where(good, OK, np.where(endless, UNBOUNDED, NO_ROOT))
    return Crossings(np.where(good, found.x, np.nan), status)
