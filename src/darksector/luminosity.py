r"""Luminosity of colliding bunches, from the optics of both rings.

Bunches are Gaussian; they cross at the full angle 2φ in the horizontal plane.  References:
M. A. Furman and M. S. Zisman, Handbook of Accelerator Physics and Engineering, section
"Luminosity"; W. Herr and B. Muratori, Concept of luminosity (CERN Accelerator School,
2003), eqs. 13-40; the nano-beam scheme: P. Raimondi, and Y. Ohnishi et al., Prog. Theor.
Exp. Phys. 2013, 03A011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, hypot, inf, pi, sin, tan
from typing import Any, NamedTuple, final

from darksector.errors import MissingNumber
from darksector.machines import Machine
from darksector.particles import MASS

ELECTRON_RADIUS = 2.8179403262e-13  # classical radius r_e, cm (CODATA 2018)
CHARGE = 1.602176634e-19  # elementary charge, C (SI, exact)
LIGHT_SPEED = 2.99792458e10  # cm/s (SI, exact)

_TERMS = ("sigma_x", "sigma_y", "current", "xi_y", "beta_y")


class PerRing(NamedTuple):
    """A number for each ring."""

    her: float
    ler: float


@final
@dataclass(frozen=True)
class Gain:
    """What one ring of a machine gains in luminosity over that of another, by factor.

    The factors are the terms of `formula`; `reduction` is what the peak luminosities of
    the cards leave: the ratio of R_L/R_ξ.
    """

    energy: float
    current: float
    beta_y: float
    xi_y: float
    flatness: float
    reduction: float

    @property
    def total(self) -> float:
        """The ratio of the luminosities, dimensionless."""
        beam = self.energy * self.current * self.beta_y
        return beam * self.xi_y * self.flatness * self.reduction


class Found(NamedTuple):
    """Numbers of a machine and of its rings, in the order asked for."""

    own: list[Any]
    her: list[Any]
    ler: list[Any]


def needed(
    machine: Machine, own: Sequence[str] = (), rings: Sequence[str] = ()
) -> Found:
    """Return numbers of a machine and of both rings that a calculation needs.

    Raises
    ------
    MissingNumber
        If the card does not have them; the message lists all that are missing.
    """
    parts = (
        (machine, "", own),
        (machine.her, "her.", rings),
        (machine.ler, "ler.", rings),
    )
    missing = [
        prefix + name
        for part, prefix, names in parts
        for name in names
        if getattr(part, name) is None
    ]
    if missing:
        raise MissingNumber(machine.title, missing)
    return Found(*([getattr(part, name) for name in names] for part, _, names in parts))


def revolution_frequency(machine: Machine) -> float:
    """Return how often a bunch passes the interaction point, Hz."""
    (circumference,) = needed(machine, ("circumference",)).own
    return float(LIGHT_SPEED / circumference)


def particles_per_bunch(machine: Machine) -> PerRing:
    r"""Return the number of electrons and of positrons in a bunch.

    .. math:: N = I / (e f_0 n_b)
    """
    found = needed(machine, ("n_bunches", "circumference"), ("current",))
    per_current = 1 / (CHARGE * revolution_frequency(machine) * found.own[0])
    return PerRing(found.her[0] * per_current, found.ler[0] * per_current)


def piwinski_angle(machine: Machine) -> PerRing:
    r"""Return σ_z tan φ / σ_x of each ring, dimensionless."""
    t = tan(machine.half_crossing_angle)
    _, her, ler = needed(machine, rings=("sigma_z", "sigma_x"))
    return PerRing(her[0] * t / her[1], ler[0] * t / ler[1])


def overlap_length(machine: Machine) -> PerRing:
    r"""Return over which length σ_x / sin φ a bunch meets the other one, cm.

    Infinite for head-on beams.  In the nano-beam scheme it replaces the bunch length:
    it must not exceed β_y much, or the hourglass takes its share.
    """
    s = sin(machine.half_crossing_angle)
    _, (her,), (ler,) = needed(machine, rings=("sigma_x",))
    return PerRing(her / s, ler / s) if s > 0 else PerRing(inf, inf)


def effective_sizes(machine: Machine) -> PerRing:
    r"""Return the width that each bunch shows to the other one, cm.

    .. math:: \sigma_{x,\mathrm{eff}}^2 = (\sigma_x \cos\phi)^2 + (\sigma_z \sin\phi)^2
    """
    c, s = cos(machine.half_crossing_angle), sin(machine.half_crossing_angle)
    _, her, ler = needed(machine, rings=("sigma_x", "sigma_z"))
    return PerRing(
        hypot(her[0] * c, her[1] * s),
        hypot(ler[0] * c, ler[1] * s),
    )


def geometric(machine: Machine) -> float:
    r"""Return the luminosity of bunches that keep their size, cm⁻² s⁻¹.

    .. math:: L = \frac{N_+ N_- n_b f_0 \cos\phi}{2\pi \Sigma_x \Sigma_y}

    with the effective widths of both bunches added in quadrature: exact for Gaussian
    bunches without hourglass (Herr and Muratori, eq. 28).
    """
    names = ("sigma_y", "sigma_x", "sigma_z", "current")
    _, her, ler = needed(machine, ("n_bunches", "circumference"), names)
    area = 2 * pi * hypot(*effective_sizes(machine)) * hypot(her[0], ler[0])
    return flux(machine) * cos(machine.half_crossing_angle) / area


def flux(machine: Machine) -> float:
    """Return N₊ N₋ n_b f₀: pairs of particles that pass each other per second, Hz."""
    (bunches,) = needed(machine, ("n_bunches",)).own
    n = particles_per_bunch(machine)
    return float(n.her * n.ler * bunches * revolution_frequency(machine))


def crossing_factor(machine: Machine) -> float:
    """Return the geometric luminosity over that of the same bunches head-on."""
    return geometric(machine) / geometric(replace(machine, half_crossing_angle=0.0))


def formula(machine: Machine, *, reduction: float = 1.0) -> PerRing:
    r"""Return the luminosity from current, β and beam-beam parameter, cm⁻² s⁻¹.

    .. math::

        L = \frac{\gamma}{2 e r_e} \left(1 + \frac{\sigma_y}{\sigma_x}\right)
            \frac{I \xi_y}{\beta_y} \frac{R_L}{R_\xi}

    of each ring, with the other ring in ξ_y (Ohnishi et al. 2013, eq. 1).

    Parameters
    ----------
    machine
        The collider.
    reduction
        R_L/R_ξ: geometric losses of the luminosity over those of ξ_y.
    """
    terms = _terms(machine)
    scale = reduction / (2 * CHARGE * ELECTRON_RADIUS)
    return PerRing(*(g * (f * i) * (xi / beta) * scale for g, f, i, xi, beta in terms))


def reduction_needed(machine: Machine) -> PerRing:
    """Return R_L/R_ξ with which `formula` gives the card's peak luminosity."""
    (peak,) = needed(machine, ("peak_luminosity",), _TERMS).own
    found = formula(machine)
    return PerRing(peak / found.her, peak / found.ler)


