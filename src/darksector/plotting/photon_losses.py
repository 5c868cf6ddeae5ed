"""Where photons leave no cluster in the calorimeter, by origin."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from darksector.detectors.calorimeter import Calorimeter
from darksector.detectors.card import load
from darksector.detectors.crystals import impact
from darksector.detectors.losses import losses
from darksector.kinematics import Momentum
from darksector.plotting import style
from darksector.results import SearchResult

Numbers = NDArray[np.float64]

ENERGIES = (5.0, 1.0)  # GeV
_AROUND = 89.8, 90.2  # degrees, of the inset
_THETA = np.union1d(np.linspace(12.0, 156.0, 1153), np.linspace(*_AROUND, 201))
_PHASES = 100  # azimuths over which the mean is taken, from a wall to the middle of its sector
_LOWEST = 3e-8  # of the axis of probabilities
_LOOKS = {
    "crack": ("crack at 90°", style.VERMILION, "-"),
    "forward_gap": ("forward gap", style.BLUE, "-"),
    "backward_gap": ("backward gap", style.SKY, "-"),
    "walls": ("walls of the endcaps", style.PURPLE, "-"),
    "outside": ("outside of the acceptance", style.GREY, "-"),
    "floor": ("no interaction in the crystals", style.GREEN, "--"),
    "threshold": ("below the threshold", style.ORANGE, "--"),
    "elsewhere": ("elsewhere, as the card declares", style.ORANGE, ":"),
    "total": ("any of them", style.BLACK, "-"),
}


def inefficiency(result: SearchResult) -> Figure:
    """Return the chance that a photon leaves no cluster against θ, by origin.

    The mean over the azimuth, for photons of each of `ENERGIES`.
    """
    calorimeter = load(result.config["detector"]).calorimeter
    figure, panels = style.panels(result, rows=len(ENERGIES), height=8.6)
    for panel, energy in zip(panels, ENERGIES, strict=True):
        chances = mean_losses(calorimeter, energy, _THETA)
        _draw(panel, chances)
        _around(panel, chances)
        panel.set_ylabel(f"chance of no cluster, {energy:g} GeV", fontsize=11)
        panel.set_xlim(_THETA[0], _THETA[-1])
    panels[-1].set_xlabel(r"$\theta_\gamma$ (laboratory) [degrees]", fontsize=11)
    style.legend(figure, panels[0], columns=3)
    return figure


def mean_losses(
    calorimeter: Calorimeter, energy: float, theta: Numbers
) -> dict[str, Numbers]:
    """Return the chance of each origin, and of ``total``, each ``(n,)``.

    Parameters
    ----------
    calorimeter
        Its card.
    energy
        Of the photons, GeV.
    theta
        Polar angles in the laboratory, degrees, ``(n,)``; the mean is over all azimuths.
    """
    steps = (np.arange(_PHASES) + 0.5) / _PHASES
    phases = np.pi / float(calorimeter.wall_number) * steps**3  # dense at the thin wall
    angle, phi = np.meshgrid(np.radians(theta), phases, indexing="ij")
    sides = (np.sin(angle) * np.cos(phi), np.sin(angle) * np.sin(phi), np.cos(angle))
    size = jnp.full(angle.size, energy)
    p = Momentum(size, *(energy * jnp.asarray(side.ravel()) for side in sides))
    lost = losses(calorimeter, size, impact(calorimeter, p))
    return {
        name: np.average(np.reshape(part, angle.shape), axis=1, weights=steps**2)
        for name, part in {**vars(lost), "total": lost.total()}.items()
    }


def _draw(panel: Axes, chances: Mapping[str, Numbers]) -> None:
    for name, (label, colour, dash) in _LOOKS.items():
        if chances[name].max() > _LOWEST:
            panel.plot(
                _THETA, chances[name], color=colour, ls=dash, label=label,
                lw=1.0 if name == "total" else 2.2,
            )  # fmt: skip
    panel.set(yscale="log", ylim=(_LOWEST, 3.0))


def _around(panel: Axes, chances: Mapping[str, Numbers]) -> None:
    """Draw the neighbourhood of 90 degrees in an empty corner."""
    inset = panel.inset_axes((0.2, 0.47, 0.27, 0.46))
    _draw(inset, chances)
    inset.set_xlim(_AROUND)
    inset.set_xticks([_AROUND[0], 90.0, _AROUND[1]])
    inset.tick_params(labelsize=8)
    style.dress(inset)
