"""Derivatives of limits and fitted signals by every number of their model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import final

import numpy as np
from jaxtyping import Shaped
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from darksector.errors import UnknownName
from darksector.statistics.explicit_slopes import constraint_sources
from darksector.statistics.fit import OK
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Model
from darksector.statistics.model_numbers import Numbers, scaled
from darksector.statistics.profile import discovery
from darksector.statistics.profile_limits import cls_upper_limits
from darksector.statistics.statistic_slopes import (
    Minimum,
    Null,
    Statistic,
    data_statistic,
    response,
)


@final
@dataclass(frozen=True)
class Gradient:
    """A quantity and its derivatives by every number of a model.

    Parameters
    ----------
    value
        The quantity, its unit, shape ``(n,)``, masked where there is none.
    by
        Its derivatives, its unit per that of the number; masked likewise.
    """

    value: np.ma.MaskedArray
    by: Numbers

    def along(self, **change: ArrayLike | float) -> np.ma.MaskedArray:
        r"""Return the change of the quantity, its unit, shape ``(n,)``.

        .. math:: \mathrm{d}q = \sum_x \frac{\partial q}{\partial x} \mathrm{d}x

        Parameters
        ----------
        change
            Changes of some kinds of numbers, named as in `Numbers`; arrays of a kind's
            shape, or what NumPy extends to it.

        Raises
        ------
        UnknownName
            If a name is no kind of number.

        Notes
        -----
        Changes per unit of a detector's parameter give the derivative by it.
        """
        known = [field.name for field in fields(Numbers)]
        total = np.ma.zeros(self.value.shape)
        for name, values in change.items():
            if name not in known:
                what = "kind of number"
                raise UnknownName(what, name, known)
            slopes = getattr(self.by, name)
            terms = slopes * np.broadcast_to(np.asarray(values), slopes.shape)
            total += terms.reshape(len(slopes), -1).sum(axis=1)
        return np.ma.masked_array(total, np.ma.getmaskarray(self.value))


@final
@dataclass(frozen=True)
class LimitGradient:
    """Upper limits with their derivatives by every number of the model.

    Parameters
    ----------
    observed
        Of the data.
    expected
        Without signal, one per entry of `SIGMAS`.
    status
        `OK` or why a row has no limit, shape ``(n,)``.
    """

    observed: Gradient
    expected: tuple[Gradient, ...]
    status: Shaped[np.ndarray, "*n"]


def limit_gradient(model: Model, *, confidence_level: float) -> LimitGradient:
    r"""Differentiate the asymptotic CLs limits, without differentiating any fit.

    .. math:: \frac{\mathrm{d}\mu}{\mathrm{d}x} =
              -\frac{\partial F/\partial x}{\partial F/\partial\mu}, \quad
              \frac{\partial q_\mu}{\partial x} = 2 \left[
              \frac{\partial(-\ln L)}{\partial x}\Big|_{\hat{\hat\theta}(\mu)} -
              \frac{\partial(-\ln L)}{\partial x}\Big|_{\hat\theta} \right]

    with :math:`F = \ln \mathrm{CLs} - \ln\alpha` or :math:`\sqrt{q_A} - t_N`.

    Parameters
    ----------
    model
        As for `cls_upper_limits` of its likelihood.
    confidence_level
        Of the limits, between 0 and 1.

    Raises
    ------
    OutOfDomain
        If the level is not in (0, 1).

    Notes
    -----
    The Asimov data move with the fit without signal; its response
    :math:`-H^{-1}\partial^2(-\ln L)/\partial\theta\partial x` enters in adjoint form,
    one solution for all numbers.  A parameter at a bound stays there.

    Examples
    --------
    A limit on the signal strength falls as the signal that it multiplies grows:

    >>> from darksector.statistics.model import Channel, Sample
    >>> from darksector.statistics.modifiers import NormFactor
    >>> signal = Sample("signal", [2.0], (NormFactor("mu"),))
    >>> background = Sample("background", [9.0])
    >>> model = Model((Channel("region", (signal, background), [9.0]),), poi="mu")
    >>> observed = limit_gradient(model, confidence_level=0.9).observed
    >>> logarithmic = observed.along(nominal=[[2.0], [0.0]]) / observed.value
    >>> print(logarithmic.round(6))
    [-1.0]
    """
    data = likelihood(model)
    limits = cls_upper_limits(data, confidence_level=confidence_level)
    values = np.ma.hstack([limits.observed[:, None], limits.expected])
    rows = np.flatnonzero(limits.status == OK)
    ends = values.filled(np.nan)[rows]
    start, sources = discovery(data), constraint_sources(model)
    null = Null.of(data, start.null, rows, sources)
    columns = [null.asimov_statistic(end) for end in ends.T]
    of_data = data_statistic(data, start, ends[:, 0], rows=rows, sources=sources)
    slopes = [
        _of_observed(of_data, columns[0]),
        *(_of_expected(q) for q in columns[1:]),
    ]
    gradients = [
        Gradient(values[:, i], x.map(lambda y: _masked(y, rows, data.size)))
        for i, x in enumerate(slopes)
    ]
    return LimitGradient(gradients[0], tuple(gradients[1:]), limits.status)


def signal_gradient(model: Model) -> Gradient:
    r"""Differentiate the fitted parameter of interest by every number of the model.

    .. math:: \frac{\mathrm{d}\hat\theta}{\mathrm{d}x} = -H^{-1}
              \frac{\partial^2 (-\ln L)}{\partial\theta\,\partial x}

    It is zero where the parameter sits at a bound.
    """
    data = likelihood(model)
    best = discovery(data).free
    rows = np.flatnonzero(best.converged)
    at = Minimum.of(data, best.theta[rows], rows, np.zeros(rows.size, bool))
    unit = np.zeros_like(at.theta)
    unit[:, data.poi] = 1.0
    slopes = response(data, at, unit, rows=rows, sources=constraint_sources(model))
    value = np.ma.masked_array(best.theta[:, data.poi], ~best.converged)
    return Gradient(value, slopes.map(lambda x: _masked(x, rows, data.size)))


def _of_observed(data: Statistic, asimov: Statistic) -> Numbers:
    """Return the derivatives of the root of ln CLs (arXiv:1007.1727 eqs. 65, 66)."""
    root, reach = np.sqrt(data.q), np.sqrt(asimov.q)
    usual = data.q <= asimov.q
    middle, half = data.q / (2 * reach), reach / 2
    with_signal = np.where(usual, root, middle + half)
    without = np.where(usual, root - reach, middle - half)
    by_q = 1 / (2 * np.where(usual, root, reach))  # of both arguments
    bend = -data.q / (4 * asimov.q * reach)
    with_by_a = np.where(usual, 0.0, bend + 1 / (4 * reach))
    without_by_a = np.where(usual, -1 / (2 * reach), bend - 1 / (4 * reach))
    f_with, f_without = _mills(with_signal), -_mills(without)
    f_q = (f_with + f_without) * by_q
    f_a = f_with * with_by_a + f_without * without_by_a
    f_mu = f_q * data.by_poi + f_a * asimov.by_poi
    of_data = data.slopes.map(lambda x: scaled(x, -f_q / f_mu))
    return of_data.plus(asimov.slopes, times=-f_a / f_mu)


def _mills(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the derivative of ln Φ(-x)."""
    return -np.exp(-(x**2) / 2 - log_ndtr(-x)) / np.sqrt(2 * np.pi)


def _of_expected(asimov: Statistic) -> Numbers:
    """Return the derivatives of the root of √q_A - t: those of q_A over its slope."""
    return asimov.slopes.map(lambda x: scaled(x, -1 / asimov.by_poi))


def _masked(
    values: NDArray[np.float64], rows: NDArray[np.int64], size: int
) -> np.ma.MaskedArray:
    """Return all rows of an array that has only some, the others masked."""
    result = np.ma.masked_array(np.zeros((size, *values.shape[1:])), mask=True)
    result[rows] = values
    return result
