"""Pulls, constraints and impacts against the normal limit."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from darksector.statistics.fit import fit
from darksector.statistics.hessian import covariance
from darksector.statistics.histfactory import likelihood
from darksector.statistics.impacts import impacts, prior_width
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    Gaussian,
    HistoSys,
    LogNormal,
    NormFactor,
    Parameter,
    Poisson,
)

EVENTS = 1e10  # per bin: the likelihood is normal up to 1e-5


def linear_model():
    """Return a model whose events are linear in μ, k and two shapes."""
    n = np.array([3.0, 2.0, 5.0]) * EVENTS
    step = np.sqrt(EVENTS) * np.array([[2.0, -1.0, 1.0], [1.0, 2.0, 0.5]])
    shapes = (
        HistoSys("tilt", n + step[0], n - step[0]),
        HistoSys("bow", n + step[1], n - step[1]),
    )
    signal = np.sqrt(EVENTS) * np.array([1.0, 3.0, 0.5])
    background = Sample("background", n, shapes)
    shift = np.array([[1.0, 0.5, 1.5], [-1.0, 2.0, 0.2]]) * np.sqrt(EVENTS)
    channel = Channel(
        "region", (Sample("signal", signal, (NormFactor("mu"),)), background), n + shift
    )
    model = Model((channel,), "mu", (Parameter("mu", bounds=(-99.0, 99.0)),))
    slopes = np.stack([signal, *step])
    return model, slopes, n, shift


def test_impacts_of_a_normal_likelihood():
    """Source: least squares with the prior: V = (A Σ⁻¹ Aᵀ + P)⁻¹, θ̂ = V A Σ⁻¹ d.

    Impact = cov(μ, θ)/σ_θ; constraint = σ_θ; pull = θ̂; and with the prior's unit step,
    cov(μ, θ)/σ_θ².
    """
    model, slopes, n, shift = linear_model()

    found = impacts(likelihood(model))

    weight = slopes / (n + shift[:, None])
    prior = np.diag([0.0, 1.0, 1.0])
    inverse = np.linalg.inv(weight @ slopes.T + prior)
    theta = np.einsum("rpq,rqb,rb->rp", inverse, weight, shift)
    error = np.sqrt(np.einsum("rpp->rp", inverse))
    covariance_mu = inverse[:, 0, 1:]
    assert_allclose(found.pull[:, 1:], theta[:, 1:], atol=1e-4)
    assert_allclose(found.constraint[:, 1:], error[:, 1:], rtol=1e-4)
    impact = covariance_mu / error[:, 1:]
    assert_allclose(found.up[:, 1:], impact, rtol=1e-3, atol=1e-4)
    assert_allclose(found.down[:, 1:], -impact, rtol=1e-3, atol=1e-4)
    impact = covariance_mu / error[:, 1:] ** 2
    assert_allclose(found.prior_up[:, 1:], impact, rtol=1e-3, atol=1e-4)
    assert_allclose(found.prior_down[:, 1:], -impact, rtol=1e-3, atol=1e-4)
    assert np.ma.getmaskarray(found.up)[:, 0].all()


def test_ranking_starts_with_the_largest():
    model, *_ = linear_model()
    found = impacts(likelihood(model))

    for row in range(2):
        ranked = found.ranked(row)
        sizes = [max(abs(one.up), abs(one.down)) for one in ranked]
        assert sizes == sorted(sizes, reverse=True)
        assert {one.name for one in ranked} == {"tilt", "bow"}


def test_free_parameter_has_an_impact_but_no_pull():
    """Source: μ̂ = (n - k b)/s with σ_k² = 1/c: impact = -b σ_k/s, both exact."""
    k = NormFactor("k")
    search = Channel(
        "search",
        (Sample("s", [10.0], (NormFactor("mu"),)), Sample("b", [100.0], (k,))),
        [130.0],
    )
    control = Channel("control", (Sample("b", [400.0], (k,)),), [400.0])

    (row,) = impacts(likelihood(Model((search, control), "mu"))).ranked()

    assert (row.name, row.pull, row.constraint, row.prior_up) == ("k", None, None, None)
    assert_allclose([row.up, row.down], [-10 / 20, 10 / 20], rtol=1e-4)


def test_widths_of_constraints():
    """Source: the variances of the three distributions."""
    names = ("a", "b", "c", "free")
    factors = tuple(NormFactor(name) for name in ("mu", *names))
    parameters = (
        Parameter("a", constraint=Gaussian(1.0, 0.2)),
        Parameter("b", constraint=Poisson(2.0, 50.0)),
        Parameter("c", constraint=LogNormal(1.5, 1.3)),
    )
    channel = Channel("region", (Sample("s", [9.0], factors),), [9.0])

    found = prior_width(likelihood(Model((channel,), "mu", parameters)))

    assert_allclose(found[0, 1:4], [0.2, np.sqrt(2 / 50), 1.5 * np.log(1.3)])
    assert np.ma.getmaskarray(found)[0, [0, 4]].all()


def test_displacement_ends_at_a_bound():
    """Source: k may not exceed 1.02: μ̂ moves by -b 0.02/s, less than -b σ_k/s."""
    k = NormFactor("k")
    search = Channel(
        "search",
        (Sample("s", [10.0], (NormFactor("mu"),)), Sample("b", [100.0], (k,))),
        [130.0],
    )
    control = Channel("control", (Sample("b", [400.0], (k,)),), [400.0])
    bounds = (Parameter("k", bounds=(0.0, 1.02)),)
    data = likelihood(Model((search, control), "mu", bounds))

    (row,) = impacts(data).ranked()

    assert covariance(data, fit(data)).errors[0, 1] > 0.02
    assert_allclose(row.up, -0.2, rtol=1e-3)
