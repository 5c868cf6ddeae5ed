"""The commands `limit`, `scan` and `significance`, for people with a workspace."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import click

from darksector.errors import InvalidConfig
from darksector.terminal import Row, as_json, print_rows, progress_bar

if TYPE_CHECKING:
    import numpy as np

    from darksector.statistics.histfactory import ModelLikelihood

_BANDS = ("minus2", "minus1", "", "plus1", "plus2")
_EXPECTED = tuple(f"expected_{name}".rstrip("_") for name in _BANDS)

Command = Callable[..., Any]


@final
@dataclass(frozen=True)
class Request:
    """What a limit is asked to be."""

    confidence_level: float
    toys: int
    seed: int
    flat_in: float
    observed_only: bool


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_which = _options(
    click.option("--measurement", help="Measurement [default: the first]."),
    click.option("--poi", help="Parameter of interest [default: the measurement's]."),
)
_random = _options(
    click.option("--toys", type=click.IntRange(min=100), default=2000,
                 show_default=True, help="Random data sets per tested value."),
    click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
                 help="Of all random numbers."),
)  # fmt: skip
_level = click.option(
    "--confidence-level", type=float, required=True, help="For instance 0.9 or 0.95."
)
_plot = click.option(
    "--plot", type=click.Path(path_type=Path), help="Folder for the figure."
)


@click.command()
@click.argument("workspaces", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--method", type=click.Choice(["cls", "toys", "bayesian", "feldman-cousins"]),
              default="cls", show_default=True, help="See the page on limits.")  # fmt: skip
@_level
@_which
@_random
@click.option("--flat-in", type=float, default=1.0, show_default=True,
              help="Bayesian: flat in the coupling of which the signal is this power.")  # fmt: skip
@click.option("--observed-only", is_flag=True, help="Leave the expected limits out.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="CSV file for the table."
)
@as_json
def limit(
    workspaces: tuple[Path, ...], method: str, output: Path | None, as_json: bool, **how: Any
) -> None:  # fmt: skip
    """Set upper limits on the signal of HistFactory WORKSPACES (JSON files).

    One row each; where there is no limit, the status says why.
    """
    which = {name: how.pop(name) for name in ("measurement", "poi")}
    request = Request(**how)
    rows = []
    with progress_bar("limits") as report:
        for i, path in enumerate(workspaces):
            report(i, len(workspaces))
            found = _METHODS[method](_likelihood(path, **which), request)
            level = {"confidence_level": request.confidence_level, "method": method}
            rows.append({"workspace": path.name, **found, **level})
        report(len(workspaces), len(workspaces))
    print_rows(rows, as_json=as_json)
    if output is not None:
        _write(output, rows)


@click.command()
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option(
    "--values", required=True, help="Tested values: start:stop:step or a,b,c."
)
@_level
@_which
@_plot
@as_json
def scan(
    workspace: Path,
    values: str,
    confidence_level: float,
    plot: Path | None,
    as_json: bool,
    **which: Any,
) -> None:
    """Show CLs of a HistFactory WORKSPACE at values of the parameter of interest."""
    import numpy as np

    from darksector.statistics.profile_limits import cls_scan, cls_upper_limits
    from darksector.units import grid

    tested = np.array(grid(values, "value"))
    likelihood = _likelihood(workspace, **which)
    found = cls_scan(likelihood, tested)
    poi = likelihood.names[likelihood.poi]
    rows = [
        {
            poi: float(value),
            "observed": _number(found.observed[0, i]),
            **dict(zip(_EXPECTED, map(_number, found.expected[0, i]), strict=True)),
            "status": str(found.status[0]),
        }
        for i, value in enumerate(tested)
    ]
    print_rows(rows, as_json=as_json)
    if plot is not None:
        from darksector.plotting import inference

        limits = cls_upper_limits(likelihood, confidence_level=confidence_level)
        inference.save_scan(found, limits, plot, poi=poi, level=confidence_level)
        click.echo(f"Wrote the figure to {plot}.", err=True)


@click.command()
@click.argument("workspace", type=click.Path(path_type=Path))
@_which
@click.option("--toys", type=click.IntRange(min=100),
              help="Random data sets for the p-values [default: formulae].")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@_plot
@as_json
def significance(
    workspace: Path,
    toys: int | None,
    seed: int,
    plot: Path | None,
    as_json: bool,
    **which: Any,
) -> None:
    """Fit the signal of a HistFactory WORKSPACE and test its absence."""
    from darksector.statistics.impacts import impacts
    from darksector.statistics.intervals import signal_strength
    from darksector.statistics.profile import discovery

    likelihood = _likelihood(workspace, **which)
    strength, test = signal_strength(likelihood), discovery(likelihood)
    poi = likelihood.names[likelihood.poi]
    row = {
        "parameter": poi,
        "value": _number(strength.value[0]),
        "error_down": _number(strength.error_down[0]),
        "error_up": _number(strength.error_up[0]),
        "q0": float(test.q0[0]),
        "significance": float(test.local_significance[0]),
        "p_value": float(test.p_value[0]),
        "deviance": 2 * float(test.free.nll[0]),
        "status": str(test.status[0]),
    }
    if toys is not None:
        row |= _by_toys(likelihood, toys, seed)
    print_rows([row], as_json=as_json)
    if plot is not None:
        from darksector.plotting import inference

        inference.save_impacts(impacts(likelihood), plot, poi=poi)
        click.echo(f"Wrote the figure to {plot}.", err=True)


def _by_toys(likelihood: ModelLikelihood, toys: int, seed: int) -> Row:
    from darksector.statistics.toy_tests import goodness_of_fit, toy_discovery

    with progress_bar("toys without signal") as report:
        test = toy_discovery(
            likelihood, confidence_level=0.683, toys=toys, seed=seed, progress=report
        )
    with progress_bar("toys of the fit") as report:
        fit = goodness_of_fit(
            likelihood, confidence_level=0.683, toys=toys, seed=seed, progress=report
        )
    return {
        "p_value_toys": _number(test.p_value[0]),
        "goodness_p_value_toys": _number(fit.p_value[0]),
    }


def _cls(likelihood: ModelLikelihood, request: Request) -> Row:
    from darksector.statistics.profile_limits import cls_upper_limits

    found = cls_upper_limits(likelihood, confidence_level=request.confidence_level)
    bands = {} if request.observed_only else _bands(found.expected[0])
    observed = {"observed": _number(found.observed[0])}
    return {**observed, **bands, "status": str(found.status[0])}


def _toys(likelihood: ModelLikelihood, request: Request) -> Row:
    from darksector.statistics.toy_limits import toy_upper_limits

    with progress_bar("toys") as report:
        found = toy_upper_limits(
            likelihood,
            confidence_level=request.confidence_level,
            toys=request.toys,
            seed=request.seed,
            progress=report,
        )
    bands = {} if request.observed_only else _bands(found.expected[0])
    return {
        "observed": _number(found.observed[0]),
        "observed_error": _number(found.observed_error[0]),
        **bands,
        "status": str(found.status[0]),
    }


def _bayesian(likelihood: ModelLikelihood, request: Request) -> Row:
    from darksector.statistics.bayesian import bayesian_limits
    from darksector.statistics.bayesian_bands import bayesian_bands

    how: dict[str, Any] = {
        "confidence_level": request.confidence_level,
        "flat_in": request.flat_in,
        "seed": request.seed,
    }
    found = bayesian_limits(likelihood, **how)
    bands = {}
    if not request.observed_only:
        found_bands = bayesian_bands(likelihood, toys=request.toys, **how)
        bands = _bands(found_bands.expected_band[0])
    return {
        "observed": _number(found.observed[0]),
        "observed_error": _number(found.error[0]),
        **bands,
        "status": str(found.status[0]),
    }


def _feldman_cousins(likelihood: ModelLikelihood, request: Request) -> Row:
    from darksector.statistics.toy_intervals import unified_intervals

    with progress_bar("toys") as report:
        found = unified_intervals(
            likelihood,
            confidence_level=request.confidence_level,
            toys=request.toys,
            seed=request.seed,
            progress=report,
        )
    return {
        "lower": _number(found.lower[0]),
        "observed": _number(found.upper[0]),
        "observed_error": _number(found.upper_error[0]),
        "status": str(found.status[0]),
    }


_METHODS: dict[str, Callable[[ModelLikelihood, Request], Row]] = {
    "cls": _cls,
    "toys": _toys,
    "bayesian": _bayesian,
    "feldman-cousins": _feldman_cousins,
}


def _likelihood(
    path: Path, *, measurement: str | None, poi: str | None
) -> ModelLikelihood:
    from darksector.io.histfactory import read
    from darksector.statistics.histfactory import likelihood

    return likelihood(read(path, measurement=measurement, poi=poi))


def _bands(values: np.ma.MaskedArray) -> dict[str, float | None]:
    return dict(zip(_EXPECTED, map(_number, values), strict=True))


def _number(value: Any) -> float | None:
    """Return a plain number, None where it is masked."""
    import numpy as np

    return None if np.ma.is_masked(value) else float(value)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    from darksector.io.files import atomic_write

    if path.suffix != ".csv":
        msg = f"--output is {path}; tables are written as .csv."
        raise InvalidConfig(msg)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    atomic_write(path, stream.getvalue().encode())
