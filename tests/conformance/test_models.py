"""Every model, present and future; nobody edits a list here."""

from __future__ import annotations

import numpy as np
import pytest

from darksector.errors import OutOfDomain, UnknownName
from darksector.provenance import known_references
from darksector.registry import MODELS


@pytest.fixture(params=MODELS.names())
def model_class(request):
    return MODELS.load(request.param)


@pytest.mark.parametrize("mass", [0.01, 0.3, 1.0, 4.0, 9.0])
def test_model_has_widths_and_fractions(model_class, mass):
    model = model_class(mass=mass, **{model_class.coupling: 1e-3})
    widths = model.partial_widths()

    assert all(width > 0 for width in widths.values())
    assert set(widths) <= set(model.channels())
    assert model.width == pytest.approx(sum(widths.values()))
    assert model.invisible <= set(model.channels())
    if widths:
        assert 0 < model.ctau < np.inf
        assert model.branching_fraction(*model.channels()) == pytest.approx(1)
        assert 0 <= model.invisible_fraction() <= 1 + 1e-12
    else:  # stable: seen always or never
        assert model.ctau == np.inf
        assert model.branching_fraction(*model.channels()) == 0
        assert model.invisible_fraction() == 1 - model.leaves_trace


def test_fractions_do_not_depend_on_the_coupling(model_class):
    weak, strong = (
        model_class(mass=1.0, **{model_class.coupling: g}) for g in (1e-4, 1.0)
    )

    assert weak.invisible_fraction() == pytest.approx(strong.invisible_fraction())
    assert strong.width == pytest.approx(1e8 * weak.width)


def test_model_describes_itself(model_class):
    assert model_class.title
    assert set(model_class.references) <= set(known_references())


def test_model_refuses_nonsense(model_class):
    coupling = model_class.coupling

    for mass, g in ((0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, -1.0)):
        with pytest.raises(OutOfDomain):
            model_class(mass=mass, **{coupling: g})
    for mass, g in ((np.nan, 1.0), (np.inf, 1.0), (1.0, np.nan), (1.0, np.inf)):
        with pytest.raises(OutOfDomain):
            model_class(mass=mass, **{coupling: g})
    with pytest.raises(UnknownName):
        model_class(mass=1.0, **{coupling: 1.0}).branching_fraction("no such channel")
