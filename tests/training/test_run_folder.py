"""A run's folder belongs to one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bcls.errors import InputError
from bcls.files import write_json
from bcls.training import load_config
from bcls.training.run_folder import RunFolder


def test_a_fresh_folder_gets_the_config(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.claim("seed: 1\n", resume=False)
    assert folder.config.read_text() == "seed: 1\n"


def test_a_used_folder_is_refused(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.claim("seed: 1\n", resume=False)
    with pytest.raises(InputError, match="--resume true"):
        folder.claim("seed: 1\n", resume=False)


def test_resuming_wants_the_same_config(words, tmp_path):
    folder = RunFolder(tmp_path / "run")
    one, two = (load_config(words("--seed", seed))[1] for seed in "12")
    folder.claim(one, resume=True)
    folder.claim(one, resume=True)
    with pytest.raises(InputError, match=r"another config \(seed was 1, is 2\)"):
        folder.claim(two, resume=True)
    assert folder.config.read_text() == one


def test_refusing_writes_nothing(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.refuse_other_run("seed: 1\n", resume=False)
    assert not folder.path.exists()


HOLDS = """
import sys, time
from pathlib import Path
from bcls.training import load_config
from bcls.training.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).alone():
    print("in", flush=True)
    time.sleep(60)
"""


def test_one_process_trains_at_a_time_and_a_killed_one_lets_go(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(folder.path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "in\n"
        with pytest.raises(InputError, match="run: another process trains here"), folder.alone():
            raise AssertionError("entered")
        with RunFolder(tmp_path / "sibling").alone():
            pass
        other.kill()
    with folder.alone():
        pass


def test_other_data_are_refused_by_name(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.refuse_other_data({"dataset": "a"})
    write_json(folder.provenance, {"data": {"dataset": "a"}})
    folder.refuse_other_data({"dataset": "a", "features": "b"})
    with pytest.raises(InputError, match=r"another dataset \(hash a\)"):
        folder.refuse_other_data({"dataset": "c"})


def test_labels_lie_beside_the_run_unless_chosen(tmp_path):
    folder = RunFolder(tmp_path / "run")
    assert folder.labels(None) == tmp_path / "labels"
    assert folder.labels("there") == Path("there")
