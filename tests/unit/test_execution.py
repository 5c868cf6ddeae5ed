from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from darksector.errors import DarksectorError, InvalidConfig, OutputError
from darksector.execution import Task, run, stream

CHUNKS = """
from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from darksector.execution import Task, stream


def draw(seed, chunk, log, wait):
    time.sleep(wait)
    with Path(log).open("a") as file:
        file.write(f"{chunk}\\n")
    return {"x": stream(seed, "chunk", chunk).normal(size=3), "pid": np.array(0)}


def environment(name):
    return {"value": np.array([ord(c) for c in os.environ.get(name, "")])}


def die(marker):
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"x": np.ones(1)}


def die_always():
    os.kill(os.getpid(), signal.SIGKILL)


def fail():
    raise ZeroDivisionError("physics")


def tasks(log, count=8, wait=0.0):
    return [Task(f"{i:04x}", draw, (1, i, str(log), wait)) for i in range(count)]
"""


@pytest.fixture
def chunks(tmp_path, monkeypatch):
    """A module of task functions, importable here and in the workers."""
    (tmp_path / "chunk_functions.py").write_text(CHUNKS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sys.modules.pop("chunk_functions", None)
    import chunk_functions

    yield chunk_functions
    sys.modules.pop("chunk_functions", None)


def plain(tasks, workers=1, checkpoint=None, progress=None):
    return run(tasks, workers=workers, checkpoint=checkpoint, progress=progress)


def assert_same(left, right):
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], strict=True)


def lines(path):
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("workers", [2, 7])
def test_results_do_not_depend_on_the_number_of_workers(chunks, tmp_path, workers):
    alone = plain(chunks.tasks(tmp_path / "log"))

    assert_same(plain(chunks.tasks(tmp_path / "log"), workers), alone)


def test_equal_keys_are_computed_once(chunks, tmp_path):
    twice = [*chunks.tasks(tmp_path / "log", 2), *chunks.tasks(tmp_path / "log", 2)]

    results = plain(twice)

    assert lines(tmp_path / "log") == ["0", "1"]
    assert_same(results[:2], results[2:])


