"""What the processes e+e- -> gamma P share: a pseudoscalar off an annihilation photon."""

from __future__ import annotations

from functools import partial

import jax

from darksector.amplitudes.portals import anomaly
from darksector.amplitudes.qed import annihilation_sum
from darksector.amplitudes.spinors import photon
from darksector.amplitudes.vacuum import photon_denominator
from darksector.kinematics import Momentum, squared, total
from darksector.particles import charge_squared
from darksector.phasespace.channels import Channel, Masses, Split
from darksector.phasespace.two_body import Pair
from darksector.processes.base import Parameters, Process


class PhotonToPseudoscalar(Process):
    r"""e+e- -> gamma P through :math:`-\frac{g}{4} P F \tilde F`.

    `parameters` of a leaf has the mass, GeV, whether the photon runs, and `coupling`:
    g, GeV^-1, or gs, GeV, if `falling` is 1 for a coupling that falls like 1/s.
    """

    running_alpha: bool

    @classmethod
    def masses(cls, parameters: Parameters) -> Masses:
        """Return the masses of the photon and the pseudoscalar, GeV."""
        return (0.0, parameters["mass"])

    @classmethod
    def channels(cls, parameters: Parameters) -> tuple[Channel, ...]:
        """Return the isotropic channel."""
        del parameters
        return ((Split((0,), (1,)),),)

    @classmethod
    def squared_amplitude(
        cls, beams: Pair, final: tuple[Momentum, ...], parameters: Parameters
    ) -> jax.Array:
        """Return |M|² of the one diagram, dimensionless."""
        gamma, _ = final
        q = total(beams)
        s = squared(q)
        coupling = parameters["coupling"] * s ** -parameters["falling"]
        factor = coupling / photon_denominator(s, parameters["running"])
        produced = partial(anomaly, q=q, k=gamma)
        spins = annihilation_sum(produced, beams, [photon(gamma)], parity=False)
        return charge_squared() / 4 * factor**2 * spins
