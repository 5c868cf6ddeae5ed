"""Search results as a HEPData submission: one YAML file per table.

Format: https://hepdata-submission.readthedocs.io (schema 1.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darksector.results import SearchResult, Windows
from darksector.statistics.limits import SIGMAS

Column = dict[str, Any]  # an independent or dependent variable, as HEPData spells it


def submission(result: SearchResult) -> dict[str, str]:
    """Return the files of a HEPData submission: name to YAML text.

    ``submission.yaml`` describes the tables: the limits on each quantity, efficiency
    and resolution, and the background of each window.  Absent values are ``-``.

    Parameters
    ----------
    result
        What a search returned.
    """
    tables = [_limits(result, quantity) for quantity in result.limits.units]
    tables += [_performance(result), _background(result)]
    entries = [{"comment": f"{result.labels.title} ({result.labels.detector})"}]
    entries += [_entry(table) for table in tables]
    files = {"submission.yaml": _yaml(entries)}
    for table in tables:
        columns = {key: table[key] for key in ("independent", "dependent")}
        content = {f"{key}_variables": value for key, value in columns.items()}
        files[table["file"]] = _yaml([content])
    return files


def _limits(result: SearchResult, quantity: str) -> dict[str, Any]:
    limits = result.limits
    unit = limits.units[quantity]
    percent = f"{100 * limits.confidence_level:g} %"
    columns = []
    if quantity in limits.observed:
        values = _values(limits.observed[quantity])
        columns.append(_column("Observed upper limit", unit, values))
    values = [_expected(row) for row in limits.expected_band[quantity]]
    columns.append(_column("Median expected upper limit", unit, values))
    return {
        "name": f"Limits on {quantity}",
        "file": f"limits_{quantity}.yaml",
        "description": (
            f"Upper limits on {quantity} at {percent} ({limits.method}), observed and "
            "expected without signal, with the bands of one and two sigma."
        ),
        "observable": "UL",
        "independent": [_mass(limits.mass)],
        "dependent": columns,
    }


def _performance(result: SearchResult) -> dict[str, Any]:
    windows = result.windows
    resolution = f"Resolution of {result.labels.observable}"
    return {
        "name": "Efficiency and resolution",
        "file": "efficiency_and_resolution.yaml",
        "description": (
            "Signal efficiency of the window with its statistical error, and half the "
            "central 68 % interval of the observable."
        ),
        "observable": "EFF",
        "independent": [_mass(windows.mass)],
        "dependent": [
            _column(
                "Efficiency", "", _values(windows.efficiency, windows.efficiency_error)
            ),
            _column(resolution, "", _values(windows.resolution)),
        ],
    }


def _background(result: SearchResult) -> dict[str, Any]:
    windows = result.windows
    columns = [
        _column(
            f"Background: {component}",
            "events",
            _values(events, windows.background_error[component]),
        )
        for component, events in windows.background.items()
    ]
    columns.append(
        _column("Background: total", "events", _values(windows.total_background()))
    )
    if result.observed is not None:
        columns.append(_column("Observed", "events", _values(result.observed)))
    return {
        "name": "Background",
        "file": "background.yaml",
        "description": (
            f"Events in each window at {result.luminosity:g} fb^-1; errors are those "
            "of the simulated sample."
        ),
        "observable": "N",
        "independent": [_mass(windows.mass), _edges(windows, result.labels.observable)],
        "dependent": columns,
    }


def _mass(mass: NDArray[np.float64]) -> Column:
    return _column("Mass", "GeV", _values(mass))


def _edges(windows: Windows, observable: str) -> Column:
    pairs = zip(windows.low, windows.high, strict=True)
    values = [{"low": float(low), "high": float(high)} for low, high in pairs]
    return _column(observable, "", values)


def _column(name: str, unit: str, values: list[dict[str, Any]]) -> Column:
    """Return one variable; a unit of ``1`` means none, which HEPData leaves out."""
    header = {"name": name}
    if unit not in ("", "1"):
        header["units"] = unit
    return {"header": header, "values": values}


def _values(
    values: Iterable[Any], errors: NDArray[np.float64] | None = None
) -> list[dict[str, Any]]:
    """Return plain numbers with symmetric errors; HEPData rejects errors of zero."""
    entries = [_value(value) for value in values]
    if errors is not None:
        for entry, error in zip(entries, errors, strict=True):
            if error > 0:
                entry["errors"] = [{"symerror": float(error), "label": "stat"}]
    return entries


def _value(value: Any) -> dict[str, Any]:
    if np.ma.is_masked(value):
        return {"value": "-"}
    return {"value": value.item()}


def _expected(band: np.ma.MaskedArray) -> dict[str, Any]:
    """Return the median with the bands as asymmetric errors around it."""
    middle = SIGMAS.index(0)
    entry = _value(band[middle])
    if not np.ma.getmaskarray(band).any():
        entry["errors"] = [
            {
                "asymerror": {
                    "plus": float(band[middle + k] - band[middle]),
                    "minus": float(band[middle - k] - band[middle]),
                },
                "label": f"{k} sigma",
            }
            for k in (1, 2)
            if band[middle + k] > band[middle - k]
        ]
    return entry


def _entry(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": table["name"],
        "description": table["description"],
        "keywords": [
            {"name": "observables", "values": [table["observable"]]},
            {"name": "phrases", "values": ["dark sector"]},
        ],
        "data_file": table["file"],
    }


def _yaml(documents: list[dict[str, Any]]) -> str:
    import yaml

    text: str = yaml.safe_dump_all(
        documents, sort_keys=False, allow_unicode=True, explicit_start=True
    )
    return text
