"""Text files of events, written and read by columns.

All events of a file look the same but for their numbers, so one template describes
them.  Numbers are written with the fewest digits that give the same float64 when they
are read again, by pyarrow, which does both about ten times faster than Python.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import IO, final

import numpy as np
from jaxtyping import Float

from darksector.io.records import Record
from darksector.io.sample import Header

NUMBER = "*"  # a number's place in a template
BLOCK = 16384  # events formatted at once
_BUFFER = 1 << 20
_LEVEL = 1  # digits are random: higher levels cost five times the time for 5 % less


@final
@dataclass(frozen=True)
class Template:
    """The text of one event, with ``*`` surrounded by blanks where a number goes."""

    text: str

    @property
    def lines(self) -> int:
        """Lines of one event."""
        return self.text.count("\n")


@final
@dataclass(frozen=True)
class TextFormat:
    """What a text format consists of.

    Parameters
    ----------
    head
        All that precedes the events.
    head_lines
        Number of its lines.
    header_text
        The JSON in these lines; ValueError if there is none.
    template
        The text of one event.
    numbers
        The numbers of the template for a record whose first event has this index.
    record
        The record of these numbers.
    end
        All that follows the events.
    """

    head: Callable[[Header], bytes]
    head_lines: int
    header_text: Callable[[list[bytes]], bytes]
    template: Callable[[Header], Template]
    numbers: Callable[[Header, Record, int], Float[np.ndarray, "n c"]]
    record: Callable[[Header, Float[np.ndarray, "n c"]], Record]
    end: bytes


def fill(template: Template, numbers: Float[np.ndarray, "n c"]) -> bytes:
    """Return the text of some events."""
    import pyarrow as pa
    import pyarrow.compute as pc

    constant, *after = template.text.split(NUMBER)
    pieces = [constant]
    for i, column in enumerate(np.ascontiguousarray(numbers.T)):
        bits = column.view(np.uint64)
        # equal numbers (masses, beams) are formatted once; the first piece has a length
        same = i > 0 and bool((bits == bits[0]).all())
        words = pc.cast(pa.array(column[:1] if same else column), pa.string())
        pieces += [words[0] if same else words, after[i]]
    separator = ""
    events = pc.binary_join_element_wise(*pieces, separator)
    length = pc.sum(pc.binary_length(events)).as_py()
    text: bytes = events.buffers()[2][:length].to_pybytes()
    return text


def parse(template: Template, text: bytes, n: int) -> Float[np.ndarray, "n c"]:
    """Return the numbers in the text of n events.

    Raises
    ------
    ValueError
        If the text is not what `fill` returns for n events.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    words = template.text.split()
    found = pc.ascii_split_whitespace(pa.array([text.decode("ascii").strip()])).values
    if len(found) != n * len(words):
        msg = f"it has {len(found)} words in {n} events, not {n * len(words)}"
        raise ValueError(msg)
    start = len(words) * np.arange(n)[:, None]
    is_number = np.array([word == NUMBER for word in words])
    fixed = pa.array([word for word in words if word != NUMBER])
    same = pc.equal(
        found.take((start + np.flatnonzero(~is_number)).ravel()),
        fixed.take(np.tile(np.arange(len(fixed)), n)),
    )
    if not pc.all(same).as_py():
        msg = "particle codes or other constants are not those announced"
        raise ValueError(msg)
    numbers = found.take((start + np.flatnonzero(is_number)).ravel())
    values: Float[np.ndarray, " nc"] = pc.cast(numbers, pa.float64()).to_numpy()
    if not np.isfinite(values).all():
        msg = "it has a number that is not finite"
        raise ValueError(msg)
    return values.reshape(n, -1)


def read_events(
    stream: Iterator[bytes], template: Template, count: int, end: bytes
) -> Float[np.ndarray, "n c"]:
    """Return the numbers of all events of a file whose header has been read.

    Raises
    ------
    ValueError
        If the events or the end of the file are not as they were written.
    """
    blocks = []  # not one array of `count` rows: a damaged count may be of any size
    for start in range(0, count, BLOCK):
        n = min(BLOCK, count - start)
        text = b"".join(islice(stream, n * template.lines))
        blocks.append(parse(template, text, n))
    if b"".join(islice(stream, end.count(b"\n") + 1)) != end:
        msg = f"it does not end with {end.decode().strip()!r} after {count} events"
        raise ValueError(msg)
    return np.concatenate(blocks)


def write_lines(path: Path, parts: Iterable[bytes], *, compress: bool) -> None:
    """Write the parts of a text file, one after the other; equal parts, equal bytes."""
    with path.open("wb") as plain:
        if not compress:
            plain.writelines(parts)
            return
        with gzip.GzipFile("", "wb", _LEVEL, plain, mtime=0) as packed:
            packed.writelines(parts)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a plain or gzip file, recognised by its content."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    if not packed:
        with path.open("rb") as lines:
            yield lines
        return
    # gzip finds lines in Python, five times slower than a reader around it
    with gzip.open(path) as unpacked, BufferedReader(unpacked, _BUFFER) as lines:
        yield lines
