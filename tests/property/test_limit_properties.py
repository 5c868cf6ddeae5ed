"""Limits of random models: a positive number or a named reason, whatever the input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darksector.statistics.fit import OK
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    HistoSys,
    NormFactor,
    NormSys,
    ShapeSys,
    StatError,
)
from darksector.statistics.profile_limits import cls_upper_limits

SCALES = st.sampled_from([0.0, 1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e12])


MODIFIERS = st.sets(st.integers(0, 4), max_size=3)
RECIPES = st.fixed_dictionaries(
    {
        "bins": st.integers(1, 6),
        "seed": st.integers(0, 2**32 - 1),
        "background": SCALES,
        "signal": SCALES,
        "counts": st.sampled_from(["none", "background", "many", "one"]),
        "size": st.sampled_from([1e-9, 0.1, 1.0, 5.0]),
        "chosen": MODIFIERS,
    }
)


def built(recipe):
    """Return a model of 1-6 bins; yields and uncertainties may be absurd."""
    bins, size = recipe["bins"], recipe["size"]
    rng = np.random.default_rng(recipe["seed"])
    background = rng.uniform(0, 1, bins) * recipe["background"]
    signal = rng.uniform(0, 1, bins) * recipe["signal"]
    observed = {
        "none": np.zeros(bins),
        "background": np.floor(background),
        "many": np.floor(2 * background + 50),
        "one": np.eye(bins)[0],
    }[recipe["counts"]]
    tilt = background * rng.uniform(-1, 1, bins)
    modifiers = (
        NormSys("scale", 1 + size, 1 / (1 + size)),
        HistoSys("shape", background + tilt, background - 0.5 * tilt),
        StatError("stat", background * min(size, 1.0)),
        ShapeSys("bins", background * size),
        NormFactor("free"),
    )
    chosen = tuple(modifiers[i] for i in sorted(recipe["chosen"]))
    samples = (
        Sample("signal", signal, (NormFactor("mu"),)),
        Sample("background", background, chosen),
    )
    return Model((Channel("region", samples, observed),), poi="mu")


# the same few models each time, as some take seconds; many in the slow suite
FEW = settings(max_examples=12, deadline=None, derandomize=True)


@given(RECIPES)
@FEW
def test_a_limit_is_a_positive_number_or_absent_for_a_reason(recipe):
    check(recipe)


@pytest.mark.slow
@given(RECIPES)
@settings(max_examples=300, deadline=None)
def test_limits_of_many_models(recipe):
    check(recipe)


def check(recipe):
    found = cls_upper_limits(likelihood(built(recipe)), confidence_level=0.9)

    values = np.ma.concatenate([found.observed[:, None], found.expected], axis=1)
    shown = values.compressed()
    assert np.all(np.isfinite(shown) & (shown > 0))
    assert (found.status[0] == OK) == (shown.size == 6)
    assert len(found.status[0]) > 0


@given(RECIPES, st.sampled_from([0.6, 0.9]), st.sampled_from([0.95, 0.999]))
@FEW
def test_more_confidence_gives_a_weaker_limit(recipe, low, high):
    data = likelihood(built(recipe))

    weak, strong = (cls_upper_limits(data, confidence_level=x) for x in (high, low))

    if weak.status[0] == strong.status[0] == OK:
        assert weak.observed[0] > strong.observed[0]
        assert np.all(np.diff(weak.expected[0]) >= 0)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e3, 1e12])
def test_the_limit_scales_with_the_signal(scale):
    """Only μ·s enters the likelihood."""

    def limit(factor):
        samples = (
            Sample("signal", [2.0 * factor, 1.0 * factor], (NormFactor("mu"),)),
            Sample("background", [5.0, 9.0], (NormSys("scale", 1.2, 0.8),)),
        )
        model = Model((Channel("region", samples, [6.0, 8.0]),), poi="mu")
        return cls_upper_limits(likelihood(model), confidence_level=0.9)

    assert limit(scale).status[0] == OK
    assert limit(scale).observed[0] * scale == pytest.approx(
        limit(1.0).observed[0], rel=1e-5
    )


def test_a_failed_point_does_not_lose_the_others():
    """A signal of zero has no limit; its neighbours in the batch keep theirs."""
    signal = np.array([[1.0, 2.0], [0.0, 0.0], [2.0, 1.0]])
    samples = (Sample("s", signal, (NormFactor("mu"),)), Sample("b", [5.0, 5.0]))
    model = Model((Channel("region", samples, [4.0, 6.0]),), poi="mu")

    found = cls_upper_limits(likelihood(model), confidence_level=0.9)

    assert list(found.status == OK) == [True, False, True]
    assert list(np.ma.getmaskarray(found.observed)) == [False, True, False]
    assert "does not depend" in found.status[1]
