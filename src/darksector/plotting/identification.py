"""How well kinds of tracks are told apart: fake rate against efficiency."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from darksector.detectors.identification import roc
from darksector.plotting import labels, style

if TYPE_CHECKING:
    from darksector.detectors.card import Detector

PAIRS = (("mu", "pi"), ("e", "pi"), ("K", "pi"))  # wanted, fake: one panel each
MOMENTA = (0.7, 1.0, 2.0, 3.0, 4.0)  # GeV
_SYMBOLS = {"e": "e", "mu": r"\mu", "pi": r"\pi", "K": "K"}
_LINES = (
    (style.BLACK, ":"),
    (style.VERMILION, "-"),
    (style.BLUE, "--"),
    (style.GREEN, "-."),
    (style.PURPLE, (0, (5, 1, 1, 1, 1, 1))),
)


def save_roc(detector: Detector, path: Path, *, theta: float = math.pi / 2) -> None:
    """Draw the fake rate of each pair against its efficiency, and write the figure.

    Parameters
    ----------
    detector
        The experiment and run period, which the header names.
    path
        Where the figure goes; endings .png and .pdf are put in.
    theta
        Polar angle of the tracks, rad.
    """
    figure = Figure(figsize=(10.0, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(PAIRS), sharey=True)
    for panel, pair in zip(panels, PAIRS, strict=True):
        _draw(panel, detector, pair, theta)
    panels[0].set_ylabel("fake rate")
    figure.suptitle(
        f"{labels.SIMULATION}: {detector.title}, $\\theta$ = {math.degrees(theta):.0f}°",
        fontsize=11,
    )
    style.legend(figure, panels[0], columns=len(MOMENTA))
    style.save(figure, path.parent, path.stem)


def _draw(panel: Axes, detector: Detector, pair: tuple[str, str], theta: float) -> None:
    systems = detector.identification, detector.klm
    for momentum, (colour, dashes) in zip(MOMENTA, _LINES, strict=True):
        curve = roc(systems, pair, p=momentum, theta=theta)
        panel.plot(
            curve.efficiency,
            curve.fake_rate,
            color=colour,
            linestyle=dashes,
            label=f"{momentum:g} GeV",
        )
    wanted, fake = (_SYMBOLS[species] for species in pair)
    panel.set(yscale="log", xlim=(0.5, 1.0), ylim=(1e-4, 1.0))
    panel.set_xlabel(f"efficiency of ${wanted}$")
    panel.set_title(f"${fake} \\to {wanted}$", fontsize=11)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    style.dress(panel)
