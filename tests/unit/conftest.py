"""A small, complete search result whose limits come from its own counting model."""

from __future__ import annotations

import numpy as np
import pytest

from darksector.provenance import Provenance
from darksector.results import Labels, SearchResult, Windows
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import (
    LimitCurve,
    bayesian_upper_limit,
    expected_band,
    status,
)
from darksector.statistics.systematics import Systematic

LUMINOSITY = 0.276  # fb^-1
LEVEL = 0.9


def windows():
    mass = np.array([1.0, 3.0, 9.0])
    return Windows(
        mass=mass,
        low=mass**2 - 0.5,
        high=mass**2 + 0.5,
        resolution=np.array([0.287, 0.271, 0.0962]),
        efficiency=np.array([0.05, 0.03, 0.0]),
        efficiency_error=np.array([0.001, 0.001, 0.0]),
        signal_sigma=np.array([99564.0, 13711.0, 1.0]),
        background={
            "dimuon_gamma": np.array([4.0, 0.5, 0.0]),
            "ditau_gamma": np.array([0.1, 2.5, 1.0]),
        },
        background_error={
            "dimuon_gamma": np.array([0.4, 0.1, 0.0]),
            "ditau_gamma": np.array([0.01, 0.2, 0.1]),
        },
        choices={},
    )


def limit_curve(counting, observed, mass):
    band = expected_band(counting, confidence_level=LEVEL)
    found = {}
    if observed is not None:
        limit = bayesian_upper_limit(counting, observed, confidence_level=LEVEL)
        found = {"sigma": limit, "gprime": np.ma.sqrt(limit / 1e5)}
    return LimitCurve(
        mass=mass,
        units={"sigma": "fb", "gprime": "1"},
        expected_band={"sigma": band, "gprime": np.ma.sqrt(band / 1e5)},
        observed=found,
        status=status(counting, band),
        confidence_level=LEVEL,
        method="Bayesian, flat prior in sigma",
    )


@pytest.fixture
def search_result():
    """Return a factory: three windows, the last without signal; counts are optional."""

    def build(observed=None):
        w = windows()
        counting = CountingModel(
            signal=w.efficiency * LUMINOSITY,
            background=w.total_background(),
            background_error=np.array([0.1, 0.07, 0.1]),
            systematics=(Systematic("trigger", 0.05, 0.05, "Belle II 2020, talk"),),
        )
        return SearchResult(
            name="zprime_invisible",
            labels=Labels(
                "Z' to invisible", "SuperKEKB", "Belle II", "m2", "lmu_ltau", {}, {}, {}
            ),
            luminosity=LUMINOSITY,
            windows=w,
            limits=limit_curve(counting, observed, w.mass),
            cutflow=(),
            spectra={},
            signal_spectra={},
            counting=counting,
            observed=observed,
            published=(),
            config={},
            provenance=Provenance(1, {}, {}, ()),
            origins={},
            writer=lambda _result, _folder: None,
        )

    return build
