"""The command `fate`, as a user meets it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import darksector as ds
from darksector import fate_command
from darksector.cli import main
from darksector.detectors.response import respond
from darksector.models.alp import Alp
from darksector.signatures import signatures

POINT = ("--mass", 0.2, "--coupling", 1e-4)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fate_command, "_GRID", 8)

    def invoke(*arguments):
        return CliRunner().invoke(main, ["fate", *map(str, arguments)])

    return invoke


def table(done):
    assert done.exit_code == 0, done.output
    return {row["quantity"]: row["value"] for row in json.loads(done.stdout)}


def test_signatures_of_an_alp(run):
    rows = table(run("alp", *POINT, "--json"))

    expected = signatures(
        respond(ds.detector("belle2")), ds.machine("superkekb"), [Alp(0.2, 1e-4)]
    )
    for name, values in vars(expected).items():
        assert rows[name] == pytest.approx(float(values[0]), rel=1e-12)
    # physics/alp-monopole.md V2 and V6 (derived), at 10.58 instead of 10.5796 GeV
    assert rows["c tau"] == pytest.approx(4.95937e-2, rel=1e-4)
    assert rows["decay length, cms"] == pytest.approx(1.31128, rel=1e-4)
    assert rows["smallest opening angle, cms"] == pytest.approx(4.3319, rel=1e-4)
    assert rows["branching fraction to gamma gamma"] == 1


def test_the_table_is_for_people_too(run):
    done = run("alp", *POINT)

    assert done.exit_code == 0, done.output
    for word in ("quantity", "resolved", "invisible", "lifetime", "deg"):
        assert word in done.stdout


def test_dark_matter_machine_and_detector_are_chosen(run):
    rows = table(
        run(
            *("alp", "--mass", 1, "--coupling", 1e-2, "--machine", "10.58"),
            *("--detector", "babar", "--model", "yukawa=2e-3"),
            *("--model", "dark_mass=0.3", "--json"),
        )
    )

    assert 0.1 < rows["branching fraction to chi chi"] < 0.9
    assert rows["invisible"] == pytest.approx(rows["branching fraction to chi chi"])


def test_the_map_is_drawn(run, tmp_path):
    done = run("alp", *POINT, "--plot", "maps")

    assert done.exit_code == 0, done.output
    for name in ("alp_signatures.png", "alp_signatures.pdf"):
        assert (tmp_path / "maps" / name).stat().st_size > 10_000
        assert name in done.stderr


def test_another_mediator_has_fates(run):
    """Above 2 m_mu half of a Z' goes to neutrinos: invisible, wherever it decays."""
    done = run("lmu_ltau", "--mass", 0.5, "--coupling", 1e-3, "--json")
    rows = table(done)

    assert list(rows)[:4] == ["prompt", "displaced", "calorimetric", "invisible"]
    dark = sum(v for k, v in rows.items() if k.startswith("branching") and "nu" in k)
    assert 0.4 < dark < 0.6
    assert rows["invisible"] == pytest.approx(dark, rel=1e-6)
    assert rows["prompt"] == pytest.approx(1 - dark, rel=1e-4)
    assert "mu+mu- Z'" in done.stderr


def test_what_is_stable_is_invisible_and_has_no_lifetime(run):
    """Below 2 m_e a dark photon has no channel."""
    rows = table(run("dark_photon", "--mass", 5e-4, "--coupling", 1e-4, "--json"))

    assert rows == {"prompt": 0, "displaced": 0, "calorimetric": 0, "invisible": 1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("axion", *POINT), "no model is called 'axion'", id="model"),
        pytest.param(("alp", *POINT, "--model", "y=1"), "dark_mass", id="parameter"),
        pytest.param(("alp", "--mass", 11), "above the mass 11", id="mass"),
        pytest.param(
            ("dark_photon", *POINT, "--plot", "maps"), "of alp, not", id="plot"
        ),
        pytest.param(("monopole", *POINT), "no process makes a single", id="pairs"),
    ],
)
def test_what_cannot_be_is_refused(run, arguments, words):
    done = run(*arguments)

    assert done.exit_code == 1
    assert words in done.stderr
