"""e+e- -> e+e- e+e-: two photons make a pair, and any electron may be the scattered one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import ClassVar, final

import jax
import jax.numpy as jnp

from darksector.amplitudes.qed import (
    Amplitude,
    FermionLine,
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
from darksector.kinematics import Momentum, momentum_transfer, squared
from darksector.particles import MASS, PDG, charge_squared
from darksector.phasespace.channels import Channel, Masses
from darksector.phasespace.two_body import Pair
from darksector.processes._two_photon import (
    require_pair_mass,
    turning_scale,
    two_photons,
)
from darksector.processes.base import Parameters, Process

_ME = MASS["e"]
_THREE = (0, 1, 2)
# who is scattered (e-, e+) and who is the pair, of slots e- e+ e- e+
_ROLES = tuple(((a, b), (2 - a, 4 - b)) for a, b in product((0, 2), (1, 3)))


@final
@dataclass(frozen=True)
class TwoPhotonDielectron(Process):
    """e+e- -> e- e+ e- e+, all 36 diagrams with their signs.

    Parameters
    ----------
    isr
        Whether the beams radiate.
    pair_mass_min
        Smallest mass of each of the four pairs of opposite charge, GeV.
    """

    isr: bool = True
    pair_mass_min: float = 0.5

    title: ClassVar[str] = "e+e- -> e+e- e+e-"
    references: ClassVar[tuple[str, ...]] = ("inspire:Berends:1984gf",)
    final_state: ClassVar[tuple[int, ...]] = (PDG["e"], -PDG["e"]) * 2

    def __post_init__(self) -> None:
        require_pair_mass(self.pair_mass_min)

    def parameters(self) -> dict[str, float]:
        """Return the cut on the masses of the pairs, GeV."""
        return {"mass_min": max(self.pair_mass_min, 2 * _ME)}

    def threshold(self) -> float:
        """Return the smallest mass of the final state, GeV: four pairs at their cut."""
        return 2 * self.parameters()["mass_min"]

    def isr_scale(self, s: float) -> float:
        """Return the geometric mean of Q², GeV², of scattered electrons."""
        return turning_scale(self.parameters()["mass_min"], s)

    def conventions(self) -> dict[str, str]:
        """Add the cut on the pairs."""
        cut = f"each m(e+ e-) > {self.pair_mass_min:g} GeV"
        return {**Process.conventions(self), "pair mass": cut}

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of e-, e+, e-, e+, GeV."""
        del parameters
        return (_ME,) * 4

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return one channel of two photons for every role.

        The other order of the two, a radiated pair, and annihilation have no peak that
        these miss while pairs are heavy; they would only compile longer.
        """
        del parameters
        return tuple(
            two_photons(scattered, pair, _ME**2)[0] for scattered, pair in _ROLES
        )

    @classmethod
    def inside(
        cls, final: tuple[Momentum, ...], s: jax.Array, parameters: Parameters
    ) -> jax.Array:
        """Return where the masses of all pairs are above their cut."""
        del s
        pairs = [final[a] + final[b] for a, b in product((0, 2), (1, 3))]
        smallest = reduce(jnp.minimum, map(squared, pairs))
        return smallest > parameters["mass_min"] ** 2

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the 36 diagrams, GeV^-4."""
        del parameters
        legs = [
            fermion_out(final[0], _ME),
            fermion_out(final[2], _ME),
            antifermion_in(beams.second, _ME),
            fermion_in(beams.first, _ME),
            antifermion_out(final[1], _ME),
            antifermion_out(final[3], _ME),
        ]
        return charge_squared() ** 4 / 4 * spin_sum(_amplitude(beams, final), legs)


def _amplitude(beams: Pair, final: tuple[Momentum, ...]) -> Amplitude:
    """Return the amplitude of one spin configuration, couplings taken out."""
    rows = (final[0], final[2], -beams.second)  # momenta along the arrows
    columns = (beams.first, -final[1], -final[3])
    links = list(product(_THREE, _THREE))
    freed = {(i, j): columns[j] - rows[i] for i, j in links}
    photons = {(i, j): _exchanged(rows[i], columns[j]) for i, j in links}
    lines = {
        (middle, ends): _line(columns[middle[1]], freed, ends)
        for middle in links
        for ends in _ends(middle)
    }

    def amplitude(*waves: Spinor) -> jax.Array:
        row, column = waves[:3], waves[3:]
        turned = {
            (i, j): absorb(divided(current(row[i], column[j]), photons[i, j]))
            for i, j in links
        }
        terms = [
            _sign(middle, ends)
            * line(row[middle[0]], column[middle[1]], *(turned[e] for e in ends))
            for (middle, ends), line in lines.items()
        ]
        return reduce(jnp.add, terms)

    return amplitude


Link = tuple[int, int]  # a line from a column to a row


def _ends(middle: Link) -> list[tuple[Link, Link]]:
    """Return the two ways to draw the lines that do not carry both photons."""
    a, b = (i for i in _THREE if i != middle[0])
    c, d = (j for j in _THREE if j != middle[1])
    return [((a, c), (b, d)), ((a, d), (b, c))]


def _sign(middle: Link, ends: tuple[Link, Link]) -> float:
    """Return the sign of the permutation that takes rows to columns."""
    order = [j for _, j in sorted((middle, *ends))]
    return 1.0 if order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]) else -1.0


def _line(
    column: Momentum, freed: dict[Link, Momentum], ends: tuple[Link, Link]
) -> FermionLine:
    return fermion_line(column, _ME, *(Incoming(freed[each]) for each in ends))


def _exchanged(row: Momentum, column: Momentum) -> jax.Array:
    """Return the squared momentum of a photon, GeV², without cancellation for t."""
    turned = row.e * column.e > 0
    return jnp.where(
        turned, -momentum_transfer(column, row, _ME), squared(column - row)
    )


PROCESS = TwoPhotonDielectron
