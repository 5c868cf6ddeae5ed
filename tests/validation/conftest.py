"""What every validation test shares: a comparison that keeps its source and numbers."""

from __future__ import annotations

import pytest


@pytest.fixture
def agrees(request):
    """Return an assertion that records what the page *Validation* prints.

    `source` names the paper or table; `rel` or `abs` is the tolerance given there.
    """

    def check(ours, published, *, source, **tolerance):
        # not record_property: it warns under --junitxml, and warnings are errors
        request.node.user_properties += [
            ("source", source),
            ("ours", float(ours)),
            ("published", float(published)),
            ("tolerance", str(tolerance)),
        ]
        assert ours == pytest.approx(published, **tolerance), source

    return check
