"""A result as tables: CSV and Parquet for machines, rows of text for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from darksector.report.summary import COLUMNS, LimitRow
from darksector.results import SearchResult
from darksector.statistics.spectrum import Spectrum

Cell = str | float | int | None


@final
@dataclass(frozen=True)
class Table:
    """A heading and rows of text of the report."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def limit_rows(result: SearchResult) -> tuple[LimitRow, ...]:
    """Return one row per mass and quantity, in the order of both."""
    limits = result.limits
    return tuple(
        _limit_row(result, i, name)
        for i in range(len(limits.mass))
        for name in limits.units
    )


def limits_csv(result: SearchResult) -> bytes:
    """Return ``limits.csv``; absent values are empty."""
    return to_csv(COLUMNS, (astuple(row) for row in limit_rows(result)))


def cutflow_csv(result: SearchResult) -> bytes:
    """Return ``cutflow.csv``: expected events of every component after every cut."""
    heading = ("component", "cut", "description", "events", "error")
    return to_csv(heading, (astuple(row) for row in result.cutflow))


def windows_csv(result: SearchResult) -> bytes:
    """Return ``windows.csv``: the counting experiment of every mass, one per line."""
    columns = dict(_window_columns(result))
    return to_csv(tuple(columns), zip(*columns.values(), strict=True))


def regions_csv(result: SearchResult) -> bytes:
    """Return ``regions.csv``: expected events of every component in every region."""
    heading = ("region", "component", "events", "error")
    return to_csv(heading, (astuple(row) for row in result.regions))


def region_table(result: SearchResult) -> Table:
    """Return the events of every component and of all in every region, for people."""
    names = tuple(dict.fromkeys(row.region for row in result.regions))
    found = {(row.component, row.region): row for row in result.regions}
    components = dict.fromkeys(row.component for row in result.regions)
    rows = [
        (
            name,
            *(
                _with_error(found[name, region].events, found[name, region].error)
                for region in names
            ),
        )
        for name in components
    ]
    sums = [[row for row in result.regions if row.region == region] for region in names]
    total = (
        "total",
        *(
            _with_error(
                sum(row.events for row in part),
                float(np.sqrt(sum(row.error**2 for row in part))),
            )
            for part in sums
        ),
    )
    return Table(("component", *names), (*rows, total))


def _with_error(events: float, error: float) -> str:
    return f"{events:.4g} ± {error:.2g}"


