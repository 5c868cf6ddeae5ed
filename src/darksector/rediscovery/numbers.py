"""The numbers behind the samples that no process of the package makes."""

from __future__ import annotations

from collections.abc import Mapping

from darksector import cardfile
from darksector.cardfile import CardFolder, Number

SAMPLES = CardFolder("samples", "sample")
CARD = "rediscovery"
NAMES = (
    "cross_section_bb",
    "b_to_jpsi",
    "jpsi_to_mumu",
    "jpsi_to_ee",
    "pi0_to_gamma_gamma",
    "jpsi_p_max",
    "jpsi_p_powers",
    "hadronic_efficiency",
    "combinatorial_mumu",
    "combinatorial_ee",
)


def load() -> Mapping[str, Number]:
    """Return every number of the card with its origin."""
    where = f"sample card {CARD!r}"
    tables = cardfile.parse(SAMPLES.text(CARD), where=where)
    cardfile.check_keys(tables, {"title", "references", *NAMES}, where=where)
    return cardfile.numbers({n: tables[n] for n in NAMES}, NAMES, where=where)


def references() -> tuple[str, ...]:
    """Return the papers that the card cites."""
    tables = cardfile.parse(SAMPLES.text(CARD), where=f"sample card {CARD!r}")
    return tuple(tables["references"])


def value(name: str) -> float:
    """Return one number of the card, in the unit that its source states."""
    return float(load()[name].value)
