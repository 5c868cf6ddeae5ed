"""Event records: generated events with the beams and the collinear photons added.

Files of events list every particle and conserve four-momentum; `Events` leave out what
follows from the rest.  A record has, in this order, the electron, the positron, two
collinear photons if the beams radiated, and the slots of the events.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import final

import numpy as np
from jaxtyping import Float

from darksector.particles import MASS, PDG

ELECTRON, PHOTON = PDG["e"], PDG["gamma"]
BEAMS = (ELECTRON, -ELECTRON)

METRIC = np.array([1.0, -1.0, -1.0, -1.0])
_MASSES = {PDG[name]: MASS[name] for name in ("e", "mu", "tau")} | {
    **{PDG[name]: 0.0 for name in ("nu_e", "nu_mu", "nu_tau", "gamma")},
    111: MASS["pi0"],
    211: MASS["pi+"],
    321: MASS["K+"],
    2212: MASS["p"],
}


@final
@dataclass(frozen=True)
class Layout:
    """What all events of a file have in common.

    Parameters
    ----------
    pdg, mothers
        As in `Events`, with -1 for every slot when nothing has decayed.
    photons
        Number of collinear initial-state photons in the record, 0 or 2.
    displaced
        Whether the file has vertices.
    """

    pdg: tuple[int, ...]
    mothers: tuple[int, ...]
    photons: int
    displaced: bool

    @property
    def first(self) -> int:
        """Index in the record of slot 0."""
        return len(BEAMS) + self.photons

    @property
    def codes(self) -> tuple[int, ...]:
        """PDG code of each particle of the record."""
        return BEAMS + (PHOTON,) * self.photons + self.pdg

    @property
    def parents(self) -> tuple[int, ...]:
        """Mother of each particle in the record, -1 for the beams and what they make."""
        slots = (-1 if m < 0 else m + self.first for m in self.mothers)
        return (-1,) * self.first + tuple(slots)

    @property
    def origins(self) -> tuple[int, ...]:
        """Mothers (slots, or -1 for the collision), each once: one vertex belongs to each."""
        return tuple(dict.fromkeys(self.mothers))

    @property
    def made(self) -> tuple[int, ...]:
        """Index in `origins` of the vertex of each slot."""
        return tuple(self.origins.index(mother) for mother in self.mothers)

    def statuses(self, incoming: int) -> tuple[int, ...]:
        """Return the status of each particle: `incoming`, 2 if it decays, 1 if not."""
        decayed = set(self.mothers)
        slots = (2 if slot in decayed else 1 for slot in range(len(self.pdg)))
        return (incoming,) * 2 + (1,) * self.photons + tuple(slots)


@final
@dataclass(frozen=True)
class Record:
    """Events as a file lists them; units and frame as in `Events`.

    Parameters
    ----------
    particles
        Four-momenta of beams, collinear photons and slots.
    vertices
        One vertex (ct, x, y, z) per mother in `Layout.origins`; none if not displaced.
    """

    particles: Float[np.ndarray, "n m 4"]
    weights: Float[np.ndarray, " n"]
    p_beams: Float[np.ndarray, "n 4"]
    vertices: Float[np.ndarray, "n v 4"]

    def part(self, start: int, stop: int) -> Record:
        """Return some of the events."""
        rows = (getattr(self, f.name)[start:stop] for f in fields(self))
        return Record(*rows)


def masses(layout: Layout, record: Record) -> Float[np.ndarray, "n m"]:
    """Return the masses, GeV: of known particles the known ones, else √p²."""
    p = record.particles
    columns = [
        np.full(len(p), _MASSES[abs(code)])
        if abs(code) in _MASSES
        else np.sqrt(np.maximum(p[:, i] ** 2 @ METRIC, 0.0))
        for i, code in enumerate(layout.codes)
    ]
    return np.stack(columns, axis=1)