def spectra_parquet(result: SearchResult) -> bytes:
    """Return ``spectra.parquet``: component, low, high, events, variance per bin."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    named: dict[str, Spectrum] = dict(result.spectra)
    named |= {f"signal_{mass:g}": s for mass, s in result.signal_spectra.items()}
    spectra = named.values()
    names = [n for n, s in named.items() for _ in s.contents]
    table = pa.table(
        {
            "component": pa.array(names, pa.string()),
            "low": _joined([s.edges[:-1] for s in spectra]),
            "high": _joined([s.edges[1:] for s in spectra]),
            "events": _joined([s.contents for s in spectra]),
            "variance": _joined([s.variances for s in spectra]),
        }
    )
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def cutflow_table(result: SearchResult) -> Table:
    """Return events ± error, one row per component, one column per cut."""
    components = tuple(dict.fromkeys(row.component for row in result.cutflow))
    cuts = tuple(dict.fromkeys(row.cut for row in result.cutflow))
    cells = {
        (row.component, row.cut): f"{row.events:.4g} ± {row.error:.2g}"
        for row in result.cutflow
    }
    rows = tuple((c, *(cells.get((c, cut), "") for cut in cuts)) for c in components)
    return Table(("component", *cuts), rows)


def window_table(result: SearchResult) -> Table:
    """Return window, efficiency, background and limits of every mass, for people."""
    windows, limits = result.windows, result.limits
    heading = (
        "mass [GeV]",
        "window",
        "efficiency [%]",
        "background",
        "observed events",
    )
    curves = {
        f"expected {_with_unit(result, n)}": c for n, c in limits.expected.items()
    }
    curves |= {
        f"observed {_with_unit(result, n)}": c for n, c in limits.observed.items()
    }
    total = windows.total_background()
    rows = tuple(
        (
            f"{mass:g}",
            f"{windows.low[i]:.4g} to {windows.high[i]:.4g}",
            f"{100 * windows.efficiency[i]:.3g}",
            f"{total[i]:.4g}",
            "" if result.observed is None else str(result.observed[i]),
            *(_short(curve[i]) for curve in curves.values()),
            limits.status[i],
        )
        for i, mass in enumerate(windows.mass)
    )
    return Table((*heading, *curves, "status"), rows)


def systematics_table(result: SearchResult) -> Table:
    """Return nuisance parameters and components with sizes, %, and sources."""
    shared = [
        (s.name, f"{100 * s.signal:.3g}", f"{100 * s.background:.3g}", s.source)
        for s in result.counting.systematics
    ]
    own = [
        (f"yield of {name}", "0", f"{100 * u.size:.3g}", u.source)
        for name, u in result.uncertainties.items()
    ]
    rows = (*shared, *own)
    return Table(("name", "signal [%]", "background [%]", "source"), rows)


def origins_table(result: SearchResult) -> Table:
    """Return every number of the cards with its status and source."""
    rows = tuple((n, o.status, o.source) for n, o in result.origins.items())
    return Table(("number", "status", "source"), rows)


def cut_descriptions(result: SearchResult) -> Mapping[str, str]:
    """Return each cut's label and what it does."""
    return {row.cut: row.description for row in result.cutflow}


def to_csv(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return CSV whose floats read back as the same bits; None is an empty cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue().encode()


def _limit_row(result: SearchResult, i: int, name: str) -> LimitRow:
    limits = result.limits
    low2, low1, median, up1, up2 = (_value(x) for x in limits.expected_band[name][i])
    observed = limits.observed.get(name)
    return LimitRow(
        mass_gev=float(limits.mass[i]),
        quantity=name,
        unit=limits.units[name],
        observed=None if observed is None else _value(observed[i]),
        expected=median,
        expected_minus2=low2,
        expected_minus1=low1,
        expected_plus1=up1,
        expected_plus2=up2,
        confidence_level=limits.confidence_level,
        method=limits.methods.get(name, limits.method),
        status=limits.statuses.get(name, limits.status)[i],
    )


def _window_columns(result: SearchResult) -> Iterator[tuple[str, list[Cell]]]:
    windows = result.windows
    yield "mass_gev", windows.mass.tolist()
    for name in ("low", "high", "resolution", "efficiency", "efficiency_error"):
        yield name, getattr(windows, name).tolist()
    yield "signal_sigma_fb", windows.signal_sigma.tolist()
    for name, events in windows.background.items():
        yield f"background_{name}", events.tolist()
        yield f"background_{name}_error", windows.background_error[name].tolist()
    for label, choice in windows.choices.items():
        kind = "threshold_" if choice.dtype.kind == "f" else ""
        yield kind + label.replace(" ", "_"), choice.tolist()
    none: list[Cell] = [None] * len(windows.mass)
    yield "observed", none if result.observed is None else result.observed.tolist()


def _with_unit(result: SearchResult, quantity: str) -> str:
    unit = result.limits.units[quantity]
    return quantity if unit in {"", "1"} else f"{quantity} [{unit}]"


def _joined(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *parts])


def _value(value: float | np.ma.core.MaskedConstant) -> float | None:
    return None if np.ma.is_masked(value) else float(value)


def _short(value: float | np.ma.core.MaskedConstant) -> str:
    return "" if np.ma.is_masked(value) else f"{float(value):.4g}"


def _cell(value: Cell) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    # float(): NumPy's own floats are floats too, but not their repr
    return repr(float(value)) if isinstance(value, float) else str(value)
