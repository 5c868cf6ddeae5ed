"""The two compiled steps of event generation: points of phase space, then amplitudes.

Points outside the cuts are dropped between the two, so that the expensive step sees
survivors only.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from darksector.amplitudes import radiation
from darksector.compilation import in_blocks
from darksector.kinematics import (
    Momentum,
    boost,
    momentum,
    rotate_z_to,
    squared,
    to_rest_frame,
)
from darksector.particles import MASS
from darksector.phasespace import channels
from darksector.phasespace.channels import Channel, Masses
from darksector.phasespace.cuts import Frames, passes
from darksector.phasespace.integrate import BINS
from darksector.phasespace.two_body import Pair, colliding
from darksector.units import GEV2_FB

_SPREADS = 8.0  # standard deviations of a beam energy that can matter

Parameters = Mapping[str, float | jax.Array]
# components of a momentum: between the compiled steps, arrays of NumPy and of JAX mix
Components = tuple[jax.Array, jax.Array, jax.Array, jax.Array]


class Kernel(abc.ABC):
    """What the compiler sees of a process: no numbers but `parameters`."""

    @classmethod
    @abc.abstractmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the mass of each final particle, GeV."""

    @classmethod
    @abc.abstractmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return one phase-space channel per singular structure."""

    @classmethod
    @abc.abstractmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        r"""Return \|M\|² averaged over the initial and summed over the final spins."""

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return which points belong to the process: where photons are resolved, say.

        Momenta are in the rest frame of the hard collision.
        """
        del parameters, final
        return jnp.ones(s.shape, dtype=bool)


class Setting(NamedTuple):
    """What is known when compiling: the kernel, options, quantities that are cut on."""

    kernel: type[Kernel]
    isr: bool
    spread: bool
    cuts: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...]
    identical: int  # permutations of identical final particles

    @property
    def grid_dimension(self) -> int:
        """Number of uniform numbers that grids adapt: hard collision and radiation."""
        return self.dimension + (2 if self.isr else 0)

    @property
    def total_dimension(self) -> int:
        """Number of uniform numbers per trial: grid, energy spreads, channel."""
        return self.grid_dimension + (2 if self.spread else 0) + 1

    @property
    def dimension(self) -> int:
        """Number of uniform numbers of the hard collision."""
        return channels.dimension(len(self.kernel.masses(_AnyNumber())))


class Numbers(NamedTuple):
    """What may change without compiling again."""

    parameters: Parameters
    her: jax.Array  # nominal beams (4,), GeV
    ler: jax.Array
    spread: jax.Array  # relative energy spreads of both
    scale2: jax.Array  # Q² of the structure function, GeV²
    threshold: jax.Array  # GeV
    limits: jax.Array  # of the cuts (cuts, 2)
    shares: jax.Array
    edges: jax.Array


class Points(NamedTuple):
    """Points in the rest frame of the hard collision, e- along +z."""

    final: tuple[Components, ...]
    s: jax.Array
    beam_scales: tuple[jax.Array, jax.Array]  # energies over nominal ones
    kept: tuple[jax.Array, jax.Array]  # shares of them left after radiation
    weight: jax.Array  # all but the squared amplitude; 0 outside the cuts


class Laboratory(NamedTuple):
    """Momenta in the laboratory, GeV."""

    final: tuple[Components, ...]
    p_beams: Components


@partial(jax.jit, static_argnums=0)
def points(
    setting: Setting, u: jax.Array, channel: jax.Array, numbers: Numbers
) -> Points:
    """Return points for uniform numbers ``(n, total_dimension)``.

    `channel` is that of each block of events, ``(n / BLOCK,)``, and -1 for blocks to skip.
    """
    each = jnp.repeat(channel, u.shape[0] // channel.shape[0])

    def block(x: tuple[jax.Array, jax.Array]) -> Points:
        own = x[1][0]
        shapes = jax.eval_shape(lambda: _points(setting, x[0], own, numbers))
        nothing = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes)
        return jax.lax.cond(
            own < 0,
            lambda: nothing,
            lambda: _points(setting, x[0], own, numbers),
        )

    return in_blocks(block, (u, each))


@partial(jax.jit, static_argnums=0)
def weights(setting: Setting, found: Points, numbers: Numbers) -> jax.Array:
    """Return the weights of points with their squared amplitudes, fb."""

    def weigh(x: Points) -> jax.Array:
        final = tuple(Momentum(*p) for p in x.final)
        return x.weight * setting.kernel.squared_amplitude(
            colliding(x.s), final, numbers.parameters
        )

    return in_blocks(weigh, found)


@jax.jit
def laboratory(found: Points, numbers: Numbers) -> Laboratory:
    """Return the laboratory momenta of points."""
    return in_blocks(lambda x: _laboratory(x, numbers), found)


