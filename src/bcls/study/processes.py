"""Runs as processes, so many at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from bcls.study.plan import StudyRun

ONE_RUN = (sys.executable, "-m", "bcls.study.one_run")
LOG = "log.txt"
PAUSE = 0.2
PATIENCE = 10.0
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class RunListener(Protocol):
    """Somebody who wants to know how far a study has come."""

    def tick(self, busy: list[StudyRun]) -> None:
        """Some time has passed; these runs are going on."""
        ...

    def ended(self, run: StudyRun, seconds: float, reason: str | None) -> None:
        """A run has ended, after so many seconds; the reason is why it failed, or None."""
        ...


def core_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_processes(
    runs: Iterable[StudyRun], jobs: int, listener: RunListener, *, command: Sequence[str] = ONE_RUN
) -> None:
    """Train each run in a process of its own, in order, `jobs` at a time; a failed one does not stop the others.

    What a run says goes to `log.txt` in its folder. On any way out, Ctrl-C included, no process is left.

    Args:
        runs: with their configs in their folders.
        jobs: how many at a time; the cores are shared out among them.
        listener: hears of every run that has ended.
        command: trains the run whose config is its last word, and ends when its standard input does.
    """
    waiting, busy = deque(runs), deque[tuple[StudyRun, subprocess.Popen[bytes], float]]()
    with ExitStack() as processes:
        while waiting or busy:
            while waiting and len(busy) < jobs:
                run = waiting.popleft()
                process = processes.enter_context(_process(run, command, max(1, core_count() // jobs)))
                busy.append((run, process, time.monotonic()))
            time.sleep(PAUSE)
            for _ in range(len(busy)):
                run, process, since = busy.popleft()
                if process.poll() is None:
                    busy.append((run, process, since))
                else:
                    listener.ended(run, time.monotonic() - since, _reason(run, process.returncode))
            listener.tick([run for run, _, _ in busy])


@contextmanager
def _process(run: StudyRun, command: Sequence[str], threads: int) -> Iterator[subprocess.Popen[bytes]]:
    """A run's process; it ends with the block, for its standard input does."""
    environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    with _log(run).open("ab") as log:
        process = subprocess.Popen(
            [*command, str(run.folder.config)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the study, which ends its runs
        )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _log(run: StudyRun) -> Path:
    return run.folder.path / LOG


def _reason(run: StudyRun, code: int) -> str | None:
    """Why a run failed: the last thing that it said."""
    if code == 0 and run.folder.result.exists():
        return None
    said = [line for line in _log(run).read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if code < 0:
        return f"ended by signal {-code}"
    return said[-1].strip() if said else f"ended with code {code}"
