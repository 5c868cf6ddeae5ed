"""Every background of two or three particles, present and future; nobody edits a list here."""

from __future__ import annotations

import pytest
from process_conformance import ProcessTests, named


@pytest.fixture(params=named(signals=False, particles=(2, 3)), scope="module")
def name(request):
    return request.param


class TestBackgrounds(ProcessTests):
    pass
