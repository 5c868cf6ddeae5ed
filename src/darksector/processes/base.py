"""What every process gives, and how cross-sections and events follow from it."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial, isfinite, prod
from typing import ClassVar, final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from darksector.amplitudes import radiation, vacuum
from darksector.errors import NotConverged, OutOfDomain
from darksector.events import Events
from darksector.machines import Machine
from darksector.phasespace import integrate
from darksector.phasespace.cuts import GeneratorCut
from darksector.phasespace.integrate import Estimate, Point, Sums, estimate
from darksector.processes import _grids, _kernels
from darksector.processes._generation import CHUNK, Drawn, Generation, Weighed
from darksector.processes._kernels import Kernel, Numbers, Parameters, Setting

__all__ = ["CHUNK", "CrossSection", "Kernel", "Parameters", "Process"]

_MOST_CHUNKS = 400
_DOUBT = 0.1  # largest relative uncertainty of the quoted error
_CHI2 = 4.0  # largest χ² per degree of freedom between chunks


@final
@dataclass(frozen=True)
class CrossSection:
    """A cross-section with its statistical error and the conventions behind it.

    Parameters
    ----------
    value_fb, error_fb
        The value and its statistical error, fb.
    conventions
        Coupling, radiation, widths, cuts behind the number.
    points
        Number of trials.
    chi2
        χ² per degree of freedom between chunks of trials.
    effective
        Effective number of events among the trials, (Σw)²/Σw².
    efficiency
        Share of trials that unweighting would keep.
    """

    value_fb: float
    error_fb: float
    conventions: Mapping[str, str]
    points: int
    chi2: float
    effective: float
    efficiency: float

    def __str__(self) -> str:
        return f"{self.value_fb:.6g} ± {self.error_fb:.2g} fb"


class Process(Kernel):
    """e+e- -> final state at tree level, with optional collinear radiation.

    Subclasses are frozen dataclasses.  The kernels see their numbers only through
    `parameters`, and are compiled once for all masses.
    """

    title: ClassVar[str]
    references: ClassVar[tuple[str, ...]]
    final_state: ClassVar[tuple[int, ...]]
    needs_model: ClassVar[bool] = False
    isr: bool

    @abc.abstractmethod
    def parameters(self) -> dict[str, float]:
        """Return the numbers that the kernels need: masses, couplings, cuts."""

    def kernel(self) -> type[Kernel]:
        """Return the class with the compiled parts; another where options choose."""
        return type(self)

    def threshold(self) -> float:
        """Return the smallest mass of the final state, GeV."""
        return float(sum(self.kernel().masses(self.parameters())))

    def isr_scale(self, s: float) -> float:
        """Return the scale Q² of the structure function, GeV²; s for annihilation."""
        return s

    def msq(self, momenta: Float[Array, "n m 4"]) -> Float[Array, " n"]:
        r"""Return \|M\|², averaged over initial and summed over final spins.

        Unit GeV^(8-2m) for m external particles; no factor for identical particles.

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
        return _kernels.squared_amplitude(
            self.kernel(), jnp.asarray(momenta), self.parameters()
        )

    def cited(self) -> tuple[str, ...]:
        """Return the references of the process and of the options it uses."""
        radiated = (radiation.REFERENCE,) if self.isr else ()
        runs = (vacuum.REFERENCE,) if self.parameters().get("running") else ()
        return (*self.references, *radiated, *runs)

    def conventions(self) -> dict[str, str]:
        """Return the choices behind the numbers, for every result that uses them."""
        radiation_order = radiation.ORDER if self.isr else "none"
        runs = self.parameters().get("running")
        return {
            "coupling": vacuum.SCHEME if runs else "alpha(0)",
            "initial-state radiation": radiation_order,
            "order": "tree level",
            "width": "zero: on-shell final particles",
        }

    def dimension(self, machine: Machine) -> int:
        """Return the number of uniform numbers per trial of `events_from`."""
        return self._flat(machine).dimension

    def cross_section(
        self,
        machine: Machine,
        *,
        precision: float = 1e-3,
        seed: int = 1,
        cuts: Sequence[GeneratorCut] = (),
    ) -> CrossSection:
        """Return the cross-section within cuts, fb, to a relative statistical precision.

        Raises
        ------
        OutOfDomain
            If the threshold is above the collision energy or nothing passes the cuts.
        NotConverged
            If after 2.6e7 trials the precision is not reached, or the error itself is
            not known to 10 %, or chunks of trials disagree: a few large weights decide.
        """
        if not 0 < precision < 1:
            msg = f"precision must be within (0, 1), got {precision}; 1e-3 is 0.1 %."
            raise OutOfDomain(msg)
        generation = self.generation(machine, cuts=cuts)
        batches: list[Sums] = []
        for chunk in generation.chunks(seed, "cross-section"):
            batches.append(Sums.of(chunk.weight, CHUNK))
            found = estimate(batches)
            if len(batches) > 1 and _converged(found, precision):
                return self._result(found, _kept(generation, chunk, found), cuts)
            if len(batches) == _MOST_CHUNKS:
                break
        msg = (
            f"{self.title}: {found.value:.4g} ± {found.error:.2g} fb after {found.points} "
            f"trials (error known to {found.error_of_error:.1%}, χ²/dof "
            f"{found.chi2:.2f}) misses the precision {precision}; ask for a lower "
            "precision or for cuts away from the singular region."
        )
        raise NotConverged(msg)

    def generate(
        self,
        n: int,
        machine: Machine,
        *,
        seed: int,
        cuts: Sequence[GeneratorCut] = (),
        unweighted: bool = False,
    ) -> Events:
        """Return n events in the laboratory; Σ weights is the cross-section, fb.

        They happen in the luminous region of the machine, at the origin if it has none.
        Unweighted events have equal weights, but for the few (1e-4 of the
        cross-section) above the maximum weight, which keep what they have above it.

        Raises
        ------
        OutOfDomain
            If n is not positive, the threshold is above the collision energy, or
            nothing passes the cuts.
        """
        if n < 1:
            msg = f"the number of events must be at least 1, got {n}."
            raise OutOfDomain(msg)
        generation = self.generation(machine, cuts=cuts)
        highest = _grids.highest(generation) if unweighted else None
        return self.as_events(generation.events(n, seed, highest=highest))

    def as_events(self, drawn: Drawn) -> Events:
        """Return a drawn sample with the particles' codes, all from the same vertex."""
        vertices = drawn.vertices
        if vertices is not None:
            vertices = np.repeat(vertices[:, None], len(self.final_state), axis=1)
        return Events(
            momenta=jnp.asarray(drawn.momenta),
            weights=jnp.asarray(drawn.weight),
            p_beams=jnp.asarray(drawn.p_beams),
            pdg=self.final_state,
            vertices=None if vertices is None else jnp.asarray(vertices),
        )

    def chunk(self, machine: Machine, seed: int, index: int) -> Events:
        """Return one chunk of `CHUNK` trials whose mean weight is the cross-section, fb."""
        generation = self.generation(machine)
        u = generation.uniform(seed, "chunk", index * CHUNK, CHUNK)
        return self.events_from(u, machine)

    def events_from(
        self,
        u: NDArray[np.float64],
        machine: Machine,
        *,
        cuts: Sequence[GeneratorCut] = (),
    ) -> Events:
        """Return the events of given uniform numbers ``(n, dimension(machine))``.

        Their mean weight is the cross-section within the cuts, fb; they have no vertices.
        Trials outside have the weight zero, and the momenta of the first one inside.
        """
        found = self.generation(machine, cuts=cuts).survivors(u)
        k = len(self.final_state)
        momenta, p_beams = (
            np.zeros((len(u), k, 4)),
            np.tile(machine.p_beams, (len(u), 1)),
        )
        weights = np.zeros(len(u))
        momenta[...] = found.momenta[:1] if len(found.trial) else 0.0
        momenta[found.trial], p_beams[found.trial] = found.momenta, found.p_beams
        weights[found.trial] = found.weight
        return Events(
            jnp.asarray(momenta),
            jnp.asarray(weights),
            jnp.asarray(p_beams),
            self.final_state,
        )

    def generation(
        self, machine: Machine, *, cuts: Sequence[GeneratorCut] = ()
    ) -> Generation:
        """Return what the events are drawn with: adapted to the cuts, cached on disk.

        Raises
        ------
        OutOfDomain
            If the threshold is above the collision energy or nothing passes the cuts.
        """
        self.check_energy(machine)
        start = self._flat(machine, cuts)
        sampler = _grids.adapted(start)
        if sampler is None:
            listed = "; ".join(map(str, cuts)) or "none"
            msg = (
                f"{self.title}: no phase-space point of {_grids.MOST} passes the cuts "
                f"({listed}); loosen them."
            )
            raise OutOfDomain(msg)
        return start.with_sampler(sampler)

    def check_energy(self, machine: Machine) -> None:
        """Raise OutOfDomain if threshold or radiation do not fit the collision energy."""
        if self.threshold() >= machine.sqrt_s:
            msg = (
                f"{self.title} needs {self.threshold():.4g} GeV, above the collision "
                f"energy of {machine.title}, {machine.sqrt_s:.5g} GeV; choose a mass "
                f"below {self._mass_limit(machine):.4g} GeV."
            )
            raise OutOfDomain(msg)
        scale2 = self.isr_scale(machine.s)
        if self.isr and radiation.beta(scale2) <= 0:
            msg = (
                f"{self.title}: the scale of the radiation, {scale2:.3g} GeV², leaves no "
                "collinear logarithm; it must exceed e m_e². Resolve photons at larger "
                "angles, or set isr=False."
            )
            raise OutOfDomain(msg)

    def _mass_limit(self, machine: Machine) -> float:
        mass = self.parameters().get("mass", 0.0)
        return machine.sqrt_s - (self.threshold() - mass)

    def _flat(self, machine: Machine, cuts: Sequence[GeneratorCut] = ()) -> Generation:
        """Return the generation before any adaptation."""
        slots = [(cut, each) for cut in cuts for each in cut.slots(self.final_state)]
        spread = (
            machine.energy_spread_her / machine.energy_her,
            machine.energy_spread_ler / machine.energy_ler,
        )
        setting = self._setting(
            spread=any(spread), cuts=tuple((cut.quantity, each) for cut, each in slots)
        )
        parameters = self.parameters()
        channels = len(self.kernel().channels(parameters))
        sampler = integrate.flat(channels, setting.grid_dimension)
        limits = np.array([(cut.low, cut.high) for cut, _ in slots]).reshape(-1, 2)
        numbers = Numbers(
            parameters=parameters,
            her=jnp.asarray(machine.p_her),
            ler=jnp.asarray(machine.p_ler),
            spread=jnp.asarray(spread),
            scale2=jnp.asarray(self.isr_scale(machine.s)),
            threshold=jnp.asarray(self.threshold()),
            limits=jnp.asarray(limits),
            shares=jnp.asarray(sampler.shares),
            edges=jnp.asarray(sampler.edges),
        )
        return Generation(
            type(self).__name__, setting, numbers, sampler, machine.luminous_region
        )

    def _setting(
        self, *, spread: bool, cuts: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...]
    ) -> Setting:
        codes = self.final_state
        identical = prod(factorial(codes.count(code)) for code in set(codes))
        return Setting(self.kernel(), self.isr, spread, cuts, identical)

    def _result(
        self, found: Estimate, efficiency: float, cuts: Sequence[GeneratorCut]
    ) -> CrossSection:
        conventions = self.conventions() | (
            {"cuts": "; ".join(map(str, cuts))} if cuts else {}
        )
        return CrossSection(
            value_fb=found.value,
            error_fb=found.error,
            conventions=conventions,
            points=found.points,
            chi2=found.chi2,
            effective=found.effective,
            efficiency=efficiency,
        )


def _kept(generation: Generation, chunk: Weighed, found: Estimate) -> float:
    """Return the share of trials that unweighting would keep, from one chunk."""
    sampler = generation.sampler
    trials = np.rint(sampler.shares * CHUNK).astype(np.int64)
    points = Point(chunk.channel, np.zeros((0, 0)), chunk.weight, trials)
    return min(found.value / float(integrate.maxima(sampler, points).sum()), 1.0)


def _converged(found: Estimate, precision: float) -> bool:
    return (
        isfinite(found.value)
        and found.error < precision * found.value
        and found.error_of_error < _DOUBT
        and found.chi2 < _CHI2
    )
