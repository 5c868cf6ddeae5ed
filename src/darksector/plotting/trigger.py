"""How the lines of the first-level trigger turn on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from darksector.detectors.card import Detector
from darksector.detectors.trigger import Seen
from darksector.detectors.trigger_lines import LINES, existing_lines
from darksector.kinematics import Momentum, dot, squared
from darksector.plotting import style

ENERGY = np.linspace(0.0, 3.0, 601)  # GeV


@final
@dataclass(frozen=True)
class _Curve:
    """A line of the trigger for one photon at a polar angle, degrees; and its looks."""

    line: str
    theta: float
    name: str
    colour: str
    dashes: str = "-"
    width: float = 1.6


# thin dashes on thick lines, where curves coincide
_ALONE = (
    _Curve("single_photon_05gev", 70.0, "0.5 GeV, barrel, 70°", style.GREEN),
    _Curve("single_photon_1gev", 90.0, "1 GeV, barrel, 90°", style.SKY, width=5.0),
    _Curve("single_photon_1gev_endcap", 25.0, "1 GeV, forward, 25°", style.BLACK, "--"),
    _Curve(
        "single_photon_1gev_endcap", 135.0, "1 GeV, backward, 135°", style.ORANGE, ":"
    ),
    _Curve("single_photon_2gev", 90.0, "2 GeV, barrel, 90°", style.VERMILION),
)
_SUMS = (
    _Curve("total_energy", 25.0, "forward, 25°", style.BLACK, "--"),
    _Curve("total_energy", 90.0, "barrel, 90°", style.VERMILION),
    _Curve("total_energy", 125.0, "barrel, 125°", style.BLUE, "-."),
    _Curve("total_energy", 135.0, "backward, 135°: not summed", style.ORANGE, ":"),
)


def turn_on(detector: Detector, p_beams: NDArray[np.float64]) -> Figure:
    """Return efficiencies against the centre-of-mass energy of a photon.

    Parameters
    ----------
    detector
        Its trigger; lines that do not exist in its period are left out.
    p_beams
        Total four-momentum of the beams, ``(4,)``, GeV.
    """
    layout = ConstrainedLayoutEngine(wspace=0.06)
    figure = Figure(figsize=(9.0, 5.0), layout=layout)
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    figure.suptitle(
        f"First-level trigger, {detector.title}", x=0.01, ha="left", size=11
    )
    for panel, curves in ((left, _ALONE), (right, _SUMS)):
        _draw(panel, curves, detector, p_beams)
    left.set_ylabel("efficiency")
    left.set_title("lines of a single photon", loc="left", fontsize=10)
    energy = float(detector.trigger.total_energy_min)
    title = f"total energy above {energy:g} GeV in the laboratory"
    right.set_title(title, loc="left", fontsize=10)
    return figure


def _draw(
    panel: Axes,
    curves: tuple[_Curve, ...],
    detector: Detector,
    p_beams: NDArray[np.float64],
) -> None:
    for curve in curves:
        if curve.line in existing_lines(detector.trigger):
            panel.plot(
                ENERGY,
                _efficiency(curve, detector, p_beams),
                color=curve.colour,
                linestyle=curve.dashes,
                linewidth=curve.width,
                label=curve.name,
            )
    panel.set_xlabel("photon energy $E^*$ in the centre-of-mass frame [GeV]")
    panel.set(xlim=(ENERGY[0], ENERGY[-1]), ylim=(-0.03, 1.06))
    style.dress(panel)
    if panel.lines:
        panel.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=9,
            frameon=False,
        )  # fmt: skip
    else:
        panel.annotate(
            "no such line in this period", (0.5, 0.5), xycoords="axes fraction",
            ha="center",
        )  # fmt: skip


def _efficiency(
    curve: _Curve, detector: Detector, p_beams: NDArray[np.float64]
) -> NDArray[np.float64]:
    theta = np.radians(curve.theta)
    unit = np.array([1.0, np.sin(theta), 0.0, np.cos(theta)])
    beams = Momentum(*jnp.asarray(p_beams))
    boost = dot(beams, Momentum(*jnp.asarray(unit))) / jnp.sqrt(squared(beams))
    photon = Momentum(*(jnp.asarray(ENERGY) / boost * x for x in unit))
    everywhere = Momentum(*(jnp.full(ENERGY.size, x) for x in p_beams))
    seen = Seen(tracks=(), deposits=(photon,), p_beams=everywhere, muons_in_klm=())
    return np.asarray(LINES[curve.line](detector.trigger, seen))
