"""What holds for every Bayesian counting limit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import bayesian_upper_limit, expected_band
from darksector.statistics.systematics import Systematic

backgrounds = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
counts = st.one_of(st.integers(0, 30), st.integers(0, 100_000))
sizes = st.one_of(st.just(0.0), st.floats(1e-6, 0.5))
levels = st.sampled_from([0.5, 0.9, 0.95, 0.997])


def model(b, error, on_signal, on_background, *, rows=1, signal=1.0):
    return CountingModel(
        np.full(rows, signal),
        np.full(rows, b),
        np.full(rows, error),
        (Systematic("shared", on_signal, on_background, "test"),),
    )


@settings(max_examples=150, deadline=None)
@given(n=counts, b=backgrounds, error=sizes, s=sizes, sb=sizes, level=levels)
def test_limits_are_positive_and_finite(n, b, error, s, sb, level):
    limit = bayesian_upper_limit(
        model(b, error, s, sb), np.array([n]), confidence_level=level
    )

    assert not np.ma.getmaskarray(limit).any()
    assert 0 < limit[0] < np.inf


@settings(max_examples=60, deadline=None)
@given(b=st.floats(0, 300), error=sizes, s=sizes, level=levels)
def test_more_events_give_a_weaker_limit(b, error, s, level):
    """Not so for shared nuisances: a large deficit pulls the efficiency down as well."""
    n = np.arange(0, 400, 13)

    limits = bayesian_upper_limit(
        model(b, error, s, 0.0, rows=n.size), n, confidence_level=level
    )

    assert np.all(np.diff(limits) > -1e-6 * limits[1:])


@settings(max_examples=60, deadline=None)
@given(n=counts, b=backgrounds, error=sizes, s=sizes, scale=st.floats(1e-9, 1e9))
def test_twice_the_signal_gives_half_the_limit(n, b, error, s, scale):
    one, scaled = (
        bayesian_upper_limit(
            model(b, error, s, s, signal=signal), np.array([n]), confidence_level=0.9
        )
        for signal in (1.0, scale)
    )

    assert_allclose(scaled * scale, one, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(0, 200), b=st.floats(0, 200), s=sizes, level=st.just(0.9))
def test_an_unsure_signal_efficiency_weakens_the_limit(n, b, s, level):
    """Only true of the signal: an unsure background may explain an excess away."""
    sure, unsure = (
        bayesian_upper_limit(
            model(b, 0.0, size, 0.0), np.array([n]), confidence_level=level
        )[0]
        for size in (0.0, s)
    )

    assert unsure >= sure * (1 - 1e-6)


@settings(max_examples=40, deadline=None)
@given(b=st.floats(0, 1e5), error=sizes, s=sizes, sb=sizes)
def test_bands_are_ordered(b, error, s, sb):
    band = expected_band(model(b, error, s, sb), confidence_level=0.9)[0]

    assert np.all(np.diff(band) >= -1e-6 * band[1:])
    assert band[0] > 2.3  # ln 10 without systematics; none of them helps a zero count