def beam_beam_parameter(machine: Machine) -> PerRing:
    r"""Return the vertical tune shift of each beam in the other one, dimensionless.

    .. math::

        \xi_{y\pm} = \frac{r_e N_\mp}{2\pi\gamma_\pm}
            \frac{\beta_{y\pm}}{\sigma_{y\mp} (\sigma_{x,\mathrm{eff}\mp} + \sigma_{y\mp})}

    without the factor R_ξ (Ohnishi et al. 2013, eq. 2).
    """
    names = ("beta_y", "sigma_y", "sigma_x", "sigma_z", "current")
    _, her, ler = needed(machine, ("n_bunches", "circumference"), names)
    n, width = particles_per_bunch(machine), effective_sizes(machine)

    def shift(
        energy: float, beta: float, others: float, size: tuple[float, float]
    ) -> float:
        strength = ELECTRON_RADIUS * others * MASS["e"] / (2 * pi * energy)
        return strength * beta / (size[1] * (size[0] + size[1]))

    return PerRing(
        shift(machine.energy_her, her[0], n.ler, (width.ler, ler[1])),
        shift(machine.energy_ler, ler[0], n.her, (width.her, her[1])),
    )


def gain(machine: Machine, over: Machine) -> tuple[Gain, Gain]:
    """Return why `machine` has more luminosity than `over`, for the HER and the LER."""
    ours, theirs = _terms(machine), _terms(over)
    left, right = reduction_needed(machine), reduction_needed(over)
    her, ler = (
        Gain(
            energy=a[0] / b[0],
            flatness=a[1] / b[1],
            current=a[2] / b[2],
            xi_y=a[3] / b[3],
            beta_y=b[4] / a[4],
            reduction=after / before,
        )
        for a, b, after, before in zip(ours, theirs, left, right, strict=True)
    )
    return her, ler


def _terms(machine: Machine) -> list[tuple[float, ...]]:
    """Return γ, 1 + σ_y/σ_x, I, ξ_y and β_y of each ring."""
    _, her, ler = needed(machine, rings=_TERMS)
    rings = ((machine.energy_her, her), (machine.energy_ler, ler))
    return [
        (energy / MASS["e"], 1 + sigma_y / sigma_x, current, xi_y, beta_y)
        for energy, (sigma_x, sigma_y, current, xi_y, beta_y) in rings
    ]
