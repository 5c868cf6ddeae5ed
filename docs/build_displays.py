"""Draws docs/displays: every detector card, and one event as figure and page."""

from __future__ import annotations

import tempfile
from pathlib import Path

from darksector.cardfile import DETECTORS
from darksector.cli import main

FOLDER = Path(__file__).with_name("displays")


def command(*arguments: object) -> None:
    """Run the command line with some arguments."""
    main([str(argument) for argument in arguments], standalone_mode=False)


def build() -> None:
    """Draw everything that docs/detector_views.md shows."""
    for name in DETECTORS.names():
        command("display", "--detector", name, "--output", FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "signal.lhe.gz"
        command("generate", "dimuon_zprime", "--mass", 3, "--events", 4, "--seed", 1,
                "--output", sample)  # fmt: skip
        command("display", sample, "--event", 3, "--output", FOLDER)


if __name__ == "__main__":
    build()
