"""What every validation test shares: a comparison that keeps its source and numbers."""

from __future__ import annotations

import pytest


@pytest.fixture
def agrees(record_property):
    """Return an assertion that records what the page *Validation* prints.

    `source` names the paper or table; `rel` or `abs` is the tolerance given there.
    """

    def check(ours, published, *, source, **tolerance):
        record_property("source", source)
        record_property("ours", float(ours))
        record_property("published", float(published))
        record_property("tolerance", str(tolerance))
        assert ours == pytest.approx(published, **tolerance), source

    return check
