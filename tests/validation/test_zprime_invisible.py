"""The invisible Z' from end to end: one run, and all that its folder promises."""

from __future__ import annotations

import ast
import csv
import json
import math
import re
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import poisson

import darksector as ds
from darksector.searches import _simulation
from darksector.searches._simulation import Sample, simulate

REPOSITORY = Path(__file__).parents[2]
SAMPLES = REPOSITORY.parent / "shared" / "samples"
SEARCH = "zprime_invisible"
LUMINOSITY = 0.276  # fb^-1
BACKGROUNDS = ("dimuon_gamma", "ditau", "two_photon_dimuon")
COLUMNS = (  # section 2b of the design
    "mass_gev,quantity,unit,observed,expected,expected_minus2,expected_minus1,"
    "expected_plus1,expected_plus2,confidence_level,method,status"
)
FIGURES = (
    "recoil_mass2_spectrum",
    "efficiency_and_resolution",
    "signal_cross_section",
    "limit_cross_section",
    "limit_gprime",
)
FILES = {
    *("run.toml", "limits.csv", "windows.csv", "cutflow.csv", "spectra.parquet"),
    *("workspace.json", "provenance.json", "references.bib", "report.html"),
    *(f"{figure}.{kind}" for figure in FIGURES for kind in ("png", "pdf")),
}
# about the median count at 1 GeV, an excess at 5 GeV
COUNTS = "mass_gev,observed\n1,3\n5,10\n"


