r"""Phase-space channels: trees of two-body splittings with a peak in each variable.

A channel draws invariant masses and angles; its density is a function of the invariants
of the final momenta alone, so that all channels can be evaluated at any point.  Peaks of
exchanged particles are mapped in :math:`y = 1-\cos\theta`, from the exact kinematic
minimum of :math:`|t|`, without cancellation down to the electron mass
(Kleiss and Pittau, Comput. Phys. Commun. 83 (1994) 141, for the use of several channels).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import pi
from typing import NamedTuple

import jax
import jax.numpy as jnp

from darksector.kinematics import (
    Momentum,
    boost,
    breakup_velocity,
    light_dot,
    momentum_transfer,
    squared,
    to_rest_frame,
    total,
)
from darksector.particles import MASS
from darksector.phasespace.mappings import (
    Bound,
    MassMap,
    power_density,
    power_draw,
)
from darksector.phasespace.two_body import (
    Pair,
    angles_of,
    at_rest,
    back_to_back,
    colliding,
)

Slots = tuple[int, ...]
Masses = tuple[Bound, ...]
_ME = MASS["e"]
_SMALLEST = 1e-30  # keeps logarithms finite where a channel is closed
_SLACK = 1e-6  # a transfer computed from momenta may miss its bound by rounding


class Peak(NamedTuple):
    """Density ∝ 1/(pole2 - t)^power, t the squared transfer from an axis to `first`.

    Parameters
    ----------
    beam
        The axis is the momentum of this beam, 0 for e- and 1 for e+, ...
    minus
        ... less the momenta of these slots.
    pole2
        Mass squared of the exchanged particle, GeV².
    power
        1 or 2.
    both
        Whether the other particle peaks along the axis as well, with the same masses.
    least
        Smallest 1 - cosθ (at both ends if `both`).
    """

    beam: int
    minus: Slots = ()
    pole2: Bound = 0.0
    power: int = 1
    both: bool = False
    least: Bound = 0.0


class Split(NamedTuple):
    """One splitting of the slots `first` + `second` into the two.

    `first_mass` and `second_mass` are the maps of the invariant masses where a side has
    more than one slot; without a `peak` the splitting is isotropic.
    """

    first: Slots
    second: Slots
    first_mass: MassMap | None = None
    second_mass: MassMap | None = None
    peak: Peak | None = None


Channel = tuple[Split, ...]  # from all slots down


def dimension(particles: int) -> int:
    """Return the number of uniform numbers that a channel takes."""
    return 3 * particles - 4


def sample(
    channel: Channel, u: jax.Array, s: jax.Array, masses: Masses
) -> tuple[Momentum, ...]:
    """Return final momenta in the rest frame for uniform numbers ``(n, 3k-4)``.

    Parameters
    ----------
    channel
        Tree of splittings.
    u
        Uniform numbers.
    s
        Collision energy squared ``(n,)``, GeV², above the threshold.
    masses
        Mass of each slot, GeV.
    """
    columns = iter([u[:, i] for i in range(u.shape[1])])
    whole = tuple(range(len(masses)))
    found = {whole: at_rest(s)}
    for split in channel:
        slots = tuple(sorted(split.first + split.second))
        parent = found[slots]
        s_parent = s if slots == whole else squared(parent)
        m1, m2 = _draw_masses(split, s_parent, masses, columns)
        kinematics = _Kinematics(parent, s_parent, m1, m2, slots == whole)
        y, phi = next(columns), 2 * pi * next(columns)
        if slots == whole:  # azimuths count from the plane of the first splitting
            turn, phi = phi, jnp.zeros_like(phi)
        if split.peak is None:
            axis, angles = None, angles_of(2 * y, phi)
        else:
            geometry = _geometry(split, kinematics, colliding(s), found, masses)
            axis, angles = (
                geometry.axis,
                angles_of(_draw_versine(split.peak, geometry, y), phi),
            )
        pair = back_to_back(s_parent, (m1, m2), angles, axis)
        if slots != whole:
            pair = Pair(*(boost(p, parent) for p in pair))
        found[tuple(sorted(split.first))], found[tuple(sorted(split.second))] = pair
    return tuple(_turned(found[(slot,)], turn) for slot in whole)


def _turned(p: Momentum, phi: jax.Array) -> Momentum:
    """Return p rotated about the beams."""
    cosine, sine = jnp.cos(phi), jnp.sin(phi)
    return Momentum(p.e, p.x * cosine - p.y * sine, p.x * sine + p.y * cosine, p.z)


def density(
    channel: Channel, momenta: tuple[Momentum, ...], s: jax.Array, masses: Masses
) -> jax.Array:
    r"""Return the density of a channel in units of the phase space, GeV^(4-2k).

    :math:`\int g\, d\Phi_k = 1` with
    :math:`d\Phi_k = (2\pi)^4\delta^4(P-\sum p)\prod d^3p/((2\pi)^3 2E)`.
    """
    found: dict[Slots, Momentum] = {(slot,): p for slot, p in enumerate(momenta)}
    result = jnp.ones_like(s)
    for split in channel:
        slots = tuple(sorted(split.first + split.second))
        whole = len(slots) == len(masses)
        s_parent = s if whole else jnp.asarray(_mass2(slots, momenta, masses))
        m1, m2 = (_mass2(x, momenta, masses) for x in (split.first, split.second))
        parent = total(momenta[slot] for slot in slots)
        kinematics = _Kinematics(parent, s_parent, m1, m2, whole)
        result = result * _mass_density(split, kinematics, masses)
        velocity = breakup_velocity(s_parent, m1, m2)
        safe = jnp.maximum(velocity, _SMALLEST)
        result = jnp.where(velocity > 0, result * 8 * pi / safe, 0.0)
        if split.peak is not None:
            geometry = _geometry(split, kinematics, colliding(s), found, masses)
            shifted = _transfer(split, colliding(s), momenta, masses) / geometry.scale
            result = result * 2 * _versine_density(split.peak, geometry, shifted)
    return result


class _Kinematics(NamedTuple):
    """A parent and the squared masses of the two sides it splits into."""

    parent: Momentum
    s: jax.Array
    m1: Bound
    m2: Bound
    whole: bool  # the parent is the collision, at rest


class _Geometry(NamedTuple):
    axis: Momentum  # in the rest frame of the parent
    scale: jax.Array  # pole2 - t = scale (offset + y), y = 1 - cosθ
    offset: jax.Array


def _draw_masses(
    split: Split, s: jax.Array, masses: Masses, columns: Iterator[jax.Array]
) -> tuple[Bound, Bound]:
    """Return the squared masses of both sides; drawn where there is a map."""
    root, least2 = jnp.sqrt(s), _least(split.second, masses)
    m1: Bound = _least(split.first, masses) ** 2
    m2: Bound = least2**2
    if split.first_mass is not None:
        m1 = split.first_mass.draw(next(columns), m1, (root - least2) ** 2)
    if split.second_mass is not None:
        m2 = split.second_mass.draw(next(columns), m2, (root - jnp.sqrt(m1)) ** 2)
    return m1, m2


def _mass_density(split: Split, k: _Kinematics, masses: Masses) -> jax.Array:
    """Return the density of the drawn masses, in units of ds/2π."""
    root, least2 = jnp.sqrt(k.s), _least(split.second, masses)
    result = jnp.ones_like(k.s)
    if split.first_mass is not None:
        low, high = _least(split.first, masses) ** 2, (root - least2) ** 2
        result = (
            result * 2 * pi * split.first_mass.density(jnp.asarray(k.m1), low, high)
        )
    if split.second_mass is not None:
        high = jnp.maximum(root - jnp.sqrt(jnp.maximum(k.m1, 0.0)), 0.0) ** 2
        value = jnp.asarray(k.m2)
        result = result * 2 * pi * split.second_mass.density(value, least2**2, high)
    return result


def _least(slots: Slots, masses: Masses) -> Bound:
    return sum(masses[slot] for slot in slots)


def _mass2(slots: Slots, momenta: tuple[Momentum, ...], masses: Masses) -> Bound:
    """Return the invariant mass squared of some slots, GeV², stable for (l γ)."""
    if len(slots) == 1:
        return masses[slots[0]] ** 2
    massless = [slot for slot in slots if _is(masses[slot], 0.0)]
    if len(slots) == 2 and massless:
        (other,) = set(slots) - {massless[-1]}
        product = light_dot(momenta[other], momenta[massless[-1]], masses[other])
        return masses[other] ** 2 + 2 * product
    return squared(total(momenta[slot] for slot in slots))


def _geometry(
    split: Split,
    k: _Kinematics,
    beams: Pair,
    found: Mapping[Slots, Momentum],
    masses: Masses,
) -> _Geometry:
    """Return the axis of a peak and how the transfer depends on the angle."""
    peak = _the(split)
    axis, other = _axis(peak, beams, found), k.parent
    axis2: Bound = squared(axis) if peak.minus else _ME**2
    other2: Bound = _ME**2 if k.whole and not peak.minus else squared(other - axis)
    root = jnp.sqrt(k.s)
    length = breakup_velocity(k.s, axis2, other2) * root / 2
    p = breakup_velocity(k.s, k.m1, k.m2) * root / 2
    e_axis, e_first = (
        (k.s + axis2 - other2) / (2 * root),
        (k.s + k.m1 - k.m2) / (2 * root),
    )
    product = jnp.maximum(length * p, _SMALLEST)
    if _scatters(split, masses):
        # axis and product have the same mass and their energies nearly cancel
        loss = (k.m2 - other2) / (2 * root)
        nearest = 2 * _ME**2 * loss**2 / (e_axis * e_first - _ME**2 + product)
    else:
        gap = axis2 * e_first**2 + k.m1 * e_axis**2 - axis2 * k.m1
        nearest = peak.pole2 - axis2 - k.m1 + 2 * gap / (e_axis * e_first + product)
    offset = jnp.maximum(nearest / (2 * product), _SMALLEST)
    turned = axis if k.whole else to_rest_frame(axis, k.parent)
    return _Geometry(turned, 2 * product, offset)


def _axis(peak: Peak, beams: Pair, found: Mapping[Slots, Momentum]) -> Momentum:
    axis = beams[peak.beam]
    for slot in peak.minus:
        axis = axis - found[(slot,)]
    return axis


def _scatters(split: Split, masses: Masses) -> bool:
    """Whether a beam electron itself turns, by exchange of a photon."""
    peak = _the(split)
    single = len(split.first) == 1 and not peak.minus and _is(peak.pole2, 0.0)
    return single and _is(masses[split.first[0]], _ME)


def _transfer(
    split: Split, beams: Pair, momenta: tuple[Momentum, ...], masses: Masses
) -> jax.Array:
    """Return pole2 - t, GeV², without cancellation for electrons and photons."""
    peak = _the(split)
    first = total(momenta[slot] for slot in split.first)
    if _scatters(split, masses):
        return momentum_transfer(beams[peak.beam], first, _ME)
    if len(split.first) == 1 and not peak.minus and _is(masses[split.first[0]], 0.0):
        return peak.pole2 - _ME**2 + 2 * light_dot(beams[peak.beam], first, _ME)
    axis = _axis(peak, beams, {(slot,): p for slot, p in enumerate(momenta)})
    return peak.pole2 - squared(axis - first)


def _draw_versine(peak: Peak, geometry: _Geometry, u: jax.Array) -> jax.Array:
    low, high = _versine_range(peak, geometry)
    if not peak.both:
        return power_draw(u, low, high, peak.power) - geometry.offset
    near = u < 0.5
    drawn = power_draw(jnp.where(near, 2 * u, 2 * u - 1), low, high, peak.power)
    return jnp.where(near, drawn - geometry.offset, 2 - (drawn - geometry.offset))


def _versine_density(peak: Peak, geometry: _Geometry, shifted: jax.Array) -> jax.Array:
    """Return the density in y where offset + y = `shifted`."""
    low, high = _versine_range(peak, geometry)
    ends = [shifted]
    if peak.both:
        ends.append(2 + 2 * geometry.offset - shifted)
    inside = (shifted >= low * (1 - _SLACK)) & (shifted <= high * (1 + _SLACK))
    densities = [
        power_density(jnp.maximum(x, low * (1 - _SLACK)), low, high, peak.power)
        for x in ends
    ]
    return jnp.where(inside, sum(densities) / len(ends), 0.0)


def _versine_range(peak: Peak, geometry: _Geometry) -> tuple[jax.Array, jax.Array]:
    upper = 2 - peak.least if peak.both else 2.0
    return geometry.offset + peak.least, geometry.offset + upper


def _the(split: Split) -> Peak:
    if split.peak is None:
        msg = "an isotropic splitting has no axis"
        raise ValueError(msg)
    return split.peak


def _is(value: Bound, expected: float) -> bool:
    """Whether a number is known when compiling and has this value."""
    return isinstance(value, float) and value == expected
