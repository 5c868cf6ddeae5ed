"""Samples, folder and command line of the rediscoveries."""

from __future__ import annotations

import json
from collections import Counter
from math import comb

import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

import darksector as ds
from darksector.cli import main
from darksector.errors import InvalidConfig, UnknownName
from darksector.kinematics import momentum, to_rest_frame, total
from darksector.particles import MASS
from darksector.rediscovery import dileptons, numbers, pions, pipeline, writer
from darksector.rediscovery.channels import CHANNELS, COMPONENTS

MACHINE = ds.machine("superkekb")


@pytest.fixture
def quick(monkeypatch):
    """Leave the J/psi alone, in few events."""
    monkeypatch.setattr(dileptons, "_EVENTS", 4096)
    for lepton in dileptons.QED:
        monkeypatch.setitem(dileptons.QED, lepton, {})


def run(seed=1, luminosity="2.62/fb"):
    return pipeline.run(
        pipeline.plan(luminosity=luminosity, seed=seed), channels=("jpsi_mumu",)
    )


def test_every_number_has_an_origin():
    for number in numbers.load().values():
        assert number.origin.source
        assert number.origin.status in {"recalled", "derived", "assumed"}


def test_every_component_has_a_name_and_every_flat_one_a_number():
    components = {name for parts in dileptons.QED.values() for name in parts}

    assert components <= set(COMPONENTS)
    assert all(c.flat in numbers.NAMES for c in CHANNELS.values() if c.flat)


@pytest.mark.parametrize(("lepton", "word"), [("mu", "mumu"), ("e", "ee")])
def test_jpsi_of_b_decays(lepton, word):
    """Σw = 2σBB; p* is p_max times a beta distribution (3, 2), mean 3/5, variance 1/25."""
    events = dileptons.jpsi(lepton, MACHINE, seed=1, n=16_384)
    leptons = [events.slot(i) for i in (1, 2)]
    both = total(leptons)
    cms = to_rest_frame(both, momentum(jnp.asarray(MACHINE.p_beams)[None]))
    p = np.asarray(cms.array())[:, 1:]
    size = np.linalg.norm(p, axis=1)
    expected = numbers.value("b_to_jpsi") * numbers.value(f"jpsi_to_{word}")
    expected *= 2 * numbers.value("cross_section_bb")

    mass2 = np.asarray(both.e**2 - both.x**2 - both.y**2 - both.z**2)
    assert float(events.weights.sum()) == pytest.approx(expected)
    assert np.sqrt(mass2) == pytest.approx(MASS["J/psi"], rel=1e-9)
    top = numbers.value("jpsi_p_max")
    assert size.max() < top * (1 + 1e-9)
    # four standard deviations of the mean: 0.2/√n, and 1/√3n of each cosine
    assert size.mean() / top == pytest.approx(0.6, abs=4 * 0.2 / 128)
    assert (p / size[:, None]).mean(axis=0) == pytest.approx(0.0, abs=4 / 128 / 3**0.5)


def test_every_pair_of_photons_of_an_event():
    """n photons make n(n-1)/2 pairs, each once."""
    event = np.repeat([0, 2, 3, 7], [2, 4, 2, 6])

    pairs = np.concatenate(list(pions._pairs(event)))

    assert (event[pairs[:, 0]] == event[pairs[:, 1]]).all()
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert len({tuple(pair) for pair in pairs.tolist()}) == len(pairs)
    counted = Counter(event[pairs[:, 0]].tolist())
    assert counted == {e: comb(int(n), 2) for e, n in Counter(event.tolist()).items()}


def test_photons_of_a_pion_keep_its_momentum():
    pion = np.array([[1.0, 0.3, -0.2, 0.0]] * 3)
    pion[:, 3] = np.sqrt(1 - 0.13 - MASS["pi0"] ** 2)

    made = pions._photons(pion, seed=1).reshape(3, 2, 4)

    assert made.sum(axis=1) == pytest.approx(pion)
    assert (made[..., 0] ** 2) == pytest.approx((made[..., 1:] ** 2).sum(axis=-1))


