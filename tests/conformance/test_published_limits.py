"""Every record of a published limit, present and future; nobody edits this list."""

from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pytest

from darksector.limits import published

every_record = pytest.mark.parametrize("key", published.names())


@every_record
def test_the_key_matches_the_reference(key):
    """Keys end with the year of the paper, and name model and experiment."""
    limit = published.load(key)
    experiment = limit.experiment.lower().replace(" ii", "2").replace(" ", "")

    assert re.match(r"arXiv:\d{4}\.", limit.reference)
    assert key.endswith("20" + limit.reference[6:8])
    assert key.startswith(limit.model)
    assert experiment in key


@every_record
def test_the_curve_is_a_limit(key):
    limit = published.load(key)

    assert limit.mass.shape == limit.values.shape
    assert np.all(np.diff(limit.mass) > 0)
    assert np.all(limit.values > 0)


@every_record
def test_level_source_and_reading_are_given(key):
    limit = published.load(key)

    assert 0.5 < limit.confidence_level < 1
    assert limit.kind in published.KINDS
    assert limit.source
    assert limit.read_by


def test_every_curve_has_a_card():
    folder = files("darksector").joinpath("limits", "data")
    curves = {e.name[:-4] for e in folder.iterdir() if e.name.endswith(".csv")}

    assert curves == set(published.names())
