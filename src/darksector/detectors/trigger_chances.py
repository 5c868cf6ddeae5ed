"""Smooth conditions from which trigger lines are made: chances, each in [0, 1].

Every threshold is a step folded with a normal distribution, so that derivatives with
respect to thresholds are right; zero widths give the public definitions.  Angles are
compared through their cosines, to first order in the width; no angle is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import jax
import jax.numpy as jnp

from darksector.detectors.trigger import Seen, Trigger
from darksector.kinematics import Momentum, dot, spatial_dot, squared, to_rest_frame

_SHARP = 1e-12  # the smallest width: a step to all purposes
_NOTHING = 1e-24  # under a root; an empty slot has a direction and a derivative


def passes(value: jax.Array, threshold: jax.Array, width: jax.Array) -> jax.Array:
    r"""Return the chance that a value, smeared by a width, exceeds a threshold.

    .. math:: \Phi(x) \simeq \tfrac12\{1 + \tanh[0.7988\,x\,(1 + 0.04417\,x^2)]\}

    Notes
    -----
    E. Page, Appl. Stat. 26 (1977) 75; within 2e-4 of the normal distribution, and six
    times faster than the error function.
    """
    x = (value - threshold) / jnp.maximum(width, _SHARP)
    return 0.5 * (1 + jnp.tanh(0.7988 * x * (1 + 0.04417 * x**2)))


def beyond(cosine: jax.Array, angle: jax.Array, width: jax.Array) -> jax.Array:
    """Return the chance that an angle, given by its cosine, exceeds `angle`, degrees."""
    edge, sigma = jnp.deg2rad(jnp.clip(angle, 0.0, 180.0)), jnp.deg2rad(width)
    return passes(-cosine, -jnp.cos(edge), sigma * jnp.sin(edge))


def at_least(
    k: int, present: Sequence[jax.Array], absent: Sequence[jax.Array], one: jax.Array
) -> jax.Array:
    """Return the chance that at least k of all slots are present (Poisson-binomial).

    Parameters
    ----------
    k
        How many.
    present, absent
        Per slot the chances ``(n,)`` of either; where they do not sum to one, the rest
        is a third case that must not happen in any slot.
    one
        Ones ``(n,)``.
    """
    counts = [one, *[jnp.zeros_like(one)] * k]
    for yes, no in zip(present, absent, strict=True):
        last = counts[-1] * (yes + no) + counts[-2] * yes
        counts = [
            counts[0] * no,
            *(b * no + a * yes for a, b in pairwise(counts[:-1])),
            last,
        ]
    return jnp.minimum(counts[-1], 1.0)


def any_of(chances: Sequence[jax.Array], one: jax.Array) -> jax.Array:
    """Return the chance that at least one of independent conditions holds."""
    none = one
    for chance in chances:
        none = none * (1 - chance)
    return 1 - none


# ---- deposits in the calorimeter


def energy_width(trigger: Trigger, deposit: Momentum) -> jax.Array:
    """Return the standard deviation of the trigger's energy, GeV."""
    relative = trigger.energy_resolution * deposit.e
    return jnp.sqrt(trigger.energy_noise**2 + relative**2 + _NOTHING)


def above(trigger: Trigger, deposit: Momentum, threshold: jax.Array) -> jax.Array:
    """Return the chance that the energy in the laboratory exceeds a threshold, GeV."""
    return passes(deposit.e, threshold, energy_width(trigger, deposit))


def above_cms(
    trigger: Trigger, seen: Seen, deposit: Momentum, threshold: jax.Array
) -> jax.Array:
    """Return the chance that the centre-of-mass energy exceeds a threshold, GeV."""
    energy = dot(seen.p_beams, deposit) / jnp.sqrt(squared(seen.p_beams))
    there = deposit.e > 0
    ratio = jnp.where(there, energy, 1.0) / jnp.where(there, deposit.e, 1.0)
    return passes(energy, threshold, energy_width(trigger, deposit) * ratio)


