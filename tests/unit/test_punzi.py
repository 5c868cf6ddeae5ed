"""Punzi's sensitivity (arXiv:physics/0308063)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.errors import OutOfDomain
from darksector.statistics.punzi import punzi_sensitivity


def test_values():
    """physics/zprime.md V39 (a = 3, b = 1.28155)."""
    sigma = punzi_sensitivity(
        np.array([0.05, 0.1]), np.array([100.0, 0.0]), luminosity=50.0
    )

    assert_allclose(sigma, [18.7588, 0.616642], rtol=1e-5)


def test_no_efficiency_is_the_worst_choice():
    sigma = punzi_sensitivity(
        np.array([0.0, 0.01]), np.array([0.0, 100.0]), luminosity=1.0
    )

    assert np.isposinf(sigma[0])
    assert np.argmin(sigma) == 1


def test_batches_keep_their_shape():
    grid = np.full((2, 3), 0.1)

    assert punzi_sensitivity(grid, grid, luminosity=1.0).shape == (2, 3)


@pytest.mark.parametrize(
    ("efficiency", "background", "luminosity"),
    [
        (-0.1, 1.0, 1.0),
        (1.1, 1.0, 1.0),
        (np.nan, 1.0, 1.0),
        (0.1, -1.0, 1.0),
        (0.1, np.inf, 1.0),
        (0.1, 1.0, 0.0),
    ],
)
def test_impossible_inputs_are_refused(efficiency, background, luminosity):
    with pytest.raises(OutOfDomain):
        punzi_sensitivity(
            np.array([efficiency]), np.array([background]), luminosity=luminosity
        )