def darksector(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "darksector.cli", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the working folder of the one run, with what it printed."""
    place = tmp_path_factory.mktemp("zprime")
    (place / "counts.csv").write_text(COUNTS)
    masses = ("--masses", "1,5", "--observed", "counts.csv")
    # the other core is busy with other tests, and every worker compiles on its own
    options = ("--workers", "1", "--output", "out", "--json")
    printed = darksector("run", SEARCH, *masses, *options, cwd=place)
    return place, printed


@pytest.fixture(scope="module")
def folder(run):
    return run[0] / "out"


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def limits(folder):
    return {
        (float(row["mass_gev"]), row["quantity"]): row
        for row in table(folder / "limits.csv")
    }


def test_every_file_is_there_and_nothing_else(folder):
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}

    assert {name for name in names if not name.startswith("hepdata/")} == FILES
    assert "hepdata/submission.yaml" in names


def test_limits_have_the_promised_columns_and_rows(folder):
    header, *rows = (folder / "limits.csv").read_text().splitlines()
    quantities = ("sigma", "gprime", "gprime_fully_invisible")

    assert header == COLUMNS
    assert len(rows) == 6
    assert list(limits(folder)) == [(m, q) for m in (1.0, 5.0) for q in quantities]
    for row in limits(folder).values():
        values = [float(row[name]) for name in COLUMNS.split(",")[3:9]]
        assert all(math.isfinite(value) and value > 0 for value in values)
        assert row["unit"] == ("fb" if row["quantity"] == "sigma" else "1")
        assert row["confidence_level"] == "0.9"
        assert row["status"] == "ok"


def test_bands_are_ordered(folder):
    order = ("minus2", "minus1", None, "plus1", "plus2")
    for row in limits(folder).values():
        band = [float(row[f"expected_{x}" if x else "expected"]) for x in order]
        assert band == sorted(band)


def test_observed_limits_follow_the_counts(folder):
    """The median count gives the median limit, fewer a stronger one, more a weaker one."""
    windows = {float(row["mass_gev"]): row for row in table(folder / "windows.csv")}
    for (mass, _), row in limits(folder).items():
        window = windows[mass]
        background = sum(float(window[f"background_{name}"]) for name in BACKGROUNDS)
        excess = float(window["observed"]) - poisson.median(background)
        observed, expected = float(row["observed"]), float(row["expected"])
        if excess == 0:
            assert observed == pytest.approx(expected, rel=1e-8)
        else:
            assert np.sign(observed - expected) == np.sign(excess)
        if mass == 5.0:
            assert observed > float(row["expected_plus2"])


def test_limits_on_the_coupling_are_those_on_the_cross_section(folder):
    """σ = g'² σ(1) BR; BR(inv) of V02, and one if all decays are invisible."""
    rows, windows = limits(folder), table(folder / "windows.csv")
    for window, fraction in zip(windows, (0.500190, 0.347100), strict=True):
        mass, unit = float(window["mass_gev"]), float(window["signal_sigma_fb"])
        sigma, vanilla, full = (
            float(rows[mass, name]["expected"])
            for name in ("sigma", "gprime", "gprime_fully_invisible")
        )
        assert full == pytest.approx(math.sqrt(sigma / unit))
        assert vanilla == pytest.approx(full / math.sqrt(fraction), rel=1e-3)


def test_windows_reach_two_resolutions_around_the_squared_mass(folder):
    for row in table(folder / "windows.csv"):
        mass, low, high, resolution, efficiency = (
            float(row[name])
            for name in ("mass_gev", "low", "high", "resolution", "efficiency")
        )
        assert_allclose([low, high], mass**2 + 2 * resolution * np.array([-1, 1]))
        assert 0.01 < efficiency < 0.2
        assert row["observed"] == {1.0: "3", 5.0: "10"}[mass]
        for name in BACKGROUNDS:
            events = float(row[f"background_{name}"])
            error = float(row[f"background_{name}_error"])
            assert 0 <= error <= events < 10


def test_cutflow_falls(folder):
    rows = table(folder / "cutflow.csv")
    components = dict.fromkeys(row["component"] for row in rows)

    assert list(components) == [*BACKGROUNDS, "signal 1 GeV", "signal 5 GeV"]
    for component in components:
        events = [float(r["events"]) for r in rows if r["component"] == component]
        assert all(a >= b > 0 for a, b in pairwise(events))
        assert all(r["description"] for r in rows)


def test_spectra_read_back(folder):
    import pyarrow.parquet as pq

    spectra = pq.read_table(folder / "spectra.parquet").to_pydict()
    components = dict.fromkeys(spectra["component"])

    assert list(components) == [*BACKGROUNDS, "signal_1", "signal_5"]
    numbers = np.array([spectra[k] for k in ("low", "high", "events", "variance")])
    assert np.isfinite(numbers).all()
    assert (numbers[2:] >= 0).all()
    assert (numbers[0] < numbers[1]).all()
    for component in components:
        here = np.array(spectra["component"]) == component
        assert numbers[2, here].sum() > 0


@pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")
def test_the_workspace_is_the_counting_experiment(folder):
    pyhf = pytest.importorskip("pyhf")
    workspace = pyhf.Workspace(json.loads((folder / "workspace.json").read_text()))

    for row in table(folder / "windows.csv"):
        name = f"mass_{float(row['mass_gev']):g}_gev"
        others = [channel for channel in workspace.channels if channel != name]
        alone = workspace.prune(channels=others)
        model = alone.model()
        start = model.config.suggested_init()
        start[model.config.poi_index] = 1.0
        background = sum(float(row[f"background_{name}"]) for name in BACKGROUNDS)
        signal = float(row["efficiency"]) * LUMINOSITY
        (expected,) = model.expected_data(start, include_auxdata=False)
        assert expected == pytest.approx(background + signal, rel=1e-9)
        start[model.config.poi_index] = 0.0
        (expected,) = model.expected_data(start, include_auxdata=False)
        assert expected == pytest.approx(background, rel=1e-9)
        assert alone.data(model, include_auxdata=False) == [float(row["observed"])]


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_show_something(folder, figure):
    from matplotlib.image import imread

    image = imread(folder / f"{figure}.png")
    pdf = (folder / f"{figure}.pdf").read_bytes()

    assert min(image.shape[:2]) > 300
    assert 0.01 < (image[..., :3].min(axis=2) < 0.9).mean() < 0.8
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 5000


def test_the_report_loads_nothing_from_elsewhere(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    tags = re.findall(r"<(?:script|link|img|iframe|object|embed)\b[^>]*>", page)

    assert [
        tag
        for tag in tags
        if re.search(r"\b(src|href|data)\s*=\s*[\"']?(?!data:|#)", tag)
    ] == []
    assert "@import" not in re.sub(r"(?s)<script.*?</script>", "", page)
    assert not re.search(r"url\(\s*[\"']?(https?:)?//", page)
    assert "Z&#39; to invisible" in page
    assert "<table" in page


def test_what_the_run_printed_is_what_show_prints(run):
    place, printed = run
    rows = json.loads(printed)

    assert rows == json.loads(darksector("show", "out", "--json", cwd=place))
    assert [row["mass_gev"] for row in rows] == [1.0] * 3 + [5.0] * 3
    for row, line in zip(rows, limits(place / "out").values(), strict=True):
        assert row["expected"] == float(line["expected"])
    shown = darksector("show", "out", cwd=place)
    assert "gprime_fully_invisible" in shown
    assert "90 %" in shown.splitlines()[-1]


def test_the_run_says_whom_to_cite(run):
    place, _ = run
    keys = [
        row["reference"]
        for row in json.loads(darksector("cite", "out", "--json", cwd=place))
    ]

    assert {"arXiv:1912.11276", "arXiv:1403.2727", "arXiv:1606.03501"} <= set(keys)
    assert (
        darksector("cite", "out", cwd=place).strip()
        == (place / "out" / "references.bib").read_text(encoding="utf-8").strip()
    )


def test_the_run_says_what_it_used(folder):
    record = json.loads((folder / "provenance.json").read_text())

    assert record["seed"] == 1
    assert record["versions"].keys() >= {"python", "numpy", "jax", "darksector"}
    assert record["inputs"].keys() == {
        *("machines/superkekb.toml", "detectors/belle2_phase2.toml"),
        "observed/counts.csv",
    }
    assert all(len(digest) == 64 for digest in record["inputs"].values())


@pytest.mark.slow
def test_run_toml_repeats_the_run(run):
    place, _ = run

    darksector("run", "out/run.toml", "--output", "again", cwd=place)

    assert_same_run(place / "out", place / "again")
    assert (place / "again" / "run.toml").read_bytes() == (
        place / "out" / "run.toml"
    ).read_bytes()


def assert_same_run(left, right):
    for name in ("limits.csv", "windows.csv", "cutflow.csv", "spectra.parquet"):
        assert (left / name).read_bytes() == (right / name).read_bytes()


FIVE = ("run", SEARCH, "--masses", "5", "--output")


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    place = tmp_path_factory.mktemp("workers")
    darksector(*FIVE, "two", "--workers", 2, cwd=place)
    return place / "two"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 7])
