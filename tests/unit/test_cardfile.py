"""Cards based on other cards, and the lines that errors point to."""

from __future__ import annotations

from pathlib import Path

import pytest

from darksector.cardfile import MACHINES, numbers, resolve
from darksector.errors import InvalidCard

TEXTS = {
    "old": """
title = "old"
references = ["arXiv:1", "arXiv:2"]
a = { value = 1.0, source = "old", status = "read" }
[ring.b]
value = [1.0, 2.0]
source = "old"
status = "read"
[ring.c]
value = 3.0
source = "old"
status = "read"
""",
    "circle": 'based_on = "again.toml"',
    "again": '# a circle of two\nbased_on = "circle.toml"',
}
NEW = """title = "new"
based_on = "old.toml"
without = ["ring.c"]
references = ["arXiv:3", "arXiv:1"]
[ring]
b = { value = 5.0, source = "new", status = "assumed" }
d = { value = 6.0, source = "new", status = "derived" }
"""


@pytest.fixture
def joined(tmp_path, monkeypatch):
    """Return what joins a text with the cards above, which lie in files beside it."""
    monkeypatch.chdir(tmp_path)
    for name, text in TEXTS.items():
        Path(f"{name}.toml").write_text(text)
    return lambda text: resolve(text, MACHINES, origin="mine.toml")


def test_a_card_states_only_what_differs(joined):
    card = joined(NEW)

    found = numbers(card, ("b", "d"), section="ring")
    assert card.tables["title"] == "new"
    assert card.tables["references"] == ["arXiv:3", "arXiv:1", "arXiv:2"]
    assert numbers(card, ("a",))["a"].origin.source == "old"
    assert {name: float(entry.value) for name, entry in found.items()} == {
        "b": 5.0,
        "d": 6.0,
    }
    assert found["b"].origin.status == "assumed"


@pytest.mark.parametrize(
    ("path", "where"),
    [
        pytest.param("ring.d", "machine card 'mine.toml', line 7, [ring.d]", id="own"),
        pytest.param(
            "a", "machine card 'old.toml', line 4, [a]", id="of the other card"
        ),
        pytest.param("ring.x", "machine card 'mine.toml', [ring.x]", id="nowhere"),
        pytest.param("", "machine card 'mine.toml'", id="whole card"),
    ],
)
def test_errors_name_card_and_line(joined, path, where):
    assert joined(NEW).where(path) == where


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            'based_on = "superkeb"',
            "'mine.toml', line 1, based_on = 'superkeb': .*Did you mean 'superkekb'",
            id="unknown",
        ),
        pytest.param(
            'based_on = "circle.toml"',
            "'again.toml', line 2, .*closes a circle",
            id="circle",
        ),
        pytest.param('based_on = "mine.toml"', "closes a circle", id="itself"),
        pytest.param("based_on = 3", "no machine is called '3'", id="not a name"),
        pytest.param(
            'based_on = "old.toml"\nwithout = ["ring.x"]',
            "line 2: without names 'ring.x'",
            id="leaves out what is not there",
        ),
    ],
)
def test_wrong_bases_are_refused(joined, text, message):
    with pytest.raises(InvalidCard, match=message):
        joined(text)


def test_a_base_that_is_a_file_lies_beside_the_card(tmp_path):
    (tmp_path / "base.toml").write_text('title = "base"')

    card = resolve(
        'based_on = "base.toml"', MACHINES, origin=str(tmp_path / "mine.toml")
    )

    assert card.tables == {"title": "base"}
