"""Our events as a ROOT tree ``events``, with their description as a string beside it.

Every branch has one entry per event: ``weight`` in fb, ``p_beams`` (E, px, py, pz), and
per particle of the record ``pdg``, ``status`` (4 beam, 2 decayed, 1 final), ``mother``
(its place, -1 for none), ``e``, ``px``, ``py``, ``pz`` in GeV and, where there are
vertices, ``ct``, ``x``, ``y``, ``z`` in cm.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from darksector.errors import MissingExtra
from darksector.io.records import Layout, Record
from darksector.io.sample import Header, from_json

TREE, DESCRIPTION = "events", "darksector"

_MOMENTUM, _PLACE = ("e", "px", "py", "pz"), ("ct", "x", "y", "z")
_INCOMING = 4
# a ROOT file ends inside a record when it is cut; uproot then raises any of these
DAMAGE = (AssertionError, AttributeError, RecursionError, RuntimeError)


def write(path: Path, header: Header, records: Iterator[Record]) -> None:
    """Write a tree, block after block.

    Raises
    ------
    MissingExtra
        If uproot is not installed.
    """
    uproot = _uproot()
    layout = header.layout
    m = len(layout.codes)
    constants = {
        "pdg": layout.codes,
        "status": layout.statuses(_INCOMING),
        "mother": layout.parents,
    }
    branches: dict[str, Any] = {"weight": "f8", "p_beams": ("f8", (4,))}
    branches |= dict.fromkeys(constants, ("i4", (m,)))
    branches |= dict.fromkeys(_names(layout), ("f8", (m,)))
    with uproot.recreate(path, compression=uproot.ZSTD(1)) as file:
        file[DESCRIPTION] = header.to_json()
        tree = file.mktree(TREE, branches, title=header.metadata.title)
        for record in records:
            n = len(record.weights)
            same = {
                name: np.tile(np.array(values, dtype=np.int32), (n, 1))
                for name, values in constants.items()
            }
            tree.extend(same | _columns(layout, record))


def read(path: Path) -> tuple[Header, Record]:
    """Return what `write` wrote.

    Raises
    ------
    MissingExtra
        If uproot is not installed.
    ValueError
        If the file has another number of events or other particles than it announces.
    """
    with _unpacked(), _uproot().open(path) as file:
        header = from_json(str(file[DESCRIPTION]))
        tree = file[TREE]
        layout = header.layout
        names = ("weight", "p_beams", "pdg", *_names(layout))
        arrays = {name: tree[name].array(library="np") for name in names}
    m = len(layout.codes)
    shapes = {"weight": (header.count,), "p_beams": (header.count, 4)}
    for name, array in arrays.items():
        expected = shapes.get(name, (header.count, m))
        if array.shape != expected or not np.isfinite(array).all():
            msg = f"branch {name!r} is not {expected} finite numbers"
            raise ValueError(msg)
    if (arrays["pdg"] != layout.codes).any():
        msg = f"its particles are not those announced, {layout.codes}"
        raise ValueError(msg)
    return header, _record(layout, arrays)


def size(header: Header, record: Record) -> int:
    """Return about how many bytes some events take."""
    columns = _columns(header.layout, record).values()
    return sum(len(zlib.compress(column.tobytes(), 1)) for column in columns)


def _names(layout: Layout) -> tuple[str, ...]:
    return _MOMENTUM + _PLACE * layout.displaced


def _columns(layout: Layout, record: Record) -> dict[str, Float[np.ndarray, "n ..."]]:
    values = [record.particles]
    if layout.displaced:
        n = len(record.weights)
        # beams and collinear photons are given the place of the collision
        index = (0,) * layout.first + layout.made
        values.append(record.vertices[:, index].reshape(n, -1, 4))
    components = np.concatenate(values, axis=2)
    columns = {name: components[..., i] for i, name in enumerate(_names(layout))}
    return {"weight": record.weights, "p_beams": record.p_beams} | columns


def _record(layout: Layout, arrays: dict[str, np.ndarray]) -> Record:
    def stacked(names: tuple[str, ...]) -> np.ndarray:
        return np.stack([arrays[name] for name in names], axis=2)

    vertices = np.empty((len(arrays["weight"]), 0, 4))
    if layout.displaced:
        slots = [
            layout.first + layout.made.index(v) for v in range(len(layout.origins))
        ]
        vertices = stacked(_PLACE)[:, slots]
    return Record(stacked(_MOMENTUM), arrays["weight"], arrays["p_beams"], vertices)


@contextmanager
def _unpacked() -> Iterator[None]:
    """Turn what uproot raises on damage, and is no built-in error, into ValueError."""
    uproot = _uproot()
    import cramjam

    try:
        yield
    except (
        cramjam.DecompressionError,
        uproot.deserialization.DeserializationError,
    ) as error:
        raise ValueError(str(error).split("\n", 1)[0]) from None


def _uproot() -> Any:
    try:
        import uproot
    except ImportError:
        package = "uproot"
        raise MissingExtra(package, "root", "reading and writing ROOT files") from None
    return uproot
