"""The numbers behind the samples that no process of the package makes."""

from __future__ import annotations

from collections.abc import Mapping

from darksector import cardfile
from darksector.cardfile import Card, CardFolder, Number

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
    card = _card()
    cardfile.check_keys(
        card.tables, ("title", "references", *NAMES), where=card.where()
    )
    return cardfile.numbers(card, NAMES)


def references() -> tuple[str, ...]:
    """Return the papers that the card cites."""
    return tuple(_card().tables["references"])


def value(name: str) -> float:
    """Return one number of the card, in the unit that its source states."""
    return float(load()[name].value)


def _card() -> Card:
    return cardfile.resolve(SAMPLES.text(CARD), SAMPLES, origin=CARD)
