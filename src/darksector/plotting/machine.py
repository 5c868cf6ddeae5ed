"""The crossing of the bunches seen from above, and how the luminosity grew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from darksector.luminosity import needed
from darksector.plotting import style

if TYPE_CHECKING:
    from darksector.history import Record
    from darksector.machines import Machine
    from darksector.schedule import Plan, Schedule

_UM = 1e4  # micrometres in a centimetre
_BEAMS = (("e$^-$", style.BLUE), ("e$^+$", style.VERMILION))
_PHASES = ("#E6E6E6", "#CFE7F6", "#F8EBD0")  # backgrounds of phases 1, 2, 3
_PLANS = ((style.GREY, "--"), (style.PURPLE, "-."))
_MM = 10.0  # millimetres in a centimetre
_YEAR = 365.25  # days


def save_crossing(left: Machine, right: Machine, folder: Path) -> None:
    """Draw two machines' bunches at the crossing, seen from above: ``crossing.png``, .pdf.

    The upper panels have one scale for both machines and both axes; the lower ones show
    where the bunches overlap, with the transverse axis stretched.

    Raises
    ------
    MissingNumber
        If a card has no bunch sizes.
    """
    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    machines = (left, right)
    reach = 1.35 * max(_lengths(each) for each in machines)
    height = 1.25 * max(_heights(each) for each in machines)
    rows = figure.add_gridspec(2, 1, height_ratios=(1.0, 1.6))
    top, bottom = (figure.add_subfigure(rows[i]) for i in (0, 1))
    top.suptitle("Bunches at the crossing, seen from above (1σ), to scale", fontsize=11)
    panels = top.subplots(2, 1)
    for panel, each in zip(panels, machines, strict=True):
        _bunches(panel, each)
        panel.set(xlim=(-reach, reach), ylim=(-height, height), ylabel="x [mm]")
        panel.set_aspect("equal")
        _bar(panel, 1.0, "1 mm")
        panel.set_title(_headline(each), loc="left", fontsize=10)
    panels[1].set_xlabel("z [mm]")
    bottom.suptitle("where the bunches meet, x stretched", fontsize=11)
    for panel, each in zip(bottom.subplots(1, 2), machines, strict=True):
        _overlap(panel, each)
        panel.set_title(each.title, loc="left", fontsize=10)
        panel.set(xlabel="z [mm]", ylabel="x [mm]")
    style.save(figure, folder, "crossing")


def save_peaks(schedule: Schedule, folder: Path) -> None:
    """Draw the peak luminosity against the date: ``peak_luminosity.png``, .pdf."""
    figure, panel = _dated("peak luminosity [cm$^{-2}$ s$^{-1}$]", schedule)
    goals = (
        ("goal of the design", "design"),
        ("goal of the next step", "intermediate"),
    )
    for label, name in goals:
        level = schedule.goals[name]
        panel.axhline(level, color=style.GREY, linestyle="--", linewidth=1)
        panel.annotate(
            f"{label}, {_scientific(level)}", (0.02, level), (0, 4),
            xycoords=("axes fraction", "data"), textcoords="offset points",
            fontsize=9, color="#505050",
        )  # fmt: skip
    _earlier(panel, schedule.others)
    _points(panel, schedule.peaks, "SuperKEKB")
    first, last = _year(schedule.peaks[0].end), _year(schedule.peaks[-1].end)
    panel.set(
        yscale="log",
        ylim=(3e33, 1.5e36),
        xlim=(first - 0.5, last + 0.5),
    )
    panel.xaxis.set_major_locator(MultipleLocator(1))
    style.legend(figure, panel)
    style.save(figure, folder, "peak_luminosity")


def save_integrated(schedule: Schedule, folder: Path) -> None:
    """Draw the integrated luminosity to its goal: ``integrated_luminosity.png``, .pdf."""
    figure, panel = _dated("integrated luminosity [fb$^{-1}$]", schedule)
    for record, colour in zip(schedule.phases, _PHASES, strict=False):
        start, end = _year(record.start), _year(record.end)
        panel.axvspan(start, end, color=colour, linewidth=0, zorder=0)
        panel.annotate(
            record.title, ((start + end) / 2, 0.42), xycoords=("data", "axes fraction"),
            ha="center", va="top", fontsize=9, rotation=90,
        )  # fmt: skip
    panel.axhline(schedule.goal, color=style.BLACK, linewidth=1)
    panel.annotate(
        f"goal: {schedule.goal / 1e3:g} ab$^{{-1}}$", (0.98, schedule.goal), (0, 4),
        xycoords=("axes fraction", "data"), textcoords="offset points",
        ha="right", fontsize=9,
    )  # fmt: skip
    for plan, (colour, dashes) in zip(schedule.plans, _PLANS, strict=False):
        days, totals = _course(plan, schedule.goal)
        label = f"assumed schedule: {plan.title}"
        panel.plot(days, totals, color=colour, linestyle=dashes, label=label)
    _points(panel, schedule.totals, "recorded")
    panel.set(yscale="log", ylim=(0.2, 2e5))
    panel.xaxis.set_major_locator(MultipleLocator(2))
    style.legend(figure, panel, first=("recorded (from its source)",), columns=2)
    style.save(figure, folder, "integrated_luminosity")


def _lengths(machine: Machine) -> float:
    """Return how far the bunches reach along z, mm."""
    _, her, ler = needed(machine, rings=("sigma_z",))
    return _MM * max(*her, *ler)


def _heights(machine: Machine) -> float:
    """Return how far the bunches reach across, mm."""
    _, her, ler = needed(machine, rings=("sigma_x", "sigma_z"))
    angle = machine.half_crossing_angle
    return _MM * max(hypot(x, z * angle) for x, z in (her, ler))


def _bunches(panel: Axes, machine: Machine) -> None:
    """Draw both bunches in their true shape, 1σ."""
    _, her, ler = needed(machine, rings=("sigma_z", "sigma_x"))
    angle = np.degrees(machine.half_crossing_angle)
    for sign, (sigma_z, sigma_x), (label, colour) in zip(
        (1, -1), (her, ler), _BEAMS, strict=True
    ):
        panel.add_patch(
            Ellipse(
                (0.0, 0.0),
                2 * _MM * sigma_z,
                2 * _MM * sigma_x,
                angle=sign * angle,
                facecolor=colour,
                edgecolor=colour,
                alpha=0.55,
                linewidth=0.5,
                label=label,
            )
        )
    style.dress(panel)
    panel.tick_params(which="both", labelsize=9)


def _overlap(panel: Axes, machine: Machine) -> None:
    """Draw the part of the bunches that meets, stretched across, with its β_y."""
    _bunches(panel, machine)
    _, her, ler = needed(machine, rings=("sigma_x", "sigma_z", "beta_y"))
    angle = max(machine.half_crossing_angle, 1e-9)
    meet = min(max(her[0], ler[0]) / angle, max(her[1], ler[1]))
    reach = min(4 * _MM * meet, 1.25 * _lengths(machine))
    height = 1.3 * max(_MM * max(her[0], ler[0]) * 1.5, reach * angle)
    beta = _MM * (her[2] + ler[2]) / 2
    panel.axvspan(-beta, beta, color=style.YELLOW, alpha=0.35, linewidth=0, zorder=0)
    panel.set(xlim=(-reach, reach), ylim=(-height, height))
    text = f"shaded: |z| < β$_y^*$ = {beta:.2g} mm"
    panel.annotate(text, (0.5, 0.03), xycoords="axes fraction", ha="center", fontsize=9)
    (electron, blue), (positron, red) = _BEAMS
    for x, beam, colour in (
        (0.43, f"{electron} →", blue),
        (0.57, f"← {positron}", red),
    ):
        panel.annotate(
            beam,
            (x, 0.96),
            xycoords="axes fraction",
            color=colour,
            ha="center",
            va="top",
        )


def _bar(panel: Axes, length: float, label: str) -> None:
    """Draw a scale bar at the lower right, in units of the axis."""
    right, low = panel.get_xlim()[1] * 0.97, panel.get_ylim()[0] * 0.6
    panel.plot((right - length, right), (low, low), color=style.BLACK, linewidth=2)
    panel.annotate(
        label, (right - length / 2, low), (0, 3), textcoords="offset points",
        ha="center", fontsize=9,
    )  # fmt: skip


def _headline(machine: Machine) -> str:
    _, her, ler = needed(machine, rings=("sigma_x",))
    sizes = f"σ$_x^*$ = {_UM * her[0]:.3g} µm (e$^-$), {_UM * ler[0]:.3g} µm (e$^+$)"
    return f"{machine.title}: {2e3 * machine.half_crossing_angle:.3g} mrad, {sizes}"


def _dated(ylabel: str, schedule: Schedule) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    panel.set_xlabel("year")
    panel.set_ylabel(ylabel)
    style.dress(panel)
    panel.set_title(schedule.title, loc="left", fontsize=11)
    return figure, panel


def _earlier(panel: Axes, others: Sequence[Record]) -> None:
    """Draw the records of earlier colliders as lines."""
    for record in others:
        panel.axhline(record.value, color=style.GREEN, linestyle=":", linewidth=1.2)
        known = "" if record.origin.status == "read" else f", {record.origin.status}"
        when = f"{record.start.year}{known}"
        panel.annotate(
            f"{record.title} record ({when}), {_scientific(record.value)}",
            (0.98, record.value), (0, -11),
            xycoords=("axes fraction", "data"), textcoords="offset points",
            ha="right", fontsize=9, color=style.GREEN,
        )  # fmt: skip


def _points(panel: Axes, records: Sequence[Record], title: str) -> None:
    """Draw records; full markers were read, open ones are recalled or derived."""
    for read, face in ((True, style.BLUE), (False, "white")):
        chosen = [r for r in records if (r.origin.status == "read") == read]
        kinds = " or ".join(dict.fromkeys(r.origin.status for r in chosen))
        panel.plot(
            [_year(r.end) for r in chosen], [r.value for r in chosen],
            color=style.BLUE, marker="o", linestyle="none", markerfacecolor=face,
            label=f"{title} (from its source)" if read else f"{title} ({kinds})",
        )  # fmt: skip


def _course(plan: Plan, goal: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the years and the totals of a plan until its goal, fb⁻¹."""
    days = np.linspace(0.0, plan.days_until(goal), 200)
    return _year(plan.start) + days / _YEAR, plan.integrated(days)


def _year(day: date) -> float:
    """Return a date as a year with fraction."""
    return day.year + (day - date(day.year, 1, 1)).days / _YEAR


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{float(mantissa):g} × 10$^{{{int(exponent)}}}$"