@partial(jax.jit, static_argnums=0)
def squared_amplitude(
    kernel: type[Kernel], momenta: jax.Array, parameters: Parameters
) -> jax.Array:
    r"""Return \|M\|² for momenta ``(n, m, 4)``: e-, e+ and the final state."""
    external = [momentum(momenta[:, i]) for i in range(momenta.shape[1])]
    return kernel.squared_amplitude(
        Pair(external[0], external[1]), tuple(external[2:]), parameters
    )


class _AnyNumber(dict[str, float]):
    """Stands in for parameters where only the number of particles matters."""

    def __missing__(self, key: str) -> float:
        return 1.0


def _points(
    setting: Setting, u: jax.Array, channel: jax.Array, numbers: Numbers
) -> Points:
    parameters, hard = numbers.parameters, setting.dimension
    x, weight = _grid(u[:, : setting.grid_dimension], numbers.edges[channel])
    scales, kept, radiated = _beams(setting, x[:, hard:], u[:, -3:-1], numbers)
    her, ler = _hard_beams(scales, kept, numbers)
    collision = her + ler
    s = squared(collision)
    lowest = jnp.maximum(numbers.threshold, 2.001 * MASS["e"])
    open_ = s > lowest**2
    s = jnp.where(open_, s, 1.1 * lowest**2)
    declared, masses = (
        setting.kernel.channels(parameters),
        setting.kernel.masses(parameters),
    )
    final = jax.lax.switch(
        channel,
        [partial(channels.sample, c, masses=masses) for c in declared],
        x[:, :hard],
        s,
    )
    mixture = sum(channels.density(c, final, s, masses) for c in declared)
    inside = open_ & setting.kernel.inside(final, s, parameters) & (mixture > 0)
    if setting.cuts:
        lab = _to_lab(final, her, collision)
        frames = Frames(*(_still(b, s) for b in (numbers.her, numbers.ler)))
        inside = inside & passes(setting.cuts, numbers.limits, lab, frames)
    weight = weight * radiated / (numbers.shares[channel] * 2 * s)
    weight = weight / jnp.where(mixture > 0, mixture, 1.0) * GEV2_FB / setting.identical
    parts = tuple(_components(p) for p in final)
    return Points(parts, s, scales, kept, jnp.where(inside, weight, 0.0))


def _laboratory(found: Points, numbers: Numbers) -> Laboratory:
    final = tuple(Momentum(*p) for p in found.final)
    her, ler = _hard_beams(found.beam_scales, found.kept, numbers)
    whole = _hard_beams(found.beam_scales, (1.0, 1.0), numbers)
    return Laboratory(
        tuple(_components(p) for p in _to_lab(final, her, her + ler)),
        _components(whole.first + whole.second),
    )


def _components(p: Momentum) -> Components:
    return (p.e, p.x, p.y, p.z)


def _grid(u: jax.Array, edges: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the variables of one channel's grid and the Jacobian."""
    position = u * BINS
    index = jnp.minimum(position.astype(jnp.int32), BINS - 1)
    column = jnp.arange(u.shape[1])
    low, high = edges[column, index], edges[column, index + 1]
    width = high - low
    return low + (position - index) * width, jnp.prod(width * BINS, axis=1)


def _beams(
    setting: Setting, x: jax.Array, v: jax.Array, numbers: Numbers
) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array], jax.Array | float]:
    """Return beam energies over nominal ones, what radiation leaves, and its weight."""
    ones = jnp.ones(x.shape[0])
    scales = (ones, ones)
    if setting.spread:
        gaussian = jax.scipy.special.ndtri(jnp.clip(v, 1e-12, 1 - 1e-12))
        scales = tuple(1 + numbers.spread[i] * gaussian[:, i] for i in (0, 1))  # type: ignore[assignment]
    if not setting.isr:
        return scales, (ones, ones), 1.0
    nominal = numbers.her + numbers.ler
    s = nominal[0] ** 2 - jnp.sum(nominal[1:] ** 2)
    # energies above the nominal ones leave room for more radiation
    room = (1 - _SPREADS * jnp.max(numbers.spread)) ** 2
    kept = radiation.radiate(
        x[:, 0],
        x[:, 1],
        scale2=numbers.scale2,
        keep_min=room * numbers.threshold**2 / s,
    )
    return scales, (kept.electron, kept.positron), kept.weight


def _hard_beams(
    scales: tuple[jax.Array, jax.Array],
    kept: tuple[jax.Array | float, jax.Array | float],
    numbers: Numbers,
) -> Pair:
    beams = (numbers.her, numbers.ler)
    return Pair(
        *(
            _still(beam, scale).scaled(scale * left)
            for beam, scale, left in zip(beams, scales, kept, strict=True)
        )
    )


def _still(beam: jax.Array, like: jax.Array) -> Momentum:
    return Momentum(*(jnp.full_like(like, beam[i]) for i in range(4)))


def _to_lab(
    final: tuple[Momentum, ...], her: Momentum, collision: Momentum
) -> tuple[Momentum, ...]:
    axis = to_rest_frame(her, collision)
    return tuple(boost(rotate_z_to(p, axis), collision) for p in final)
