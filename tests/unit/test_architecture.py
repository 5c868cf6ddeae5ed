"""The layering is a test, not a wish; so are a light start and a source without tricks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOT = REPOSITORY / "src" / "darksector"
FILES = sorted(ROOT.rglob("*.py"))

# docs/decisions/0001; modules of one line may import each other
LAYERS = (
    (
        "errors",
        "units",
        "registry",
        "provenance",
        "cardfile",
        "execution",
        "compilation",
    ),
    ("particles", "kinematics"),
    ("amplitudes", "phasespace"),
    (
        "models",
        "beams",
        "history",
        "machines",
        "luminosity",
        "overlap",
        "schedule",
        "events",
    ),
    ("processes",),
    ("generators",),
    ("statistics", "limits"),
    ("detectors",),
    ("observables", "selection", "signatures"),
    ("results",),
    ("io", "plotting", "report"),
    ("searches", "rediscovery"),
    (
        "diagnosis",
        "terminal",
        "event_settings",
        "event_commands",
        "machine_commands",
        "display_command",
        "fate_command",
        "rediscovery_command",
        "sensitivity_command",
        "statistics_commands",
        "cli",
    ),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
PLUGINS = {"models", "processes", "searches"}
FOUNDATION = {
    "errors",
    "units",
    "registry",
    "provenance",
    "execution",
    "compilation",
    "statistics",
}
FRAMEWORK = {"base", "pipeline"}  # not plugins, as the registry knows
HEAVY = ("jax", "matplotlib", "plotly", "scipy", "pyarrow")


def parts(path):
    """Return the module of a file below the package, as a tuple of names."""
    names = path.relative_to(ROOT).with_suffix("").parts
    return names[:-1] if names[-1] == "__init__" else names


def modules(path):
    """Return the dotted names of all imports of a file, lazy ones among them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {
                f"{node.module}.{alias.name}"
                if (
                    ROOT.parent / Path(*node.module.split("."), f"{alias.name}.py")
                ).exists()
                else node.module
                for alias in node.names
            }
    return found


def imported(path):
    """Return what a file imports of the package: parts below ``darksector``."""
    names = (name.split(".") for name in modules(path))
    return {tuple(name[1:]) for name in names if name[0] == "darksector" and name[1:]}


def is_plugin(module):
    return (
        len(module) > 1
        and module[0] in PLUGINS
        and module[1] not in FRAMEWORK
        and not module[1].startswith("_")
    )


def test_every_module_has_its_place():
    assert {parts(path)[0] for path in FILES if parts(path)} == set(LEVEL)


def test_imports_point_down():
    offences = [
        f"{'.'.join(here)} -> {'.'.join(there)}"
        for path in FILES
        if (here := parts(path))  # the public face may import all
        for there in sorted(imported(path))
        if LEVEL[there[0]] > LEVEL[here[0]]
    ]

    assert offences == []


def test_plugins_do_not_import_plugins_of_their_kind():
    offences = [
        f"{'.'.join(here)} -> {'.'.join(there)}"
        for path in FILES
        if is_plugin(here := parts(path))
        for there in sorted(imported(path))
        if is_plugin(there) and there[0] == here[0]
    ]

    assert offences == []


def test_statistics_works_without_our_physics():
    offences = [
        f"{path.name} -> {'.'.join(there)}"
        for path in sorted((ROOT / "statistics").glob("*.py"))
        for there in sorted(imported(path))
        if there[0] not in FOUNDATION
    ]

    assert offences == []


def test_only_plotting_imports_the_plotting_libraries():
    offences = [
        str(path.relative_to(ROOT))
        for path in FILES
        if parts(path)[:1] != ("plotting",)
        and {name.split(".")[0] for name in modules(path)} & {"matplotlib", "plotly"}
    ]

    assert offences == []


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("import darksector", id="import"),
        pytest.param(
            "from click.testing import CliRunner\n"
            "from darksector.cli import main\n"
            "result = CliRunner().invoke(main, ['--help'])\n"
            "assert result.exit_code == 0 and 'Usage' in result.output",
            id="--help",
        ),
        pytest.param(
            "from click.testing import CliRunner\n"
            "from darksector.cli import main\n"
            "result = CliRunner().invoke(main, ['list'])\n"
            "assert result.exit_code == 0 and 'superkekb' in result.output",
            id="list",
        ),
    ],
)
def test_the_start_is_light(start):
    code = f"{start}\nimport sys\nprint([m for m in {HEAVY} if m in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_has_no_tricks(path):
    """No evaluated strings, no pickles, no path of somebody's machine."""
    text = path.read_text(encoding="utf-8")
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert not calls & {"eval", "exec", "compile", "__import__"}
    assert not {name.split(".")[0] for name in modules(path)} & {"pickle", "dill"}
    assert not re.search(r"/(home|root|work|Users|tmp|usr)/", text)


def test_lowest_versions_are_those_of_pyproject():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    bounds = dict(
        requirement.split(">=")
        for requirement in (
            *project["dependencies"],
            *extras["lhe"],
            *extras["root"],
            *extras["test"],
        )
    )
    bounds["jaxlib"] = bounds["jax"]  # they are released together

    lines = (REPOSITORY / ".ci" / "lowest.txt").read_text().splitlines()
    lowest = dict(line.split("==") for line in lines if line and line[0] != "#")

    assert lowest | bounds == lowest