def test_finished_tasks_are_loaded_and_damaged_files_computed_again(chunks, tmp_path):
    log, folder, calls = tmp_path / "log", tmp_path / "deep" / "parts", []
    first = plain(chunks.tasks(log, 5), checkpoint=folder)
    whole = (folder / "0001.npz").read_bytes()
    (folder / "0001.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "0002.npz").write_bytes(b"")
    flipped = bytearray((folder / "0003.npz").read_bytes())
    flipped[150] ^= 0xFF
    (folder / "0003.npz").write_bytes(flipped)
    log.unlink()

    again = plain(
        chunks.tasks(log, 5),
        checkpoint=folder,
        progress=lambda done, total: calls.append((done, total)),
    )

    assert_same(again, first)
    assert lines(log) == ["1", "2", "3"]
    assert calls == [(2, 5), (3, 5), (4, 5), (5, 5)]
    assert sorted(p.name for p in folder.iterdir()) == [
        f"{i:04x}.npz" for i in range(5)
    ]


def test_pickled_objects_in_a_checkpoint_are_never_loaded(chunks, tmp_path):
    np.savez(tmp_path / "0000.npz", **{"array.x": np.array([object()], dtype=object)})

    results = plain(chunks.tasks(tmp_path / "log", 1), checkpoint=tmp_path)

    assert results[0]["x"].shape == (3,)


def test_awkward_array_names_and_empty_results_survive_the_checkpoint(tmp_path):
    arrays = {"file": np.ones(2), "allow_pickle": np.zeros(1), "a/b": np.arange(3)}
    for _ in range(2):
        results = plain(
            [Task("a1", dict, (arrays,)), Task("a2", dict, ())], checkpoint=tmp_path
        )

        assert_same(results, [arrays, {}])


SCRIPT = """
import sys
import chunk_functions
from darksector.execution import run

tasks = chunk_functions.tasks(sys.argv[1], count=6, wait=float(sys.argv[4]))
folder = __import__("pathlib").Path(sys.argv[2])
results = run(tasks, workers=int(sys.argv[3]), checkpoint=folder, progress=None)
print([r["x"].tobytes().hex() for r in results])
"""


def command(tmp_path, workers, wait, script=SCRIPT):
    (tmp_path / "script.py").write_text(script)
    arguments = [str(tmp_path / "log"), str(tmp_path / "parts"), str(workers), wait]
    return [sys.executable, str(tmp_path / "script.py"), *arguments]


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def children(pid):
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text().split()


def gone(pid):
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_resumes_without_repeating_itself(
    chunks, tmp_path, workers, sent
):
    log, parts = tmp_path / "log", tmp_path / "parts"
    process = subprocess.Popen(
        command(tmp_path, workers, "0.3"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wait_for(lambda: len(list(parts.glob("*.npz"))) >= 2)
    workers_left = children(process.pid)
    process.send_signal(sent)
    _, complaint = process.communicate(timeout=20)
    wait_for(lambda: all(gone(pid) for pid in workers_left), seconds=10)
    done = {int(p.stem, 16) for p in parts.glob("*.npz")}
    assert process.returncode != 0
    assert 2 <= len(done) < 6
    assert complaint.count(b"Traceback") <= 1  # the workers say nothing
    log.unlink()

    resumed = plain(chunks.tasks(log, 6), checkpoint=parts)

    assert {int(line) for line in lines(log)} == set(range(6)) - done
    assert_same(resumed, plain(chunks.tasks(tmp_path / "other log", 6)))


def test_a_script_without_a_main_guard_works_and_runs_once(chunks, tmp_path):
    script = "print('started')" + SCRIPT
    printed = []
    for workers in (1, 2):
        folder = tmp_path / f"{workers} workers"
        folder.mkdir()
        line = command(folder, workers, "0.0", script)
        printed.append(subprocess.check_output(line, text=True, timeout=60))

    assert printed[0] == printed[1]
    assert printed[0].count("started") == 1


def test_code_from_standard_input_works(chunks, tmp_path):
    process = subprocess.run(
        [sys.executable, "-", *command(tmp_path, 2, "0.0")[2:]],
        input=SCRIPT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert process.stdout.startswith("[")


def test_the_main_module_and_the_environment_are_as_before(chunks, tmp_path):
    main, environment = sys.modules["__main__"], dict(os.environ)
    before = getattr(main, "__file__", None), main.__spec__

    plain(chunks.tasks(tmp_path / "log", 2), workers=2)

    assert (getattr(main, "__file__", None), main.__spec__) == before
    assert dict(os.environ) == environment


def test_workers_compute_in_one_thread(chunks):
    names = ("NPROC", "OMP_NUM_THREADS")
    tasks = [
        Task(f"{i:x}", chunks.environment, (name,)) for i, name in enumerate(names)
    ]

    found = ["".join(map(chr, result["value"])) for result in plain(tasks, workers=2)]

    assert found == ["1", "1"]


def test_a_killed_worker_costs_one_fresh_pool(chunks, tmp_path):
    tasks = [
        Task("aa", chunks.die, (str(tmp_path / "marker"),)),
        *chunks.tasks(tmp_path / "log", 3),
    ]

    results = plain(tasks, workers=2)

    np.testing.assert_array_equal(results[0]["x"], [1.0])
    assert_same(results[1:], plain(chunks.tasks(tmp_path / "log", 3)))


def test_workers_killed_twice_are_one_clear_error(chunks, tmp_path):
    tasks = [Task("aa", chunks.die_always, ()), *chunks.tasks(tmp_path / "log", 2)]

    with pytest.raises(DarksectorError, match="fewer workers than 2"):
        plain(tasks, workers=2)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_error_of_a_task_is_the_error_of_the_run(chunks, tmp_path, workers):
    tasks = [Task("aa", chunks.fail, ()), *chunks.tasks(tmp_path / "log", 2)]

    with pytest.raises(ZeroDivisionError, match="physics"):
        plain(tasks, workers=workers)


def in_main():
    return {}


def test_bad_requests_are_refused(chunks, tmp_path, monkeypatch):
    with pytest.raises(InvalidConfig, match="at least 1, got 0"):
        plain([], workers=0)
    with pytest.raises(InvalidConfig, match="hexadecimal"):
        plain([Task("../escape", dict, ())])
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        plain([Task("a", dict, ())], checkpoint=tmp_path / "file")
    monkeypatch.setattr(in_main, "__module__", "__main__")
    with pytest.raises(InvalidConfig, match="move it to a module"):
        plain([Task("a", in_main, ()), Task("b", in_main, ())], workers=2)


def test_no_tasks_are_no_results(tmp_path):
    assert plain([], workers=3, checkpoint=tmp_path) == []


def test_streams_belong_to_their_labels_in_any_order():
    labels = [(), ("a",), ("a", 0), ("a", 1), ("a", "1"), ("ab", "c"), ("a", "bc")]

    forward = [stream(1, *some).random() for some in labels]
    backward = [stream(1, *some).random() for some in reversed(labels)]

    assert forward == backward[::-1]
    assert len(set(forward)) == len(labels)
    assert stream(2, "a").random() != stream(1, "a").random()


def test_streams_are_frozen():
    """Changing these numbers changes every published result: never by accident."""
    words = stream(1, "dimuon", 0).bit_generator.random_raw(2)

    assert words.tolist() == FROZEN


FROZEN = [1683033735097868456, 7940954076727404219]
