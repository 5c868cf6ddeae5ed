"""Files written whole or not at all, and room for them on the disk."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darksector.errors import OutputError


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file so that other readers see its old or its new content, never a part.

    Parameters
    ----------
    path
        Where the file goes; missing folders are made.
    content
        All of its bytes.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written; an old file stays as it was.
    """
    with whole_file(path) as part:
        part.write_bytes(content)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the name of a part file that takes its place when the block ends well.

    Parameters
    ----------
    path
        Where the file goes; missing folders are made.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written; an old file stays as it was.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OutputError:
        raise
    except OSError as error:
        msg = (
            f"cannot write {str(path)!r}: {error.strerror or error}; choose another "
            "output folder, or make room and permission in this one."
        )
        raise OutputError(msg) from error


def check_room(folder: Path, needed: int) -> None:
    """Raise OutputError if a folder's disk has fewer free bytes than a file needs."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        msg = (
            f"the file needs about {_size(needed)}, and the disk of {str(folder)!r} has "
            f"{_size(free)} free; write fewer events, choose a compressed format "
            "(.root, .lhe.gz, .hepmc.gz) or another disk, or make room on this one."
        )
        raise OutputError(msg)


def _size(amount: int) -> str:
    return f"{amount / 1e9:.3g} GB" if amount >= 1e9 else f"{amount / 1e6:.3g} MB"
