"""The page of an event, in a browser: it draws, turns, and asks nobody for anything."""

from __future__ import annotations

import browser
import pytest
from sample_event import P_BEAMS, events

from darksector.detectors import card
from darksector.detectors.response import respond
from darksector.detectors.snapshot import snapshot
from darksector.plotting.event_page import event_page
from darksector.plotting.eventdisplay import Heading
from darksector.plotting.geometry import geometry_of

SCENE = "document.getElementById('event')._fullLayout.scene._scene"
INLINE = ("data:", "blob:")  # part of the page itself
EYE = f"JSON.stringify({SCENE}.getCamera().eye)"
CANVAS = (
    "(() => { const b = document.querySelector('#event canvas').getBoundingClientRect();"
    " return [b.x, b.y, b.width, b.height]; })()"
)
SHOWN = (
    "document.getElementById('event').data"
    ".filter(t => t.meta.system === 'calorimeter').every(t => t.visible)"
)


@pytest.fixture(scope="module")
def page():
    belle2 = card.load("belle2")
    seen = snapshot(respond(belle2), events(1), 0, p_beams=P_BEAMS)
    return event_page(seen, geometry_of(belle2), Heading("Z' <test>", 0))


def test_the_page_is_whole(page):
    assert "<title>Z&#39; &lt;test&gt;: event 0" in page
    assert "default-src 'none'" in page
    body = page.split("<body>")[-1]
    assert "μ⁻" in body
    assert "muon track" in body


def test_the_page_draws_turns_and_needs_no_network(page, tmp_path):
    path = tmp_path / "event.html"
    path.write_text(page, encoding="utf-8")

    with browser.opened(path, tmp_path / "profile") as shown:
        shown.wait("!!document.querySelector('#event canvas')")
        x, y, width, height = shown.evaluate(CANVAS)
        assert min(width, height) > 300
        before, picture = shown.evaluate(EYE), shown.screenshot()
        middle = (x + width / 2, y + height / 2)
        shown.drag(middle, (middle[0] + 150, middle[1] + 40))
        assert shown.evaluate(EYE) != before
        assert shown.screenshot() != picture

        assert shown.evaluate(SHOWN)
        shown.evaluate(
            "[...document.querySelectorAll('label')]"
            ".find(l => l.textContent.includes('calorimeter')).click()"
        )
        shown.wait(f"!({SHOWN})")

        assert shown.evaluate("document.querySelectorAll('tbody tr').length") == 4
        assert shown.evaluate("performance.getEntriesByType('resource').length") == 0
        asked = [url for url in shown.requests if not url.startswith(INLINE)]
        assert asked == [path.as_uri()]
        assert shown.complaints == []


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        pytest.param("true", pytest.fail.Exception, id="continuous integration"),
        pytest.param("", pytest.skip.Exception, id="elsewhere"),
    ],
)
def test_a_missing_browser_is_told(monkeypatch, value, outcome):
    monkeypatch.setenv("CI", value)
    monkeypatch.setattr(browser.shutil, "which", lambda _: None)

    with pytest.raises(outcome, match="chromium"):
        browser.executable()
