"""Derivatives of limits and fitted signals against differences of whole new limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gradient_models import (
    KINDS,
    LEVEL,
    along,
    build,
    difference,
    exact_fits,
    gradients,
    random_numbers,
)
from numpy.testing import assert_allclose, assert_array_equal

from darksector.errors import UnknownName
from darksector.statistics.asymptotic import INSENSITIVE
from darksector.statistics.gradients import limit_gradient, signal_gradient
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.model_numbers import numbers
from darksector.statistics.modifiers import Gaussian, NormFactor, Parameter


@pytest.mark.parametrize(
    ("seed", "scale"),
    [
        pytest.param(1, 0.6, id="few events"),
        pytest.param(2, 30.0, id="many events", marks=pytest.mark.slow),
    ],
)
def test_gradients_are_the_differences_of_changed_models(seed, scale, monkeypatch):
    """Source: the definition of a derivative, central difference of whole results.

    All numbers change by random fractions; `tests/oracle` takes one kind at a time.
    """
    exact_fits(monkeypatch)
    x = random_numbers(seed, scale)
    rng = np.random.default_rng(seed + 100)
    change = {kind: x[kind] * rng.uniform(-1, 1, x[kind].shape) for kind in KINDS}

    assert_allclose(along(x, change), difference(x, change), rtol=1e-4)


def test_numbers_have_the_layout_of_the_model():
    x = random_numbers(3, 2.0)

    found = numbers(build(x))

    for kind in KINDS[:-2]:
        assert_array_equal(getattr(found, kind), x[kind], err_msg=kind)


def counting(signal, background, observed, **settings):
    samples = (
        Sample("signal", signal, (NormFactor("mu"),)),
        Sample("background", background),
    )
    return Model((Channel("region", samples, observed),), "mu", **settings)


def test_limit_falls_as_the_signal_grows():
    """Source: μ and s enter as μs, so d ln μ / d ln s = -1 for every limit and signal."""
    model = counting([[2.0], [3.0]], [9.0], [[11.0], [16.0]])
    change = numbers(model).nominal * np.array([1.0, 0.0])[:, None]

    for quantity in gradients(model):
        assert_allclose(quantity.along(nominal=change) / quantity.value, -1, rtol=1e-6)


def test_expected_limit_falls_as_the_root_of_the_luminosity():
    """Source: √q_A → μs/√b for b → ∞, so d ln μ / d ln L → 1/2 - 1 = -1/2."""
    model = counting([1e3], [1e8], [1e8])
    median = limit_gradient(model, confidence_level=LEVEL).expected[2]

    slope = median.along(nominal=numbers(model).nominal) / median.value

    assert_allclose(slope, -0.5, atol=1e-3)  # corrections are of order μs/b ~ 1e-4


def test_fitted_signal_of_one_bin():
    """Source: μ̂ = (n - b)/s, hence 1/s by n, -1/s by b and -μ̂/s by s."""
    found = signal_gradient(counting([2.0], [9.0], [14.0]))

    assert_allclose(found.by.observed, [[0.5]], rtol=1e-6)
    assert_allclose(found.by.nominal, [[[-1.25], [-0.5]]], rtol=1e-6)


def test_signal_at_its_bound_does_not_move():
    found = signal_gradient(counting([2.0], [9.0], [5.0]))

    assert found.value == 0
    assert not found.by.nominal.any()


def test_row_without_a_limit_is_masked():
    found = limit_gradient(
        counting([[2.0], [0.0]], [9.0], [11.0]), confidence_level=LEVEL
    )

    change = found.observed.along(observed=[[1.0]])

    assert found.status[1] == INSENSITIVE
    assert_array_equal(np.ma.getmaskarray(change), [False, True])


def test_unknown_kind_of_number_is_named():
    found = signal_gradient(counting([2.0], [9.0], [14.0]))

    with pytest.raises(UnknownName, match="nominal"):
        found.along(nominall=[1.0])


def test_replaced_constraint_does_not_depend_on_the_events():
    """Source: the formula; a Parameter's width stands for that of σ and n."""
    x = random_numbers(4, 5.0)
    model = build(x)
    fixed = tuple(
        Parameter(name, constraint=Gaussian(1.0, 0.2)) for name in ("mc", "side")
    )

    found = signal_gradient(replace(model, parameters=(*model.parameters, *fixed)))

    assert not found.by.sigma.any()
    assert signal_gradient(model).by.sigma.any()
