"""The commands `generate` and `xsec`, as a user meets them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from darksector import machines
from darksector.cli import main
from darksector.io import event_file
from darksector.particles import ALPHA, MASS
from darksector.units import GEV2_FB


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments):
        return CliRunner().invoke(main, [str(a) for a in arguments])

    return invoke


def test_xsec_of_a_background(run):
    """σ(μμ) = 4πα²/3s times the mass factor: 775.93 pb (zprime.md section 4)."""
    done = run("xsec", "dimuon", "--machine", 10.58, "--option", "isr=false", "--json")

    (row,) = json.loads(done.stdout)
    assert done.exit_code == 0
    assert row["sigma [fb]"] == pytest.approx(775_930, rel=2e-3)
    assert row["status"] == "ok"
    assert 0 < row["efficiency"] <= 1


def test_xsec_scan_prints_and_draws_and_keeps_what_fails(run, tmp_path):
    done = run("xsec", "dimuon_zprime", "--masses", "1,3,20", "--precision", 0.02)

    assert done.exit_code == 0
    assert (
        "above the collision energy" in done.stdout
    )  # of 20 GeV, and the others are there
    assert "initial-state radiation: collinear" in done.stdout
    for ending in ("png", "pdf"):
        assert (tmp_path / f"xsec_dimuon_zprime.{ending}").stat().st_size > 5000


def test_xsec_scan_that_fails_everywhere_fails(run, tmp_path):
    done = run("xsec", "dimuon_zprime", "--masses", "20,30")

    assert done.exit_code == 1
    assert "above the collision energy" in done.stdout
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize("ending", ["lhe.gz", "root"])
def test_generate_writes_a_file_that_reads_back(run, tmp_path, ending):
    file = tmp_path / f"signal.{ending}"

    done = run(
        *(
            "generate",
            "dimuon_zprime",
            "--mass",
            1,
            "--coupling",
            0.01,
            "--events",
            500,
        ),
        *("--cut", "theta_lab:mu-:37deg:120deg", "--output", file, "--json"),
    )

    (row,) = json.loads(done.stdout)
    sample = event_file.read(file)
    assert done.exit_code == 0, done.output
    assert sample.events.momenta.shape == (500, 3, 4)
    assert float(sample.events.weights.sum()) == pytest.approx(
        row["cross-section [fb]"]
    )
    assert sample.metadata.process == "dimuon_zprime"
    assert "theta_lab:mu-:37deg:120deg" in sample.metadata.conventions["cuts"]
    theta = np.arccos(
        np.asarray(sample.events.momenta[:, 0, 3])
        / np.linalg.norm(np.asarray(sample.events.momenta[:, 0, 1:]), axis=1)
    )
    assert np.all((np.degrees(theta) > 37) & (np.degrees(theta) < 120))


def test_generate_decays_with_the_lifetime_of_the_model(run, tmp_path):
    """cτ of an A' of 0.1 GeV and ε = 1e-4: 81.12 μm (dark-photon.md row 11)."""
    file = tmp_path / "displaced.root"

    done = run(
        *("generate", "gamma_aprime", "--mass", 0.1, "--coupling", 1e-4),
        *("--events", 4000, "--decay", "A':e+,e-", "--output", file),
    )

    events = event_file.read(file).events
    assert done.exit_code == 0, done.output
    assert events.pdg == (22, 4900023, -11, 11)
    assert events.mothers == (-1, -1, 1, 1)
    aprime = np.asarray(events.momenta[:, 1])
    flight = np.asarray(events.vertices[:, 2] - events.vertices[:, 1])
    proper = flight[:, 0] / (aprime[:, 0] / 0.1)
    assert proper.mean() == pytest.approx(81.12e-4, rel=4 / np.sqrt(4000))


def test_same_seed_same_file_content(run, tmp_path):
    for name in ("a.root", "b.root"):
        assert (
            run(
                "generate", "dimuon", "--events", 200, "--seed", 7, "--output", name
            ).exit_code
            == 0
        )
    one, two = (event_file.read(tmp_path / n).events for n in ("a.root", "b.root"))

    assert np.array_equal(one.momenta, two.momenta)
    assert np.array_equal(one.weights, two.weights)


def test_error_of_a_decayed_sample_is_that_of_its_cross_section(run):
    """Pulls of 12 seeds against the exact σ: χ² of 12 within its 0.1 % tails, 1 to 33."""
    s = 10.58**2
    r = 4 * MASS["tau"] ** 2 / s
    sigma = 4 * np.pi * ALPHA**2 / (3 * s) * np.sqrt(1 - r) * (1 + r / 2) * GEV2_FB
    expected = sigma * 0.1082**2  # τ -> π ν, Particle Data Group
    chi2 = 0.0
    for seed in range(12):
        done = run(
            *("generate", "ditau", "--events", 500, "--tau-decays", "pi,pi"),
            *("--option", "isr=false", "--machine", 10.58, "--seed", seed),
            *("--weighted", "--output", "x.root", "--json"),
        )
        (row,) = json.loads(done.stdout)
        chi2 += ((row["cross-section [fb]"] - expected) / row["error [fb]"]) ** 2

    assert 1 < chi2 < 33


