"""The command line: what it prints, and how it refuses bad input before any work."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

import darksector
from darksector.cli import KINDS, main
from darksector.report.summary import COLUMNS, LimitRow
from darksector.report.tables import to_csv
from darksector.searches import pipeline

SEARCH = "zprime_invisible"
EVENT = """<event>
{n} 1 1.0 -1.0 -1.0 -1.0
11 -1 0 0 0 0 0.0 0.0 {beam:.12e} {beam:.12e} 0.0 0.0 9.0
-11 -1 0 0 0 0 0.0 0.0 -{beam:.12e} {beam:.12e} 0.0 0.0 9.0
{particles}</event>
"""


def lhe(*codes, beam=5.29, mass=1.0, events=2):
    """Return an LHE file whose particles share the energy at equal angles in a plane."""
    masses = [mass if abs(code) > 1e6 else 0.0 for code in codes]
    low, high = 0.0, 2 * beam
    for _ in range(200):
        p = (low + high) / 2
        above = sum(math.hypot(p, m) for m in masses) > 2 * beam
        low, high = (low, p) if above else (p, high)
    lines = ""
    for i, (code, m) in enumerate(zip(codes, masses, strict=True)):
        angle = 2 * math.pi * i / len(codes)
        x, y = p * math.cos(angle), p * math.sin(angle)
        e = math.hypot(p, m)
        lines += f"{code} 1 1 2 0 0 {x:.12e} {y:.12e} 0.0 {e:.12e} {m} 0.0 9.0\n"
    text = EVENT.format(n=2 + len(codes), beam=beam, particles=lines) * events
    return (
        '<LesHouchesEvents version="3.0">\n<init>\n'
        f"11 -11 {beam} {beam} 0 0 0 0 3 1\n1.0 0.01 1.0 1\n</init>\n"
        f"{text}</LesHouchesEvents>\n"
    )


MUONS = (13, -13, 9000102)
FILES = {
    "good.lhe": lhe(*MUONS),
    "again.lhe": lhe(*MUONS),
    "cut.lhe": lhe(*MUONS)[:-200],
    "other_beams.lhe": lhe(*MUONS, beam=3.5),
    "photon.lhe": lhe(22, 9000101),
    "empty.lhe": "",
    "card.toml": 'title = "mine"\nreferences = []\n[energy]\nvalue = 1.0\n',
    "short.csv": "mass_gev,observed\n1,2\n",
    "half.csv": "mass_gev,observed\n1,2.5\n5,1\n",
    "twice.csv": "mass_gev,observed\n1,2\n1,3\n5,1\n",
    "negative.csv": "mass_gev,observed\n1,-2\n5,1\n",
    "columns.csv": "mass,count\n1,2\n5,1\n",
    "unknown.toml": f'search = "{SEARCH}"\nmases = [1.0]\n',
    "empty.toml": "seed = 1\n",
    "number.toml": f'search = "{SEARCH}"\nluminosity = 0.276\n',
    "words.toml": f'search = "{SEARCH}"\nmasses = ["one"]\n',
    "truth.toml": f'search = "{SEARCH}"\nseed = true\n',
    "broken.toml": "search = \n",
    "other.toml": 'search = "zprime_visible"\n',
    "a_file": "in the place of a folder",
    "other_run/run.toml": f'search = "{SEARCH}"\nseed = 2\n',
    "not_a_run/run.toml": "search = \n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a working folder with all kinds of input; simulation is forbidden."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "run", no_work)
    return tmp_path


def no_work(plan, execution):
    pytest.fail("the input was accepted, and the simulation started")


def call(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def contents(folder):
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*")}


BAD = [
    pytest.param(
        ("zprime_invisible", "--machine", "card.toml"),
        "InvalidCard",
        "card.toml|unknown key 'energy'|energy_her",
        id="machine card: unknown key",
    ),
    pytest.param(
        ("zprime_invisible", "--detector", "card.toml"),
        "InvalidCard",
        "card.toml|unknown key 'energy'|calorimeter",
        id="detector card: unknown key",
    ),
    pytest.param(
        ("zprime_invisible", "--machine", "nowhere.toml"),
        "InvalidCard",
        "nowhere.toml|cannot be read",
        id="machine card: missing",
    ),
    pytest.param(
        ("zprime_invisible", "--machine", "superkek"),
        "UnknownName",
        "Did you mean 'superkekb'?",
        id="unknown machine",
    ),
    pytest.param(
        ("zprime_invisble",),
        "UnknownName",
        "Did you mean 'zprime_invisible'?",
        id="unknown search",
    ),
    pytest.param(
        (SEARCH, "--masses", "20"),
        "OutOfDomain",
        "above the collision energy of SuperKEKB|choose a mass below 10.37 GeV",
        id="mass above threshold",
    ),
    pytest.param(
        (SEARCH, "--masses", "-1"), "OutOfDomain", "mass|> 0|-1", id="negative mass"
    ),
    pytest.param(
        (SEARCH, "--masses", "1,1"), "InvalidConfig", "1 GeV is given twice", id="twice"
    ),
    pytest.param(
        (SEARCH, "--masses", "1:2"), "InvalidConfig", "start:stop:step", id="bad grid"
    ),
    pytest.param(
        (SEARCH, "--masses", "1:2:-1"), "InvalidConfig", "step > 0", id="step backwards"
    ),
    pytest.param(
        (SEARCH, "--masses", "one"), "InvalidConfig", "'one' is not a number", id="word"
    ),
    pytest.param(
        (SEARCH, "--luminosity", "-276/pb"),
        "InvalidConfig",
        "greater than zero",
        id="negative luminosity",
    ),
    pytest.param(
        (SEARCH, "--luminosity", "276"),
        "InvalidConfig",
        "a unit out of /nb, /pb, /fb, /ab",
        id="luminosity without unit",
    ),
    pytest.param(
        (SEARCH, "--events", "cut.lhe"), "InvalidFile", "cut.lhe", id="truncated LHE"
    ),
    pytest.param(
        (SEARCH, "--events", "empty.lhe"), "InvalidFile", "empty.lhe", id="empty LHE"
    ),
    pytest.param(
        (SEARCH, "--events", "nowhere.lhe"),
        "InvalidFile",
        "nowhere.lhe|is not there",
        id="missing LHE",
    ),
    pytest.param(
        (SEARCH, "--events", "other_beams.lhe"),
        "InvalidFile",
        "the file's beams|are not the machine's",
        id="LHE of other beams",
    ),
    pytest.param(
        (SEARCH, "--events", "photon.lhe"),
        "InvalidFile",
        "final state is (22, 9000101)|dimuon_zprime has [13, 13]",
        id="LHE of another final state",
    ),
    pytest.param(
        (SEARCH, "--events", "good.lhe", "--events", "again.lhe"),
        "InvalidFile",
        "good.lhe and again.lhe are both samples of 1 GeV",
        id="two LHE files of one mass",
    ),
    pytest.param(
        (SEARCH, "--events", "good.lhe", "--invisible", "99"),
        "InvalidConfig",
        "99|--invisible",
        id="unknown invisible particle",
    ),
    pytest.param(
        (SEARCH, "--masses", "1,5", "--observed", "short.csv"),
        "InvalidFile",
        "short.csv|window at 5 GeV|exactly one count",
        id="missing window",
    ),
    pytest.param(
        (SEARCH, "--masses", "1,5", "--observed", "twice.csv"),
        "InvalidFile",
        "window at 1 GeV has the counts [2, 3]",
        id="window twice",
    ),
    pytest.param(
        (SEARCH, "--masses", "1,5", "--observed", "half.csv"),
        "InvalidFile",
        "half.csv|whole number|2.5",
        id="count not whole",
    ),
    pytest.param(
        (SEARCH, "--masses", "1,5", "--observed", "negative.csv"),
        "InvalidFile",
        "counts [-2]|>= 0",
        id="negative count",
    ),
    pytest.param(
        (SEARCH, "--masses", "1,5", "--observed", "columns.csv"),
        "InvalidFile",
        "columns mass_gev,observed",
        id="other columns",
    ),
    pytest.param(
        (SEARCH, "--observed", "nowhere.csv"),
        "InvalidFile",
        "nowhere.csv|--observed",
        id="missing counts",
    ),
    pytest.param(
        (SEARCH, "--observed", "other_run"),
        "InvalidFile",
        "other_run|--observed",
        id="counts are a folder",
    ),
    pytest.param(
        ("unknown.toml",),
        "InvalidConfig",
        "unknown key 'mases'|allowed: search, luminosity, masses",
        id="run file: unknown key",
    ),
    pytest.param(
        ("empty.toml",), "InvalidConfig", "lacks 'search'", id="run file: no search"
    ),
    pytest.param(
        ("number.toml",),
        "InvalidConfig",
        'luminosity = 0.276; write luminosity = "276/pb"',
        id="run file: number for text",
    ),
    pytest.param(
        ("words.toml",),
        "InvalidConfig",
        "masses = ['one']; write masses = [1.0, 3.0]",
        id="run file: text for numbers",
    ),
    pytest.param(
        ("truth.toml",), "InvalidConfig", "seed = True", id="run file: true for number"
    ),
    pytest.param(
        ("broken.toml",), "InvalidConfig", "cannot be read", id="run file: not TOML"
    ),
    pytest.param(
        ("nowhere.toml",), "InvalidConfig", "cannot be read", id="run file: missing"
    ),
    pytest.param(
        ("other.toml",), "UnknownName", "'zprime_visible'", id="run file: search"
    ),
]


@pytest.mark.parametrize(("arguments", "error", "words"), BAD)
def test_bad_input_is_refused_before_any_work(folder, arguments, error, words):
    before = contents(folder)

    done = call("run", *arguments, "--output", "out")

    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)  # no traceback
    assert done.stderr.startswith(f"{error}: ")
    assert done.stdout == ""
    for word in words.split("|"):
        assert word in done.stderr
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("output", "words"),
    [
        pytest.param("a_file/out", "a_file/out", id="below a file"),
        pytest.param("a_file", "a_file", id="a file"),
        pytest.param("other_run", "holds the results of another run", id="other run"),
        pytest.param("not_a_run", "cannot be used", id="damaged run.toml"),
        pytest.param("/proc/out", "/proc/out", id="read-only file system"),
    ],
)
def test_a_bad_output_folder_is_refused_before_any_work(folder, output, words):
    before = contents(folder)

    done = call("run", SEARCH, "--masses", "1", "--output", output)

    assert done.exit_code == 1
    assert done.stderr.startswith("OutputError: ")
    assert words in done.stderr
    assert "choose another" in done.stderr
    assert contents(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("list", "cards"), id="unknown kind"),
        pytest.param(("run", SEARCH, "--seed", "-1"), id="negative seed"),
        pytest.param(("run", SEARCH, "--seed", "x"), id="seed is no number"),
        pytest.param(("run", SEARCH, "--workers", "0"), id="no workers"),
        pytest.param(("run",), id="no search"),
        pytest.param(("start", SEARCH), id="unknown command"),
        pytest.param(("run", SEARCH, "--lumi", "1/fb"), id="unknown option"),
    ],
)
def test_wrong_usage_is_explained(folder, arguments):
    before = contents(folder)

    done = call(*arguments)

    assert done.exit_code == 2
    assert "Usage: " in done.stderr
    assert "Error: " in done.stderr
    assert contents(folder) == before


@pytest.mark.parametrize("command", ["show", "cite"])
@pytest.mark.parametrize("place", ["nowhere", "a_file", "other_run"])
def test_a_folder_without_a_run_is_refused(folder, command, place):
    done = call(command, place)

    assert done.exit_code == 1
    assert done.stderr.startswith("InvalidFile: ")
    assert place in done.stderr


def test_an_accepted_run_reaches_the_simulation(folder, monkeypatch):
    """Options win over the run file, and the file over the search's own settings."""
    (folder / "mine.toml").write_text(
        f'search = "{SEARCH}"\nluminosity = "1/fb"\nmasses = "1:3:1"\nseed = 7\n'
    )
    plans = []

    def stop(plan, execution):
        plans.append(plan)
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "run", stop)

    done = call("run", "mine.toml", "--seed", "3", "--output", "out")

    assert done.exit_code == 130
    assert "run the same command again to resume" in done.stderr
    (plan,) = plans
    assert (plan.luminosity, plan.masses, plan.seed) == (1.0, (1.0, 2.0, 3.0), 3)


