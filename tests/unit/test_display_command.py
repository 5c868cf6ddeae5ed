"""The command `display`, as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from sample_event import events, info

from darksector.cli import main
from darksector.detectors import card
from darksector.detectors.response import respond
from darksector.detectors.snapshot import snapshot
from darksector.io import event_file
from darksector.plotting.geometry import geometry_of
from darksector.plotting.scene import scene


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments):
        return CliRunner().invoke(main, ["display", *map(str, arguments)])

    return invoke


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "events.lhe.gz"
    event_file.write(events(4), path, metadata=info())
    return path


def test_an_event_is_drawn_and_told(run, sample, tmp_path):
    done = run(sample, "--event", 3, "--output", "figures", "--json")

    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["particle"] for row in rows] == ["mu-", "mu+", "gamma", "Z'"]
    assert rows[0]["seen as"] == "muon track"
    assert rows[2]["E seen [GeV]"] == pytest.approx(1.5, rel=0.02)
    for name in ("event3_rphi_rz.png", "event3_rphi_rz.pdf", "event3.html"):
        assert (tmp_path / "figures" / name).stat().st_size > 20_000
        assert name in done.stderr


def test_the_same_seed_draws_the_same_from_any_format(run, tmp_path):
    for folder, ending in (("one", "root"), ("two", "hepmc")):
        path = tmp_path / f"events.{ending}"
        event_file.write(events(1), path, metadata=info())
        assert run(path, "--seed", 3, "--output", folder).exit_code == 0

    for name in ("event0_rphi_rz.png", "event0.html"):
        first, second = ((tmp_path / f / name).read_bytes() for f in ("one", "two"))
        assert first == second


def test_without_a_file_the_detector_is_drawn(run, tmp_path):
    done = run("--detector", "belle2_phase2", "--json")

    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert {row["system"] for row in rows} >= {"drift chamber", "calorimeter"}
    for stem in ("detector_belle2_phase2", "material_belle2_phase2"):
        assert (tmp_path / f"{stem}.png").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("FILE", "--event", 4), ("event 4", "0 to 3"), id="no such event"),
        pytest.param(("FILE", "--event", -1), ("event -1", "0 to 3"), id="negative"),
        pytest.param(
            ("FILE", "--detector", "bele2"), ("bele2", "belle2"), id="no such detector"
        ),
        pytest.param(("none.lhe",), ("none.lhe", "cannot be read"), id="no such file"),
        pytest.param(("events.txt",), (".lhe", ".root"), id="no such format"),
        pytest.param(("--event", 1), ("--event needs a file",), id="event of nothing"),
        pytest.param(("--seed", 1), ("--seed needs a file",), id="seed of nothing"),
    ],
)
def test_mistakes_are_one_clear_line(run, sample, arguments, words):
    done = run(*(sample if a == "FILE" else a for a in arguments))

    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(word in done.stderr for word in words)


def test_lengths_of_clusters_go_with_energy_and_muons_reach_the_iron():
    belle2 = card.load("belle2")
    geometry = geometry_of(belle2)
    seen = snapshot(respond(belle2), events(1), 0, p_beams=info().momenta.sum(axis=0))

    drawn = scene(seen, geometry)

    fast, slow, photon, dark = drawn.items
    start, end = photon.cluster
    assert np.linalg.norm(end - start) == pytest.approx(
        drawn.scale * seen.sights[2].deposit
    )
    assert np.hypot(*start[:2]) == pytest.approx(geometry.cavity.radius, abs=0.1)
    assert len(fast.hits) == seen.sights[0].iron_layers
    assert not len(slow.hits)
    assert dark.kind == "unseen"
    assert "muon detector" in drawn.systems
    # the arrow points where the missing momentum does
    p = seen.p_recoil[1:]
    assert np.cross(drawn.recoil, p) == pytest.approx(np.zeros(3), abs=1e-9)
