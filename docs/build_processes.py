"""Writes docs/processes.md: every process, its cross-section and how it unweights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

from darksector.errors import DarksectorError
from darksector.machines import Machine, symmetric
from darksector.particles import name_of
from darksector.processes import _grids
from darksector.registry import PROCESSES

HEAD = """# Processes

Written by `make docs`. Without radiation, at 10.58 GeV ({upsilon} at 10.3551 GeV); mediators have 1 GeV and coupling 1, options their defaults. Momenta of
`msq` are e-, e+ and then the particles in the order given. *Kept* is the share of trials
that unweighting keeps, *overflow* the share of the cross-section above the maximum
weight, both measured on 20000 unweighted events.

| process | particles | channels | σ [fb] | kept | overflow |
|---|---|---|---|---|---|
"""
EVENTS = 20_000


def built(kind: Any) -> Any:
    """Return a process with the defaults of its options."""
    if not kind.needs_model:
        return kind(isr=False)
    model = get_type_hints(kind)["model"]
    return kind(model=model(mass=1.0, **{model.coupling: 1.0}), isr=False)


def row(name: str) -> str:
    """Return the row of one process."""
    process = built(PROCESSES.load(name))
    machine: Machine = symmetric(10.3551 if name == "upsilon_transition" else 10.58)
    machine = replace(machine, title="symmetric")
    particles = " ".join(map(name_of, process.final_state))
    channels = len(process.kernel().channels(process.parameters()))
    try:
        sigma = process.cross_section(machine, precision=3e-3)
    except DarksectorError as error:
        return f"| `{name}` | {particles} | {channels} | {error} | | |"
    generation = process.generation(machine)
    drawn = generation.events(EVENTS, 1, highest=_grids.highest(generation))
    kept = EVENTS / drawn.trials
    return (
        f"| `{name}` | {particles} | {channels} | {sigma.value_fb:.4g} ± "
        f"{sigma.error_fb:.1g} | {kept:.3f} | {drawn.overflow:.1e} |"
    )


def main() -> None:
    """Write the page beside this file."""
    rows = [row(name) for name in PROCESSES.names()]
    page = HEAD.format(upsilon="the Υ(3S) transition") + "\n".join(rows) + "\n"
    Path(__file__).with_name("processes.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
