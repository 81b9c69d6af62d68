"""Time and memory of one job, each in a process of its own, so that no job warms or fills another's."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def seconds_of(job: Callable[[], object], repeats: int = 5) -> float:
    """The median time of a job after one run that is not counted."""
    job()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def seconds_in_turns(jobs: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """The median time of each job, taken in turns, so that what else the machine does falls on all alike."""
    for job in jobs:
        job()
    times: list[list[float]] = [[] for _ in jobs]
    for _ in range(repeats):
        for job, own in zip(jobs, times, strict=True):
            start = time.perf_counter()
            job()
            own.append(time.perf_counter() - start)
    return [statistics.median(own) for own in times]


def extra_megabytes_of(job: Callable[[], object]) -> float:
    """How far the process's memory rises above where it stood before the job."""
    before, most = _resident(), 0.0
    over = threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.is_set():
            most = max(most, _resident())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        job()
    finally:
        over.set()
        watcher.join()
    # The high-water mark catches a peak between two looks, where it rose at all.
    high = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return max(most, high if high > before * 1.02 else 0.0) - before


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def in_own_process(file: str, *words: str) -> dict[str, Any]:
    """Run `python FILE WORDS` and read the JSON of its last line."""
    done = subprocess.run([sys.executable, file, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"}
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def measured(job: Callable[[], object], repeats: int = 5) -> dict[str, float]:
    """Seconds and extra megabytes of a job, memory first, while it is fresh."""
    extra = extra_megabytes_of(job)
    return {"seconds": seconds_of(job, repeats), "extra_mb": extra}


def load() -> str:
    """The machine's load, to stand beside every number."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
