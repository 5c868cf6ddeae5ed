"""The output folder: every promised file, readable, whole and reproducible."""

from __future__ import annotations

import base64
import csv
import dataclasses
import functools
import io
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fake_result import fake_plane, fake_result

from darksector.errors import InvalidFile, OutputError
from darksector.io.files import atomic_write
from darksector.report import tables, writer
from darksector.report.summary import COLUMNS, summary_table

FILES = {
    "cutflow.csv",
    "efficiency_and_resolution.pdf",
    "efficiency_and_resolution.png",
    "hepdata/background.yaml",
    "hepdata/efficiency_and_resolution.yaml",
    "hepdata/limits_gprime.yaml",
    "hepdata/limits_gprime_br1.yaml",
    "hepdata/limits_sigma.yaml",
    "hepdata/submission.yaml",
    "limit_cross_section.pdf",
    "limit_cross_section.png",
    "limit_gprime.pdf",
    "limit_gprime.png",
    "limits.csv",
    "provenance.json",
    "recoil_mass2_spectrum.pdf",
    "recoil_mass2_spectrum.png",
    "references.bib",
    "report.html",
    "run.toml",
    "signal_cross_section.pdf",
    "signal_cross_section.png",
    "spectra.parquet",
    "windows.csv",
    "workspace.json",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    write = functools.partial(writer.write_folder, bands=())
    return fake_result(masked=(5,), writer=write).save(tmp_path_factory.mktemp("run"))


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_every_promised_file_is_there_and_nothing_else(folder):
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}

    assert files == FILES


def test_the_same_run_gives_the_same_bytes(folder):
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    writer.write_folder(fake_result(masked=(5,)), folder, bands=())

    assert {p: p.read_bytes() for p in before} == before


def test_another_run_is_not_overwritten(folder):
    other = dataclasses.replace(fake_result(), config={"search": "other"})

    with pytest.raises(OutputError, match="another run"):
        writer.write_folder(other, folder, bands=())


def test_run_toml_repeats_the_configuration(folder):
    config = tomllib.loads((folder / "run.toml").read_text())

    assert config == fake_result().config


def test_limits_have_one_row_per_mass_and_quantity():
    table = rows(tables.limits_csv(fake_result()))

    assert tuple(table[0]) == COLUMNS
    assert len(table) == 14 * 3
    assert [row["quantity"] for row in table[:3]] == ["sigma", "gprime", "gprime_br1"]
    assert [row["unit"] for row in table[:3]] == ["fb", "1", "1"]


def test_absent_values_are_empty_and_their_status_says_why():
    result = fake_result(masked=(5,))
    content = tables.limits_csv(result)
    absent = [row for row in rows(content) if row["status"] != "ok"]

    assert len(absent) == 3
    assert all(row["expected"] == row["expected_plus2"] == "" for row in absent)
    assert all(row["observed"] == "" for row in rows(content))
    assert b"nan" not in content.lower()
    assert b"--" not in content


def test_limits_read_back_to_the_bit(folder):
    assert summary_table(folder) == tables.limit_rows(fake_result(masked=(5,)))


def test_observed_limits_are_written_when_there_are_counts():
    result = fake_result(observed=True)
    row = tables.limit_rows(result)[0]

    assert row.observed == result.limits.observed["sigma"][0]
    assert rows(tables.windows_csv(result))[0]["observed"] == str(result.observed[0])


def test_the_table_for_people_has_a_column_per_limit():
    heading = tables.window_table(fake_result(observed=True)).heading

    assert {"expected sigma [fb]", "observed sigma [fb]", "observed gprime"} < set(
        heading
    )


def test_windows_and_cutflow_hold_all_that_the_result_holds():
    result = fake_result()
    first = rows(tables.windows_csv(result))[0]
    cut = rows(tables.cutflow_csv(result))[0]

    assert (
        float(first["background_ditau_gamma"])
        == (result.windows.background["ditau_gamma"][0])
    )
    assert float(first["threshold_transverse_recoil"]) == pytest.approx(0.25)
    assert first["observed"] == ""
    assert tuple(cut) == ("component", "cut", "description", "events", "error")
    assert len(rows(tables.cutflow_csv(result))) == len(result.cutflow)


def test_spectra_are_long_and_complete(folder):
    result = fake_result()
    table = pq.read_table(folder / "spectra.parquet").to_pydict()
    mine = np.array(table["component"]) == "ditau_gamma"

    assert list(table) == ["component", "low", "high", "events", "variance"]
    assert "signal_6.5" in table["component"]
    assert np.array_equal(
        np.array(table["events"])[mine], result.spectra["ditau_gamma"].contents
    )


