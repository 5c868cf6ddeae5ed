"""Figures of a run's spectra, efficiencies and resolutions."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darksector.plotting import labels, palette, style, views
from darksector.results import SearchResult

_BENCHMARK = 1e-3  # coupling at which cross-sections are shown, in its unit


def recoil_spectrum(result: SearchResult) -> Figure:
    """Return the stacked backgrounds and the signals at their limit, events per bin.

    Notes
    -----
    Observed counts belong to windows, not to bins, and are not drawn here.
    """
    figure, (panel,) = style.panels(result, height=5.6)
    components = views.stacking_order(result)
    if components:
        _stack(panel, result, components)
    signals = zip(style.LINES * 9, result.signal_spectra.items(), strict=False)
    for (colour, dashes), (mass, signal) in signals:
        panel.stairs(
            signal.contents,
            signal.edges,
            color=colour,
            linestyle=dashes,
            linewidth=1.8,
            label=f"signal, {mass:g} GeV, at the expected limit",
        )
    _axes(panel, result)
    style.legend(figure, panel)
    return figure


def efficiency_and_resolution(result: SearchResult) -> Figure:
    """Return efficiency, %, above resolution in the observable's unit, against mass."""
    figure, (upper, lower) = style.panels(result, rows=2, height=6.0)
    windows = result.windows
    upper.errorbar(
        windows.mass,
        100 * windows.efficiency,
        yerr=100 * windows.efficiency_error,
        color=style.BLUE,
        marker="o",
        markersize=4,
        capsize=2,
        linewidth=1.2,
    )
    lower.plot(
        windows.mass,
        np.ma.masked_equal(windows.resolution, 0.0),  # of no signal at all
        color=style.VERMILION,
        marker="s",
        markersize=4,
        linewidth=1.2,
    )
    upper.set_ylabel("signal efficiency [%]", fontsize=11)
    unit = labels.unit(result.labels.observable)
    lower.set_ylabel(f"resolution [{unit}]" if unit else "resolution", fontsize=11)
    lower.set_xlabel(labels.MASS, fontsize=11)
    for panel in (upper, lower):
        panel.set_ylim(0, 1.1 * panel.get_ylim()[1])
    return figure


def signal_cross_section(result: SearchResult) -> Figure:
    """Return the signal cross-section at a coupling of 1e-3, fb, against mass.

    Notes
    -----
    With radiation, and with the cuts on generated particles that the search declares;
    every signal is proportional to the coupling squared.
    """
    figure, (panel,) = style.panels(result)
    windows = result.windows
    panel.plot(
        windows.mass,
        _BENCHMARK**2 * windows.signal_sigma,
        color=style.BLUE,
        marker="o",
        markersize=4,
        linewidth=1.2,
    )
    plane = views.plane(result, "sigma")
    panel.set(yscale="log", xscale="log" if plane.logarithmic else "linear")
    panel.set_xlim(plane.mass)
    low, high = panel.get_ylim()
    panel.set_ylim(low / 3, high * 3)  # a decade or more: ticks with plain labels
    panel.set_xlabel(labels.MASS, fontsize=11)
    panel.set_ylabel("signal cross-section [fb]", fontsize=11)
    panel.text(
        0.03, 0.95, labels.at_coupling(result, r"$10^{-3}$"), ha="left", va="top",
        transform=panel.transAxes, fontsize=10,
    )  # fmt: skip
    return figure


def _stack(panel: Axes, result: SearchResult, components: tuple[str, ...]) -> None:
    edges = result.spectra[components[0]].edges
    base = np.zeros(len(edges) - 1)
    for name, (colour, hatch) in palette.fills(components).items():
        top = base + result.spectra[name].contents
        panel.stairs(
            top,
            edges,
            baseline=base,
            fill=True,
            facecolor=colour,
            edgecolor=style.HATCH,
            hatch=hatch,
            linewidth=0,
            label=result.labels.components.get(name, name),
        )
        base = top
    error = np.sqrt(np.sum([s.variances for s in result.spectra.values()], axis=0))
    panel.stairs(base, edges, color=style.BLACK, linewidth=0.8)
    panel.stairs(
        base + error,
        edges,
        baseline=np.maximum(base - error, 0),
        fill=True,
        facecolor="none",
        edgecolor="#505050",
        hatch="////",
        linewidth=0,
        label="simulation statistics",
    )


def _axes(panel: Axes, result: SearchResult) -> None:
    drawn = [*result.spectra.values(), *result.signal_spectra.values()]
    panel.set_xlabel(result.labels.observable, fontsize=11)
    if not drawn:
        return
    edges = drawn[0].edges
    panel.set_xlim(edges[0], edges[-1])
    panel.set_ylabel(labels.bin_width(edges, result.labels.observable), fontsize=11)
    ends = views.event_range(result)
    if ends is not None:
        panel.set_yscale("log")
        panel.set_ylim(ends)