def test_tau_pairs_decay_and_keep_equal_weights(run, tmp_path):
    """Branching fractions 17.39 % and 10.82 % (Particle Data Group): σ drops by both."""
    file = tmp_path / "taus.root"

    done = run(
        *("generate", "ditau", "--events", 3000, "--tau-decays", "mu,pi"),
        *("--option", "isr=false", "--machine", 10.58, "--output", file),
    )

    sample = event_file.read(file)
    assert done.exit_code == 0, done.output
    weights = np.asarray(sample.events.weights)
    assert sample.events.pdg == (13, -14, 16, 211, -16)
    assert np.mean(weights == np.median(weights)) > 0.99
    expected = 772_100 * 0.1739 * 0.1082  # zprime.md section 4: 772.1 pb
    assert sample.metadata.cross_section_fb == pytest.approx(expected, rel=0.03)


GENERATE = ("generate", "dimuon", "--events", "10", "--output", "x.lhe")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xsec", "dimuno"), "Did you mean 'dimuon'?"),
        (("xsec", "dimuon", "--masses", "1"), "has no mediator"),
        (("xsec", "dimuon", "--coupling", "3"), "has no mediator"),
        (("xsec", "dimuon", "--cut", "theta_lab:mu-::150"), "angles are in rad"),
        (
            ("xsec", "two_photon_dimuon", "--option", "pair_mass_min=-5"),
            "pair_mass_min must be",
        ),
        (
            (
                *("xsec", "diphoton", "--machine", "1.5"),
                *("--option", "photon_angle_min=0.001"),
            ),
            "no collinear logarithm",
        ),
        (
            (
                *("generate", "gamma_aprime", "--mass", "1", "--events", "10"),
                *("--decay", "A':tau+,tau-", "--output", "x.lhe"),
            ),
            "closed",
        ),
        (("xsec", "dimuon_zprime"), "needs the mass"),
        (("xsec", "dimuon_zprime", "--masses", "1", "--model", "xi=1"), "xi"),
        (("xsec", "dimuon", "--option", "isr"), "KEY=VALUE"),
        (("xsec", "dimuon", "--option", "isr=maybe"), "true or false"),
        (("xsec", "dimuon", "--option", "colour=red"), "colour"),
        (("xsec", "dimuon", "--cut", "e_lab:mu-"), "QUANTITY:PARTICLES:LOW:HIGH"),
        (("xsec", "dimuon", "--cut", "e_lab:mu-:three:"), "not a number"),
        (("xsec", "dimuon", "--cut", "e_lab:muon:3:"), "no particle is called"),
        (("xsec", "dimuon", "--cut", "e_cms:mu-:6:"), "passes the cuts"),
        (("xsec", "dimuon", "--precision", "0"), "precision must be within"),
        (("xsec", "dimuon", "--machine", "lhc"), "lhc"),
        (("xsec", "dimuon", "--machine", "0.1"), "above the collision energy"),
        ((*GENERATE[:-1], "x.txt"), "names no format of events"),
        ((*GENERATE, "--decay", "mu-:e-"), "branching fraction"),
        ((*GENERATE, "--tau-decays", "mu,gluon"), "no decay mode of the tau is called"),
        ((*GENERATE, "--tau-decays", "mu"), "two modes"),
        ((*GENERATE, "--decay", "pi0:gamma,gamma:0.9"), "finds no particle"),
        ((*GENERATE, "--decay", "mu-:e-,positronium:1"), "no particle is called"),
        (
            ("generate", "dimuon", "--events", "1000000000000", "--output", "x.lhe"),
            "free",
        ),
    ],
)
def test_mistakes_get_one_line(run, tmp_path, arguments, message):
    done = run(*arguments)

    assert done.exit_code == 1
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("x.*"))


def test_more_events_than_the_disk_takes(run, monkeypatch):
    """The free space is what the disk says; here it says 1 MB."""
    import shutil

    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr("darksector.io.files.shutil.disk_usage", lambda _: usage)

    done = run("generate", "dimuon", "--events", 100_000, "--output", "x.lhe")

    assert done.exit_code == 1
    assert "MB free" in done.stderr.splitlines()[-1]


def test_machine_may_be_an_energy(run):
    energy = machines.symmetric(3.7).sqrt_s

    done = run("xsec", "dimuon", "--machine", energy, "--option", "isr=false", "--json")

    # 4πα²/3s: nine times that at 10.58 GeV, but for the velocity factor
    sigma = json.loads(done.stdout)[0]["sigma [fb]"]
    assert sigma == pytest.approx(775_930 * (10.58 / 3.7) ** 2, rel=5e-3)
