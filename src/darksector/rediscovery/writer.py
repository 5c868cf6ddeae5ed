"""Writes the output folder of the rediscoveries, every file whole or not at all."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np
import tomli_w

from darksector import provenance
from darksector.io.files import atomic_write
from darksector.rediscovery import numbers, shapes
from darksector.rediscovery.channels import CHANNELS, COMPONENTS, Peak
from darksector.rediscovery.fits import Value
from darksector.rediscovery.pipeline import Measured, Result
from darksector.report.tables import Cell, to_csv
from darksector.report.writer import check_folder

if TYPE_CHECKING:
    from darksector.plotting.fits import Curves

_POINTS = 1001  # of a curve
_WIDTH_OF_HALF = 2 * np.sqrt(2 * np.log(2))  # full width at half maximum over σ


@final
@dataclass(frozen=True)
class FitRow:
    """One line of ``fits.csv``; its fields are the columns, absent values None.

    Parameters
    ----------
    channel, detector, luminosity_fb
        Which spectrum of which sample; fb⁻¹.
    quantity, unit
        What was found, and its unit.
    value, error
        Of the fit to the pseudo-data; of ``resolution`` from the simulation alone.
    injected
        What the simulation has.
    """

    channel: str
    detector: str
    luminosity_fb: float
    quantity: str
    unit: str
    value: float
    error: float | None
    injected: float | None


COLUMNS = tuple(field.name for field in fields(FitRow))


def write_folder(result: Result, folder: Path) -> None:
    """Write every file of a run.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds the results of another run.
    """
    check_folder(folder, result.plan.config)
    for name, content in _documents(result):
        atomic_write(folder / name, content)
    _save_figures(result, folder)
    atomic_write(folder / "report.html", _report(result, folder).encode())


def fit_rows(result: Result) -> tuple[FitRow, ...]:
    """Return what was fitted, one row per quantity."""
    return tuple(row for measured in result.measured for row in _rows(measured))


def stem(measured: Measured) -> str:
    """Return the name of a figure without its ending."""
    lumi = measured.dataset.luminosity
    amount = f"{lumi:g}fb" if lumi >= 1 else f"{1e3 * lumi:g}pb"
    return f"{measured.channel}_{amount}"


def _documents(result: Result) -> Iterator[tuple[str, bytes]]:
    """Yield file name and content; ``run.toml`` first, as it marks the folder."""
    yield "run.toml", tomli_w.dumps(result.plan.config).encode()
    yield "fits.csv", to_csv(COLUMNS, (astuple(row) for row in fit_rows(result)))
    heading = ("channel", "detector", "luminosity_fb", "component", "low", "high")
    rows = [row for measured in result.measured for row in _bins(measured)]
    yield "spectra.csv", to_csv((*heading, "events", "variance"), rows)
    record = json.dumps(result.provenance.to_dict(), indent=2, allow_nan=False)
    yield "provenance.json", f"{record}\n".encode()
    yield "references.bib", provenance.bibtex(result.provenance.references).encode()


def _rows(measured: Measured) -> Iterator[FitRow]:
    peak, fit = CHANNELS[measured.channel].peak, measured.fit
    where = (
        measured.channel,
        measured.dataset.detector,
        measured.dataset.luminosity,
    )
    total = float(measured.counts.sum())
    expected = sum(each.total() for each in measured.expected.values())
    yield FitRow(*where, "events", "", total, float(np.sqrt(total)), expected)
    if peak is None or fit is None:
        return
    scale, unit = peak.scale, peak.unit
    injected = measured.expected["signal"].total()
    yield FitRow(*where, "yield", "", fit.signal.value, fit.signal.error, injected)
    for name, value, truth in (
        ("mean", fit.mean, scale * peak.truth),
        ("sigma", fit.sigma, None),
    ):
        numbers_ = (scale * value.value, scale * value.error)
        yield FitRow(*where, name, unit, *numbers_, truth)
    half = scale * fit.full_width / float(_WIDTH_OF_HALF)
    yield FitRow(*where, "full_width/2.355", unit, half, None, None)
    width = scale * measured.resolution
    yield FitRow(*where, "resolution", unit, width, None, None)
    yield FitRow(*where, "chi2/dof", "", fit.chi2 / fit.dof, None, 1.0)


def _bins(measured: Measured) -> Iterator[tuple[Cell, ...]]:
    where = (
        measured.channel,
        measured.dataset.detector,
        measured.dataset.luminosity,
    )
    edges = CHANNELS[measured.channel].edges
    columns = {n: (s.contents, s.variances) for n, s in measured.expected.items()}
    counts = measured.counts.astype(np.float64)
    columns["pseudo-data"] = (counts, counts)
    if measured.fit is not None:
        columns["fit"] = (measured.fit.peak + measured.fit.background, 0 * edges[1:])
    for name, (events, variances) in columns.items():
        for low, high, n, variance in zip(
            edges[:-1], edges[1:], events, variances, strict=True
        ):
            yield (*where, name, float(low), float(high), float(n), float(variance))


def _save_figures(result: Result, folder: Path) -> None:
    from darksector.plotting import fits, style

    for measured in result.measured:
        channel, fit = CHANNELS[measured.channel], measured.fit
        shown = fits.FittedSpectrum(
            title=f"{channel.title}; {channel.selection}",
            subtitle=measured.dataset.title,
            luminosity=measured.dataset.luminosity,
            label=channel.label,
            edges=channel.edges,
            counts=measured.counts,
            components=_stacked(measured),
            fit=None if fit is None else fit.peak + fit.background,
            curves=_curves(measured),
            box=_box(measured),
        )
        style.save(fits.fitted_spectrum(shown), folder, stem(measured))


def _stacked(measured: Measured) -> Mapping[str, np.ndarray]:
    """Return the components, those without events left out, the signal last."""
    found = {
        COMPONENTS[name]: spectrum.contents
        for name, spectrum in measured.expected.items()
        if name != "signal" and spectrum.total() > 0
    }
    return found | {COMPONENTS["signal"]: measured.expected["signal"].contents}


def _curves(measured: Measured) -> Curves | None:
    channel, fit = CHANNELS[measured.channel], measured.fit
    if channel.peak is None or fit is None:
        return None
    x = np.linspace(channel.low, channel.high, _POINTS)
    total, under = shapes.curve(fit.parameters, channel.edges, x)
    return x, total, None if channel.peak.degree is None else under


def _box(measured: Measured) -> tuple[str, ...]:
    peak, fit = CHANNELS[measured.channel].peak, measured.fit
    if peak is None or fit is None:
        return (f"{measured.counts.sum()} events",)
    injected = measured.expected["signal"].total()
    found = rf"$N = {fit.signal.value:.0f} \pm {fit.signal.error:.0f}$"
    place = _line(r"\mu", fit.mean, peak)
    return (
        f"{found} (simulated {injected:.0f})",
        f"{place} (true {peak.scale * peak.truth:.7g})",
        _line(r"\sigma", fit.sigma, peak),
        f"simulated 68 % half-width {peak.scale * measured.resolution:.3g} {peak.unit}",
        rf"$\chi^2/\mathrm{{dof}} = {fit.chi2:.0f}/{fit.dof}$",
    )


def _line(symbol: str, found: Value, peak: Peak) -> str:
    value, error = peak.scale * found.value, peak.scale * found.error
    digits = max(0, 1 - int(np.floor(np.log10(error))))
    return rf"${symbol} = {value:.{digits}f} \pm {error:.{digits}f}$ {peak.unit}"


def _report(result: Result, folder: Path) -> str:
    from darksector.plotting import pages

    figures = {
        stem(each): base64.b64encode(
            (folder / f"{stem(each)}.png").read_bytes()
        ).decode()
        for each in result.measured
    }
    return pages.render(
        "darksector.rediscovery",
        "report.html.jinja",
        result=result,
        rows=fit_rows(result),
        figures=figures,
        config=tomli_w.dumps(result.plan.config),
        origins=numbers.load(),
    )
