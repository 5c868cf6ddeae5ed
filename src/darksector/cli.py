"""The command line; heavy packages are imported by the command that needs them."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darksector import rediscovery_command
from darksector.display_command import display
from darksector.errors import DarksectorError, InvalidConfig, OutputError
from darksector.event_commands import generate, xsec
from darksector.fate_command import fate
from darksector.machine_commands import machine
from darksector.rediscovery import NAME as REDISCOVERY
from darksector.sensitivity_command import sensitivity
from darksector.statistics_commands import limit, scan, significance
from darksector.terminal import Row, as_json, print_rows, progress_bar

if TYPE_CHECKING:
    from darksector.report.summary import LimitRow
    from darksector.searches.pipeline import Plan

KINDS = ("searches", "models", "processes", "machines", "detectors")
_ALSO = {"searches": (REDISCOVERY,)}  # runs that look for no mediator
# keys of a run file: types of the value and of its items, and an example
_RUN_KEYS: Mapping[str, tuple[set[type], set[type], str]] = {
    "search": ({str}, set(), '"zprime_invisible"'),
    "luminosity": ({str}, set(), '"276/pb"'),
    "masses": ({str, list}, {int, float}, '[1.0, 3.0] or "0.5:7:0.5"'),
    "seed": ({int}, set(), "1"),
    "events": ({list}, {str}, '["signal.lhe.gz"]'),
    "observed": ({str}, set(), '"counts.csv"'),
    "invisible": ({int}, set(), "9000102"),
    "machine": ({str}, set(), '"superkekb"'),
    "detector": ({str}, set(), '"belle2_phase2"'),
}


class _Group(click.Group):
    """A group that turns the package's errors into one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DarksectorError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            resumes = ctx.invoked_subcommand == "run"
            after = (
                "run the same command again to resume" if resumes else "nothing kept"
            )
            click.echo(f"Stopped; {after}.", err=True)
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="darksector")
def main() -> None:
    """From a dark-sector Lagrangian to an exclusion plot at an e+e- B-factory."""


main.add_command(generate)
main.add_command(xsec)
main.add_command(display)
main.add_command(machine)
main.add_command(fate)
main.add_command(sensitivity)
main.add_command(limit)
main.add_command(scan)
main.add_command(significance)


@main.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@as_json
def list_(kind: str | None, as_json: bool) -> None:
    """List what is available."""
    from darksector import cardfile, registry

    folders: dict[str, registry.Registry[Any] | cardfile.CardFolder] = {
        "searches": registry.SEARCHES,
        "models": registry.MODELS,
        "processes": registry.PROCESSES,
        "machines": cardfile.MACHINES,
        "detectors": cardfile.DETECTORS,
    }
    rows = [
        {"kind": k, "name": name}
        for k in ([kind] if kind else KINDS)
        for name in (*folders[k].names(), *_ALSO.get(k, ()))
    ]
    print_rows(rows, as_json=as_json)


