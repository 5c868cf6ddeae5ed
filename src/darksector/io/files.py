"""Files written whole or not at all."""

from __future__ import annotations

import uuid
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
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        msg = (
            f"cannot write {str(path)!r}: {error.strerror or error}; choose another "
            "output folder, or make room and permission in this one."
        )
        raise OutputError(msg) from error
