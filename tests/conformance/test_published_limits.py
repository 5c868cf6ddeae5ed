"""Every record of a published limit, present and future; nobody edits this list."""

from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pytest

from darksector.limits import published
from darksector.registry import MODELS

every_record = pytest.mark.parametrize("key", published.names())
every_contour = pytest.mark.parametrize(
    "key", [k for k in published.names() if published.load(k).shape == "contour"]
)


@every_record
def test_the_key_matches_the_reference(key):
    """Keys start with the model, name the experiment and end with the paper's year."""
    limit = published.load(key)
    experiment = re.sub("[ -]", "", limit.experiment.lower().replace(" ii", "2"))

    assert re.match(r"arXiv:\d{4}\.", limit.reference)
    assert key.endswith("20" + limit.reference[6:8])
    assert key.startswith(limit.model)
    assert experiment in key.replace("_", "")


@every_record
def test_the_coupling_is_that_of_the_model(key):
    """A relic target is the one quantity that is not a coupling: y of the dark photon."""
    limit = published.load(key)
    target = (limit.kind, limit.model, limit.coupling) == ("theory", "dark_photon", "y")

    assert target or limit.coupling == MODELS.load(limit.model).coupling


@every_record
def test_the_curve_is_a_limit(key):
    limit = published.load(key)

    assert limit.mass.shape == limit.values.shape
    assert np.all(limit.values > 0)
    assert limit.shape in published.SHAPES
    if limit.shape == "curve":
        assert np.all(np.diff(limit.mass) > 0)


@every_contour
def test_the_outline_of_a_contour_does_not_cross_itself(key):
    """It could not say what is inside; log-log, as the outlines are drawn."""
    limit = published.load(key)
    corners = np.log(np.column_stack([limit.mass, limit.values]))
    edges = list(zip(corners, np.roll(corners, -1, axis=0), strict=True))

    crossings = [
        (i, j)
        for i, first in enumerate(edges)
        for j, second in enumerate(edges[:i])
        if cross(*first, *second)
    ]

    assert crossings == []


def cross(a, b, c, d):
    """Return whether the open segments ab and cd cross in one inner point of both."""

    def side(p, q, r):
        return np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


@every_record
def test_level_source_and_reading_are_given(key):
    limit = published.load(key)

    if limit.kind != "theory" and limit.facility != "astrophysics":
        assert 0.5 < limit.confidence_level < 1
    assert limit.kind in published.KINDS
    assert limit.facility in published.FACILITIES
    assert limit.source
    assert limit.read_by


def test_every_curve_has_a_card():
    folder = files("darksector").joinpath("limits", "data")
    curves = {e.name[:-4] for e in folder.iterdir() if e.name.endswith(".csv")}

    assert curves == set(published.names())
