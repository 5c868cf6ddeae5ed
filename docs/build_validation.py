"""Writes docs/validation.md from what the validation tests recorded (JUnit XML)."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

HEAD = """# Validation

Published or independently derived numbers beside ours, written by `make docs` from the
tests in `tests/validation`. The tolerance is that of the source, chosen before the answer.

| test | source | published | ours | ours/published | tolerance |
|---|---|---|---|---|---|
"""


def rows(report: Path) -> list[str]:
    """Return one table row per recorded comparison."""
    table = []
    for case in ET.parse(report).iter("testcase"):
        properties = [(p.get("name"), p.get("value")) for p in case.iter("property")]
        for i in range(0, len(properties), 4):
            found = dict(properties[i : i + 4])
            ours, published = float(found["ours"]), float(found["published"])
            ratio = f"{ours / published:.5g}" if published else ""
            cells = (found["source"], f"{published:.6g}", f"{ours:.6g}", ratio)
            name = case.get("name").replace("|", "/")
            table.append(f"| {name} | {' | '.join(cells)} | {found['tolerance']} |")
    return table


def main() -> None:
    """Read the report named on the command line and write the page beside this file."""
    page = HEAD + "\n".join(rows(Path(sys.argv[1]))) + "\n"
    tail = Path(__file__).with_name("validation_notes.md").read_text(encoding="utf-8")
    Path(__file__).with_name("validation.md").write_text(
        page + "\n" + tail, encoding="utf-8"
    )


if __name__ == "__main__":
    main()
