"""Workspaces from files: what a damaged one says, and where."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from click.testing import CliRunner
from random_workspaces import workspace

from darksector.cli import main
from darksector.errors import InvalidFile, UnknownName
from darksector.io.histfactory import model_of, read
from darksector.statistics.histfactory import likelihood
from darksector.statistics.profile_limits import cls_upper_limits

SPEC = workspace(3)


def saved(folder, spec):
    path = folder / "workspace.json"
    path.write_text(json.dumps(spec))
    return path


def changed(change):
    spec = copy.deepcopy(SPEC)
    change(spec)
    return spec


def sample(spec):
    return spec["channels"][0]["samples"][1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("channels"), "no list 'channels'"),
        (lambda s: s["observations"].clear(), "has no observation"),
        (lambda s: sample(s).update(data="many"), "list of numbers"),
        (lambda s: sample(s)["data"].pop(), "bins"),
        (lambda s: sample(s)["data"].__setitem__(0, None), "must be a number"),
        (lambda s: sample(s)["data"].__setitem__(0, True), "must be a number"),
        (lambda s: s["observations"][0]["data"].__setitem__(0, -1), "-1"),
        (lambda s: s["observations"][0]["data"].__setitem__(0, float("nan")), "finite"),
        (lambda s: s["measurements"][0].update(config=3), "JSON object"),
        (lambda s: s["channels"].append(s["channels"][0]), "twice"),
        (
            lambda s: sample(s)["modifiers"].append(
                {"name": "x", "type": "normsys", "data": {"hi": 0.0, "lo": 1.0}}
            ),
            "> 0",
        ),
        (
            lambda s: sample(s)["modifiers"].append(
                {"name": "x", "type": "staterror", "data": [-1.0]}
            ),
            "uncertaint",
        ),
        (
            lambda s: sample(s)["modifiers"].append({"name": "l", "type": "lumi"}),
            "'l'",
        ),
        (
            lambda s: s["measurements"][0]["config"]["parameters"][0].update(inits=3),
            "list",
        ),
    ],
)
def test_a_damaged_workspace_is_one_clear_error(tmp_path, change, words):
    path = saved(tmp_path, changed(change))

    with pytest.raises(InvalidFile, match=words) as error:
        likelihood_of(path)

    assert str(path) in str(error.value)


def likelihood_of(path):
    return likelihood(read(path))


def test_what_is_no_json_says_so(tmp_path):
    path = tmp_path / "workspace.json"
    path.write_text("channels: 3")

    with pytest.raises(InvalidFile, match="not JSON"):
        read(path)
    with pytest.raises(InvalidFile, match="cannot read"):
        read(tmp_path / "absent.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["measurements"][0]["config"].update(poi="nothing"),
        lambda s: sample(s)["modifiers"].append({"name": "x", "type": "eval"}),
    ],
)
def test_unknown_names_list_the_known_ones(tmp_path, change):
    with pytest.raises(UnknownName, match="Known:"):
        read(saved(tmp_path, changed(change)))


def test_another_parameter_of_interest_and_measurement(tmp_path):
    path = saved(tmp_path, SPEC)

    with pytest.raises(UnknownName, match="measurement"):
        read(path, measurement="other")
    with pytest.raises(UnknownName, match="normalisation factor"):
        read(path, poi="alpha_0")


def test_the_command_prints_the_limit_of_the_library(tmp_path):
    path = saved(tmp_path, SPEC)
    expected = cls_upper_limits(likelihood(model_of(SPEC)), confidence_level=0.95)
    table = tmp_path / "limits.csv"

    done = CliRunner().invoke(
        main,
        ["limit", str(path), "--confidence-level", "0.95", "--json", "--output", str(table)],
    )  # fmt: skip

    (row,) = json.loads(done.stdout)
    assert row["observed"] == pytest.approx(float(expected.observed[0]))
    assert row["expected"] == pytest.approx(float(expected.expected[0, 2]))
    assert row["status"] == "ok"
    assert (
        table.read_text()
        .splitlines()[0]
        .startswith("workspace,observed,expected_minus2")
    )


def test_observed_only_leaves_the_bands_out(tmp_path):
    path = saved(tmp_path, SPEC)

    done = CliRunner().invoke(
        main,
        ["limit", str(path), "--confidence-level", "0.9", "--observed-only", "--json"],
    )

    assert not [
        name for name in json.loads(done.stdout)[0] if name.startswith("expected")
    ]


@pytest.mark.parametrize("method", ["toys", "bayesian", "feldman-cousins"])
def test_other_methods_give_a_limit_of_the_same_size(tmp_path, method):
    path = saved(tmp_path, SPEC)
    (asymptotic,) = cls_upper_limits(
        likelihood(model_of(SPEC)), confidence_level=0.9
    ).observed

    done = CliRunner().invoke(
        main,
        ["limit", str(path), "--confidence-level", "0.9", "--method", method,
         "--toys", "200", "--observed-only", "--json"],
    )  # fmt: skip

    (row,) = json.loads(done.stdout)
    assert 0.5 * asymptotic < row["observed"] < 2 * asymptotic
    assert row["method"] == method


def test_scan_and_significance_draw_their_figures(tmp_path):
    path, folder = saved(tmp_path, SPEC), tmp_path / "figures"

    scanned = CliRunner().invoke(
        main,
        ["scan", str(path), "--values", "0:2:1", "--confidence-level", "0.9", "--json",
         "--plot", str(folder)],
    )  # fmt: skip
    tested = CliRunner().invoke(
        main, ["significance", str(path), "--json", "--plot", str(folder)]
    )

    cls = [row["observed"] for row in json.loads(scanned.stdout)]
    assert cls[0] == pytest.approx(1.0)
    assert np.all(np.diff(cls) < 0)
    assert json.loads(tested.stdout)[0]["status"] == "ok"
    assert {p.name for p in folder.iterdir()} >= {"scan.png", "impacts.png"}


def test_bad_options_are_one_line(tmp_path):
    path = saved(tmp_path, SPEC)

    done = CliRunner().invoke(main, ["limit", str(path), "--confidence-level", "90"])

    assert done.exit_code != 0
    assert "between 0 and 1" in done.output
