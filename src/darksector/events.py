"""Samples of generated events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import jax
from jaxtyping import Array, Float

from darksector.kinematics import Momentum, momentum


@final
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Events:
    """Generated events in the laboratory frame.

    Parameters
    ----------
    momenta
        Four-momenta (E, px, py, pz) of the final state, ``(n, k, 4)``, GeV.
    pdg
        PDG id of each of the k slots, the same in every event.
    weights
        Weights, ``(n,)``, fb: of `Process.generate` their sum is the cross-section, of
        the chunks that a search works on their mean.
    p_beams
        Total four-momentum of the two beams of each event, ``(n, 4)``, GeV.  Collinear
        initial-state photons are not stored; they carry what the final state lacks.
    mothers
        Slot of the particle that each slot decayed from, -1 for those made in the
        collision; empty when nothing has decayed.  A slot that is somebody's mother
        is intermediate, the others are the final state.
    vertices
        Where each particle was made, (ct, x, y, z) in the laboratory, ``(n, k, 4)``, cm;
        `None` when everything is made at the origin.
    """

    # *n, not n: inside kernels the events are blocked, (blocks, events in a block)
    momenta: Float[Array, "*n k 4"]
    weights: Float[Array, "*n"]
    p_beams: Float[Array, "*n 4"]
    pdg: tuple[int, ...] = field(metadata={"static": True})
    mothers: tuple[int, ...] = field(default=(), metadata={"static": True})
    vertices: Float[Array, "*n k 4"] | None = None

    def final_slots(self) -> list[int]:
        """Return the slots of particles that have not decayed."""
        return [i for i in range(len(self.pdg)) if i not in self.mothers]

    def slot(self, index: int) -> Momentum:
        """Return the momenta of one particle."""
        return momentum(self.momenta[:, index])
