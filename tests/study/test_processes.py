"""Runs as processes, with light ones in place of training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from bcls.study.plan import StudyRun
from bcls.study.processes import core_count, run_processes
from bcls.training.run_folder import RunFolder

WORK = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1]).parent
(folder / "pid").write_text(str(os.getpid()))
print("threads", os.environ["OMP_NUM_THREADS"], flush=True)
if folder.name == "bad":
    sys.exit("it is bad")
if folder.name == "long":
    sys.stdin.buffer.read()
    os._exit(1)
time.sleep(0.5)
(folder / "result.json").write_text("{}")
"""
COMMAND = (sys.executable, "-c", WORK)


class _Heard:
    def __init__(self) -> None:
        self.ends: dict[str, str | None] = {}
        self.most = 0

    def tick(self, busy) -> None:
        self.most = max(self.most, len(busy))

    def ended(self, run, seconds, reason) -> None:
        self.ends[run.name] = reason


def _runs(folder: Path, *names: str) -> list[StudyRun]:
    for name in names:
        (folder / name).mkdir()
    return [StudyRun(name, RunFolder(folder / name), "") for name in names]


def test_a_failure_does_not_stop_the_others_and_its_last_line_is_the_reason(tmp_path):
    heard = _Heard()
    run_processes(_runs(tmp_path, "a", "bad", "b"), 2, heard, command=COMMAND)
    assert heard.ends == {"a": None, "bad": "it is bad", "b": None}
    assert f"threads {max(1, core_count() // 2)}" in (tmp_path / "a" / "log.txt").read_text()


@pytest.mark.parametrize("jobs", [1, 2])
def test_so_many_at_a_time(tmp_path, jobs):
    heard = _Heard()
    run_processes(_runs(tmp_path, "a", "b", "c"), jobs, heard, command=COMMAND)
    ends, starts = ([(tmp_path / name / file).stat().st_mtime for name in "abc"] for file in ("result.json", "pid"))
    assert heard.most == jobs
    assert (starts[1] < ends[0]) == (jobs == 2)
    assert starts[2] >= min(ends[:2])


def test_a_killed_run_says_so(tmp_path):
    heard = _Heard()
    kill = "import os; os.kill(os.getpid(), 9)"
    run_processes(_runs(tmp_path, "a"), 1, heard, command=(sys.executable, "-c", kill))
    assert heard.ends == {"a": "ended by signal 9"}


def test_no_process_is_left_after_an_error(tmp_path):
    class _Stop(_Heard):
        def tick(self, busy) -> None:
            if (tmp_path / "long" / "pid").exists():
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_processes(_runs(tmp_path, "long"), 1, _Stop(), command=COMMAND)
    assert not _alive(int((tmp_path / "long" / "pid").read_text()))


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_no_process_is_left_when_the_study_ends(tmp_path, how):
    _runs(tmp_path, "long")
    script = f"""
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from pathlib import Path
        from tests.study.test_processes import COMMAND, _Heard
        from bcls.training.run_folder import RunFolder
        from bcls.study.plan import StudyRun
        from bcls.study.processes import run_processes
        run_processes([StudyRun("long", RunFolder(Path({str(tmp_path / "long")!r})), "")], 1, _Heard(), command=COMMAND)
    """
    study = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL
    )
    pid = tmp_path / "long" / "pid"
    _wait(lambda: pid.exists() and pid.read_text())
    study.send_signal(how)
    study.wait(30)
    _wait(lambda: not _alive(int(pid.read_text())))


def _wait(ready) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True
