"""Chunks of work in this process or in local workers, with checkpoints.

Results do not depend on the number of workers, the order of the chunks or on where a
run was stopped: tasks are pure, their random numbers come from `stream`, and a
finished task is a file named after the hash of its inputs.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import (
    Callable,
    Generator,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, final

import numpy as np

from darksector.errors import DarksectorError, InvalidConfig, OutputError

Arrays = dict[str, np.ndarray]

_Results = Generator[tuple[str, Arrays], None, None]
_POOLS = 2  # the first, and one more after a worker was lost
_MEMBER = "array."  # np.savez has arguments of its own; a prefix keeps names apart
_KEY = re.compile(r"[0-9a-f]+")
# NPROC is what the array compiler sizes its pool of threads by
_SINGLE_THREAD = {"NPROC": "1", "OMP_NUM_THREADS": "1"}
_DAMAGED = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error)


@final
@dataclass(frozen=True)
class Task:
    """One chunk of work: a pure function and its arguments.

    Parameters
    ----------
    key
        Hexadecimal hash of everything that the result depends on; tasks with the same
        key are computed once.
    function
        Function of a module (a worker imports it by name) that returns arrays.
    arguments
        What the function is called with; must be picklable.
    """

    key: str
    function: Callable[..., Arrays]
    arguments: tuple[object, ...]


def run(
    tasks: Sequence[Task],
    *,
    workers: int,
    checkpoint: Path | None,
    progress: Callable[[int, int], None] | None,
) -> list[Arrays]:
    """Return the results of all tasks, in the order of the tasks.

    Parameters
    ----------
    tasks
        Chunks of a second or more each.
    workers
        Number of processes; one means this process.
    checkpoint
        Folder of finished results, made if absent; `None` keeps nothing.  Results
        found there are loaded, damaged ones are computed again.
    progress
        Called with the numbers of finished and of all tasks, at the start and after
        each task.

    Raises
    ------
    InvalidConfig
        If `workers` is less than one or a key is not hexadecimal.
    DarksectorError
        If workers were killed twice, for instance for want of memory.
    OutputError
        If the checkpoint folder cannot be written.

    Notes
    -----
    Workers start afresh ("spawn") and compute in one thread each.  They do not import
    the user's script again, so that a script without an ``if __name__`` guard works;
    for the same reason a task's function cannot live in that script.  On Ctrl-C the
    workers are killed and the finished results stay in the checkpoint folder.
    """
    _check(tasks, workers)
    unique = {task.key: task for task in tasks}
    report = progress or _silent
    finished = _load_all(unique, checkpoint)
    report(len(finished), len(unique))
    pending = [task for key, task in unique.items() if key not in finished]
    with closing(_results(pending, min(workers, len(pending)))) as results:
        for key, arrays in results:
            if checkpoint is not None:
                _save(checkpoint, key, arrays)
            finished[key] = arrays
            report(len(finished), len(unique))
    return [finished[task.key] for task in tasks]


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """Return the random numbers that belong to a seed and labels, and to nothing else.

    Parameters
    ----------
    seed
        The one seed of the run.
    labels
        What the numbers are for, for instance process, stage and chunk.

    Notes
    -----
    The generator is NumPy's Philox-4x64-10, counter-based (Salmon et al., SC'11,
    doi:10.1145/2063384.2063405).  Its 128-bit key is the start of the SHA-256 of the
    JSON list ``[seed, *labels]``, so 1 and "1" are different labels, and ("ab", "c")
    differs from ("a", "bc").  Streams may be opened in any order and any process.

    Examples
    --------
    >>> stream(1, "dimuon", 0).random() == stream(1, "dimuon", 0).random()
    True
    """
    text = json.dumps([seed, *labels], separators=(",", ":"))
    digest = hashlib.sha256(text.encode("ascii")).digest()
    key = np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def _silent(done: int, total: int) -> None:
    del done, total


def _check(tasks: Sequence[Task], workers: int) -> None:
    if workers < 1:
        msg = f"workers must be at least 1, got {workers}; 1 computes in this process."
        raise InvalidConfig(msg)
    for task in tasks:
        if not _KEY.fullmatch(task.key):
            msg = (
                f"task key {task.key!r} must be hexadecimal, for instance a SHA-256: "
                "it names a file of the checkpoint folder."
            )
            raise InvalidConfig(msg)
        if workers > 1 and task.function.__module__ == "__main__":
            msg = (
                f"task function {task.function.__name__!r} is defined in the main "
                "script, which workers do not import; move it to a module."
            )
            raise InvalidConfig(msg)


def _call(task: Task) -> Arrays:
    result = task.function(*task.arguments)
    return {name: np.asarray(array) for name, array in result.items()}


def _results(pending: Sequence[Task], workers: int) -> _Results:
    """Yield keys and results, in the order in which they finish."""
    if workers <= 1:
        yield from ((task.key, _call(task)) for task in pending)
        return
    left = {task.key: task for task in pending}
    for _ in range(_POOLS):
        try:
            with closing(_pooled(list(left.values()), workers)) as results:
                for key, arrays in results:
                    del left[key]
                    yield key, arrays
        except BrokenProcessPool:
            continue
        return
    msg = (
        f"worker processes were killed twice, with {len(left)} tasks left; usually "
        f"memory ran out. Run again with fewer workers than {workers}; finished tasks "
        "are kept in the checkpoint folder."
    )
    raise DarksectorError(msg)


def _pooled(tasks: Sequence[Task], workers: int) -> _Results:
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        min(workers, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
    )
    complete = False
    try:
        futures: dict[Future[Arrays], str] = {}
        with _fresh_workers():
            for task in tasks:
                futures[executor.submit(_call, task)] = task.key
        for future in as_completed(futures):
            yield futures.pop(future), future.result()
        complete = True
    finally:
        if not complete:
            _kill(set(multiprocessing.active_children()) - others)
        executor.shutdown(wait=True, cancel_futures=True)


def _kill(processes: set[BaseProcess]) -> None:
    for process in processes:
        process.kill()


@contextmanager
def _fresh_workers() -> Iterator[None]:
    """Start workers that compute in one thread and do not import the user's script.

    "spawn" would run the main script again in every worker, and a script without an
    ``if __name__`` guard would start its own workers there, and so on.  It finds the
    script through these two attributes.  The environment must be set before a worker
    starts: it imports NumPy, and with it the linear algebra, first of all.
    """
    main = vars(sys.modules["__main__"])
    hidden = {"__file__": None, "__spec__": None}
    with _replaced(main, hidden), _replaced(os.environ, _SINGLE_THREAD):
        yield


@contextmanager
def _replaced(
    mapping: MutableMapping[str, Any], values: Mapping[str, Any]
) -> Iterator[None]:
    before = {name: mapping[name] for name in values if name in mapping}
    mapping.update(values)
    try:
        yield
    finally:
        for name in values:
            del mapping[name]
        mapping.update(before)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent process, and end when that one is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # sys.exit would end this thread only


def _load_all(tasks: Mapping[str, Task], checkpoint: Path | None) -> dict[str, Arrays]:
    if checkpoint is None:
        return {}
    try:
        checkpoint.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(checkpoint, error) from None
    loaded = ((key, _load(_file(checkpoint, key))) for key in tasks)
    return {key: arrays for key, arrays in loaded if arrays is not None}


def _load(path: Path) -> Arrays | None:
    """Return a stored result, or `None` if it is absent or damaged."""
    try:
        if not zipfile.is_zipfile(path):
            return None
        with np.load(path, allow_pickle=False) as stored:
            return {name.removeprefix(_MEMBER): stored[name] for name in stored.files}
    except _DAMAGED:
        return None


def _save(checkpoint: Path, key: str, arrays: Arrays) -> None:
    """Store a result whole or not at all: a reader never sees half a file."""
    members = {_MEMBER + name: array for name, array in arrays.items()}
    try:
        with tempfile.TemporaryDirectory(dir=checkpoint, prefix=".writing-") as folder:
            whole = Path(folder) / "result.npz"
            np.savez(whole, **members)  # type: ignore[arg-type]  # prefixed names
            whole.replace(_file(checkpoint, key))
    except OSError as error:
        raise _unwritable(checkpoint, error) from None


def _file(checkpoint: Path, key: str) -> Path:
    return checkpoint / f"{key}.npz"


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"checkpoint folder {str(folder)!r} cannot be written: {error.strerror}; "
        "free some space or choose another folder."
    )
