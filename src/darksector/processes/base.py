"""What every process gives, and how cross-sections and events follow from it."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from darksector.amplitudes import radiation, vacuum
from darksector.compilation import BLOCK, in_blocks
from darksector.errors import NotConverged, OutOfDomain
from darksector.events import Events
from darksector.execution import stream
from darksector.kinematics import (
    Momentum,
    boost,
    momentum,
    rotate_z_to,
    squared,
    to_rest_frame,
    total,
)
from darksector.machines import Machine
from darksector.particles import MASS
from darksector.phasespace.channels import Pair, at_rest, two_body
from darksector.units import GEV2_FB

Parameters = Mapping[str, float | jax.Array]

BEAM_DIMENSIONS = 4  # two energy spreads, two radiators
CHUNK = 64 * BLOCK


class Sampled(NamedTuple):
    """A point of phase space in the rest frame of the hard collision."""

    momenta: tuple[Momentum, ...]
    volume: jax.Array  # phase-space element over density, GeV^(2n-4)


@final
@dataclass(frozen=True)
class CrossSection:
    """A cross-section with its statistical error and the conventions behind it."""

    value_fb: float
    error_fb: float
    conventions: Mapping[str, str]
    points: int

    def __str__(self) -> str:
        return f"{self.value_fb:.6g} ± {self.error_fb:.2g} fb"


class Process(abc.ABC):
    """e+e- -> final state at tree level, with optional collinear radiation.

    Subclasses are frozen dataclasses.  The kernels are static, see their numbers only
    through `parameters`, and are compiled once for all masses.
    """

    title: ClassVar[str]
    references: ClassVar[tuple[str, ...]]
    final_state: ClassVar[tuple[int, ...]]
    dimension: ClassVar[int]
    needs_model: ClassVar[bool] = False
    isr: bool

    @abc.abstractmethod
    def parameters(self) -> dict[str, float]:
        """Return the numbers that the kernels need: masses, couplings, cuts."""

    @abc.abstractmethod
    def threshold(self) -> float:
        """Return the sum of the final-state masses, GeV."""

    def isr_scale(self, s: float) -> float:
        """Return the scale Q² of the structure function, GeV²; s for annihilation."""
        return s

    @staticmethod
    @abc.abstractmethod
    def sample(u: jax.Array, s: jax.Array, parameters: Parameters) -> Sampled:
        """Return phase-space points for numbers ``(n, dimension)`` at energies² ``(n,)``."""

    @staticmethod
    @abc.abstractmethod
    def squared_amplitude(
        beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        r"""Return \|M\|² averaged over the initial and summed over the final spins."""

    def msq(self, momenta: Float[Array, "n m 4"]) -> Float[Array, " n"]:
        r"""Return \|M\|², averaged over initial and summed over final spins.

        Unit GeV^(8-2m) for m external particles.

        Parameters
        ----------
        momenta
            Four-momenta (E, px, py, pz), GeV, in any frame, in the order e-, e+, then
            `final_state`.

        Raises
        ------
        OutOfDomain
            If the number of particles is wrong.
        """
        expected = 2 + len(self.final_state)
        if momenta.shape[1] != expected:
            msg = (
                f"{self.title} has {expected} external particles (e-, e+, then "
                f"{self.final_state}), got {momenta.shape[1]}."
            )
            raise OutOfDomain(msg)
        return _msq(type(self), jnp.asarray(momenta), self.parameters())

    def cited(self) -> tuple[str, ...]:
        """Return the references of the process and of the options it uses."""
        radiated = (radiation.REFERENCE,) if self.isr else ()
        runs = (vacuum.REFERENCE,) if self.parameters().get("running") else ()
        return (*self.references, *radiated, *runs)

    def conventions(self) -> dict[str, str]:
        """Return the choices behind the numbers, for every result that uses them."""
        radiation_order = radiation.ORDER if self.isr else "none"
        return {
            "coupling": vacuum.SCHEME
            if self.parameters().get("running")
            else "alpha(0)",
            "initial-state radiation": radiation_order,
            "order": "tree level",
        }

    @property
    def total_dimension(self) -> int:
        """Number of uniform numbers per event: beams, radiation, hard process."""
        return BEAM_DIMENSIONS + self.dimension

    def cross_section(
        self, machine: Machine, *, precision: float = 1e-3, seed: int = 1
    ) -> CrossSection:
        """Return the cross-section, fb, to a relative statistical precision.

        Raises
        ------
        OutOfDomain
            If the threshold is above the collision energy.
        NotConverged
            If the precision is not reached with 2e7 points.
        """
        self.check_energy(machine)
        sums = np.zeros(2)
        for chunk in range(300):
            weights = np.asarray(self.chunk(machine, seed, chunk).weights)
            sums += weights.sum(), (weights**2).sum()
            points = (chunk + 1) * CHUNK
            mean = sums[0] / points
            error = np.sqrt((sums[1] / points - mean**2) / points)
            if chunk > 0 and error < precision * mean:
                return CrossSection(
                    float(mean), float(error), self.conventions(), points
                )
        msg = (
            f"{self.title}: {mean:.4g} ± {error:.2g} fb after {points} points misses the "
            f"precision {precision}; ask for a lower precision."
        )
        raise NotConverged(msg)

    def generate(self, n: int, machine: Machine, *, seed: int) -> Events:
        """Return n weighted events in the laboratory; Σ weights is the cross-section, fb.

        Raises
        ------
        OutOfDomain
            If n is not positive or the threshold is above the collision energy.
        """
        if n < 1:
            msg = f"the number of events must be at least 1, got {n}."
            raise OutOfDomain(msg)
        self.check_energy(machine)
        chunks = [self.chunk(machine, seed, i) for i in range(-(-n // CHUNK))]
        return Events(
            momenta=jnp.concatenate([c.momenta for c in chunks])[:n],
            weights=jnp.concatenate([c.weights for c in chunks])[:n] / n,
            p_beams=jnp.concatenate([c.p_beams for c in chunks])[:n],
            pdg=self.final_state,
        )

    def chunk(self, machine: Machine, seed: int, index: int) -> Events:
        """Return one chunk of `CHUNK` events whose mean weight is the cross-section, fb."""
        generator = stream(seed, "generate", type(self).__name__, index)
        u = generator.random((CHUNK, self.total_dimension))
        return self.events_from(u, machine)

    def events_from(self, u: NDArray[np.float64], machine: Machine) -> Events:
        """Return the events of given uniform numbers ``(n, 4 + dimension)``.

        Their mean weight is the cross-section, fb.

        Raises
        ------
        OutOfDomain
            If n is above 1024 and not a multiple of it.
        """
        return _events(
            type(self),
            self.isr,
            jnp.asarray(u),
            _beam_parameters(machine, self),
            self.parameters(),
        )

    def check_energy(self, machine: Machine) -> None:
        """Raise OutOfDomain if the threshold is above the collision energy."""
        if self.threshold() >= machine.sqrt_s:
            msg = (
                f"{self.title} needs {self.threshold():.4g} GeV, above the collision "
                f"energy of {machine.title}, {machine.sqrt_s:.5g} GeV; choose a mass "
                f"below {self._mass_limit(machine):.4g} GeV."
            )
            raise OutOfDomain(msg)

    def _mass_limit(self, machine: Machine) -> float:
        mass = self.parameters().get("mass", 0.0)
        return machine.sqrt_s - (self.threshold() - mass)


def _beam_parameters(machine: Machine, process: Process) -> dict[str, jax.Array]:
    s = machine.s
    return {
        "her": jnp.asarray(machine.p_her),
        "ler": jnp.asarray(machine.p_ler),
        "spread_her": jnp.asarray(machine.energy_spread_her / machine.energy_her),
        "spread_ler": jnp.asarray(machine.energy_spread_ler / machine.energy_ler),
        "scale2": jnp.asarray(process.isr_scale(s)),
        "keep_min": jnp.asarray(process.threshold() ** 2 / s),
    }


@partial(jax.jit, static_argnums=0)
def _msq(kind: type[Process], momenta: jax.Array, parameters: Parameters) -> jax.Array:
    external = [momentum(momenta[:, i]) for i in range(momenta.shape[1])]
    return kind.squared_amplitude(
        Pair(external[0], external[1]), tuple(external[2:]), parameters
    )


@partial(jax.jit, static_argnums=(0, 1))
def _events(
    kind: type[Process],
    isr: bool,
    u: jax.Array,
    beams: Mapping[str, jax.Array],
    parameters: Parameters,
) -> Events:
    return in_blocks(lambda part: _block(kind, isr, part, beams, parameters), u)


def _block(
    kind: type[Process],
    isr: bool,
    u: jax.Array,
    beams: Mapping[str, jax.Array],
    parameters: Parameters,
) -> Events:
    """Generate one block: beams, radiation, hard collision, back to the laboratory."""
    her = _spread(beams["her"], beams["spread_her"], u[:, 0])
    ler = _spread(beams["ler"], beams["spread_ler"], u[:, 1])
    weight = jnp.ones(u.shape[0])
    hard_her, hard_ler = her, ler
    if isr:
        kept = radiation.radiate(
            u[:, 2], u[:, 3], scale2=beams["scale2"], keep_min=beams["keep_min"]
        )
        hard_her, hard_ler = her.scaled(kept.electron), ler.scaled(kept.positron)
        weight = kept.weight
    collision = hard_her + hard_ler
    s = squared(collision)
    point = kind.sample(u[:, BEAM_DIMENSIONS:], s, parameters)
    inside = (point.volume > 0) & (s > 4 * MASS["e"] ** 2)
    msq = kind.squared_amplitude(_collide(s), point.momenta, parameters)
    weight = weight * msq * point.volume / (2 * s) * GEV2_FB
    axis = to_rest_frame(hard_her, collision)
    lab = [boost(rotate_z_to(p, axis), collision).array() for p in point.momenta]
    return Events(
        momenta=jnp.stack(lab, axis=1),
        weights=jnp.where(inside, weight, 0.0),
        p_beams=total((her, ler)).array(),
        pdg=kind.final_state,
    )


def _spread(beam: jax.Array, relative: jax.Array, u: jax.Array) -> Momentum:
    gaussian = jax.scipy.special.ndtri(jnp.clip(u, 1e-12, 1 - 1e-12))
    scale = 1 + relative * gaussian
    return Momentum(*(beam[i] * scale for i in range(4)))


def _collide(s: jax.Array) -> Pair:
    m2 = MASS["e"] ** 2
    ones = jnp.ones_like(s)
    return two_body(at_rest(s), (m2, m2), ones, jnp.zeros_like(s))
