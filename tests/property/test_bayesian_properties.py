"""What holds for every Bayesian limit of a binned model."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from darksector.statistics.bayesian import bayesian_limits
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import HistoSys, NormFactor, NormSys, StatError

sizes = st.sampled_from([0.0, 0.01, 0.2, 0.5])
backgrounds = st.sampled_from(["zero", "tiny", "some", "many"])
BACKGROUND = {
    "zero": np.zeros(4),
    "tiny": np.array([1e-3, 0.0, 1e-6, 1e-2]),
    "some": np.array([2.0, 0.5, 7.0, 3.0]),
    "many": np.array([900.0, 300.0, 5e3, 40.0]),
}
SHAPE = np.array([0.1, 0.5, 0.3, 0.1])


def model(counts, kind, *, scale=1.0, signal=0.1, background=0.1, stat=False):
    b = BACKGROUND[kind]
    up, low = (1 + np.float64(x) for x in (signal, background))
    changes = (NormSys("all", low, 1 / low), HistoSys("tilt", b * 1.05, b * 0.95))
    errors = (StatError("mc", b * 0.1),) if stat else ()
    samples = (
        Sample("signal", scale * SHAPE, (NormFactor("mu"), NormSys("eff", up, 1 / up))),
        Sample("background", b, (*changes, *errors)),
    )
    return likelihood(Model((Channel("region", samples, np.array(counts)),), poi="mu"))


def observed(kind, generator):
    return generator.poisson(BACKGROUND[kind] + generator.choice([0.0, 5.0]) * SHAPE)


def limit(of, *, level=0.9, **options):
    return bayesian_limits(of, confidence_level=level, seed=3, **options)


@settings(max_examples=15, deadline=None)
@given(
    kind=backgrounds,
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    s=sizes,
    b=sizes,
    stat=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_positive_limit(kind, scale, s, b, stat, seed):
    """None of these is beyond the method."""
    counts = observed(kind, np.random.default_rng(seed))

    found = limit(model(counts, kind, scale=scale, signal=s, background=b, stat=stat))

    assert found.status[0] == "ok"
    assert 0 < found.observed[0] < np.inf
    assert 0 <= found.error[0] < found.observed[0]


@settings(max_examples=6, deadline=None)
@given(kind=backgrounds, s=sizes, seed=st.integers(0, 99))
def test_limits_increase_with_the_level(kind, s, seed):
    of = model(observed(kind, np.random.default_rng(seed)), kind, signal=s)

    found = [limit(of, level=level).observed[0] for level in (0.5, 0.9, 0.99)]

    assert np.all(np.diff(found) > 0)


@settings(max_examples=6, deadline=None)
@given(
    kind=backgrounds,
    power=st.sampled_from([1.0, 2.0, 4.0]),
    scale=st.floats(1e-4, 1e4),
    seed=st.integers(0, 99),
)
def test_c_times_the_signal_gives_a_cth_of_the_limit(kind, power, scale, seed):
    """A flat prior has no scale, nor has a power of the coupling.

    The ends of the integral are found by a search and differ, hence the tolerances:
    quadrature, and the errors of both.
    """
    counts = observed(kind, np.random.default_rng(seed))
    one, scaled = (
        limit(model(counts, kind, scale=x), flat_in=power) for x in (1.0, scale)
    )

    noise = 4 * np.hypot(one.error[0], scale * scaled.error[0])
    assert_allclose(
        scale * scaled.observed[0], one.observed[0], rtol=1e-4, atol=float(noise)
    )


@settings(max_examples=15, deadline=None)
@given(kind=st.sampled_from(["zero", "tiny", "some"]), s=sizes)
def test_no_event_anywhere_is_the_smeared_zero_count(kind, s):
    """Backgrounds factorise: only the spread of the signal efficiency is left."""
    with_background = limit(model(np.zeros(4), kind, signal=s))
    without = limit(model(np.zeros(4), "zero", signal=s))

    noise = 4 * np.hypot(with_background.error[0], without.error[0])
    assert_allclose(
        with_background.observed[0], without.observed[0], rtol=1e-4, atol=float(noise)
    )
