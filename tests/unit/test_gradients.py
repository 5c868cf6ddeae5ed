"""Derivatives of limits and fitted signals against differences of whole new limits."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from darksector.errors import UnknownName
from darksector.statistics import fit, roots
from darksector.statistics.asymptotic import INSENSITIVE
from darksector.statistics.gradients import limit_gradient, signal_gradient
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.model_numbers import numbers
from darksector.statistics.modifiers import (
    Gaussian,
    HistoSys,
    LogNormal,
    Lumi,
    NormFactor,
    NormSys,
    Parameter,
    Poisson,
    ShapeSys,
    StatError,
)
from darksector.statistics.profile import discovery
from darksector.statistics.profile_limits import cls_upper_limits

LEVEL = 0.9
ROWS = 2
A, B = slice(0, 2), slice(2, 4)  # bins of the two channels
FREE = ("k", "rate", "lumi")  # have the constraint of a Parameter
KINDS = (
    "nominal",
    "observed",
    "norm_up",
    "norm_down",
    "shape_up",
    "shape_down",
    "sigma",
    "centre",
    "spread",
)


def build(x):
    """Return a model with every kind of modifier from arrays in the layout of Numbers."""
    n, up, down, sigma = x["nominal"], x["shape_up"], x["shape_down"], x["sigma"]
    size = NormSys("size", x["norm_up"][:, 0], x["norm_down"][:, 0])
    other = NormSys("size", x["norm_up"][:, 1], x["norm_down"][:, 1])
    lumi, k = Lumi("lumi"), NormFactor("k")
    shape = HistoSys("size", up[:, 0, A], down[:, 0, A])
    tilt = HistoSys("tilt", up[:, 1, B], down[:, 1, B])
    samples = (
        Sample("signal", n[:, 0, A], (NormFactor("mu"), size, lumi)),
        Sample("wide", n[:, 1, A], (other, shape, StatError("mc", sigma[:, 0, A]))),
        Sample("flat", n[:, 2, A], (k, StatError("mc", sigma[:, 1, A]))),
        Sample("own", n[:, 3, A], (ShapeSys("side", sigma[:, 2, A]),)),
    )
    control = (Sample("flat", n[:, 2, B], (k, tilt, NormFactor("rate"))),)
    centre, spread = x["centre"].tolist(), x["spread"].tolist()
    return Model(
        (
            Channel("search", samples, x["observed"][:, A]),
            Channel("control", control, x["observed"][:, B]),
        ),
        poi="mu",
        parameters=(
            Parameter("mu", bounds=(-2.0, 90.0)),
            Parameter("k", constraint=LogNormal(centre[0], exp(spread[0]))),
            Parameter("rate", constraint=Poisson(centre[1], spread[1])),
            Parameter("lumi", constraint=Gaussian(centre[2], spread[2])),
        ),
    )


def random_numbers(seed, scale):
    rng = np.random.default_rng(seed)
    nominal = scale * rng.uniform(1, 5, (ROWS, 4, 4))
    nominal[:, [0, 1, 3], B] = 0
    up, down, sigma = (np.zeros((ROWS, k, 4)) for k in (2, 2, 3))
    up[:, 0, A] = nominal[:, 1, A] * rng.uniform(1.05, 1.3, (ROWS, 2))
    down[:, 0, A] = nominal[:, 1, A] * rng.uniform(0.7, 1.02, (ROWS, 2))
    up[:, 1, B] = nominal[:, 2, B] * rng.uniform(1.05, 1.3, (ROWS, 2))
    down[:, 1, B] = nominal[:, 2, B] * rng.uniform(0.7, 0.95, (ROWS, 2))
    sigma[:, :, A] = nominal[:, 1:, A] * rng.uniform(0.1, 0.4, (ROWS, 3, 2))
    return {
        "nominal": nominal,
        "observed": rng.poisson(nominal[:, 1:].sum(axis=1)).astype(float),
        "norm_up": rng.uniform(1.05, 1.3, (ROWS, 2)),
        "norm_down": rng.uniform(0.8, 0.96, (ROWS, 2)),
        "shape_up": up,
        "shape_down": down,
        "sigma": sigma,
        "centre": np.array([1.1, 0.95, 1.02]),
        "spread": np.array([0.25, 30.0, 0.04]),
    }


def quantities(x):
    data = likelihood(build(x))
    limits = cls_upper_limits(data, confidence_level=LEVEL)
    signal = discovery(data).free.theta[:, data.poi]
    return np.column_stack([limits.observed, limits.expected, signal])


def gradients(model):
    limit = limit_gradient(model, confidence_level=LEVEL)
    return (limit.observed, *limit.expected, signal_gradient(model))


@pytest.fixture
def _exact_fits(monkeypatch):
    """Differences need fits and roots closer than results are ever quoted."""
    monkeypatch.setattr(fit, "_TOLERANCE", 1e-20)
    monkeypatch.setattr(roots, "_PRECISION", 1e-12)


@pytest.mark.usefixtures("_exact_fits")
@pytest.mark.parametrize(
    ("seed", "scale"),
    [pytest.param(1, 0.6, id="few events"), pytest.param(2, 30.0, id="many events")],
)
def test_gradients_are_the_differences_of_changed_models(seed, scale):
    """Source: the definition of a derivative, central difference of whole results.

    One direction per kind, all its numbers by random fractions.  The step 2e-4 leaves
    errors of order its square and of the precision of the limits over the step.
    """
    x = random_numbers(seed, scale)
    model = build(x)
    found = gradients(model)
    rng = np.random.default_rng(seed + 100)
    for kind in KINDS:
        change = x[kind] * rng.uniform(-1, 1, x[kind].shape)
        step = 2e-4
        up, down = ({**x, kind: x[kind] + s * change} for s in (step, -step))
        difference = (quantities(up) - quantities(down)) / (2 * step)
        if kind in {"centre", "spread"}:
            places = [model.names.index(name) for name in FREE]
            full = np.zeros(len(model.names))
            full[places] = change
            change = full
        slopes = np.column_stack([g.along(**{kind: change}) for g in found])
        value = np.abs(quantities(x))
        assert_allclose(
            slopes, difference, rtol=1e-4, atol=1e-5 * value.min(), err_msg=kind
        )


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