def test_the_number_of_workers_changes_no_bit(two_workers, workers, tmp_path):
    darksector(*FIVE, "out", "--workers", workers, cwd=tmp_path)

    assert_same_run(tmp_path / "out", two_workers)


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bits(two_workers, tmp_path):
    command = [sys.executable, "-m", "darksector.cli", *FIVE, "out", "--workers", "2"]
    checkpoint = tmp_path / "out" / ".checkpoint"
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while len(list(checkpoint.glob("*.npz"))) < 10 and process.poll() is None:
            time.sleep(0.1)
        process.kill()
    kept = {path.name: path.stat().st_mtime_ns for path in checkpoint.glob("*.npz")}
    assert process.returncode == -9
    assert len(kept) >= 10
    assert not (tmp_path / "out" / "limits.csv").exists()

    darksector(*FIVE, "out", "--workers", "2", cwd=tmp_path)

    assert_same_run(tmp_path / "out", two_workers)
    assert not checkpoint.exists()


@pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the MadGraph samples are not beside this checkout"
)
@pytest.mark.parametrize("mass", [1.0, 6.0])
def test_events_of_madgraph_pass_the_cuts_like_our_own(mass, monkeypatch):
    """MadGraph has neither radiation nor beam spread, so neither have ours here."""
    file = SAMPLES / f"dimuon_zprime_m{mass:g}_madgraph.lhe.gz"
    own = _simulation.signal_process
    still = replace(
        ds.machine("superkekb"), energy_spread_her=0.0, energy_spread_ler=0.0
    )
    monkeypatch.setattr(_simulation, "signal_process", lambda *a: own(*a, isr=False))
    monkeypatch.setattr(_simulation, "load_machine", lambda _: still)
    sample = Sample(ds.search(SEARCH), "signal", mass, seed=1, chunk=0)
    external = _simulation.External(str(file), 9000102, 1.0)

    ours = simulate(sample)["cutflow"]
    theirs = simulate(replace(sample, external=external))["cutflow"]

    # the external events have the cross-section they were given, per event
    assert theirs[0, 0] == pytest.approx(2000.0)
    ours, theirs = (steps / [steps[0, 0], steps[0, 0] ** 2] for steps in (ours, theirs))
    error = np.sqrt(ours[1:, 1] + theirs[1:, 1])
    pulls = (ours[1:, 0] - theirs[1:, 0]) / error
    assert (np.abs(pulls) < 3.5).all(), pulls
    assert theirs[-1, 0] > 0.02
    assert theirs[-1, 0] == pytest.approx(ours[-1, 0], rel=0.25)


def code(text):
    """Return the statements of a program, without docstring and future imports."""
    return [
        ast.dump(statement)
        for statement in ast.parse(text).body
        if not isinstance(statement, ast.Expr) or isinstance(statement.value, ast.Call)
        if getattr(statement, "module", "") != "__future__"
    ]


def test_the_readme_is_the_example():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"(?s)```python\n(.*?)```", readme)
    example = (REPOSITORY / "examples" / f"{SEARCH}.py").read_text(encoding="utf-8")

    assert code(block) == code(example)
    assert len(code(example)) <= 10


@pytest.mark.slow
def test_the_example_runs_anywhere(tmp_path):
    example = REPOSITORY / "examples" / f"{SEARCH}.py"

    done = subprocess.run(
        [sys.executable, str(example)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "BR(Z' -> mu+ mu-) = 0.500" in done.stdout
    assert re.search(r"sigma\(mu\+ mu- Z'\) = [\d.]+ ± [\d.]+ fb", done.stdout)
    assert len(re.findall(r"(?m)^[135] GeV: expected g' < 0?\.\d+", done.stdout)) == 3
    assert (tmp_path / "results" / "example" / "report.html").is_file()
