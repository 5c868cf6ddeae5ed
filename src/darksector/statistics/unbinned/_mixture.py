"""Sums over events of a signal and a background density, compiled once per pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar, final

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from darksector.statistics.unbinned._component import Component, Moments, component
from darksector.statistics.unbinned.shapes import Shape

Sum = TypeVar("Sum")

ROWS = 256  # of one call, filled or not: the number of fits never compiles anew
_GRID = 64  # points of the window at which the density must not be negative


@final
@dataclass(frozen=True)
class Mixture:
    """Which densities are added, and which of their parameters have derivatives.

    Parameters
    ----------
    signal, background
        Densities, each normalised in the window.
    free
        Which of the parameters of signal and then background vary.
    block
        Events of one step.
    """

    signal: Shape
    background: Shape
    free: tuple[bool, ...]
    block: int

    @property
    def split(self) -> int:
        """How many parameters the signal has."""
        return len(self.signal.names)

    @property
    def columns(self) -> tuple[int, ...]:
        """Which of all parameters, the yields first, have derivatives."""
        return (0, 1, *(i + 2 for i, free in enumerate(self.free) if free))


class Rows(NamedTuple):
    """Fits of one call, `ROWS` of them, of which the first ``size`` count."""

    theta: Float[Array, "r q"]
    first: Int[Array, " r"]
    length: Int[Array, " r"]
    windows: Float[Array, "r 2"]
    size: Int[Array, ""]


class Sums(NamedTuple):
    """Sums over the events of each row: likelihood, gradient and curvature."""

    nll: Float[Array, "*r"]
    score: Float[Array, "*r p"]
    information: Float[Array, "*r p p"]
    hessian: Float[Array, "*r p p"]


def _components(
    mixture: Mixture, theta: Float[Array, " q"], window: Float[Array, " 2"]
) -> tuple[Component, Component]:
    cut = mixture.split
    free = [
        np.flatnonzero(part).tolist()
        for part in (mixture.free[:cut], mixture.free[cut:])
    ]
    return (
        component(mixture.signal, theta[2 : 2 + cut], window, free[0]),
        component(mixture.background, theta[2 + cut :], window, free[1]),
    )


def _penalty(
    mixture: Mixture, theta: Float[Array, " q"], window: Float[Array, " 2"]
) -> Float[Array, ""]:
    """Return zero, or not a number where the density is negative in the window."""
    cut = 2 + mixture.split
    x = jnp.concatenate(
        [
            jnp.linspace(window[0], window[1], _GRID),
            mixture.signal.landmarks(theta[2:cut], window),
            mixture.background.landmarks(theta[cut:], window),
        ]
    )
    total = _total(mixture, theta, x, window)
    return jnp.where((total >= 0).all(), 0.0, jnp.nan)


def _total(
    mixture: Mixture,
    theta: Float[Array, " q"],
    x: Float[Array, " e"],
    window: Float[Array, " 2"],
) -> Float[Array, " e"]:
    cut = 2 + mixture.split
    signal = mixture.signal.density(x, theta[2:cut], window)
    return theta[0] * signal + theta[1] * mixture.background.density(
        x, theta[cut:], window
    )


@partial(jax.jit, static_argnums=0)
def derivatives(mixture: Mixture, events: Float[Array, " e"], rows: Rows) -> Sums:
    """Return likelihood, gradient, Σ g gᵀ/f² and second derivatives of each row."""

    def one(row: Int[Array, ""]) -> Sums:
        theta, window = rows.theta[row], rows.windows[row]
        parts = _components(mixture, theta, window)

        def block(x: Float[Array, " b"], there: Float[Array, " b"]) -> _BlockSums:
            return _block_sums(parts, theta[:2], x, there)

        blank = jnp.zeros(mixture.block)
        start = jax.tree.map(
            lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(block, blank, blank)
        )
        sums = _over_events(mixture, events, rows, row, block, start)
        total = _assembled(parts, theta[:2], sums)
        offset = theta[0] + theta[1] + _penalty(mixture, theta, window)
        return total._replace(nll=total.nll + offset)

    return _over_rows(rows, one)


class _BlockSums(NamedTuple):
    """What is summed over events."""

    nll: Float[Array, ""]
    information: Float[Array, "p p"]
    signal: Moments
    background: Moments


def _block_sums(
    parts: tuple[Component, Component],
    yields: Float[Array, " 2"],
    x: Float[Array, " b"],
    there: Float[Array, " b"],
) -> _BlockSums:
    (s, ds), (b, db) = (part.density(x) for part in parts)
    total = jnp.where(there > 0, yields[0] * s + yields[1] * b, 1.0)
    inverse = there / total
    gradient = inverse * jnp.concatenate(
        [s[None], b[None], yields[0] * ds, yields[1] * db]
    )
    return _BlockSums(
        -jnp.sum(jnp.log(total)),
        gradient @ gradient.T,
        *(part.moments(x, inverse) for part in parts),
    )


def _assembled(
    parts: tuple[Component, Component], yields: Float[Array, " 2"], sums: _BlockSums
) -> Sums:
    """Return gradient and curvature in the order n_s, n_b, signal, background."""
    both = (sums.signal, sums.background)
    first = jnp.stack([1 - m.density for m in both])
    score = jnp.concatenate(
        [first, *(-n * m.slope for n, m in zip(yields, both, strict=True))]
    )
    hessian, begin = sums.information, 2
    for i, (part, moments) in enumerate(zip(parts, both, strict=True)):
        own = slice(begin, begin + moments.slope.size)
        hessian = hessian.at[i, own].add(-moments.slope).at[own, i].add(-moments.slope)
        hessian = hessian.at[own, own].add(-yields[i] * part.bent(moments))
        begin = own.stop
    return Sums(sums.nll, score, sums.information, hessian)


@partial(jax.jit, static_argnums=0)
def likelihoods(
    mixture: Mixture, events: Float[Array, " e"], rows: Rows
) -> Float[Array, " r"]:
    """Return the negative log-likelihood of each row."""

    def one(row: Int[Array, ""]) -> Float[Array, ""]:
        theta, window = rows.theta[row], rows.windows[row]

        def block(x: Float[Array, " b"], there: Float[Array, " b"]) -> Float[Array, ""]:
            return _block_nll(mixture, theta, x, window, there)

        offset = theta[0] + theta[1] + _penalty(mixture, theta, window)
        return _over_events(mixture, events, rows, row, block, offset)

    return _over_rows(rows, one)


def _block_nll(
    mixture: Mixture,
    theta: Float[Array, " q"],
    x: Float[Array, " b"],
    window: Float[Array, " 2"],
    there: Float[Array, " b"],
) -> Float[Array, ""]:
    total = _total(mixture, theta, x, window)
    return -jnp.sum(jnp.log(jnp.where(there > 0, total, 1.0)))


def _over_events(
    mixture: Mixture,
    events: Float[Array, " e"],
    rows: Rows,
    row: Int[Array, ""],
    block: Callable[[Float[Array, " b"], Float[Array, " b"]], Sum],
    start: Sum,
) -> Sum:
    """Return `start` plus the sum of a function of blocks of the events of a row."""
    centre = rows.windows[row].mean()
    count, place = rows.length[row], jnp.arange(mixture.block)

    def add(step: Int[Array, ""], total: Sum) -> Sum:
        done = step * mixture.block
        there = place < count - done
        x = lax.dynamic_slice(events, (rows.first[row] + done,), (mixture.block,))
        part = block(jnp.where(there, x, centre), there.astype(float))
        return jax.tree.map(jnp.add, total, part)

    steps = (count + mixture.block - 1) // mixture.block
    return lax.fori_loop(0, steps, add, start)


def _over_rows(rows: Rows, one: Callable[[Int[Array, ""]], Sum]) -> Sum:
    """Return a function of each row that counts; the others stay zero."""
    row = jnp.zeros((), dtype=rows.first.dtype)
    found = jax.tree.map(
        lambda a: jnp.zeros((ROWS, *a.shape), a.dtype), jax.eval_shape(one, row)
    )

    def fill(row: Int[Array, ""], found: Sum) -> Sum:
        return jax.tree.map(lambda a, value: a.at[row].set(value), found, one(row))

    return lax.fori_loop(row, rows.size, fill, found)
