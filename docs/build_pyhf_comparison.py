"""Writes docs/statistics_pyhf.md from the JUnit file of `make validate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

PAGE = Path(__file__).with_name("statistics_pyhf.md")
HEAD = """# pyhf on the same workspaces

{count} random workspaces with 1 to 60 bins and up to {parameters} parameters (0 to 8
correlated nuisances, parameters per bin, free shapes and norms, luminosity). For each, pyhf
0.7.6 (NumPy, SciPy optimiser) computes CLs at *our* 90 % limits, observed and median
expected; both should be 0.1. Each fit of pyhf is compared with ours: where its likelihood is
worse by more than 1e-5 (in −2 ln L) pyhf did not find the minimum, and nothing can be learnt
from the difference. Limits that we lack: {lacking}.

Where pyhf finds its minima ({good} workspaces), CLs agrees within {worst:.1e} (relative; 1e-3
asked), in the median within {median:.1e}.

Of the {bad} others, {same} agree within 1e-3 all the same. In these {wrong} CLs differs
because a fit of pyhf is above the minimum (pyhf's CLs over 0.1, minus one):

| workspace | bins | parameters | observed | expected | a fit of pyhf that failed |
|---|---|---|---|---|---|
"""


def main(junit: Path) -> None:
    """Write the page."""
    # written by our own tests, minutes ago
    found = [
        comparison
        for entry in ET.parse(junit).iter("property")
        if entry.get("name") == "comparisons"
        for comparison in json.loads(entry.get("value", "[]"))
    ]
    if not found:
        sys.exit(f"{junit} holds no comparisons; run `make validate` first.")
    good = [c for c in found if c["pyhf"] == "converged"]
    rest = [c for c in found if c["status"] == "ok" and c["pyhf"] != "converged"]
    wrong = [c for c in rest if not max(abs(c["observed"]), abs(c["expected"])) < 1e-3]
    sizes = [max(abs(c["observed"]), abs(c["expected"])) for c in good]
    head = HEAD.format(
        count=len(found),
        parameters=max(c["parameters"] for c in found),
        lacking=sum(c["status"] != "ok" for c in found) or "none",
        good=len(good),
        worst=max(sizes),
        median=float(np.median(sizes)),
        bad=len(rest),
        same=len(rest) - len(wrong),
        wrong=len(wrong),
    )
    rows = [
        f"| {c['seed']} | {c['bins']} | {c['parameters']} | {c['observed']:.1e} | "
        f"{c['expected']:.1e} | {c['pyhf']} |"
        for c in wrong
    ]
    PAGE.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
