"""Our events as a Les Houches event file (version 3, arXiv:1405.1067).

Beside what the format has, an event carries one comment with what is lost otherwise:
the weight in fb, the sum of the beams and the vertices, to the bit.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from darksector.io.records import Layout, Record, masses
from darksector.io.sample import Header
from darksector.io.text import Template, TextFormat
from darksector.particles import ALPHA

_HEAD_LINES = 8
_OPEN, _CLOSE = "<darksector>", "</darksector>"
_START = '<LesHouchesEvents version="3.0">'
_EQUAL, _WEIGHTED = 3, -4  # IDWTUP: events count one; the mean weight is σ in pb
_CARTESIAN = (1, 2, 3, 0)  # order of the format: px py pz E
_MM = 10.0  # per cm


def _head(header: Header) -> bytes:
    """Return all that precedes the events."""
    metadata = header.metadata
    her, ler = metadata.momenta[:, 0].tolist()
    pb = 1e-3 * metadata.cross_section_fb, 1e-3 * metadata.error_fb
    strategy = _WEIGHTED if metadata.weighted else _EQUAL
    lines = (
        *(_START, "<header>", f"{_OPEN}{header.to_json()}{_CLOSE}", "</header>"),
        *("<init>", f"11 -11 {her!r} {ler!r} 0 0 0 0 {strategy} 1"),
        *(f"{pb[0]!r} {pb[1]!r} {pb[0]!r} 1", "</init>"),
    )
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _header_text(lines: list[bytes]) -> bytes:
    """Return the JSON in the lines of `head`.

    Raises
    ------
    ValueError
        If there is none.
    """
    if len(lines) < _HEAD_LINES or lines[0].strip() != _START.encode():
        msg = f"its first line is not {_START}"
        raise ValueError(msg)
    text = lines[2].strip()
    if not (text.startswith(_OPEN.encode()) and text.endswith(_CLOSE.encode())):
        msg = "it was not written by darksector"
        raise ValueError(msg)
    return text[len(_OPEN) : -len(_CLOSE)]


def _template(header: Header) -> Template:
    """Return the text of one event."""
    layout = header.layout
    sqrt_s = float(np.sqrt(_squared(header.metadata.momenta.sum(axis=0))))
    codes, parents = layout.codes, layout.parents
    lines = [f"<event>\n {len(codes)} 1 * {sqrt_s!r} {ALPHA!r} 0.0"]
    for code, status, parent in zip(codes, layout.statuses(-1), parents, strict=True):
        made = (1, 2) if parent < 0 else (parent + 1, parent + 1)
        first, second = (0, 0) if status == -1 else made
        lines.append(f" {code} {status} {first} {second} 0 0 * * * * * * 9.0")
    exact = 5 + 4 * len(layout.origins) * layout.displaced
    lines.append("# darksector" + " *" * exact + "\n</event>\n")
    return Template("\n".join(lines))


def _numbers(header: Header, record: Record, start: int) -> Float[np.ndarray, "n c"]:
    """Return the numbers of the template for some events."""
    del start
    n, layout = len(record.weights), header.layout
    weight = record.weights * (1e-3 * header.count)
    if not header.metadata.weighted:
        weight = np.ones(n)
    mass = masses(layout, record)
    particles = np.concatenate(
        [
            record.particles[..., _CARTESIAN],
            mass[..., None],
            _proper_times(layout, record, mass)[..., None],
        ],
        axis=2,
    )
    return np.concatenate(
        [
            weight[:, None],
            particles.reshape(n, -1),
            record.weights[:, None],
            record.p_beams,
            record.vertices.reshape(n, -1),
        ],
        axis=1,
    )


def _record(header: Header, values: Float[np.ndarray, "n c"]) -> Record:
    """Return the record of the numbers of a file."""
    n, m = len(values), len(header.layout.codes)
    particles = values[:, 1 : 1 + 6 * m].reshape(n, m, 6)
    exact = values[:, 1 + 6 * m :]
    return Record(
        particles=particles[..., (3, 0, 1, 2)],
        weights=exact[:, 0],
        p_beams=exact[:, 1:5],
        vertices=exact[:, 5:].reshape(n, -1, 4),
    )


def _proper_times(
    layout: Layout, record: Record, mass: Float[np.ndarray, "n m"]
) -> Float[np.ndarray, "n m"]:
    """Return the invariant lifetimes, mm; zero for what does not decay."""
    times = np.zeros_like(mass)
    if not layout.displaced:
        return times
    for vertex, slot in enumerate(layout.origins):
        if slot >= 0:
            i = slot + layout.first
            flight = (
                record.vertices[:, vertex, 0] - record.vertices[:, layout.made[slot], 0]
            )
            times[:, i] = _MM * flight * mass[:, i] / record.particles[:, i, 0]
    return times


def _squared(p: Float[np.ndarray, " 4"]) -> float:
    return float(p[0] ** 2 - p[1:] @ p[1:])


FORM = TextFormat(
    head=_head,
    head_lines=_HEAD_LINES,
    header_text=_header_text,
    template=_template,
    numbers=_numbers,
    record=_record,
    end=b"</LesHouchesEvents>\n",
)