def test_json_files_are_json(folder):
    assert json.loads((folder / "workspace.json").read_text())["version"] == "1.0.0"
    assert json.loads((folder / "provenance.json").read_text())["seed"] == 1


def test_the_report_opens_offline(folder):
    """Nothing is fetched: no script, style, image or font has an address."""
    page = (folder / "report.html").read_text()
    own = re.sub(r"<script>/\*\*.*?</script>", "", page, flags=re.DOTALL)

    assert page.count("* plotly.js v") == 1
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", own)
    assert not re.search(r"@import|url\(", own)
    assert set(re.findall(r'https?://[^"<]+', own)) == {
        "https://arxiv.org/abs/1403.2727",
        "https://arxiv.org/abs/1606.03501",
    }


def test_a_search_with_a_plane_draws_it_and_what_the_calorimeter_misses(tmp_path):
    writer.write_folder(fake_result([3.0], planes=(fake_plane(),)), tmp_path, bands=())
    page = (tmp_path / "report.html").read_text()
    pictures = re.findall(
        r'<img alt="[^"]+" src="data:image/png;base64,([^"]+)">', page
    )

    stems = ("energy_angle_plane", "ecl_inefficiency")
    assert [base64.b64decode(picture) for picture in pictures] == [
        (tmp_path / f"{stem}.png").read_bytes() for stem in stems
    ]
    assert all((tmp_path / f"{stem}.pdf").is_file() for stem in stems)
    assert page.count("<img") == len(stems)


def test_the_report_calls_a_credibility_by_its_name(folder):
    page = (folder / "report.html").read_text()

    assert "90 % credibility" in page
    assert "90 % CL</p>" not in page


def test_samples_with_the_same_conventions_share_a_row():
    result = fake_result([3.0])
    names = dict.fromkeys(("diphoton", "triphoton"), "tree level")
    shared = dataclasses.replace(
        result.labels, conventions={**names, "signal": "first order"}
    )
    page = writer.report_html(dataclasses.replace(result, labels=shared), [], [])

    assert "<th>diphoton, triphoton</th><td>tree level</td>" in page
    assert "<th>signal</th><td>first order</td>" in page


def test_the_report_says_what_was_assumed(folder):
    page = (folder / "report.html").read_text()

    assert "observed = none" in page
    for words in ("SuperKEKB", "276 pb<sup>−1</sup>", "Bayesian", "transverse recoil"):
        assert words in page
    assert "arXiv:1912.11276, section 5" in page
    assert "first order &lt;ISR&gt;" in page


def test_a_report_with_counts_is_no_prediction(tmp_path):
    result = fake_result([3.0], observed=True)
    writer.write_folder(result, tmp_path, bands=())

    assert "observed = none" not in (tmp_path / "report.html").read_text()


def test_a_file_in_the_place_of_the_folder_is_an_output_error(tmp_path):
    path = tmp_path / "taken"
    path.write_text("")

    with pytest.raises(OutputError, match="taken"):
        writer.write_folder(fake_result([3.0]), path, bands=())


def test_a_failed_write_keeps_the_old_file_and_leaves_no_part(tmp_path, monkeypatch):
    path = tmp_path / "limits.csv"
    atomic_write(path, b"old")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        atomic_write(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "columns", id="empty"),
        pytest.param("mass,limit\n1,2\n", "columns", id="other columns"),
        pytest.param(",".join(COLUMNS) + "\n1,sigma\n", "line 2", id="cut short"),
        pytest.param(
            ",".join(COLUMNS) + "\n1,sigma,fb,,nan,,,,,0.9,m,ok\n", "finite", id="nan"
        ),
        pytest.param(
            ",".join(COLUMNS) + "\nx,sigma,fb,,1,,,,,0.9,m,ok\n", "'x'", id="text"
        ),
    ],
)
def test_damaged_limits_are_refused_with_a_remedy(tmp_path, content, message):
    (tmp_path / "limits.csv").write_text(content)

    with pytest.raises(InvalidFile, match=message) as caught:
        summary_table(tmp_path)
    assert "darksector run" in str(caught.value)


def test_a_folder_without_limits_is_refused(tmp_path):
    with pytest.raises(InvalidFile, match="cannot read"):
        summary_table(tmp_path)
