"""Rows shared out to threads."""

from __future__ import annotations

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


def test_torch_tells_how_many(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    assert threads.worker_count() == 7
    monkeypatch.delitem(threads.sys.modules, "torch")
    assert threads.worker_count() >= 1
