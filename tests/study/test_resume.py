"""A study that was killed and called again ends as an unbroken one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def _command(file: Path, output: Path) -> list[str]:
    return [sys.executable, "-m", "bcls", "study", str(file), "--output", str(output), "--jobs", "1"]


@pytest.mark.slow
def test_kill_and_resume(study_file, tmp_path):
    file = study_file(seeds=[0], set={"optimization.epochs": 30}, pareto=None)
    subprocess.run(_command(file, tmp_path / "unbroken"), check=True, capture_output=True)
    broken = subprocess.Popen(_command(file, tmp_path / "broken"), stderr=subprocess.DEVNULL)
    history = tmp_path / "broken" / "bcls" / "seed-0" / "history.csv"
    _wait(lambda: history.exists() and history.read_text().count("\n") > 3)
    broken.send_signal(signal.SIGKILL)
    broken.wait()
    first = tmp_path / "broken" / "triplet" / "seed-0" / "result.json"
    finished = first.stat().st_mtime_ns
    assert not (tmp_path / "broken" / "bcls" / "seed-0" / "result.json").exists()

    subprocess.run(_command(file, tmp_path / "broken"), check=True, capture_output=True)
    assert first.stat().st_mtime_ns == finished
    ends = [json.loads((tmp_path / name / "study.json").read_text()) for name in ("unbroken", "broken")]
    assert ends[0]["differences"] == ends[1]["differences"]
    for name in ("triplet", "bcls"):
        assert ends[0]["settings"][name]["mean"] == ends[1]["settings"][name]["mean"]


def _wait(ready) -> None:
    deadline = time.monotonic() + 300
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)
