"""Every signal, present and future; nobody edits a list here."""

from __future__ import annotations

import pytest
from process_conformance import ProcessTests, named


@pytest.fixture(params=named(signals=True, particles=range(2, 9)), scope="module")
def name(request):
    return request.param


class TestSignals(ProcessTests):
    pass
