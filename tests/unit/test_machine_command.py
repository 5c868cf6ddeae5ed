"""The command `machine`, as a user meets it, and its figures."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from darksector.cardfile import MACHINES
from darksector.cli import main
from darksector.machines import load
from darksector.plotting import machine as figures


def run(*arguments):
    return CliRunner().invoke(main, ["machine", *map(str, arguments)])


def rows(name):
    done = run(name, "--json")
    assert done.exit_code == 0, done.output
    return {row["quantity"]: row for row in json.loads(done.stdout)}


def test_numbers_of_the_design():
    """Rows of physics/machine-detector.md section 1.3, in the units of the screen."""
    found = rows("superkekb_design")

    assert found["Piwinski angle"]["LER"] == pytest.approx(24.7, rel=1e-2)
    assert found["particles per bunch"]["HER"] == pytest.approx(6.531e10, rel=1e-3)
    assert found["revolution frequency"]["value"] == pytest.approx(99.390, rel=1e-4)
    assert found["beta_y*"]["LER"] == pytest.approx(0.27)
    assert found["emittance_y"]["HER"] == pytest.approx(12.9)
    assert found["luminous region, sigma_z"]["value"] == pytest.approx(160, rel=1e-2)
    overlap = found["luminosity, overlap integral"]
    assert overlap["value"] == pytest.approx(8.104e35, rel=1e-3)
    assert overlap["unit"] == "cm^-2 s^-1"
    assert found["emittance_y"]["status"] == "recalled"


def test_data_sets_are_listed_with_their_days():
    found = rows("superkekb_2018")

    row = found["Phase 2, search for a Z', 2018-04-26 to 2018-07-17"]
    assert (row["value"], row["unit"], row["status"]) == (0.276, "fb^-1", "read")


def test_what_a_card_lacks_is_said_once():
    done = run("superkekb_2018")

    assert done.exit_code == 0
    assert "Piwinski" not in done.stdout
    assert "Not shown: particles per bunch, " in done.stderr
    assert "the card has no n_bunches, her.current" in done.stderr


@pytest.mark.parametrize("name", MACHINES.names())
def test_every_card_can_be_shown(name):
    assert "sqrt(s)" in rows(name)


def test_head_on_beams_have_no_overlap_length():
    """Infinity is no JSON."""
    assert "overlap length" not in rows("pep2")


def test_unknown_card():
    done = run("superkeb")

    assert done.exit_code == 1
    assert "Did you mean 'superkekb'" in done.stderr


def test_figures_are_written(tmp_path):
    done = run("superkekb", "--plot", tmp_path)

    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{stem}.{suffix}"
        for stem in ("crossing", "peak_luminosity", "integrated_luminosity")
        for suffix in ("png", "pdf")
    }


def test_the_crossing_needs_sizes(tmp_path):
    done = run("superkekb_2018", "--plot", tmp_path)

    assert done.exit_code == 1
    assert "MissingNumber" in done.stderr
    assert (tmp_path / "peak_luminosity.png").exists()


@pytest.fixture
def drawn(monkeypatch):
    """Return the figures that are saved, by name."""
    found = {}
    monkeypatch.setattr(
        figures.style, "save", lambda figure, _, stem: found.update({stem: figure})
    )
    return found


def test_the_crossing_is_to_scale(drawn, tmp_path):
    """Ellipses have the sizes and the angle of the card, and one scale for both axes."""
    machine = load("superkekb_design")

    figures.save_crossing(load("kekb"), machine, tmp_path)

    panel = drawn["crossing"].axes[1]
    electron, positron = panel.patches
    assert panel.get_aspect() == 1.0
    assert electron.width == pytest.approx(2 * 10 * machine.her.sigma_z)
    assert electron.height == pytest.approx(2 * 10 * machine.her.sigma_x)
    assert electron.angle == -positron.angle == pytest.approx(2.3778, rel=1e-4)
    assert drawn["crossing"].axes[0].get_xlim() == panel.get_xlim()
