"""One writer at a time in a folder: among threads, among processes, and after a writer was killed."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from bcls.search.errors import WriteFailedError
from bcls.search.folder_lock import folder_lock

HOLDS = """
import sys, time
from pathlib import Path
from bcls.search.folder_lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(60)
"""

COUNTS = """
import sys
from pathlib import Path
from bcls.search.folder_lock import folder_lock
folder = Path(sys.argv[1])
for _ in range(200):
    with folder_lock(folder):
        count = int((folder / "count").read_text())
        (folder / "count").write_text(str(count + 1))
"""


def entering(folder) -> tuple[threading.Thread, threading.Event]:
    """A thread that wants in, and whether it is."""
    entered = threading.Event()

    def enter():
        with folder_lock(folder):
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    return thread, entered


def test_a_second_waits_until_the_first_has_left(tmp_path):
    with folder_lock(tmp_path):
        thread, entered = entering(tmp_path)
        assert not entered.wait(0.1)
    assert entered.wait(10)
    thread.join()


def test_folders_do_not_wait_for_each_other(tmp_path):
    (tmp_path / "other").mkdir()
    with folder_lock(tmp_path):
        thread, entered = entering(tmp_path / "other")
        assert entered.wait(10)
        thread.join()


def test_an_error_inside_lets_go_and_is_told_as_it_is(tmp_path):
    with pytest.raises(OSError, match="mine"), folder_lock(tmp_path):
        raise OSError("mine")
    thread, entered = entering(tmp_path)
    assert entered.wait(10)
    thread.join()


def test_a_killed_process_lets_go(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "in\n"
        thread, entered = entering(tmp_path)
        assert not entered.wait(0.1)
        holder.kill()
        assert entered.wait(10)
        thread.join()


def test_processes_that_read_and_write_lose_no_count(tmp_path):
    (tmp_path / "count").write_text("0")
    both = [subprocess.Popen([sys.executable, "-c", COUNTS, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (tmp_path / "count").read_text() == "400"


def test_what_lies_in_the_lock_file_stays(tmp_path):
    (tmp_path / ".lock").write_text("kept")
    with folder_lock(tmp_path):
        assert (tmp_path / ".lock").read_text() == "kept"


@pytest.mark.parametrize("spoil", ["gone", "a folder in its place", "a file in the folder's place"])
def test_a_lock_that_cannot_be_made_is_told(tmp_path, spoil):
    folder = tmp_path / "index"
    if spoil == "a folder in its place":
        (folder / ".lock").mkdir(parents=True)
    elif spoil == "a file in the folder's place":
        folder.write_text("x")
    says = r"index: could not be written \(.*\); what was there before is untouched"
    with pytest.raises(WriteFailedError, match=says), folder_lock(folder):
        raise AssertionError("entered")