@main.command()
@click.argument("search")
@click.option("--luminosity", help="Integrated luminosity with unit, e.g. 276/pb.")
@click.option("--masses", help="Masses in GeV: start:stop:step or a,b,c.")
@click.option("--seed", type=click.IntRange(min=0), help="Random seed [default: 1].")
@click.option("--output", type=click.Path(path_type=Path), help="Output folder.")
@click.option("--events", multiple=True, help="LHE file of a signal sample.")
@click.option("--observed", help="CSV of observed counts: mass_gev,observed.")
@click.option("--invisible", type=int, help="PDG code of the invisible particle.")
@click.option("--machine", help="Machine card: a name or a .toml file.")
@click.option("--detector", help="Detector card: a name or a .toml file.")
@click.option("--workers", type=click.IntRange(min=1), help="Local processes.")
@as_json
def run(
    search: str,
    output: Path | None,
    workers: int | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Run SEARCH, a name from `darksector list` or a run.toml, and write a folder."""
    file = _run_file(Path(search)) if search.endswith(".toml") else {"search": search}
    if file["search"] == REDISCOVERY:
        chosen = {k: v for k, v in given.items() if v not in (None, ())}
        rest = file | chosen | ({"workers": workers} if workers else {})
        rediscovery_command.run(rest, output, as_json=as_json)
        return
    from darksector.report.writer import check_folder
    from darksector.searches import pipeline
    from darksector.searches.base import Execution

    plan = _plan(_settings(file, given))
    folder = output or Path("results") / plan.search.name
    checkpoint = folder / ".checkpoint"
    check_folder(folder, plan.config)
    _check_writable(folder)
    with progress_bar(plan.search.title) as progress:
        result = pipeline.run(plan, Execution(workers, checkpoint, progress))
    result.save(folder)
    shutil.rmtree(checkpoint, ignore_errors=True)
    _show(folder, as_json)
    if not as_json:
        click.echo(f"Wrote {folder}; open {folder / 'report.html'} in a browser.")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@as_json
def show(folder: Path, as_json: bool) -> None:
    """Print the limits of a run."""
    _show(folder, as_json)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@as_json
def cite(folder: Path, as_json: bool) -> None:
    """Print the BibTeX of what a run used."""
    from darksector import provenance

    references = provenance.read_references(folder)
    if as_json:
        print_rows([{"reference": key} for key in references], as_json=as_json)
    else:
        click.echo(provenance.bibtex(references))


@main.command()
@as_json
def doctor(as_json: bool) -> None:
    """Check this environment and say what to do."""
    from darksector import diagnosis

    checks = diagnosis.checks()
    print_rows([asdict(check) for check in checks], as_json=as_json)
    if any(check.status == "fail" for check in checks):
        raise SystemExit(1)


def _settings(file: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run: options, else the run file, else the search's own."""
    from darksector.registry import SEARCHES

    declared = SEARCHES.load(file["search"])
    defaults = {
        "luminosity": declared.dataset,
        "masses": declared.mass_grid,
        "seed": 1,
        "events": (),
        "observed": None,
        "invisible": None,
        "machine": declared.machine,
        "detector": declared.detector,
    }
    chosen = {k: v for k, v in given.items() if v not in (None, ())}
    settings = {**defaults, **file, **chosen}
    cards = {"machine": settings["machine"], "detector": settings["detector"]}
    return settings | {"search": replace(declared, **cards)}


def _plan(settings: Mapping[str, Any]) -> Plan:
    """Check all settings and input files; nothing is computed or written."""
    from darksector.searches import pipeline
    from darksector.searches.base import Inputs

    return pipeline.plan(
        settings["search"],
        luminosity=settings["luminosity"],
        masses=settings["masses"],
        seed=settings["seed"],
        inputs=Inputs(
            events=tuple(Path(p) for p in settings["events"]),
            observed=Path(settings["observed"]) if settings["observed"] else None,
            invisible=settings["invisible"],
        ),
    )


def _run_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"run file {str(path)!r} cannot be read: {error}."
        raise InvalidConfig(msg) from None
    unknown = set(content) - set(_RUN_KEYS)
    if unknown or "search" not in content:
        what = f"has the unknown key {min(unknown)!r}" if unknown else "lacks 'search'"
        msg = f"run file {str(path)!r} {what}; allowed: {', '.join(_RUN_KEYS)}."
        raise InvalidConfig(msg)
    for key, value in content.items():
        kinds, items, example = _RUN_KEYS[key]
        parts = value if isinstance(value, list) else ()
        if type(value) not in kinds or not {type(part) for part in parts} <= items:
            msg = f"run file {str(path)!r} has {key} = {value!r}; write {key} = {example}."
            raise InvalidConfig(msg)
    return content


def _check_writable(folder: Path) -> None:
    """Refuse an output folder before hours of work, not after."""
    try:
        (folder / ".checkpoint").mkdir(parents=True, exist_ok=True)
        probe = folder / ".checkpoint" / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        msg = (
            f"output folder {str(folder)!r} is not writable ({error.strerror}); "
            "choose another with --output."
        )
        raise OutputError(msg) from None


def _show(folder: Path, as_json: bool) -> None:
    from darksector.report.summary import summary_table

    rows = summary_table(folder)
    if as_json:
        print_rows([asdict(row) for row in rows], as_json=as_json)
        return
    print_rows([_for_people(row) for row in rows], as_json=as_json)
    if rows:
        level = f"{100 * rows[0].confidence_level:.4g} %"
        click.echo(f"Upper limits at {level}: {rows[0].method}.")


def _for_people(row: LimitRow) -> Row:
    return {
        "mass [GeV]": row.mass_gev,
        "quantity": row.quantity,
        "unit": row.unit,
        "observed": row.observed,
        "expected": row.expected,
        "-2σ": row.expected_minus2,
        "-1σ": row.expected_minus1,
        "+1σ": row.expected_plus1,
        "+2σ": row.expected_plus2,
        "status": row.status,
    }


if __name__ == "__main__":
    main()
