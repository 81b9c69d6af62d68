"""Rows shared out to threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from bcls import threads


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize(("rows", "step"), [(0, None), (1, None), (7, None), (7, 2), (7, 100)])
def test_the_ranges_cover_all_rows_in_order(monkeypatch, workers, rows, step):
    monkeypatch.setattr(threads, "worker_count", lambda: workers)
    ranges = threads.over_rows(lambda start, stop: (start, stop), rows, step)
    assert [row for start, stop in ranges for row in range(start, stop)] == list(range(rows))
    assert len(ranges) >= 1


def test_several_threads_work_at_once(monkeypatch):
    monkeypatch.setattr(threads, "worker_count", lambda: 2)
    meeting = threading.Barrier(2, timeout=10)
    assert len(threads.over_rows(lambda start, stop: meeting.wait(), 2)) == 2


def test_an_error_comes_through(monkeypatch):
    monkeypatch.setattr(threads, "worker_count", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        threads.over_rows(lambda start, stop: 1 // start, 4)


def test_an_error_of_a_helper_comes_through_when_all_have_ended(monkeypatch):
    monkeypatch.setattr(threads, "worker_count", lambda: 2)
    meeting, ended = threading.Barrier(2, timeout=10), []

    def work(start, stop):
        meeting.wait()
        if threading.current_thread() is not threading.main_thread():
            raise ZeroDivisionError
        ended.append(start)

    with pytest.raises(ZeroDivisionError):
        threads.over_rows(work, 2)
    assert len(ended) == 1


def test_work_that_shares_out_work_of_its_own_comes_to_an_end(monkeypatch):
    monkeypatch.setattr(threads, "worker_count", lambda: 5)

    def work(start, stop):
        return threads.over_rows(lambda first, last: last - first, 5, 1)

    assert threads.over_rows(work, 40, 1) == [[1] * 5] * 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_helpers_of_its_own():
    code = (
        "import os, threading\n"
        "from bcls import threads\n"
        "threads.worker_count = lambda: 2\n"
        "meet = lambda: threads.over_rows(lambda start, stop: meeting.wait(), 2)\n"
        "meeting = threading.Barrier(2, timeout=20)\n"
        "meet()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    meet()\n"
        "    os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "7", done.stderr


def test_torch_tells_how_many(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    assert threads.worker_count() == 7
    monkeypatch.delitem(threads.sys.modules, "torch")
    assert threads.worker_count() >= 1
