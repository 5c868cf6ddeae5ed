"""Looks of many curves and areas, whatever library draws them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

# Our own limits under other assumptions: colour, dashes, marker
OWN = (
    ("#404040", "dashed", "diamond"),
    ("#0072B2", "dotted", "triangle-up"),
    ("#404040", "dashdot", "square"),
    ("#0072B2", "dashed", "circle"),
    ("#404040", "dotted", "x-thin"),
)
# Backgrounds, bottom first: tints, so that signal lines stand out on all of them
TINTS = ("#ABDCF4", "#F2CF80", "#80CFB9", "#E5BCD3", "#F8F2A1", "#C6C6C6")
HATCHES = ("", "\\\\\\\\", "oo", "++")  # of the first tints, the next, ...


def fills(components: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return component to colour and hatch, which differ for up to 24 of them."""
    looks = cycle((colour, hatch) for hatch in HATCHES for colour in TINTS)
    return dict(zip(components, looks, strict=False))
