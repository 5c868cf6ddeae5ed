"""Our events as HepMC3 text (Asciiv3; Buckley et al., arXiv:1912.08005).

Lengths are in cm, as the ``U`` line of each event says: a conversion to mm would change
the last digit.  Readers convert on demand (pyhepmc: ``event.set_units(GEV, MM)``).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from darksector.io.records import BEAMS, Layout, Record, masses
from darksector.io.sample import Header
from darksector.io.text import Template, TextFormat

_HEAD_LINES = 5
_NAME = "A darksector "
_INCOMING = 4
_CARTESIAN = (1, 2, 3, 0)  # order of the format: x y z t
_BACK = (3, 0, 1, 2)
_EVENT, _PARTICLE = 6, 5  # numbers of an event (number, weight, beams), of a particle


def _head(header: Header) -> bytes:
    """Return all that precedes the events."""
    json = header.to_json().replace("\\", "\\\\")
    lines = (
        "HepMC::Version 3.02.05",
        "HepMC::Asciiv3-START_EVENT_LISTING",
        "W weight_fb",
        rf"T darksector\|{header.metadata.version}\|generator",
        f"{_NAME}{json}",
    )
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _header_text(lines: list[bytes]) -> bytes:
    """Return the JSON in the lines of `head`.

    Raises
    ------
    ValueError
        If there is none.
    """
    if len(lines) < _HEAD_LINES or not lines[0].startswith(b"HepMC::Version 3"):
        msg = "its first line is not HepMC::Version 3"
        raise ValueError(msg)
    if not lines[-1].startswith(_NAME.encode()):
        msg = "it was not written by darksector"
        raise ValueError(msg)
    return lines[-1].removeprefix(_NAME.encode()).replace(b"\\\\", b"\\")


def _template(header: Header) -> Template:
    """Return the text of one event: the particles of each vertex follow it."""
    layout, metadata = header.layout, header.metadata
    pb = 1e-3 * metadata.cross_section_fb, 1e-3 * metadata.error_fb
    counts = f"{header.count} {header.count}"
    codes, statuses = layout.codes, layout.statuses(_INCOMING)
    place = " @ * * * *" if layout.displaced else ""
    lines = [
        f"E * {len(layout.origins)} {len(codes)}",
        "U GEV CM",
        "W *",
        f"A 0 GenCrossSection {pb[0]!r} {pb[1]!r} {counts}",
        "A 0 p_beams * * * *",
    ]
    opens = _opens(layout)
    vertices = (0,) * layout.photons + layout.made
    for i, code in enumerate(codes):
        if i in opens:
            parent = layout.parents[i]
            incoming = "1,2" if parent < 0 else str(parent + 1)
            lines.append(f"V {-1 - opens[i]} 0 [{incoming}]{place}")
        made = 0 if i < len(BEAMS) else -1 - vertices[i - len(BEAMS)]
        lines.append(f"P {i + 1} {made} {code} * * * * * {statuses[i]}")
    return Template("\n".join(lines) + "\n")


def _numbers(header: Header, record: Record, start: int) -> Float[np.ndarray, "n c"]:
    """Return the numbers of the template for some events."""
    n = len(record.weights)
    mass = masses(header.layout, record)[..., None]
    columns = [
        np.arange(start, start + n, dtype=np.float64)[:, None],
        record.weights[:, None],
        record.p_beams,
        np.concatenate([record.particles[..., _CARTESIAN], mass], axis=2).reshape(
            n, -1
        ),
        record.vertices[..., _CARTESIAN].reshape(n, -1),
    ]
    return np.concatenate(columns, axis=1)[:, _order(header.layout)]


def _record(header: Header, values: Float[np.ndarray, "n c"]) -> Record:
    """Return the record of the numbers of a file."""
    n, m = len(values), len(header.layout.codes)
    columns = values[:, np.argsort(_order(header.layout))]
    start = _EVENT + _PARTICLE * m
    particles = columns[:, _EVENT:start].reshape(n, m, _PARTICLE)
    vertices = columns[:, start:].reshape(n, -1, 4)
    return Record(
        particles=particles[..., _BACK],
        weights=columns[:, 1],
        p_beams=columns[:, 2:6],
        vertices=vertices[..., _BACK],
    )


def _opens(layout: Layout) -> dict[int, int]:
    """Return the vertex that precedes a particle, for the first particle of each."""
    opens = {layout.first + layout.made.index(v): v for v in range(len(layout.origins))}
    return {i: v for i, v in opens.items() if v > 0} | {len(BEAMS): 0}


def _order(layout: Layout) -> list[int]:
    """Return the columns event, particles, vertices in the order of the text."""
    order, opens = list(range(_EVENT)), _opens(layout)
    vertices = _EVENT + _PARTICLE * len(layout.codes)
    for i in range(len(layout.codes)):
        if layout.displaced and i in opens:
            first = vertices + 4 * opens[i]
            order += range(first, first + 4)
        order += range(_EVENT + _PARTICLE * i, _EVENT + _PARTICLE * (i + 1))
    return order


FORM = TextFormat(
    head=_head,
    head_lines=_HEAD_LINES,
    header_text=_header_text,
    template=_template,
    numbers=_numbers,
    record=_record,
    end=b"HepMC::Asciiv3-END_EVENT_LISTING\n\n",
)
