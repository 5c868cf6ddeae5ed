"""What is compiled of e+e- -> mu- e+ X: four diagrams, X of spin 1 or 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple, final

import jax

from darksector.amplitudes.qed import (
    FermionLine,
    Incoming,
    Vertex,
    absorb,
    fermion_line,
    spin_sum,
)
from darksector.amplitudes.spinors import (
    Spinor,
    Vector,
    antifermion_in,
    antifermion_out,
    chiral,
    current,
    divided,
    fermion_in,
    fermion_out,
    massive_vector,
    slash,
)
from darksector.kinematics import Momentum, momentum_transfer, squared
from darksector.particles import MASS, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.mappings import Pole
from darksector.phasespace.two_body import Pair
from darksector.processes.base import Kernel, Parameters

_ME, _MMU = MASS["e"], MASS["mu"]


class Ends(NamedTuple):
    """The spinors at the ends of both fermion lines."""

    mu_out: Spinor
    positron_out: Spinor
    e_in: Spinor
    positron_in: Spinor


class Lines(NamedTuple):
    """The line from an electron to the muon, which absorbs a photon and emits X."""

    exchange: FermionLine  # from the incoming electron; the positron turns
    annihilation: FermionLine  # from the outgoing positron; both beams annihilate


def electron_to_muon(beams: Pair, final: tuple[Momentum, ...]) -> Lines:
    """Return the lines whose vertices are the photon and X."""
    _, positron, boson = final
    emitted = Incoming(-boson, mass=_MMU)
    transferred = Incoming(beams.second - positron)
    incoming = Incoming(beams.first + beams.second)
    return Lines(
        exchange=fermion_line(beams.first, _ME, transferred, emitted),
        annihilation=fermion_line(-positron, _ME, incoming, emitted),
    )


def _amplitude(
    beams: Pair, final: tuple[Momentum, ...]
) -> Callable[[Ends, Vertex], jax.Array]:
    """Return the amplitude of one spin configuration, e² taken out."""
    lines = electron_to_muon(beams, final)
    t = -momentum_transfer(beams.second, final[1], _ME)
    s = squared(beams.first + beams.second)

    def amplitude(ends: Ends, vertex: Vertex) -> jax.Array:
        mu_out, positron_out, e_in, positron_in = ends
        turned = absorb(divided(current(positron_in, positron_out), t))
        annihilated = absorb(divided(current(positron_in, e_in), s))
        exchange = lines.exchange(mu_out, e_in, turned, vertex)
        # incoming electron and outgoing positron exchanged: identical fermions
        return exchange - lines.annihilation(mu_out, positron_out, annihilated, vertex)

    return amplitude


class ElectronMuonKernel(Kernel):
    """The compiled parts, the same for both spins but for the vertex."""

    spin: ClassVar[int]

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of mu-, e+ and X, GeV."""
        return (_MMU, _ME, parameters["mass"])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return channels: the positron turns, or X comes from the mu- or the e+."""
        del parameters
        turned = Split((1,), (0, 2), second_mass=Pole(), peak=Peak(1))
        return (
            (turned, Split((0,), (2,))),
            (turned, Split((2,), (0,), peak=Peak(0, pole2=_MMU**2))),
            (Split((0, 2), (1,), first_mass=Pole(at=_ME**2)), Split((0,), (2,))),
            (Split((1, 2), (0,), first_mass=Pole(at=_MMU**2)), Split((1,), (2,))),
        )

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the four diagrams, GeV^-2."""
        muon, positron, boson = final
        legs = [
            antifermion_out(positron, _ME),
            fermion_in(beams.first, _ME),
            antifermion_in(beams.second, _ME),
            fermion_out(muon, _MMU),
        ]
        if cls.spin == 1:
            legs.insert(0, massive_vector(boson, parameters["mass"]))
        summed = _amplitude(beams, final)

        def amplitude(*waves: Spinor) -> jax.Array:
            *polarisation, positron_out, e_in, positron_in, mu_out = waves
            ends = Ends(mu_out, positron_out, e_in, positron_in)
            return summed(ends, cls.vertex(parameters, *polarisation))

        # chiral couplings violate parity: no spin state stands for its mirror image
        return charge_squared() ** 2 / 4 * spin_sum(amplitude, legs, parity=False)

    @classmethod
    def vertex(cls, parameters: Parameters, *polarisation: Vector) -> Vertex:
        """Return the vertex e- -> mu- X with its couplings."""
        raise NotImplementedError


@final
class VectorKernel(ElectronMuonKernel):
    """X of spin 1."""

    spin: ClassVar[int] = 1

    @classmethod
    def vertex(cls, parameters: Parameters, *polarisation: Vector) -> Vertex:
        r"""Return :math:`\gamma^\alpha(g_V + g_A\gamma^5)` with a polarisation."""
        even, odd = parameters["even"], parameters["odd"]
        return lambda psi: slash(polarisation[0], chiral(psi, even - odd, even + odd))


@final
class ScalarKernel(ElectronMuonKernel):
    """X of spin 0."""

    spin: ClassVar[int] = 0

    @classmethod
    def vertex(cls, parameters: Parameters, *polarisation: Vector) -> Vertex:
        r"""Return :math:`a - b\gamma^5`, the hermitian conjugate of the e mu vertex."""
        del polarisation
        even, odd = parameters["even"], parameters["odd"]
        return lambda psi: chiral(psi, even + odd, even - odd)