def in_cells(trigger: Trigger, deposit: Momentum, first: int, last: int) -> jax.Array:
    """Return the chance that ThetaId is one of `first` to `last`, both included."""
    cosine = _cosine(deposit)
    low, high = trigger.cell_theta[first - 1], trigger.cell_theta[last]
    return beyond(cosine, low, trigger.cell_width) * (
        1 - beyond(cosine, high, trigger.cell_width)
    )


def ecl_bhabha(trigger: Trigger, seen: Seen) -> jax.Array:
    """Return the chance that two deposits look like Bhabha scattering (3D Bhabha).

    Notes
    -----
    basf2 trg/ecl/src/TrgEclBhabha.cc (6d661f66): 160 to 200 degrees between the azimuths,
    165 to 190 for the sum of the polar angles, both above 3 and one above 4.5 GeV, all
    in the centre-of-mass frame.
    """
    both, one = trigger.bhabha_energies
    cms = [to_rest_frame(p, seen.p_beams) for p in seen.deposits]
    hard = [
        (above_cms(trigger, seen, p, both), above_cms(trigger, seen, p, one))
        for p in seen.deposits
    ]
    pairs = []
    for i, j in combinations(range(len(cms)), 2):
        (soft_i, hard_i), (soft_j, hard_j) = hard[i], hard[j]
        # the hard are among the soft, so subtract the pairs without a hard one
        energies = soft_i * soft_j - _rest(soft_i, hard_i) * _rest(soft_j, hard_j)
        pairs.append(energies * _back_to_back(trigger, cms[i], cms[j]))
    return any_of(pairs, jnp.ones_like(seen.p_beams.e))


def _rest(soft: jax.Array, hard: jax.Array) -> jax.Array:
    return soft - jnp.minimum(soft, hard)


def _back_to_back(trigger: Trigger, a: Momentum, b: Momentum) -> jax.Array:
    width, (low, high) = trigger.bhabha_width, trigger.bhabha_theta_sum
    cos_a, cos_b = _cosine(a), _cosine(b)
    sin_a, sin_b = (_transverse(p) / _modulus(p) for p in (a, b))
    # x is the sum of the polar angles less 180 degrees
    sin_x = -(sin_a * cos_b + cos_a * sin_b)
    opposite = cos_a * cos_b < sin_a * sin_b
    above_low, above_high = (
        passes(sin_x, jnp.sin(x), jnp.deg2rad(width) * jnp.cos(x))
        for x in (jnp.deg2rad(low - 180), jnp.deg2rad(high - 180))
    )
    window = jnp.where(opposite, above_low * (1 - above_high), 0.0)
    return window * beyond(_cos_azimuth(a, b), trigger.bhabha_opening_min, width)


# ---- tracks in the drift chamber


def full_track(trigger: Trigger, p: Momentum) -> jax.Array:
    """Return the chance that a charged particle crosses the whole drift chamber."""
    cosine, width = _cosine(p), trigger.track_angle_width
    inside = beyond(cosine, trigger.cdc_theta_min, width) * (
        1 - beyond(cosine, trigger.cdc_theta_max, width)
    )
    return inside * passes(_transverse(p), trigger.cdc_pt_min, trigger.track_pt_width)


def fast_track(trigger: Trigger, p: Momentum) -> jax.Array:
    """Return the chance that the momentum suffices for a line of one track."""
    return passes(_modulus(p), trigger.single_track_p_min, trigger.track_pt_width)


def wide_open(trigger: Trigger, a: Momentum, b: Momentum) -> jax.Array:
    """Return the chance that two directions are far apart in azimuth."""
    cosine = _cos_azimuth(a, b)
    return beyond(cosine, trigger.two_track_opening, trigger.track_angle_width)


def _modulus(p: Momentum) -> jax.Array:
    return jnp.sqrt(spatial_dot(p, p) + _NOTHING)


def _transverse(p: Momentum) -> jax.Array:
    return jnp.sqrt(p.x**2 + p.y**2 + _NOTHING)


def _cosine(p: Momentum) -> jax.Array:
    return p.z / _modulus(p)


def _cos_azimuth(a: Momentum, b: Momentum) -> jax.Array:
    return (a.x * b.x + a.y * b.y) / (_transverse(a) * _transverse(b))
