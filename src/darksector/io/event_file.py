"""Files of generated events: the ending of the name chooses the format.

``.lhe`` is Les Houches text, ``.hepmc`` HepMC3 text, each also compressed with ``.gz``,
and ``.root`` a ROOT tree.  All keep every bit of the events.  Where beams radiate, the
two collinear photons that `Events` leave out are written as final-state particles, so
that each event conserves momentum, and left out again when a file is read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

import numpy as np

from darksector.errors import DarksectorError, InvalidConfig, InvalidFile, OutOfDomain
from darksector.events import Events
from darksector.io import hepmc, lhe_events, root
from darksector.io.conversion import layout_of, to_events, to_record
from darksector.io.files import check_room, whole_file
from darksector.io.records import Record
from darksector.io.sample import Header, Sample, SampleInfo, from_json
from darksector.io.text import (
    BLOCK,
    TextFormat,
    fill,
    opened,
    read_events,
    write_lines,
)

__all__ = ["Sample", "SampleInfo", "read", "write", "write_chunks"]


_TEXT = {
    ending: form
    for name, form in ((".lhe", lhe_events.FORM), (".hepmc", hepmc.FORM))
    for ending in (name, f"{name}.gz")
}
_ROOT = ".root"
_ENDINGS = (*_TEXT, _ROOT)
_SAMPLE = 1000  # events that tell the size of a file
_MARGIN, _FRAME = 1.1, 30_000  # of the estimated size; bytes around the events
_DAMAGE = (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError)


def write(events: Events, path: Path, *, metadata: SampleInfo) -> None:
    """Write events to a file, whole or not at all.

    Parameters
    ----------
    events
        Events whose weights sum to the cross-section, fb.
    path
        File ending in .lhe, .lhe.gz, .hepmc, .hepmc.gz or .root; an old one is replaced.
    metadata
        Where the events come from; `metadata.beams` must be the beams of the events.

    Raises
    ------
    InvalidConfig
        If the name has another ending.
    OutOfDomain
        If a number is not finite, a PDG code is 0, or the events do not fit the metadata.
    OutputError
        If the file cannot be written or has no room.
    MissingExtra
        If the format needs a package that is not installed.
    """
    write_chunks([events], path, count=len(events.weights), metadata=metadata)


def write_chunks(
    chunks: Iterable[Events], path: Path, *, count: int, metadata: SampleInfo
) -> None:
    """Write events that come in chunks; otherwise as `write`.

    Parameters
    ----------
    chunks
        Parts of a sample, one in memory at a time.
    count
        Number of events of all chunks.
    """
    ending = _ending(path)
    iterator = iter(chunks)
    first = next(iterator, None)
    if first is None:
        msg = "there are no chunks of events to write; give at least one event."
        raise OutOfDomain(msg)
    header = Header(metadata, layout_of(first), count)
    blocks = _records(chain([first], iterator), header)
    block = next(blocks)
    records = chain([block], blocks)
    with whole_file(path) as part:
        check_room(part.parent, _estimate(header, ending, block))
        if ending == _ROOT:
            root.write(part, header, records)
        else:
            text = _parts(_TEXT[ending], header, records)
            write_lines(part, text, compress=ending.endswith(".gz"))


def check_disk(some: Events, path: Path, *, count: int, metadata: SampleInfo) -> None:
    """Raise OutputError if a file of `count` events like these would not fit the disk.

    Also refuses an unknown ending: both before the events are generated, not after.
    """
    ending = _ending(path)
    header = Header(metadata, layout_of(some), count)
    record = to_record(some, header.layout, metadata.momenta)
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    check_room(folder, _estimate(header, ending, record))


def read(path: Path) -> Sample:
    """Return the events of a file that `write` wrote, to the bit, and their metadata.

    Raises
    ------
    InvalidConfig
        If the name has an unknown ending.
    InvalidFile
        If the file is absent, cut, altered or of another program; for samples of other
        generators there is `darksector.io.lhe.read`.
    MissingExtra
        If the format needs a package that is not installed.
    """
    ending = _ending(path)
    with _readable(path):
        header, record = (
            root.read(path) if ending == _ROOT else _read_text(_TEXT[ending], path)
        )
    return Sample(to_events(record, header.layout), header.metadata)


def _ending(path: Path) -> str:
    for ending in _ENDINGS:
        if path.name.lower().endswith(ending) and len(path.name) > len(ending):
            return ending
    msg = (
        f"the ending of {path.name!r} names no format of events; allowed are "
        f"{', '.join(_ENDINGS)}: rename the file, for instance events.root."
    )
    raise InvalidConfig(msg)


def _estimate(header: Header, ending: str, record: Record) -> int:
    """Return about how many bytes a file takes, from some of its events."""
    few = record.part(0, _SAMPLE)
    if ending == _ROOT:
        size = root.size(header, few)
    else:
        form = _TEXT[ending]
        text = fill(form.template(header), form.numbers(header, few, 0))
        size = len(zlib.compress(text, 1) if ending.endswith(".gz") else text)
    return int(_MARGIN * header.count * size / len(few.weights)) + _FRAME


def _records(chunks: Iterable[Events], header: Header) -> Iterator[Record]:
    """Yield the records of blocks of events, and check how many there are."""
    beams, written = header.metadata.momenta, 0
    for chunk in chunks:
        n = len(chunk.weights)
        written += n
        _check_weights(chunk, header.metadata)
        whole = to_record(chunk, header.layout, beams)
        for start in range(0, n, BLOCK):
            yield whole.part(start, start + BLOCK)
    if written != header.count:
        msg = (
            f"the chunks have {written} events, and {header.count} were announced; "
            "give the number of events of all chunks as count."
        )
        raise OutOfDomain(msg)


def _check_weights(events: Events, metadata: SampleInfo) -> None:
    weights = np.asarray(events.weights)
    if not metadata.weighted and weights.size and np.ptp(weights) > 0:
        msg = (
            f"the metadata say unweighted, and weights go from {weights.min():.6g} to "
            f"{weights.max():.6g} fb; set weighted=True, or unweight the events."
        )
        raise OutOfDomain(msg)


def _parts(
    form: TextFormat, header: Header, records: Iterator[Record]
) -> Iterator[bytes]:
    yield form.head(header)
    template, start = form.template(header), 0
    for record in records:
        yield fill(template, form.numbers(header, record, start))
        start += len(record.weights)
    yield form.end


def _read_text(form: TextFormat, path: Path) -> tuple[Header, Record]:
    with opened(path) as stream:
        lines = iter(stream)
        header = from_json(form.header_text(list(islice(lines, form.head_lines))))
        values = read_events(lines, form.template(header), header.count, form.end)
    return header, form.record(header, values)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what readers raise on damaged input into one clear error."""
    try:
        yield
    except DarksectorError as error:
        if not isinstance(error, OutOfDomain):
            raise
        raise _refusal(path, error) from None
    except (*_DAMAGE, *root.DAMAGE) as error:
        raise _refusal(path, error) from None


def _refusal(path: Path, error: Exception) -> InvalidFile:
    reason = str(error) or type(error).__name__
    return InvalidFile(
        f"event file {path.name!r} cannot be read: {reason}; allowed is a whole, "
        "unaltered file that darksector wrote. Remedy: write or copy it again; for "
        "samples of other generators use darksector.io.lhe.read."
    )