def test_the_talk_has_two_samples():
    plan = pipeline.plan()

    assert [each.luminosity for each in plan.datasets] == [0.5, 2.62]


def test_one_sample_on_request():
    plan = pipeline.plan(luminosity="1/fb", seed=3)

    assert [each.luminosity for each in plan.datasets] == [1.0]
    assert plan.config["luminosity"] == "1/fb"
    assert plan.config["seed"] == 3


def test_bad_inputs_are_refused_before_any_work():
    with pytest.raises(InvalidConfig, match="luminosity"):
        pipeline.plan(luminosity="500")
    with pytest.raises(UnknownName, match="belle2_phase2"):
        pipeline.plan(detector="belle2_phase3000")


@pytest.mark.slow
def test_same_seed_same_bytes(quick, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        writer.write_folder(run(seed), tmp_path / name)

    for file in ("fits.csv", "spectra.csv", "jpsi_mumu_2.62fb.png"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b
        assert a != c


def test_folder(quick, tmp_path):
    result = run()
    writer.write_folder(result, tmp_path)

    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        *("run.toml", "fits.csv", "spectra.csv", "provenance.json"),
        *("references.bib", "report.html"),
        *("jpsi_mumu_2.62fb.png", "jpsi_mumu_2.62fb.pdf"),
    }
    heading = (tmp_path / "fits.csv").read_text().splitlines()[0]
    assert heading == ",".join(writer.COLUMNS)
    record = json.loads((tmp_path / "provenance.json").read_text())
    assert {"samples/rediscovery.toml", "machines/superkekb.toml"} <= set(
        record["inputs"]
    )
    page = (tmp_path / "report.html").read_text()
    assert "is an assumption" in page
    assert "http" not in page.replace("https://", "")


def test_fit_finds_what_was_put_in(quick):
    """Four standard deviations of the fit."""
    (measured,) = run().measured

    injected = measured.expected["signal"].total()
    assert measured.fit.signal.value == pytest.approx(
        injected, abs=4 * measured.fit.signal.error
    )
    assert measured.counts.sum() == pytest.approx(
        measured.fit.signal.value + measured.fit.background.sum(), rel=1e-3
    )


@pytest.mark.parametrize(
    ("option", "word"),
    [
        (("--masses", "1,2"), "masses"),
        (("--invisible", "12"), "invisible"),
        (("--events", "x.lhe"), "events"),
        (("--workers", "2"), "workers"),
    ],
)
def test_command_line_refuses_what_it_cannot_honour(option, word, tmp_path):
    done = CliRunner().invoke(
        main, ["run", "rediscovery", *option, "--output", str(tmp_path)]
    )

    assert done.exit_code == 1
    assert f"takes no {word}" in done.stderr
    assert "luminosity" in done.stderr
    assert not list(tmp_path.iterdir())


def test_command_line_runs_and_repeats(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "CHANNELS", {"jpsi_mumu": CHANNELS["jpsi_mumu"]})
    first, again = tmp_path / "first", tmp_path / "again"

    done = CliRunner().invoke(
        main, ["run", "rediscovery", "--luminosity", "1/fb", "--output", str(first)]
    )
    once_more = CliRunner().invoke(
        main, ["run", str(first / "run.toml"), "--output", str(again), "--json"]
    )

    assert done.exit_code == once_more.exit_code == 0, done.output + once_more.output
    assert (first / "fits.csv").read_bytes() == (again / "fits.csv").read_bytes()
    rows = json.loads(once_more.stdout)
    assert {row["quantity"] for row in rows} >= {"yield", "mean", "sigma"}


def test_list_shows_it():
    done = CliRunner().invoke(main, ["list", "searches"])

    assert "rediscovery" in done.stdout
