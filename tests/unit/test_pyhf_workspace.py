"""The HistFactory workspace: what pyhf reads back from it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from darksector.errors import OutOfDomain
from darksector.io.pyhf import channel_name, workspace

pyhf = pytest.importorskip("pyhf")
# pyhf 0.7.6 builds a class that jsonschema has deprecated
pytestmark = pytest.mark.filterwarnings(
    "ignore:jsonschema.RefResolver:DeprecationWarning"
)


def one_window(result, mass):
    spec = workspace(result.counting, result.windows.mass, result.observed)
    everything = pyhf.Workspace(json.loads(json.dumps(spec, allow_nan=False)))
    others = [c for c in everything.channels if c != channel_name(mass)]
    return everything.prune(channels=others)


def test_one_channel_per_mass_survives_pruning(search_result):
    one = one_window(search_result(np.array([5, 2, 1])), 3.0)

    assert one.channels == ["mass_3_gev"]
    assert one.data(one.model(), include_auxdata=False) == [2.0]


def test_without_data_it_is_the_expected_background(search_result):
    one = one_window(search_result(), 1.0)

    assert one.data(one.model(), include_auxdata=False) == pytest.approx([4.1])


def test_yields_move_as_in_the_counting_model(search_result):
    """(1 + size)**pull, shared between signal and background; 20 fb at one sigma up."""
    result = search_result(np.array([5, 2, 1]))
    model = one_window(result, 1.0).model(
        modifier_settings={"normsys": {"interpcode": "code1"}}
    )
    values = {"sigma": 20.0, "trigger": 1.5, "background_simulation_mass_1_gev": -0.5}
    parameters = [values[name] for name in model.config.par_names]

    (events,) = model.expected_actualdata(parameters)

    signal, background = result.counting.signal[0], result.counting.background[0]
    shared = 1.05**1.5
    assert events == pytest.approx(
        20 * signal * shared + background * shared * 1.1**-0.5
    )


def test_the_parameter_of_interest_reaches_past_the_limit(search_result):
    result = search_result(np.array([5, 2, 1]))
    model = one_window(result, 1.0).model()

    low, high = model.config.suggested_bounds()[model.config.poi_index]

    assert model.config.poi_name == "sigma"
    assert low == 0
    assert high > 5 * result.limits.observed["sigma"][0]


@pytest.mark.parametrize(
    ("mass", "observed"), [([1.0], None), ([1, 3, 9], [1]), ([1, 1, 9], None)]
)
def test_arrays_that_do_not_fit_are_refused(search_result, mass, observed):
    counts = None if observed is None else np.array(observed)
    with pytest.raises(OutOfDomain):
        workspace(search_result().counting, np.array(mass, dtype=float), counts)
