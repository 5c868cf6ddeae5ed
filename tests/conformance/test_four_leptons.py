"""Every background of four and more particles, present and future; nobody edits a list here."""

from __future__ import annotations

import pytest
from process_conformance import ProcessTests, named


@pytest.fixture(params=named(signals=False, particles=range(4, 9)), scope="module")
def name(request):
    return request.param


class TestFourParticles(ProcessTests):
    pass
