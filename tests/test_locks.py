"""One holder of a lock at a time, among threads and processes, on systems with and without `fcntl`."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from bcls.locks import locked

COUNTS = """
import sys
from pathlib import Path
from bcls.locks import locked
folder = Path(sys.argv[1])
for _ in range(200):
    with locked(folder / ".lock", remove=True):
        count = int((folder / "count").read_text())
        (folder / "count").write_text(str(count + 1))
"""


def test_processes_that_remove_the_file_lose_no_count(tmp_path):
    (tmp_path / "count").write_text("0")
    both = [subprocess.Popen([sys.executable, "-c", COUNTS, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (tmp_path / "count").read_text() == "400"
    assert [file.name for file in tmp_path.iterdir()] == ["count"]


def test_a_waiting_thread_is_told_once_and_enters_afterwards(tmp_path):
    said, entered = threading.Event(), threading.Event()
    calls = []

    def wait():
        with locked(tmp_path / ".lock", lambda: (calls.append(1), said.set())):
            entered.set()

    thread = threading.Thread(target=wait)
    with locked(tmp_path / ".lock", lambda: calls.append("free")):
        thread.start()
        assert said.wait(10)
        assert not entered.wait(0.1)
    thread.join(10)
    assert entered.is_set()
    assert calls == [1]


def test_an_error_of_waiting_is_passed_on_and_nothing_is_held(tmp_path):
    def refuse():
        raise ValueError("held")

    with locked(tmp_path / ".lock"):
        with pytest.raises(ValueError, match="held") as refused, locked(tmp_path / ".lock", refuse):
            raise AssertionError("entered")
        assert refused.value.__context__ is None
    with locked(tmp_path / ".lock", refuse):
        pass


def test_the_file_is_removed_only_on_request_and_an_error_releases_the_lock(tmp_path):
    for remove, left in ((False, [".lock"]), (True, [])):
        with pytest.raises(KeyError), locked(tmp_path / ".lock", remove=remove):
            raise KeyError
        assert [file.name for file in tmp_path.iterdir()] == left


def test_a_file_that_cannot_be_made_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="absent"), locked(tmp_path / "absent" / ".lock"):
        raise AssertionError("entered")


def test_it_excludes_a_process_that_calls_flock_as_release_0_1_does(tmp_path):
    fcntl = pytest.importorskip("fcntl", reason="the system has no flock")
    with (tmp_path / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        def refuse():
            raise ValueError("held")

        with pytest.raises(ValueError, match="held"), locked(tmp_path / ".lock", refuse):
            raise AssertionError("entered")
    with locked(tmp_path / ".lock"), (tmp_path / ".lock").open("a") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


WITHOUT_FCNTL = """
import sys, threading, warnings
from pathlib import Path
warnings.simplefilter("ignore")  # filelock says that it uses a lock of another kind
sys.modules["fcntl"] = None  # every import of it fails, as on Windows
import bcls.search, bcls.data.labels
from bcls.search.folder_lock import folder_lock
folder, entered = Path(sys.argv[1]), threading.Event()

def enter():
    with folder_lock(folder):
        entered.set()

with folder_lock(folder):
    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.2)
thread.join(10)
assert entered.is_set()
print("done")
"""


def test_search_works_where_fcntl_does_not_exist(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FCNTL, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
