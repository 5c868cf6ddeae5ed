"""Extended likelihoods of a signal on a background, event by event, in a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar, final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import NDArray

from darksector.errors import OutOfDomain, UnknownName
from darksector.statistics.fit import Evaluation, Likelihood
from darksector.statistics.unbinned import _mixture
from darksector.statistics.unbinned._curvature import definite
from darksector.statistics.unbinned._mixture import ROWS, Mixture, Rows
from darksector.statistics.unbinned.samples import Samples
from darksector.statistics.unbinned.settings import Setting
from darksector.statistics.unbinned.shapes import Parameters, Shape, check_range

Out = TypeVar("Out")

YIELDS = ("n_s", "n_b")
_SMALLEST_BLOCK, _LARGEST_BLOCK = 64, 1024  # events; the largest stays in the cache


@final
@dataclass(frozen=True, eq=False)
class UnbinnedLikelihood(Likelihood):
    r"""Extended likelihoods of many data sets; make one with `unbinned_likelihood`.

    .. math:: -\ln L = n_s + n_b - \sum_i \ln\left(n_s f_s(x_i) + n_b f_b(x_i)\right)
              + \sum_j \frac{(\theta_j - \mu_j)^2}{2 w_j^2}

    Parameters
    ----------
    names
        ``n_s``, ``n_b``, then those of both shapes as ``signal.mean``.
    start, lower, upper
        First guess and bounds, shape ``(n, q)``.
    size
        Number of data sets n.
    samples
        Their events.
    mixture
        Densities and which of their parameters vary.
    precision
        One over the squared width of each constraint, zero without, ``(n, q)``.

    Notes
    -----
    The curvature is that of the exact second derivatives.  Where these are not positive
    they turn sign, along the axes that they share with :math:`\sum_i g_i g_i^T / f_i^2`
    (Berndt et al., Ann. Econ. Soc. Meas. 3 (1974) 653) of the gradients g of the total
    density f; after Dauphin et al., arXiv:1406.2572.  That sum alone is far off where
    a few events of a tail decide, and then fits take hundreds of steps.
    A negative ``n_s`` is allowed while the total density is positive at all events and
    not negative on 64 points of the window and around the peak; else it is not finite.
    """

    exact_curvature: ClassVar[bool] = True
    names: tuple[str, ...]
    start: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    size: int
    samples: Samples
    mixture: Mixture
    precision: NDArray[np.float64]
    _events: Array

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Which parameters are not fixed, shape ``(q,)``."""
        columns = np.arange(len(self.names))
        return np.isin(columns, self.mixture.columns) & (self.lower < self.upper).any(0)

    def evaluate(
        self, theta: Float[np.ndarray, "r q"], rows: Int[np.ndarray, " r"]
    ) -> Evaluation:
        """Return likelihood, gradient and curvature of `rows` at `theta`."""
        nll, score, information, hessian = self._call(_mixture.derivatives, theta, rows)
        pull, precision = theta - self.start[rows], self.precision[rows]
        scores = np.zeros_like(theta)
        scores[:, self.mixture.columns] = score
        return Evaluation(
            nll + 0.5 * (precision * pull**2).sum(axis=1),
            scores + precision * pull,
            definite(
                scores + precision * pull,
                self._full(information) + _diagonal(precision),
                self._full(hessian) + _diagonal(precision),
            ),
        )

    def nll(
        self, theta: Float[np.ndarray, "r q"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, " r"]:
        """Return the negative log-likelihood of `rows` at `theta` alone."""
        pull = theta - self.start[rows]
        nll = self._call(_mixture.likelihoods, theta, rows)
        return nll + 0.5 * (self.precision[rows] * pull**2).sum(axis=1)

    def hessian(
        self, theta: Float[np.ndarray, "r q"], rows: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "r q q"]:
        """Return the second derivatives, zero for all that is fixed."""
        found = self._call(_mixture.derivatives, theta, rows)
        return self._full(found.hessian) + _diagonal(self.precision[rows])

    def _full(self, matrices: NDArray[np.float64]) -> NDArray[np.float64]:
        columns, q = np.array(self.mixture.columns), len(self.names)
        full = np.zeros((len(matrices), q, q))
        full[:, columns[:, None], columns] = matrices
        return full

    def _call(
        self,
        kernel: Callable[[Mixture, Array, Rows], Out],
        theta: NDArray[np.float64],
        rows: NDArray[np.int64],
    ) -> Out:
        """Return what a kernel finds for any number of rows."""
        parts = []
        for i in range(0, max(rows.size, 1), ROWS):
            index, size = rows[i : i + ROWS], rows[i : i + ROWS].size
            padding = [(0, ROWS - size), (0, 0)]
            call = Rows(
                jnp.asarray(np.pad(theta[i : i + ROWS], padding)),
                jnp.asarray(np.pad(self.samples.first[index], padding[0])),
                jnp.asarray(np.pad(self.samples.count[index], padding[0])),
                jnp.asarray(np.pad(self.samples.windows[index], padding)),
                jnp.asarray(size),
            )
            found = kernel(self.mixture, self._events, call)
            parts.append(jax.tree.map(lambda a, n=size: np.asarray(a)[:n], found))
        return jax.tree.map(lambda *a: np.concatenate(a), *parts)


def unbinned_likelihood(
    samples: Samples,
    *,
    signal: Shape,
    background: Shape,
    settings: Mapping[str, Setting] | None = None,
) -> UnbinnedLikelihood:
    """Return the likelihoods of data sets with a signal on a background.

    Parameters
    ----------
    samples
        Data sets, from `separate` or `sliding`.
    signal, background
        Shapes of both; which parameters they have is in their ``names``.
    settings
        What is known of parameters, by name: `fixed`, `constrained` or `free`.

    Raises
    ------
    UnknownName
        If a setting is for a parameter that there is not.
    OutOfDomain
        If a value is outside the range of its shape, for instance a mass outside the
        simulated ones, a width is negative, or a parameter is fixed in some rows only.

    Notes
    -----
    Nine tenths of the events are background at first, and ``n_s`` has no bounds.
    """
    names = (
        *YIELDS,
        *(f"signal.{name}" for name in signal.names),
        *(f"background.{name}" for name in background.names),
    )
    settings = settings or {}
    for name in settings:
        if name not in names:
            kind = "parameter"
            raise UnknownName(kind, name, names)
    defaults = _defaults(samples, signal, background)
    known = [_known(settings.get(n), n, i, defaults) for i, n in enumerate(names)]
    start, width, lower, upper = np.stack(known, axis=-1)
    check_range(names, start, defaults)
    check_range(names, start, Parameters(start, lower, upper))
    held = (width == 0).all(axis=0)
    with np.errstate(divide="ignore"):
        precision = np.where(held, 0.0, 1 / width**2)
    block = _block(samples.count)
    return UnbinnedLikelihood(
        names, start, np.where(held, start, lower), np.where(held, start, upper),
        samples.count.size, samples,
        Mixture(signal, background, tuple((~held[2:]).tolist()), block), precision,
        _padded(samples.events, block),
    )  # fmt: skip


def _defaults(samples: Samples, signal: Shape, background: Shape) -> Parameters:
    one = np.ones((samples.count.size, 1))
    count = samples.count[:, None].astype(float)
    parts = (
        Parameters(0.1 * count, -np.inf * one, np.inf * one),
        Parameters(0.9 * count, 0 * one, np.inf * one),
        signal.parameters(samples.windows),
        background.parameters(samples.windows),
    )
    return Parameters(
        np.concatenate([p.start for p in parts], axis=1),
        np.concatenate([p.lower for p in parts], axis=1),
        np.concatenate([p.upper for p in parts], axis=1),
    )


def _known(
    setting: Setting | None, name: str, column: int, defaults: Parameters
) -> NDArray[np.float64]:
    """Return start, width, lower and upper of a parameter in all rows, ``(4, n)``."""
    start = defaults.start[:, column]
    setting = setting or Setting(start, np.inf)
    width = np.broadcast_to(setting.width, start.shape)
    if not (width >= 0).all() or ((width == 0).any() and (width > 0).any()):
        msg = (
            f"{name} has the widths {setting.width}: give positive ones, or zero in all "
            "rows to fix it."
        )
        raise OutOfDomain(msg)
    return np.stack(
        [
            np.broadcast_to(setting.value, start.shape),
            width,
            np.maximum(setting.lower, defaults.lower[:, column]),
            np.minimum(setting.upper, defaults.upper[:, column]),
        ]
    )


def _block(count: NDArray[np.int64]) -> int:
    """Return the events of one step: a power of two, so that few kernels compile."""
    most = int(count.max(initial=1))
    needed = 1 << max(most - 1, 0).bit_length()
    return min(max(needed, _SMALLEST_BLOCK), _LARGEST_BLOCK)


def _padded(events: NDArray[np.float64], block: int) -> Array:
    """Return events with room for a whole block after the last, 2^k of them."""
    room = 1 << (events.size + block - 1).bit_length()
    return jnp.asarray(np.pad(events, (0, room - events.size)))


def _diagonal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[:, :, None] * np.eye(values.shape[1])
