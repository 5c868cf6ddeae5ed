"""e+e- -> mu+ mu- gamma: one resolved photon, from the beams or the muons.

Photons closer to the beams than `photon_angle_min` belong to the structure function,
whose scale ends where this process begins, so that nothing is counted twice
(docs/decisions/0004-matching-of-photons.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import ClassVar, final

import jax
import jax.numpy as jnp

from darksector.amplitudes.qed import Amplitude, spin_sum, two_vectors
from darksector.amplitudes.spinors import (
    Spinor,
    antifermion_in,
    antifermion_out,
    current,
    divided,
    fermion_in,
    fermion_out,
    photon,
)
from darksector.amplitudes.vacuum import photon_denominator
from darksector.kinematics import (
    Momentum,
    squared,
    to_rest_frame,
)
from darksector.particles import MASS, PDG, charge_squared
from darksector.phasespace import mappings
from darksector.phasespace.channels import (
    Pair,
    at_rest,
    two_body,
    two_body_volume,
)
from darksector.processes.base import Parameters, Process, Sampled

_M = MASS["mu"]


@final
@dataclass(frozen=True)
class DimuonGamma(Process):
    """e+e- -> mu- mu+ gamma, all four diagrams, with cuts on the photon.

    Parameters
    ----------
    isr
        Whether the beams radiate further, collinear photons.
    running_alpha
        Whether photon propagators carry the vacuum polarisation.
    photon_energy_min
        Smallest photon energy in the rest frame of the hard collision, as a fraction of
        the beam energy there.
    photon_angle_min
        Smallest angle of the photon with either beam in the same frame, rad.
    """

    isr: bool = True
    running_alpha: bool = False
    photon_energy_min: float = 0.01
    photon_angle_min: float = 0.1

    title: ClassVar[str] = "e+e- -> mu+mu- gamma"
    references: ClassVar[tuple[str, ...]] = ("inspire:Kuraev:1985hb",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["mu"], -PDG["mu"], PDG["gamma"])
    dimension: ClassVar[int] = 6

    def parameters(self) -> dict[str, float]:
        """Return the cuts on the photon: energy fraction and cosine."""
        return {
            "v_min": self.photon_energy_min,
            "cos_max": cos(self.photon_angle_min),
            "running": float(self.running_alpha),
        }

    def threshold(self) -> float:
        """Return 2 m_mu, GeV."""
        return 2 * _M

    def isr_scale(self, s: float) -> float:
        """Return s sin²(θ/2): collinear photons up to the cut on the resolved one."""
        return s * sin(self.photon_angle_min / 2) ** 2

    def conventions(self) -> dict[str, str]:
        """Add the cuts on the resolved photon."""
        cuts = (
            f"2 E*/sqrt(s) > {self.photon_energy_min:g}, "
            f"angle to beams > {self.photon_angle_min:g} rad"
        )
        return {**Process.conventions(self), "photon": cuts}

    @staticmethod
    def sample(u: jax.Array, s: jax.Array, parameters: Parameters) -> Sampled:
        """Return points from two channels: photon along the beams or along the muons."""
        least = 4 * _M**2 / (1 - jnp.asarray(parameters["v_min"]))
        open_ = s > least
        s = jnp.where(open_, s, 4 * least)
        v_max = 1 - 4 * _M**2 / s
        from_beams = u[:, 0] < 0.5
        v = jnp.where(
            from_beams,
            mappings.logit(u[:, 1], parameters["v_min"], v_max).value,
            mappings.logarithmic(u[:, 1], parameters["v_min"], v_max).value,
        )
        velocity = jnp.sqrt(1 - 4 * _M**2 / (s * (1 - v)))
        cosines = _cosines(u, from_beams, velocity, parameters["cos_max"])
        dimuon, gamma = two_body(
            at_rest(s), (s * (1 - v), 0.0), -cosines[0], 2 * pi * u[:, 3]
        )
        axis = to_rest_frame(gamma, dimuon)
        minus, plus = two_body(
            dimuon, (_M**2, _M**2), cosines[1], 2 * pi * u[:, 5], axis
        )
        density = _density(v, v_max, cosines, velocity, parameters)
        volume = s / (2 * pi) * two_body_volume(s, s * (1 - v), 0.0)
        volume = volume * two_body_volume(s * (1 - v), _M**2, _M**2)
        return Sampled((minus, plus, gamma), jnp.where(open_, volume / density, 0.0))

    @staticmethod
    def squared_amplitude(
        beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the four diagrams, GeV^-2."""
        minus, plus, gamma = final
        legs = [
            fermion_out(minus, _M),
            antifermion_out(plus, _M),
            photon(gamma),
            fermion_in(beams.first, MASS["e"]),
            antifermion_in(beams.second, MASS["e"]),
        ]
        amplitude = _amplitude(beams, final, parameters["running"])
        return charge_squared() ** 3 / 4 * spin_sum(amplitude, legs)


def _amplitude(
    beams: Pair, final: tuple[Momentum, ...], running: jax.Array | float
) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out."""
    minus, plus, gamma = final
    incoming, dimuon = beams.first + beams.second, minus + plus
    s = photon_denominator(squared(incoming), running)
    s_dimuon = photon_denominator(squared(dimuon), running)

    def amplitude(
        muon: Spinor,
        antimuon: Spinor,
        emitted: Spinor,
        electron: Spinor,
        positron: Spinor,
    ) -> jax.Array:
        annihilation = divided(current(positron, electron), s)
        production = divided(current(muon, antimuon), s_dimuon)
        light = (emitted, -gamma)
        from_muons = two_vectors(
            (muon, antimuon), -plus, _M, (annihilation, incoming), light
        )
        from_beams = two_vectors(
            (positron, electron), beams.first, MASS["e"], (production, -dimuon), light
        )
        return from_muons + from_beams

    return amplitude


def _cosines(
    u: jax.Array, from_beams: jax.Array, velocity: jax.Array, cos_max: jax.Array | float
) -> tuple[jax.Array, jax.Array]:
    """Return cosines of the photon with the beam and of the muon with the photon."""
    photon_peak = mappings.two_peaks(u[:, 2], 1.0, limit=cos_max).value
    photon_flat = cos_max * (2 * u[:, 2] - 1)
    muon_peak = mappings.two_peaks(u[:, 4], velocity).value
    return (
        jnp.where(from_beams, photon_peak, photon_flat),
        jnp.where(from_beams, 2 * u[:, 4] - 1, muon_peak),
    )


def _density(
    v: jax.Array,
    v_max: jax.Array,
    cosines: tuple[jax.Array, jax.Array],
    velocity: jax.Array,
    parameters: Parameters,
) -> jax.Array:
    """Return the density of both channels in v and in solid angles over 4π."""
    v_min, cos_max = parameters["v_min"], parameters["cos_max"]
    with_beam, with_photon = cosines
    odds = jnp.log(v_max / (1 - v_max)) - jnp.log(v_min / (1 - v_min))
    # 2 x density in the cosine = density in solid angle over 4 pi
    beams = 2 * mappings.two_peaks_density(with_beam, 1.0, limit=cos_max)
    muons = 2 * mappings.two_peaks_density(with_photon, velocity) / cos_max
    from_beams = beams / (v * (1 - v) * odds)
    from_muons = muons / (v * jnp.log(v_max / v_min))
    return (from_beams + from_muons) / 2


PROCESS = DimuonGamma
