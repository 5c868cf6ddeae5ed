"""The interactive twins of the figures, for the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from darksector.limits.published import CouplingBand, PublishedLimit
from darksector.plotting import labels, palette, views
from darksector.results import SearchResult

SIGNALS = (("#D55E00", "solid"), ("#0072B2", "dash"), ("#000000", "dashdot"))
BAND_1, BAND_2 = "#8CC8EC", "#CFE7F6"  # as in style, which needs matplotlib
_DASHES = {"solid": "solid", "dashed": "dash", "dashdot": "dashdot", "dotted": "dot"}
_PATTERNS = dict(zip(palette.HATCHES, ("", "\\", ".", "+"), strict=True))
_OPTIONS = {"displaylogo": False, "responsive": True, "plotlyServerURL": ""}


def library() -> str:
    """Return the script that all charts of a page share; embed it once."""
    return str(get_plotlyjs())


def chart(figure: go.Figure, name: str, *, height: int = 520) -> str:
    """Return the HTML of one chart without the library; `name` is its element's id; px."""
    return str(
        figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=name,
            default_height=f"{height}px",
            config=_OPTIONS,
        )
    )


def recoil_spectrum(result: SearchResult) -> go.Figure:
    """Return stacked backgrounds and signals at their limit, events per bin."""
    figure = go.Figure()
    for name, (colour, hatch) in palette.fills(views.stacking_order(result)).items():
        spectrum = result.spectra[name]
        figure.add_bar(
            x=_centres(spectrum.edges),
            y=_numbers(spectrum.contents),
            width=np.diff(spectrum.edges).tolist(),
            marker={"color": colour, "line": {"width": 0}, "pattern": _pattern(hatch)},
            customdata=np.sqrt(spectrum.variances).tolist(),
            hovertemplate="%{y:.4g} ± %{customdata:.2g}",
            name=labels.to_html(result.labels.components.get(name, name)),
        )
    signals = zip(SIGNALS * 9, result.signal_spectra.items(), strict=False)
    for (colour, dash), (mass, spectrum) in signals:
        figure.add_scatter(
            x=_centres(spectrum.edges),
            y=_numbers(np.ma.masked_less_equal(spectrum.contents, 0)),
            line={"shape": "hvh", "color": colour, "dash": dash},
            mode="lines",
            hovertemplate="%{y:.4g}",
            name=f"signal, {mass:g} GeV, at the expected limit",
        )
    _layout(figure, labels.to_html(result.labels.observable), _per_bin(result))
    ends = views.event_range(result)
    if ends is not None:
        figure.update_yaxes(range=np.log10(ends).tolist())
    figure.update_layout(barmode="stack", bargap=0, hovermode="x unified")
    return figure


def cross_section_limit(result: SearchResult) -> go.Figure:
    """Return the limit on the signal cross-section with its expected bands, fb."""
    figure = go.Figure()
    _fills(figure, result, "sigma")
    _curves(figure, result, "sigma")
    _limit_axes(figure, result, "sigma", views.plane(result, "sigma"))
    return figure


def coupling_limit(
    result: SearchResult,
    overlays: Sequence[PublishedLimit],
    bands: Sequence[CouplingBand] = (),
) -> go.Figure:
    """Return the limit on the coupling beside the limits and hints of others."""
    figure = go.Figure()
    principal, *assumptions = labels.couplings(result)
    plane = views.plane(result, principal, overlays, bands)
    _fills(figure, result, principal)
    lines = iter(views.LINES * 9)
    for band in plane.bands:
        _band(figure, band, lines)
    _published(figure, plane.overlays)
    _curves(figure, result, principal)
    for name, look in zip(assumptions, cycle(palette.OWN), strict=False):
        colour, dash, marker = look
        figure.add_scatter(
            x=result.limits.mass.tolist(),
            y=_numbers(result.limits.expected[name]),
            line={"color": colour, "dash": _DASHES[dash]},
            marker={"symbol": marker + "-open"},
            mode="lines+markers",
            name=labels.to_html(labels.further(result, name)),
        )
    _limit_axes(figure, result, principal, plane)
    return figure


