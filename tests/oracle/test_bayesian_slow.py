"""The fast Bayesian limit against brute force, and against pyhf's likelihood.

Tolerances were set before the comparison.  Brute force: 1e-6, from Simpson's rule with
1,200 steps and pulls cut at 6.5 sigma.  pyhf: 1e-5, with pulls cut at 5 sigma.
"""

from __future__ import annotations

import itertools
import math

import bayesian_slow as slow
import numpy as np
import pytest

from darksector.io.pyhf import workspace
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import bayesian_upper_limit
from darksector.statistics.systematics import Systematic


def counting(b, systematics, *, error, signal=0.5):
    return CountingModel(
        np.array([signal]), np.array([b]), np.array([error]), systematics
    )


@pytest.mark.parametrize(
    ("n", "b", "top"), [(0, 3.0, 80), (10, 10.0, 160), (30, 10.0, 240), (4, 25.0, 100)]
)
def test_brute_force_over_three_nuisances(n, b, top):
    systematics = (
        Systematic("yield", 0.125, 0.02, "test"),
        Systematic("selection", 0.0, 0.22, "test"),
    )
    model = counting(b, systematics, error=0.1)

    fast = bayesian_upper_limit(model, np.array([n]), confidence_level=0.9)[0]

    assert fast == pytest.approx(
        slow.slow_limit(n, model, level=0.9, top=top), rel=1e-6
    )


@pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")
def test_the_likelihood_of_pyhf_gives_the_same_limit():
    """Code 1 makes pyhf's interpolation the exact log-normal."""
    pyhf = pytest.importorskip("pyhf")
    n = 5
    model = counting(4.0, (Systematic("yield", 0.15, 0.1, "test"),), error=0.2)
    spec = pyhf.Workspace(workspace(model, np.array([1.0]), np.array([n])))
    foreign = spec.model(modifier_settings={"normsys": {"interpcode": "code1"}})
    counts = spec.data(foreign)
    poi = foreign.config.poi_index
    sigma = np.linspace(0, 60, 81)
    likelihood = np.zeros_like(sigma)
    pulls = np.linspace(-5, 5, 11)
    for (i, x), a, b in itertools.product(enumerate(sigma), pulls, pulls):
        parameters = np.insert(np.array([a, b]), poi, x)
        likelihood[i] += math.exp(foreign.logpdf(parameters, counts)[0])

    fast = bayesian_upper_limit(model, np.array([n]), confidence_level=0.9)[0]

    assert fast == pytest.approx(slow.upper_limit(sigma, likelihood, 0.9), rel=1e-5)
