"""Rows shared out to threads: for work that leaves Python's lock, as numpy's sorts and compiled kernels do."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from threading import Lock
from typing import TypeVar

Result = TypeVar("Result")


def worker_count() -> int:
    """Threads to use: as many as torch is set to, or one for each processor where torch is not loaded.

    Example:
        >>> worker_count() >= 1
        True
    """
    torch = sys.modules.get("torch")
    if torch is not None:
        return int(torch.get_num_threads())
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    """Helpers for the whole process: to start them anew takes longer than the work on a small matrix."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), thread_name_prefix="bcls-rows")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads stay behind in the parent


def over_rows(work: Callable[[int, int], Result], rows: int, step: int | None = None) -> list[Result]:
    """Call `work(start, stop)` for consecutive ranges that cover all rows.

    Args:
        work: is called from several threads at once.
        rows: number of rows, at least 0.
        step: rows in a range, at least 1; None for one range to each thread.

    Returns:
        What `work` returned, in the order of the rows; one call with an empty range where there is no row.

    Example:
        >>> over_rows(lambda start, stop: (start, stop), 5, 2)
        [(0, 2), (2, 4), (4, 5)]
    """
    workers = worker_count()
    if step is None:
        step = max(1, -(-rows // workers))
    starts = range(0, max(rows, 1), step)
    waiting = iter(starts)
    results: dict[int, Result] = {}
    lock = Lock()

    def take_turns() -> None:  # far cheaper than a future for each range
        while True:
            with lock:
                start = next(waiting, None)
            if start is None:
                return
            results[start] = work(start, min(start + step, rows))

    helpers = min(workers, len(starts)) - 1
    if helpers < 1:
        take_turns()
    else:
        others = [_pool().submit(take_turns) for _ in range(helpers)]
        try:
            take_turns()
        finally:  # one that has not begun by now finds nothing to do, and may stand in a queue behind this very call
            begun = [other for other in others if not other.cancel()]
            wait(begun)
        for other in begun:
            other.result()
    return [results[start] for start in starts]
