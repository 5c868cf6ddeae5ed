"""Expected events and asymptotic CLs limits against pyhf 0.7.6 on random workspaces."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pyhf_comparison import compare, quiet, translated
from random_workspaces import workspace

from darksector.io.histfactory import model_of
from darksector.io.pyhf import spec_of
from darksector.statistics.fit import OK
from darksector.statistics.histfactory import likelihood

pyhf = pytest.importorskip("pyhf")

FEW = (1, 3, 6)  # quick ones: pyhf needs seconds for a model with many bins
AGREEMENT = 1e-3  # of CLs, relative, wherever pyhf is at its minimum


@pytest.mark.parametrize("seed", range(40))
def test_expected_events_are_those_of_pyhf(seed):
    """Every modifier, far outside of ±1 too; the same formulae, so rounding only."""
    spec = workspace(seed)
    ours = likelihood(model_of(spec))
    with quiet():
        model = pyhf.Workspace(spec).model()
    rng = np.random.default_rng(seed)
    values = np.concatenate(
        [
            rng.normal(0, 2, size) if name.startswith("alpha") else rng.uniform(0.5, 2, size)
            for name in model.config.par_order
            for size in [model.config.param_set(name).n_parameters]
        ]
    )  # fmt: skip

    events = ours.expected(translated(values, model, ours), np.array([0]))[0]

    assert events == pytest.approx(
        np.asarray(model.expected_actualdata(values)), rel=1e-9
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_written_workspace_is_the_same_model(seed):
    spec = workspace(seed)

    written = json.loads(json.dumps(spec_of(model_of(spec)), allow_nan=False))

    assert written["channels"] == spec["channels"]
    assert written["observations"] == spec["observations"]
    with quiet():
        pyhf.Workspace(written).model()  # validates against the schema


@pytest.mark.parametrize("seed", FEW)
def test_limits_of_a_few(seed):
    check(compare(seed))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 320, 20))
def test_limits_of_many(first, request):
    """320 workspaces in all; the docs list those where pyhf is not at its minimum."""
    found = [compare(seed) for seed in range(first, first + 20)]

    # not record_property: it warns under --junitxml, and warnings are errors
    rows = json.dumps([vars(comparison) for comparison in found])
    request.node.user_properties.append(("comparisons", rows))
    for comparison in found:
        check(comparison)


def check(comparison):
    assert comparison.status == OK, comparison
    assert comparison.pyhf != "converged" or comparison.agrees(AGREEMENT), comparison
