"""One event as a page that turns and zooms, and needs no network."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from darksector.detectors.sight import Sight, Snapshot
from darksector.plotting import interactive, pages
from darksector.plotting.eventdisplay import Heading, caption
from darksector.plotting.looks import WORDS, look
from darksector.plotting.shapes import Geometry
from darksector.plotting.solids import event_chart

CHART = "event"  # id of the element that holds the chart
_HEIGHT = 640  # px


def event_page(seen: Snapshot, geometry: Geometry, heading: Heading) -> str:
    """Return the page: the chart, switches for its parts, and a table of particles."""
    chart = event_chart(seen, geometry)
    return pages.render(
        "darksector.plotting",
        "event_page.html.jinja",
        title=f"{heading.title}: event {heading.event} in {geometry.title}",
        caption=caption(seen),
        chart=Markup(interactive.chart(chart, CHART, height=_HEIGHT)),
        chart_name=CHART,
        switches=_switches(chart),
        particles=[_row(sight) for sight in seen.sights],
        library=Markup(interactive.library()),
    )


def _switches(chart: go.Figure) -> list[dict[str, Any]]:
    """Return the parts that can be hidden, with the numbers of their traces."""
    parts: dict[str, list[int]] = {}
    for number, trace in enumerate(chart.data):
        parts.setdefault(trace.meta["system"], []).append(number)
    return [
        {
            "name": name,
            "traces": traces,
            "on": chart.data[traces[0]].visible is not False,
        }
        for name, traces in parts.items()
    ]


def _row(sight: Sight) -> dict[str, Any]:
    size = float(np.linalg.norm(sight.p_gen[1:]))
    x, y, z = sight.p_gen[1:]
    return {
        "colour": look(sight.code).colour,
        "name": look(sight.code).symbol,
        "energy": f"{sight.p_gen[0]:.3f}",
        "theta": f"{np.rad2deg(np.arccos(z / size)):.1f}" if size else "",
        "phi": f"{np.rad2deg(np.arctan2(y, x)):.1f}",
        "response": WORDS[sight.response],
        "chance": f"{100 * sight.chance:.3g}",
        "seen": "" if sight.seen is None else f"{sight.seen[0]:.3f}",
    }
