"""What a saved model is used for needs no Lightning, and what only evaluates arrays needs no models either."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KEPT = Path(__file__).parent / "kept" / "release_0.1"
ABSENT = ["lightning", "lightning_fabric", "pytorch_lightning", "tensorboard"]

RUN = """
import json, sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in json.loads(sys.argv[1]):
            return None
        return super().find_spec(name, path, target)

sys.meta_path[:] = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]
from bcls.cli import main

codes = [main(words) for words in json.loads(sys.argv[2])]
loaded = sorted({".".join(name.split(".")[:2]) for name in sys.modules})
print(json.dumps({"codes": codes, "loaded": loaded}))
"""

LABELS = ("--labels", "release_0.1/labels")
COMMANDS = [
    ["evaluate", "release_0.1/runs/pooled", *LABELS, "--output", "evaluated.json"],
    ["compare", "release_0.1/runs/pooled", "release_0.1/runs/scan", *LABELS, "--output", "compared"],
    ["export", "release_0.1/runs/pooled", "exported", "--split", "val"],
    ["train", "--config", "release_0.1/configs/pooled.yaml", "--output", "trained"],
]


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Path, dict]:
    """The folder in which a process without Lightning ran the commands on a model of release 0.1, and what it said."""
    folder = tmp_path_factory.mktemp("without")
    shutil.copytree(KEPT, folder / "release_0.1")
    source = Path(__file__).parents[1] / "src"
    process = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(ABSENT), json.dumps(COMMANDS)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(source), "HF_HUB_OFFLINE": "1"},
    )
    assert process.returncode == 0, process.stderr
    said = json.loads(process.stdout.splitlines()[-1])
    assert said["codes"][:3] == [0, 0, 0], process.stderr
    return folder, {**said, "err": process.stderr}


def test_training_is_what_needs_lightning(done):
    _, said = done
    assert said["codes"][3] == 2
    assert "needs an extra: pip install 'bcls[train]'" in said["err"]


def test_evaluate_gives_the_numbers_of_release_0_1(done):
    folder, _ = done
    before = json.loads((KEPT / "runs" / "pooled" / "val.json").read_text())["metrics"]
    after = json.loads((folder / "evaluated.json").read_text())["metrics"]
    assert {name: after[name] for name in before} == pytest.approx(before, rel=1e-6)


def test_compare_and_export_write_their_results(done):
    folder, _ = done
    assert json.loads((folder / "compared" / "comparison.json").read_text())["differences"]
    assert (folder / "compared" / "comparison.html").is_file()
    metrics = json.loads((folder / "exported" / "export.json").read_text())["metrics"]
    assert metrics["onnx"]["rsum"] == pytest.approx(metrics["torch"]["rsum"], abs=1e-6)


def test_neither_training_nor_lightning_is_loaded(done):
    _, said = done
    assert "bcls.assessment" in said["loaded"]
    assert not {*ABSENT, "bcls.training", "bcls.study", "bcls.demo"} & {*said["loaded"]}


def test_evaluating_arrays_loads_neither_models_nor_losses():
    code = "import json, sys; from bcls import evaluate; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = json.loads(printed)
    assert "bcls.evaluation" in loaded
    unwanted = {
        *("bcls.data", "bcls.losses", "bcls.models", "bcls.relevance", "bcls.training", "lightning"),
        *("sentence_transformers", "torch", "transformers"),
    }
    assert not unwanted & {*loaded}