def _fills(figure: go.Figure, result: SearchResult, quantity: str) -> None:
    mass, band = result.limits.mass, result.limits.expected_band[quantity]
    for colour, (low, high), name in (
        (BAND_2, (0, 4), "expected ±2σ"),
        (BAND_1, (1, 3), "expected ±1σ"),
    ):
        for i, stretch in enumerate(views.stretches(band)):
            x, y = mass[stretch], np.asarray(band[stretch])
            shape = _outline(x, y[:, low], y[:, high])
            figure.add_scatter(
                **shape, fill="toself", fillcolor=colour, hoverinfo="skip",
                mode="lines", line={"color": colour, "width": 8 if len(x) == 1 else 0},
                name=name, legendgroup=name, showlegend=i == 0,
            )  # fmt: skip


def _curves(figure: go.Figure, result: SearchResult, quantity: str) -> None:
    curves = [("expected", result.limits.expected[quantity], "#000000")]
    if quantity in result.limits.observed:
        curves.append(("observed", result.limits.observed[quantity], "#0072B2"))
    for name, values, colour in curves:
        figure.add_scatter(
            x=result.limits.mass.tolist(),
            y=_numbers(values),
            line={"color": colour},
            mode="lines+markers",
            name=name,
        )


def _published(figure: go.Figure, limits: Sequence[PublishedLimit]) -> None:
    for (colour, dash), limit in zip(views.looks(limits), limits, strict=True):
        x, y = views.outline(limit)
        inside = {"fill": "toself", "fillcolor": _faint(colour)}
        figure.add_scatter(
            x=x.tolist(),
            y=y.tolist(),
            line={"color": colour, "dash": _DASHES[dash]},
            mode="lines",
            name=labels.published(limit),
            **(inside if limit.shape == "contour" else {}),
        )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.12)"


def _band(
    figure: go.Figure, band: CouplingBand, lines: Iterator[tuple[str, str]]
) -> None:
    name = labels.to_html(band.label)
    if band.low is None:
        colour, dash = next(lines)
        figure.add_scatter(
            x=band.mass.tolist(),
            y=band.high.tolist(),
            line={"color": colour, "dash": _DASHES[dash]},
            mode="lines",
            name=name,
        )
        return
    figure.add_scatter(
        **_outline(band.mass, band.low, band.high),
        fill="toself",
        opacity=0.6,
        line={"width": 0},
        mode="lines",
        name=name,
        hoverinfo="skip",
    )


def _outline(
    x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> dict[str, list[float]]:
    """Return the closed outline of a band: a chart has no gaps in its own fills."""
    return {
        "x": np.concatenate([x, x[::-1]]).tolist(),
        "y": np.concatenate([low, high[::-1]]).tolist(),
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Return plain numbers; a masked point is null, which a chart leaves as a gap."""
    return list(np.ma.asarray(values).tolist())


def _pattern(hatch: str) -> dict[str, str]:
    return {"shape": _PATTERNS[hatch], "fgcolor": "#707070", "fillmode": "overlay"}


def _centres(edges: NDArray[np.float64]) -> list[float]:
    return ((edges[1:] + edges[:-1]) / 2).tolist()


def _per_bin(result: SearchResult) -> str:
    spectra = [*result.spectra.values(), *result.signal_spectra.values()]
    if not spectra:
        return "events"
    return labels.to_html(labels.bin_width(spectra[0].edges, result.labels.observable))


def _limit_axes(
    figure: go.Figure, result: SearchResult, quantity: str, plane: views.Plane
) -> None:
    name = labels.to_html(f"upper limit on {labels.quantity(result, quantity)}")
    _layout(figure, labels.MASS, name)
    if plane.logarithmic:
        figure.update_xaxes(type="log", range=np.log10(plane.mass).tolist())
    else:
        figure.update_xaxes(range=plane.mass)
    if plane.values is not None:
        figure.update_yaxes(range=np.log10(plane.values).tolist())


def _layout(figure: go.Figure, horizontal: str, vertical: str) -> None:
    axis: dict[str, Any] = {
        "showline": True,
        "mirror": True,
        "linecolor": "#404040",
        "gridcolor": "#E6E6E6",
        "ticks": "inside",
        "zeroline": False,
    }
    figure.update_layout(
        template="none",
        margin={"l": 80, "r": 20, "t": 30, "b": 60},
        legend={"orientation": "h", "y": -0.18},
        xaxis={**axis, "title": {"text": horizontal}},
        yaxis={
            **axis,
            "title": {"text": vertical},
            "type": "log",
            "exponentformat": "power",
        },
    )
