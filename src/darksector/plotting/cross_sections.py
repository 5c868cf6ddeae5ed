"""Cross-section against the mass of the mediator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from darksector.plotting import labels, style

if TYPE_CHECKING:
    from darksector.machines import Machine
    from darksector.processes.base import Process


def save_scan(
    rows: Sequence[Mapping[str, Any]],
    process: Process,
    machine: Machine,
    notes: Sequence[str],
    path: Path,
) -> None:
    """Draw σ with its statistical error against the mass, and write the figure.

    Parameters
    ----------
    rows
        Rows with ``mass [GeV]``, ``sigma [fb]`` and ``error [fb]``; those without a
        value are left out.
    process, machine
        What the header names.
    notes
        Lines in the panel: coupling, cuts.
    path
        Where the figure goes; endings .png and .pdf are put in.
    """
    known = [row for row in rows if row["sigma [fb]"] is not None]
    figure = Figure(figsize=(7.0, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    mass, sigma, error = (
        [row[name] for row in known]
        for name in ("mass [GeV]", "sigma [fb]", "error [fb]")
    )
    panel.errorbar(mass, sigma, error, color=style.BLUE, marker="o", markersize=3.5)
    panel.set(yscale="log", xlabel=labels.MASS, ylabel="cross-section [fb]")
    style.dress(panel)
    panel.set_title(process.title, loc="left", fontsize=11)
    panel.annotate(
        "\n".join(notes),
        (0.97, 0.95),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=9,
    )
    where = f"{machine.title}, $\\sqrt{{s}}$ = {machine.sqrt_s:.4g} GeV"
    radiation = "with" if process.isr else "without"
    panel.set_title(f"{where}, {radiation} ISR", loc="right", fontsize=9)
    style.save(figure, path.parent, path.stem)
