"""e+e- -> gamma gamma gamma: every photon may go along either beam.

Where one photon is lost and a second one is not seen, the third is alone in the detector.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar, NamedTuple, final

import jax
import jax.numpy as jnp

from darksector.amplitudes.qed import (
    Incoming,
    absorb,
    fermion_line,
    spin_sum,
)
from darksector.amplitudes.spinors import (
    Spinor,
    Vector,
    antifermion_in,
    fermion_in,
    photon,
)
from darksector.kinematics import Momentum
from darksector.particles import MASS, PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.mappings import Bound, power_density, power_draw
from darksector.phasespace.two_body import Pair
from darksector.processes._recoil import require_mass_min
from darksector.processes._resolved import ResolvedPhotons, resolved
from darksector.processes.base import Parameters

_ME = MASS["e"]
_LARGEST = 1 - 1e-9  # a pair of no mass has no rest frame
_SLACK = 1e-9  # an energy computed from momenta may miss its own bound by rounding


class SoftPhoton(NamedTuple):
    """Mass left after a photon took a share v of high: density ∝ 1/v, v > `least`."""

    least: Bound

    def draw(self, u: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return values for uniform numbers."""
        del low
        return high * (1 - power_draw(u, self.least, _LARGEST, 1))

    def density(self, value: jax.Array, low: Bound, high: Bound) -> jax.Array:
        """Return the density of `draw` at values; zero outside the bounds."""
        del low
        taken = 1 - value / high
        inside = (taken >= self.least * (1 - _SLACK)) & (taken <= _LARGEST + _SLACK)
        shape = power_density(jnp.where(inside, taken, 0.5), self.least, _LARGEST, 1)
        return jnp.where(inside, shape / high, 0.0)


@final
@dataclass(frozen=True)
class Triphoton(ResolvedPhotons):
    """e+e- -> gamma gamma gamma, all six diagrams, with cuts on each photon.

    Parameters
    ----------
    mass_min
        Smallest mass of the final state, GeV, where the beams radiate.
    """

    mass_min: float = 1.0

    title: ClassVar[str] = "e+e- -> gamma gamma gamma"
    references: ClassVar[tuple[str, ...]] = ("inspire:Berends:1980px",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["gamma"],) * 3

    def parameters(self) -> dict[str, float]:
        """Return the cuts on the photons; on-shell photons do not run."""
        return {**ResolvedPhotons.parameters(self), "running": 0.0}

    def __post_init__(self) -> None:
        ResolvedPhotons.__post_init__(self)
        require_mass_min(self.title, self.mass_min)

    def threshold(self) -> float:
        """Return the smallest mass of the final state, GeV."""
        return self.mass_min

    def conventions(self) -> dict[str, str]:
        """Add the cut on the mass of the final state."""
        cut = f"m(gamma gamma gamma) > {self.mass_min:g} GeV"
        return {**ResolvedPhotons.conventions(self), "mass": cut}

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of the photons, GeV."""
        del parameters
        return (0.0, 0.0, 0.0)

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return channels: a first photon off the beams, the others along one beam."""
        left = SoftPhoton(parameters["v_min"])
        first = Peak(0, pole2=_ME**2, both=True, least=parameters["versine_min"])
        others = {0: (1, 2), 1: (2, 0), 2: (0, 1)}
        return tuple(
            (
                Split((one,), others[one], second_mass=left, peak=first),
                Split(
                    others[one][:1],
                    others[one][1:],
                    peak=Peak(beam, pole2=_ME**2, both=True),
                ),
            )
            for one, beam in product(others, (0, 1))
        )

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return where each photon is resolved."""
        a, b, c = (resolved(each, s, parameters) for each in final)
        return a & b & c

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the six diagrams, GeV^-2."""
        del parameters
        emitted = [Incoming(-each, light=True) for each in final]
        line = fermion_line(beams.first, _ME, *emitted)

        def amplitude(
            electron: Spinor, positron: Spinor, *photons: Vector
        ) -> jax.Array:
            return line(positron, electron, *map(absorb, photons))

        legs = [fermion_in(beams.first, _ME), antifermion_in(beams.second, _ME)]
        legs += [photon(each) for each in final]
        return charge_squared() ** 3 / 4 * spin_sum(amplitude, legs)


PROCESS = Triphoton
