"""Figures of the signals in searches with photons, for build_photon_searches.py."""

from __future__ import annotations

from collections.abc import Sequence
from math import acos, pi
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import darksector as ds
from darksector.phasespace.cuts import GeneratorCut
from darksector.plotting import labels, style

MACHINE = ds.machine("superkekb")
EPSILON, COUPLING = 1e-3, 1e-3  # kinetic mixing; g of the ALP, GeV^-1
MASSES = np.array([0.01, 0.03, 0.1, 0.3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9.5])
SEEN = (
    GeneratorCut("theta_cms", ("gamma",), low=acos(0.9), high=pi - acos(0.9)),
    GeneratorCut("e_cms", ("gamma",), low=2.0),
)
DARK = (  # legend, colour, dashes, model of the A'
    (r"$m_{A'}$ = 20 GeV, Dirac", style.BLUE, "-", {"mass": 20.0}),
    (
        r"$m_{A'}$ = 20 GeV, scalar",
        style.SKY,
        "--",
        {"mass": 20.0, "dark_matter": "scalar"},
    ),
    (r"$m_{A'}$ = 0.15 GeV, below $2m_\chi$, Dirac", style.GREEN, "-.", {"mass": 0.15}),
    (r"$m_{A'}$ = 6 GeV, on shell, Dirac", style.VERMILION, "-", {"mass": 6.0}),
)
EVENTS = 200_000


def figure(height: float = 5.0) -> tuple[Figure, Any]:
    """Return an empty figure with one panel, in the style of all."""
    empty = Figure(figsize=(7.0, height), layout="constrained")
    FigureCanvasAgg(empty)
    panel = empty.subplots()
    style.dress(panel)
    return empty, panel


def header(panel: Any, text: str) -> None:
    """Head a panel with what it shows."""
    grey = {"size": 9, "color": "#404040"}
    style.head(
        panel,
        (
            (labels.SIMULATION, 0.0, 22, {"weight": "bold", "size": 11}),
            (MACHINE.title, 1.0, 22, grey),
            (text, 0.0, 7, grey),
        ),
    )


def cross_sections(folder: Path) -> dict[str, Sequence[float]]:
    """Draw the signal cross-sections against mass; return them, fb."""
    signals = (
        (r"$\gamma A'$, $\epsilon = 10^{-3}$", "gamma_aprime", style.BLUE, "o"),
        (r"$\gamma a$, $g$ = 10$^{-3}$ GeV$^{-1}$", "gamma_alp", style.VERMILION, "s"),
        (r"$e^+e^-a$, $g$ = 10$^{-3}$ GeV$^{-1}$", "fusion_alp", style.GREEN, "^"),
    )
    drawn, panel = figure()
    found: dict[str, Sequence[float]] = {}
    for label, name, colour, marker in signals:
        for isr, dash in ((True, "-"), (False, ":")):
            values = [sigma(name, mass, isr=isr) for mass in MASSES]
            panel.plot(
                MASSES, values, color=colour, ls=dash, marker=marker if isr else None,
                markersize=4, label=label if isr else f"{label}, no radiation",
            )  # fmt: skip
            if isr:
                found[name] = values
    panel.set(
        xscale="log", yscale="log", xlabel=labels.MASS, ylabel="cross-section [fb]"
    )
    header(
        panel, r"signals; the photon beside the $A'$ is 0.1 rad or more off the beams"
    )
    style.legend(drawn, panel)
    style.save(drawn, folder, "signal_cross_sections")
    return found


def sigma(name: str, mass: float, *, isr: bool) -> float:
    """Return the cross-section of a signal, fb."""
    if name == "gamma_aprime":
        model = ds.model("dark_photon", mass=float(mass), epsilon=EPSILON)
    else:
        model = ds.model("alp", mass=float(mass), g_agg=COUPLING)
    process = ds.process(name, model, isr=isr)
    return float(process.cross_section(MACHINE, precision=1e-2).value_fb)


def missing_mass(folder: Path) -> list[tuple[str, float, float]]:
    """Draw the missing mass beside a photon; return label, width, GeV, and fb."""
    drawn, panel = figure(5.6)
    edges, found = np.linspace(0.0, 8.4, 85), []
    for label, colour, dash, changes in DARK:
        settings: dict[str, Any] = {"dark_matter": "dirac", **changes}
        model = ds.model("dark_photon", epsilon=EPSILON, dark_mass=0.1, **settings)
        process = ds.process("gamma_dark_matter", model, isr=False)
        events = process.generate(EVENTS, MACHINE, seed=1, cuts=SEEN)
        rest = np.asarray(events.p_beams) - np.asarray(events.momenta[:, 0])
        squared = rest[:, 0] ** 2 - (rest[:, 1:] ** 2).sum(axis=1)
        weights = np.asarray(events.weights)
        mass = np.sqrt(np.maximum(squared, 0.0))
        contents, _ = np.histogram(mass, edges, weights=weights)
        panel.stairs(
            contents / np.diff(edges), edges, color=colour, ls=dash, lw=1.6, label=label
        )
        found.append((label, model.width, float(weights.sum())))
    panel.set(
        yscale="log", xlim=(0.0, edges[-1]), xlabel="missing mass [GeV]",
        ylabel=r"$d\sigma/dM$ [fb / GeV]",
    )  # fmt: skip
    header(
        panel,
        r"$e^+e^-\to\gamma\chi\bar\chi$, $m_\chi$ = 0.1 GeV, $\epsilon = 10^{-3}$, "
        r"$\alpha_D$ = 0.5; $|\cos\theta^*_\gamma|$ < 0.9, $E^*_\gamma$ > 2 GeV",
    )
    style.legend(drawn, panel)
    style.save(drawn, folder, "missing_mass")
    return found
