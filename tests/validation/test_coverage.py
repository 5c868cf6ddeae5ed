"""How often limits lie above the truth, with true signals and auxiliary data thrown.

No published number stands beside these: the source is the definition of a confidence
level.  A method must reach it but for three binomial errors; CLs covers more than it
says where the signal is small (J. Phys. G 28 (2002) 2693, section 4).
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from darksector.statistics.coverage import coverage
from darksector.statistics.histfactory import likelihood
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import bayesian_upper_limit
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import LogNormal, NormFactor, NormSys, Parameter
from darksector.statistics.profile_limits import cls_upper_limits
from darksector.statistics.systematics import Systematic
from darksector.statistics.toys import toy_cls

TOYS = 2000
FEW = 300  # data sets for the limits that need toys of their own
BACKGROUND, UNCERTAINTY = 20.0, 0.2
SIGNALS = {"counting": np.array([3.0, 8.0, 20.0]), "shape": np.array([2.0, 6.0, 15.0])}


def counting():
    """One bin, a background of 20 events with a log-normal uncertainty of 20 %."""
    samples = (
        Sample("signal", [1.0], (NormFactor("mu"),)),
        Sample("background", [BACKGROUND], (NormFactor("scale"),)),
    )
    constraint = LogNormal(1.0, 1 + UNCERTAINTY)
    scale = Parameter("scale", bounds=(0.01, 100.0), constraint=constraint)
    channel = Channel("region", samples, [BACKGROUND])
    return likelihood(Model((channel,), poi="mu", parameters=(scale,)))


def shape():
    """A peak of unit area on 20 falling bins of 100 events with 10 % uncertainty."""
    x = (np.arange(20) + 0.5) / 20
    background = np.exp(-x)
    peak = np.exp(-0.5 * ((x - 0.4) / 0.06) ** 2)
    background *= 100 / background.sum()
    samples = (
        Sample("signal", peak / peak.sum(), (NormFactor("mu"),)),
        Sample(
            "background", background, (NormSys("norm", np.array(1.1), np.array(0.9)),)
        ),
    )
    return likelihood(Model((Channel("region", samples, background),), poi="mu"))


MODELS = {"counting": counting, "shape": shape}


def asymptotic(data, mu, *, level):
    return cls_upper_limits(data, confidence_level=level).observed >= mu


def bayesian(data, mu, *, level):
    """The background is as its auxiliary measurement says, with the same spread."""
    scale = data.centres[:, data.names.index("scale")]
    ones = np.ones(data.size)
    model = CountingModel(
        ones,
        BACKGROUND * scale,
        np.zeros(data.size),
        systematics=(Systematic("background", 0.0, UNCERTAINTY, "this test"),),
    )
    counts = data.counts[:, 0].astype(np.int64)
    return bayesian_upper_limit(model, counts, confidence_level=level) >= mu


def with_toys(data, mu, *, level):
    """The limit lies above the signal where CLs of the signal exceeds 1 - CL."""
    tested = np.full(data.size, mu)
    return toy_cls(data, tested, toys=500, seed=5).cls > 1 - level


CASES = [
    pytest.param("counting", asymptotic, TOYS, id="asymptotic CLs, counting"),
    pytest.param("counting", bayesian, TOYS, id="Bayesian, counting"),
    pytest.param("counting", with_toys, FEW, id="toy CLs, counting"),
    pytest.param("shape", asymptotic, TOYS, id="asymptotic CLs, shape"),
    pytest.param("shape", with_toys, FEW, id="toy CLs, shape"),
]


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(("name", "covers", "toys"), CASES)
def test_limits_cover(name, covers, toys, level):
    found = coverage(
        MODELS[name](), SIGNALS[name], partial(covers, level=level), toys=toys, seed=1
    )

    least = level - 3 * np.sqrt(level * (1 - level) / toys)
    assert (found.fraction >= least).all(), found.fraction
