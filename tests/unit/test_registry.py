"""Folders as registries, plugins that do not fit, plugins from other distributions."""

from __future__ import annotations

import sys

import pytest

import darksector as ds
from darksector import cardfile, registry
from darksector.cardfile import CardFolder
from darksector.errors import DarksectorError, InvalidCard, UnknownName
from darksector.registry import Registry

KINDS = (
    registry.SEARCHES,
    registry.MODELS,
    registry.PROCESSES,
    cardfile.MACHINES,
    cardfile.DETECTORS,
)

OUTER = """
from dataclasses import dataclass
from darksector.models.base import Model

@dataclass(frozen=True)
class Outer(Model):
    mass: float
    title = "a model from elsewhere"
    references = ()
    coupling = "g"
    invisible = frozenset()

    def channels(self):
        return ()

    def partial_widths(self):
        return {}

MODEL = Outer
"""


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Return a function that writes files into a folder of sys.path."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)

    def write(content):
        for name, text in content.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")

    yield write
    for name in set(sys.modules) - before:
        if name.startswith(("card_shop", "outer_plugin")):
            del sys.modules[name]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_names_are_sorted_public_and_found(kind):
    names = kind.names()

    assert names == tuple(sorted(names))
    assert names
    assert not {"base", "pipeline"} & set(names)
    assert not any(name.startswith("_") for name in names)
    for name in names:
        assert kind.text(name) if isinstance(kind, CardFolder) else kind.load(name)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: ds.search("zprime_invisble"),
            "no search is called 'zprime_invisble'. Did you mean 'zprime_invisible'?",
            id="search",
        ),
        pytest.param(
            lambda: ds.model("lmultau"),
            "no model is called 'lmultau'. Did you mean 'lmu_ltau'?",
            id="model",
        ),
        pytest.param(
            lambda: ds.process("dimuon_zprim"),
            "no process is called 'dimuon_zprim'. Did you mean 'dimuon_zprime'?",
            id="process",
        ),
        pytest.param(
            lambda: ds.machine("superkek"), "Did you mean 'superkekb'?", id="machine"
        ),
        pytest.param(
            lambda: ds.detector("belle2_phase3"),
            "no detector is called 'belle2_phase3'. Did you mean 'belle2_phase2'?",
            id="detector",
        ),
        pytest.param(
            lambda: ds.search("qqqq"),
            "no search is called 'qqqq'. Known:",
            id="far off",
        ),
        pytest.param(lambda: ds.search("base"), "'base'", id="not a plugin"),
        pytest.param(
            lambda: ds.process("_annihilation"), "'_annihilation'", id="private"
        ),
        pytest.param(lambda: ds.machine("../superkekb"), "../superkekb", id="path"),
    ],
)
def test_unknown_name(call, message):
    with pytest.raises(UnknownName) as error:
        call()

    assert message in str(error.value)
    assert "Known: " in str(error.value)
    assert isinstance(error.value, KeyError)
    assert isinstance(error.value, DarksectorError)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("", "found NoneType", id="attribute missing"),
        pytest.param("MODEL = 'a name'", "found str", id="wrong type"),
        pytest.param("MODEL = dict", "found type", id="wrong class"),
    ],
)
def test_a_plugin_that_does_not_fit_is_an_invalid_card(outside, text, found):
    outside({"card_shop/__init__.py": "", "card_shop/broken.py": text})
    models = Registry("card_shop", "MODEL", "darksector.models.base:Model")

    assert models.names() == ("broken",)
    with pytest.raises(InvalidCard, match=f"card_shop.broken .* as a Model, {found}"):
        models.load("broken")


def test_names_do_not_import_plugins(outside):
    outside({"card_shop/__init__.py": "", "card_shop/broken.py": "1 / 0"})

    names = Registry("card_shop", "MODEL", "darksector.models.base:Model").names()

    assert names == ("broken",)
    assert "card_shop.broken" not in sys.modules


def test_a_plugin_from_another_distribution(outside):
    outside(
        {
            "outer_plugin.py": OUTER,
            "outer_plugin-1.0.dist-info/METADATA": "Name: outer-plugin\nVersion: 1.0\n",
            "outer_plugin-1.0.dist-info/entry_points.txt": (
                "[darksector.models]\nouter = outer_plugin\n"
            ),
        }
    )

    model = ds.model("outer", mass=2.0)

    assert "outer" in registry.MODELS.names()
    assert "lmu_ltau" in registry.MODELS.names()
    assert model.title == "a model from elsewhere"
    assert model.mass == 2.0


def test_an_outside_plugin_that_does_not_fit(outside):
    outside(
        {
            "outer_plugin.py": "MODEL = 1",
            "outer_plugin-1.0.dist-info/METADATA": "Name: outer-plugin\nVersion: 1.0\n",
            "outer_plugin-1.0.dist-info/entry_points.txt": (
                "[darksector.models]\nouter = outer_plugin\n"
            ),
        }
    )

    with pytest.raises(InvalidCard, match="outer_plugin must define MODEL"):
        ds.model("outer")