def test_an_lhe_file_brings_its_mass(folder, monkeypatch):
    plans = []

    def stop(plan, execution):
        plans.append(plan)
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "run", stop)

    call("run", SEARCH, "--masses", "1,5", "--events", "good.lhe", "--output", "out")

    (plan,) = plans
    assert plan.masses == (1.0, 5.0)
    (sample,) = plan.external.values()
    assert list(plan.external) == [1.0]
    assert (Path(sample.file).name, sample.invisible) == ("good.lhe", 9000102)
    assert plan.provenance.inputs.keys() >= {"events/0/good.lhe"}


def test_help_names_every_command():
    done = call("--help")

    assert done.exit_code == 0
    for command in ("list", "run", "show", "cite", "doctor"):
        assert f"\n  {command} " in done.stdout
    assert call("-h").stdout == done.stdout
    assert "--luminosity" in call("run", "--help").stdout


def test_version():
    assert call("--version").stdout.split()[-1] == darksector.__version__


def test_list_names_everything():
    done = call("list")

    assert done.exit_code == 0
    for kind, name in (
        ("searches", SEARCH),
        ("models", "lmu_ltau"),
        ("processes", "two_photon_dimuon"),
        ("machines", "superkekb"),
        ("detectors", "belle2_phase2"),
    ):
        assert [kind, name] in [line.split() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_list_of_one_kind_as_json(kind):
    rows = json.loads(call("list", kind, "--json").stdout)

    assert rows
    assert all(row["kind"] == kind and row["name"] for row in rows)


def test_doctor_finds_this_environment_fit():
    done = call("doctor", "--json")
    rows = {row["check"]: row for row in json.loads(done.stdout)}

    assert done.exit_code == 0
    assert rows.keys() >= {"Python", "jax", "double precision", "compilation cache"}
    assert all(row["status"] in {"ok", "warn"} for row in rows.values())
    assert all(row["remedy"] for row in rows.values() if row["status"] != "ok")
    assert "double precision" in call("doctor").stdout


def test_doctor_fails_with_a_remedy(monkeypatch):
    needs = ["numpy>=2.0", "no-such-package>=1", 'pylhe>=2; extra == "lhe"']
    monkeypatch.setattr("darksector.diagnosis.requires", lambda _: needs)

    done = call("doctor", "--json")
    rows = {row["check"]: row for row in json.loads(done.stdout)}

    assert done.exit_code == 1
    assert rows["no-such-package"]["remedy"] == "pip install no-such-package"


def test_brackets_survive_the_table(monkeypatch):
    monkeypatch.setattr("darksector.diagnosis.find_spec", lambda _: None)

    assert "'darksector[lhe]'" in call("doctor").stdout


@pytest.fixture
def limits(tmp_path):
    """Return a folder with the limits of one mass, the observed one absent."""
    row = LimitRow(
        *(1.0, "sigma", "fb", None, 108.79, 65.9, 85.0, 168.5, 237.3),
        *(0.9, "Bayesian, flat prior", "ok"),
    )
    cells = [getattr(row, name) for name in COLUMNS]
    (tmp_path / "limits.csv").write_bytes(to_csv(COLUMNS, [cells]))
    return tmp_path


def test_show_for_people(limits):
    heading, row, caption = call("show", limits).stdout.splitlines()

    assert heading.split("  ")[0] == "mass [GeV]"
    assert heading.split()[-5:] == ["-2σ", "-1σ", "+1σ", "+2σ", "status"]
    assert row.split() == [
        "1",
        "sigma",
        "fb",
        "108.8",
        "65.9",
        "85",
        "168.5",
        "237.3",
        "ok",
    ]
    assert caption == "Upper limits at 90 %: Bayesian, flat prior."
    assert max(map(len, (heading, row, caption))) < 100


def test_show_for_programs(limits):
    (row,) = json.loads(call("show", limits, "--json").stdout)

    assert tuple(row) == COLUMNS
    assert row["observed"] is None
    assert row["expected"] == 108.79
