"""First-level trigger lines, as efficiencies of what the detector made of an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import jax
import jax.numpy as jnp

from darksector.kinematics import Momentum, azimuth_opening, polar, transverse


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Trigger:
    """Numbers of the trigger; angles in degrees, momenta in GeV."""

    cdc_theta_min: jax.Array
    cdc_theta_max: jax.Array
    cdc_pt_min: jax.Array
    two_track_opening: jax.Array
    two_track_efficiency: jax.Array


def two_track(trigger: Trigger, tracks: tuple[Momentum, ...]) -> jax.Array:
    """Return the efficiency of the line: two full CDC tracks, wide open in azimuth."""
    first, second = tracks[:2]
    fires = _full(trigger, first) & _full(trigger, second)
    wide = jnp.rad2deg(azimuth_opening(first, second)) > trigger.two_track_opening
    return jnp.where(fires & wide, trigger.two_track_efficiency, 0.0)


def _full(trigger: Trigger, p: Momentum) -> jax.Array:
    theta = jnp.rad2deg(polar(p))
    inside = (theta > trigger.cdc_theta_min) & (theta < trigger.cdc_theta_max)
    return inside & (transverse(p) > trigger.cdc_pt_min)


LINES: Mapping[str, Callable[[Trigger, tuple[Momentum, ...]], jax.Array]] = (
    MappingProxyType({"two_track": two_track})
)
