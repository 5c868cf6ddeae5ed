"""Figures of statistics: scans, impacts, local significance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from darksector.plotting import labels, style
from darksector.statistics.impacts import Impacts
from darksector.statistics.profile_limits import ClsScan, UpperLimits

_METHODS = (
    (style.BLUE, "-"),
    (style.VERMILION, "--"),
    (style.PURPLE, "-."),
    (style.GREEN, ":"),
)
_SHOWN = 20  # nuisances of a figure of impacts


def save_scan(
    scan: ClsScan, limits: UpperLimits, folder: Path, *, poi: str, level: float
) -> None:
    """Write CLs against the parameter of interest as ``scan.png`` and ``scan.pdf``.

    Parameters
    ----------
    scan
        Of one data set.
    limits
        Of the same, marked on the curves.
    folder
        Where the files go.
    poi
        Name of the parameter of interest.
    level
        Confidence level of the limits.
    """
    figure, panel = _figure(height=4.6)
    low2, low1, middle, up1, up2 = scan.expected[0].T
    panel.fill_between(
        scan.poi, low2, up2, color=style.BAND_2, label=r"expected $\pm2\sigma$"
    )
    panel.fill_between(
        scan.poi, low1, up1, color=style.BAND_1, label=r"expected $\pm1\sigma$"
    )
    panel.plot(scan.poi, middle, color=style.BLACK, lw=1.4, label="expected")
    panel.plot(scan.poi, scan.observed[0], color=style.BLUE, lw=1.8, label="observed")
    panel.axhline(1 - level, color=style.VERMILION, ls="--", lw=1.0)
    for value, colour in (
        (limits.observed[0], style.BLUE),
        (limits.expected[0, 2], style.BLACK),
    ):
        if not np.ma.is_masked(value):
            panel.plot([value], [1 - level], "o", ms=5, color=colour)
    panel.set(xlabel=poi, ylabel=r"CL$_s$", yscale="log", ylim=(1e-3, 1.2))
    panel.set_xlim(scan.poi.min(), scan.poi.max())
    _title(panel, r"asymptotic CL$_s$", labels.confidence(level))
    style.legend(figure, panel, columns=4)
    style.save(figure, folder, "scan")


def save_impacts(found: Impacts, folder: Path, *, poi: str) -> None:
    """Write pulls and impacts of one data set as ``impacts.png`` and ``impacts.pdf``.

    Parameters
    ----------
    found
        Pulls, constraints and impacts; the first row is drawn.
    folder
        Where the files go.
    poi
        Name of the parameter of interest.
    """
    ranked = found.ranked()[:_SHOWN]
    figure = Figure(
        figsize=(7.0, 1.6 + 0.3 * max(len(ranked), 2)), layout="constrained"
    )
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    rows = np.arange(len(ranked))[::-1]
    for y, impact in zip(rows, ranked, strict=True):
        if impact.pull is not None:
            left.errorbar(
                impact.pull, y, xerr=impact.constraint, fmt="o", ms=4,
                color=style.BLACK, capsize=2,
            )  # fmt: skip
        for change, colour in ((impact.up, style.BLUE), (impact.down, style.ORANGE)):
            right.barh(y, change or 0.0, height=0.6, color=colour)
    right.barh([0], [0], color=style.BLUE, label="nuisance one error up")
    right.barh([0], [0], color=style.ORANGE, label="one error down")
    left.axvspan(-1, 1, color=style.BAND_2, zorder=0)
    left.set_yticks(rows, [impact.name for impact in ranked])
    left.set(xlabel="pull and error after the fit [prior width]", xlim=(-3, 3))
    right.set(xlabel=f"change of the fitted {poi}")
    for panel in (left, right):
        style.dress(panel)
    style.legend(figure, right)
    style.save(figure, folder, "impacts")


def save_counting(
    limits: Mapping[str, NDArray[np.float64]],
    coverage: Mapping[str, NDArray[np.float64]],
    signal: NDArray[np.float64],
    folder: Path,
    *,
    background: float,
    level: float,
) -> None:
    """Write limits of counting experiments and their coverage, ``counting.png/.pdf``.

    Parameters
    ----------
    limits
        Method to upper limits for 0, 1, 2 ... observed events, events.
    coverage
        Method to coverage at `signal`.
    signal
        True signals, events.
    folder
        Where the files go.
    background
        Known background, events.
    level
        Confidence level of the limits.
    """
    figure = Figure(figsize=(9.5, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for (name, values), (colour, dash) in zip(limits.items(), _METHODS, strict=False):
        left.plot(np.arange(len(values)), values, dash, marker="o", ms=3.5,
                  color=colour, label=name)  # fmt: skip
        right.plot(signal, coverage[name], dash, lw=1.2, color=colour)
    right.axhline(level, color=style.BLACK, lw=0.8, ls=":")
    left.set(xlabel="observed events", ylabel="upper limit on the signal [events]")
    left.set_ylim(bottom=0)
    right.set(xlabel="true signal [events]", ylabel="coverage", ylim=(0.75, 1.005))
    right.set_xlim(0, signal.max())
    for panel in (left, right):
        style.dress(panel)
    text = f"{labels.confidence(level)}, background {background:g} events, known"
    _title(left, "one count", "")
    _title(right, "", text)
    style.legend(figure, left)
    style.save(figure, folder, "counting")


def save_methods(
    mass: NDArray[np.float64],
    asymptotic: UpperLimits,
    others: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    folder: Path,
    *,
    level: float,
) -> None:
    """Write the limits of several methods on the same spectra, ``methods.png/.pdf``.

    Parameters
    ----------
    mass
        Mass hypotheses, shape ``(m,)``, GeV.
    asymptotic
        Asymptotic CLs limits with their expected bands, events.
    others
        Method to limits and their errors, events.
    folder
        Where the files go.
    level
        Confidence level of the limits.
    """
    figure, panel = _figure(height=4.8)
    low2, low1, middle, up1, up2 = asymptotic.expected.T
    panel.fill_between(
        mass, low2, up2, color=style.BAND_2, label=r"expected $\pm2\sigma$"
    )
    panel.fill_between(
        mass, low1, up1, color=style.BAND_1, label=r"expected $\pm1\sigma$"
    )
    panel.plot(mass, middle, color=style.BLACK, lw=1.2, label="expected")
    panel.plot(
        mass, asymptotic.observed, color=style.BLUE, lw=1.8, label="asymptotic CLs"
    )
    shift = 0.01 * (mass[-1] - mass[0])
    for i, (name, (value, error)) in enumerate(others.items()):
        colour = style.OTHERS[i]
        panel.errorbar(mass + (i - 1) * shift, value, error, fmt="os^"[i], ms=4.5,
                       color=colour, capsize=2, label=name)  # fmt: skip
    panel.set(xlabel=labels.MASS, ylabel="upper limit on the signal [events]")
    panel.set_ylim(bottom=0)
    _title(panel, "the same simulated spectrum", labels.confidence(level))
    style.legend(figure, panel)
    style.save(figure, folder, "methods")


def local_significance(
    mass: NDArray[np.float64], significance: NDArray[np.float64], *, subtitle: str
) -> Figure:
    """Return the local significance against the mass, σ, with lines at 1 to 5.

    Parameters
    ----------
    mass
        Mass hypotheses, shape ``(m,)``, GeV.
    significance
        Local significance, shape ``(m,)``; a deficit is negative.
    subtitle
        What the figure is about: data, luminosity, look-elsewhere effect.
    """
    figure, panel = _figure(height=3.6)
    panel.plot(mass, significance, color=style.BLUE, lw=1.0)
    top = max(3.0, float(np.ma.max(significance)) + 1)
    for sigma in range(1, int(top) + 1):
        panel.axhline(sigma, color=style.GREY, lw=0.6, ls=":")
    panel.set(xlabel=labels.MASS, ylabel=r"local significance [$\sigma$]")
    panel.set(xlim=(mass.min(), mass.max()), ylim=(-top, top))
    _title(panel, "bump hunt", subtitle)
    return figure


def _figure(*, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    style.dress(panel)
    return figure, panel


def _title(panel: Axes, left: str, right: str) -> None:
    style.head(panel, ((left, 0.0, 7, {"size": 11}), (right, 1.0, 7, {"size": 11})))
