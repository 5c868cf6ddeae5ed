"""Random models with every kind of modifier, as arrays that can be changed."""

from __future__ import annotations

from math import exp

import numpy as np

from darksector.statistics import fit, roots
from darksector.statistics.gradients import limit_gradient, signal_gradient
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
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
CONSTRAINED = ("k", "rate", "lumi")  # have the constraint of a Parameter
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


def exact_fits(monkeypatch):
    """Differences need fits and roots closer than results are ever quoted."""
    monkeypatch.setattr(fit, "_TOLERANCE", 1e-17)
    monkeypatch.setattr(fit, "_DIGITS", 0.0)
    monkeypatch.setattr(roots, "_PRECISION", 1e-12)


def moved(x, change, step):
    return {**x, **{kind: x[kind] + step * change[kind] for kind in change}}


def difference(x, change, *, step=5e-4):
    """Return the central difference of all quantities along a change."""
    up, down = (quantities(moved(x, change, side)) for side in (step, -step))
    return (up - down) / (2 * step)


def along(x, change):
    """Return what the gradients say of it."""
    model = build(x)
    full = dict(change)
    for kind in {"centre", "spread"} & set(change):
        full[kind] = np.zeros(len(model.names))
        full[kind][[model.names.index(name) for name in CONSTRAINED]] = change[kind]
    return np.column_stack([g.along(**full) for g in gradients(model)])
