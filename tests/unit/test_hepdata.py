"""The HEPData submission: valid by HEPData's own validator, true to the result."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from darksector.io.hepdata import submission

validator = pytest.importorskip("hepdata_validator.full_submission_validator")
# hepdata_validator 0.3.6 uses what jsonschema has deprecated, and leaves files open
pytestmark = [
    pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


@pytest.mark.parametrize(
    "observed", [None, np.array([5, 2, 1])], ids=["expected", "observed"]
)
def test_hepdata_accepts_it(search_result, tmp_path, observed):
    for name, text in submission(search_result(observed)).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    check = validator.FullSubmissionValidator()

    valid = check.validate(directory=str(tmp_path))

    assert check.get_messages() == {}
    assert valid


def test_limits_have_bands_and_mark_absent_values(search_result):
    result = search_result(np.array([5, 2, 1]))
    table = yaml.safe_load(submission(result)["limits_sigma.yaml"])
    observed, expected = table["dependent_variables"]

    assert observed["header"] == {"name": "Observed upper limit", "units": "fb"}
    assert observed["values"][0]["value"] == result.limits.observed["sigma"][0]
    first, _, absent = expected["values"]
    band = result.limits.expected_band["sigma"][0]
    assert first["value"] == band[2]
    one, two = first["errors"]
    assert (one["label"], two["label"]) == ("1 sigma", "2 sigma")
    assert first["value"] + one["asymerror"]["plus"] == pytest.approx(band[3])
    assert first["value"] + two["asymerror"]["minus"] == pytest.approx(band[0])
    assert absent == {"value": "-"}


def test_expected_only_runs_have_no_observed_column(search_result):
    files = submission(search_result())

    for name in ("limits_sigma.yaml", "background.yaml"):
        headers = [
            c["header"]["name"]
            for c in yaml.safe_load(files[name])["dependent_variables"]
        ]
        assert not any("Observed" in header for header in headers)


def test_every_table_is_announced(search_result):
    files = submission(search_result())

    announced = [
        entry["data_file"]
        for entry in yaml.safe_load_all(files["submission.yaml"])
        if "data_file" in entry
    ]

    assert sorted(["submission.yaml", *announced]) == sorted(files)
