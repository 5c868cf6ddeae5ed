"""e+e- -> e+ e- a: an axion-like particle from two photons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import jax

from darksector.amplitudes.portals import levi_civita
from darksector.amplitudes.qed import Amplitude, spin_sum
from darksector.amplitudes.spinors import (
    Spinor,
    Vector,
    added,
    antifermion_in,
    antifermion_out,
    contract,
    current,
    divided,
    fermion_in,
    fermion_out,
    scaled,
    vector,
)
from darksector.kinematics import Momentum, momentum_transfer
from darksector.models.alp import Alp
from darksector.particles import MASS, PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.mappings import Pole
from darksector.phasespace.two_body import Pair
from darksector.processes._two_photon import turning_scale
from darksector.processes.base import Parameters, Process

_ME = MASS["e"]


@final
@dataclass(frozen=True)
class FusionAlp(Process):
    r"""e+e- -> e- e+ a by :math:`-\frac{g}{4} a F \tilde F` of two spacelike photons.

    Parameters
    ----------
    model
        The axion-like particle: its mass and coupling to photons.
    isr
        Whether the beams radiate.

    Notes
    -----
    The electrons mostly stay in the beam pipe.  The annihilation diagram
    γ* → γ* a → e⁺e⁻ a is left out: internal conversion of the photon in e⁺e⁻ → γ a.
    """

    model: Alp
    isr: bool = True

    title: ClassVar[str] = "e+e- -> e+e- a"
    references: ClassVar[tuple[str, ...]] = ("arXiv:1709.00009",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["e"], -PDG["e"], PDG["a"])
    needs_model: ClassVar[bool] = True

    def parameters(self) -> dict[str, float]:
        """Return the mass, GeV, and the coupling to photons, GeV^-1."""
        return {"mass": self.model.mass, "coupling": self.model.g_agg}

    def isr_scale(self, s: float) -> float:
        """Return the geometric mean of Q², GeV², in the equivalent-photon spectrum."""
        return turning_scale(self.model.mass, s)

    def conventions(self) -> dict[str, str]:
        """Add the diagrams."""
        fusion = "photon fusion; annihilation into e+e- a is left out"
        return {**Process.conventions(self), "diagrams": fusion}

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of e-, e+ and a, GeV."""
        return (_ME, _ME, parameters["mass"])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return both orders of the electrons that the photons turn."""
        del parameters
        return tuple(
            (
                Split((a,), (b, 2), second_mass=Pole(), peak=Peak(a)),
                Split((b,), (2,), peak=Peak(b)),
            )
            for a, b in ((0, 1), (1, 0))
        )

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the one diagram, GeV^-2."""
        electron, positron, _ = final
        legs = [
            fermion_in(beams.first, _ME),
            antifermion_in(beams.second, _ME),
            fermion_out(electron, _ME),
            antifermion_out(positron, _ME),
        ]
        factor = charge_squared() ** 2 * parameters["coupling"] ** 2 / 4
        return factor * spin_sum(_amplitude(beams, electron, positron), legs)


def _amplitude(beams: Pair, electron: Momentum, positron: Momentum) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out."""
    q1, q2 = (vector(beams.first - electron), vector(beams.second - positron))
    t1 = momentum_transfer(beams.first, electron, _ME)
    t2 = momentum_transfer(beams.second, positron, _ME)

    def amplitude(
        e_in: Spinor, p_in: Spinor, e_out: Spinor, p_out: Spinor
    ) -> jax.Array:
        first = divided(_spatial(current(e_out, e_in), q1), t1)
        second = divided(_spatial(current(p_in, p_out), q2), t2)
        return contract(first, levi_civita(second, q1, q2))

    return amplitude


def _spatial(j: Vector, q: Vector) -> Vector:
    """Return a current less a multiple of its photon's momentum, without time component.

    The vertex takes no notice, but currents along q would cost it all digits: those of
    electrons that turn by m_e/E are.
    """
    return added(j, scaled(q, -(j[0] + j[1]) / (q[0] + q[1])))


PROCESS = FusionAlp
