"""What the processes e+e- -> e+e- l+l- share: two photons off the beams, and the rest.

The peaks reach down to the electron mass: photon virtualities from 1e-11 GeV², leptons
along the photons, pairs of small mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import ClassVar

import jax

from darksector.amplitudes.qed import (
    Amplitude,
    Incoming,
    absorb,
    fermion_line,
    spin_sum,
)
from darksector.amplitudes.spinors import (
    Spinor,
    antifermion_in,
    antifermion_out,
    current,
    divided,
    fermion_in,
    fermion_out,
)
from darksector.errors import OutOfDomain
from darksector.kinematics import Momentum, momentum_transfer, squared, total
from darksector.particles import MASS, charge_squared
from darksector.phasespace.channels import Channel, Masses, Peak, Split
from darksector.phasespace.mappings import Pole
from darksector.phasespace.two_body import Pair
from darksector.processes.base import Parameters, Process

_ME = MASS["e"]
_LEAST_SCALE = 10 * _ME**2  # GeV²; the structure function needs a positive logarithm


@dataclass(frozen=True)
class TwoPhotonPair(Process):
    """e+e- -> e- e+ l- l+ for l unlike e, all twelve diagrams; a leaf names the lepton.

    Parameters
    ----------
    isr
        Whether the beams radiate.
    pair_mass_min
        Smallest mass of the lepton pair, GeV.
    """

    isr: bool = True
    pair_mass_min: float = 0.5

    lepton: ClassVar[str]

    def __post_init__(self) -> None:
        require_pair_mass(self.pair_mass_min)

    def parameters(self) -> dict[str, float]:
        """Return the cut on the mass of the lepton pair, GeV."""
        return {"mass_min": max(self.pair_mass_min, 2 * MASS[self.lepton])}

    def threshold(self) -> float:
        """Return the smallest mass of the final state, GeV."""
        return 2 * _ME + self.parameters()["mass_min"]

    def isr_scale(self, s: float) -> float:
        """Return the geometric mean of Q², GeV²: a beam that hardly turns hardly radiates."""
        return turning_scale(self.parameters()["mass_min"], s)

    def conventions(self) -> dict[str, str]:
        """Add the cut on the lepton pair."""
        cut = f"m(l+ l-) > {self.pair_mass_min:g} GeV"
        return {**Process.conventions(self), "pair mass": cut}

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of e-, e+, l-, l+, GeV."""
        del parameters
        return (_ME, _ME, MASS[cls.lepton], MASS[cls.lepton])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return channels: two photons, a pair off a turned electron, annihilation."""
        del parameters
        fusion = two_photons((0, 1), (2, 3), MASS[cls.lepton] ** 2)
        return (*fusion, *radiated_pair((0, 1), (2, 3)), *annihilations((0, 1), (2, 3)))

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return where the mass of the pair is above its cut."""
        del s
        return squared(final[2] + final[3]) > parameters["mass_min"] ** 2

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the twelve diagrams, GeV^-4."""
        del parameters
        electron, positron, minus, plus = final
        mass = MASS[cls.lepton]
        legs = [
            fermion_out(minus, mass),
            antifermion_out(plus, mass),
            fermion_in(beams.first, _ME),
            antifermion_in(beams.second, _ME),
            fermion_out(electron, _ME),
            antifermion_out(positron, _ME),
        ]
        return (
            charge_squared() ** 4 / 4 * spin_sum(_amplitude(beams, final, mass), legs)
        )


def require_pair_mass(mass: float) -> None:
    """Raise OutOfDomain unless a smallest pair mass is a number of GeV, at least 0."""
    if not (isfinite(mass) and mass >= 0):
        msg = f"pair_mass_min must be finite and >= 0 GeV, got {mass}."
        raise OutOfDomain(msg)


def turning_scale(mass: float, s: float) -> float:
    r"""Return the scale Q² of radiation off beams that make a small mass by two photons.

    .. math:: Q^2 = \sqrt{Q^2_\mathrm{min} Q^2_\mathrm{max}} = \frac{m_e m^2}{\sqrt s},
              \quad Q^2_\mathrm{min} = m_e^2 m^2/s,\ Q^2_\mathrm{max} = m^2

    for photons of equal energy.  Measured, exp⟨ln Q²⟩ is 2.5 (μμ above 0.5 GeV) to 4.4
    (ττ) times as large, which changes cross-sections by less than 1 %; a scale of s,
    right for annihilation, would overstate the radiation tenfold.
    """
    return max(_ME * mass**2 / sqrt(s), _LEAST_SCALE)


def two_photons(
    scattered: tuple[int, int], pair: tuple[int, int], mass2: float
) -> tuple[Channel, ...]:
    """Return both orders of two scattered electrons; the photons make the pair."""
    channels = []
    for first, second in (scattered, scattered[::-1]):
        a, b = (0, 1) if first == scattered[0] else (1, 0)
        channels.append(
            (
                Split((first,), (second, *pair), second_mass=Pole(), peak=Peak(a)),
                Split((second,), pair, second_mass=Pole(), peak=Peak(b)),
                Split(
                    (pair[0],),
                    (pair[1],),
                    peak=Peak(a, minus=(first,), pole2=mass2, both=True),
                ),
            )
        )
    return tuple(channels)


def radiated_pair(
    scattered: tuple[int, int], pair: tuple[int, int]
) -> tuple[Channel, ...]:
    """Return channels in which an electron that a photon has hit radiates the pair."""
    channels = []
    for hit, spectator in (scattered, scattered[::-1]):
        a, b = (0, 1) if hit == scattered[0] else (1, 0)
        group = (hit, *pair)
        turned = Split((spectator,), group, second_mass=Pole(), peak=Peak(b))
        decay = Split((pair[0],), (pair[1],))
        channels += [
            (turned, Split(pair, (hit,), first_mass=Pole()), decay),
            (
                turned,
                Split(pair, (hit,), first_mass=Pole(), peak=Peak(a, pole2=_ME**2)),
                decay,
            ),
        ]
    return tuple(channels)


def annihilations(
    scattered: tuple[int, int], pair: tuple[int, int]
) -> tuple[Channel, ...]:
    """Return the channel in which two virtual photons make a pair each."""
    peak = Peak(0, pole2=_ME**2)
    back = Peak(1, pole2=_ME**2)
    decays = (
        Split((scattered[0],), (scattered[1],)),
        Split((pair[0],), (pair[1],)),
    )
    return tuple(
        (Split(pair, scattered, first_mass=Pole(), second_mass=Pole(), peak=p), *decays)
        for p in (peak, back)
    )


def _amplitude(beams: Pair, final: tuple[Momentum, ...], mass: float) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out."""
    electron, positron, minus, plus = final
    q1, q2 = beams.first - electron, beams.second - positron
    pair, scattered, incoming = minus + plus, electron + positron, total(beams)
    t1 = -momentum_transfer(beams.first, electron, _ME)
    t2 = -momentum_transfer(beams.second, positron, _ME)
    s, s_pair, s_scattered = squared(incoming), squared(pair), squared(scattered)
    middle = fermion_line(-plus, mass, Incoming(q1), Incoming(q2))
    off_electron = fermion_line(beams.first, _ME, Incoming(q2), Incoming(-pair))
    off_positron = fermion_line(-positron, _ME, Incoming(q1), Incoming(-pair))
    annihilated = fermion_line(beams.first, _ME, Incoming(-scattered), Incoming(-pair))
    produced = fermion_line(-positron, _ME, Incoming(incoming), Incoming(-pair))
    in_middle = fermion_line(-plus, mass, Incoming(incoming), Incoming(-scattered))

    def amplitude(
        lepton: Spinor, antilepton: Spinor, e_in: Spinor, p_in: Spinor, *out: Spinor
    ) -> jax.Array:
        e_out, p_out = out
        turn1 = absorb(divided(current(e_out, e_in), t1))
        turn2 = absorb(divided(current(p_in, p_out), t2))
        leptons = absorb(divided(current(lepton, antilepton), s_pair))
        source = absorb(divided(current(p_in, e_in), s))
        bhabha = absorb(divided(current(e_out, p_out), s_scattered))
        exchange = (
            middle(lepton, antilepton, turn1, turn2)
            + off_electron(e_out, e_in, turn2, leptons)
            + off_positron(p_in, p_out, turn1, leptons)
        )
        annihilation = (
            annihilated(p_in, e_in, bhabha, leptons)
            + produced(e_out, p_out, source, leptons)
            + in_middle(lepton, antilepton, source, bhabha)
        )
        return exchange - annihilation  # one exchange of identical fermions

    return amplitude
