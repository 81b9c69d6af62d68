"""What each optional package is needed for: without it, a clear error names an extra that brings it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

MODULES = {
    "datasets": "datasets",
    "eccv_caption": "eccv-caption",
    "fastapi": "fastapi",
    "httptools": "httptools",
    "huggingface_hub": "huggingface_hub",
    "icu4py": "icu4py",
    "lancedb": "lancedb",
    "lightning": "lightning",
    "matplotlib": "matplotlib",
    "numba": "numba",
    "onnxruntime": "onnxruntime",
    "onnxscript": "onnxscript",
    "open_clip": "open_clip_torch",
    "peft": "peft",
    "prometheus_client": "prometheus-client",
    "pyarrow": "pyarrow",
    "pymilvus": "pymilvus",
    "pytorch_metric_learning": "pytorch-metric-learning",
    "sentence_transformers": "sentence-transformers",
    "sklearn": "scikit-learn",
    "tensorboard": "tensorboard",
    "torchmetrics": "torchmetrics",
    "transformers": "transformers",
    "triton": "triton",
    "uvicorn": "uvicorn",
}
"""Top-level module -> the package that an extra names."""

BROUGHT = {"torchmetrics": "lightning", "pyarrow": "lancedb", "transformers": "sentence-transformers"}
"""Modules that another package of an extra brings along."""

PROBE = '''
import importlib, json, pkgutil, sys
from importlib.machinery import PathFinder

hidden, asked = set(json.loads(sys.argv[1])), []

class Hiding(PathFinder):
    """Finds everything but the packages that are to be absent."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            asked.append(name.partition(".")[0])
            return None
        return super().find_spec(name, path, target)

sys.meta_path[:] = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]

import bcls
from bcls.errors import MissingExtraError
from pathlib import Path
import numpy as np, torch, tempfile

found = {}

def note(name, work):
    asked.clear()
    try:
        work()
    except MissingExtraError as error:
        found[name] = [str(error), asked[-1] if asked else None]
    except BaseException as error:
        found[name] = [f"{type(error).__name__}: {error}", asked[-1] if asked else "?"]

for module in pkgutil.walk_packages(bcls.__path__, "bcls.", onerror=lambda name: None):
    if module.name != "bcls.__main__":
        note(module.name, lambda: importlib.import_module(module.name))

importlib.import_module("bcls.compiled.kernel").find_numba.cache_clear()
folder = Path(tempfile.mkdtemp())
(folder / "table.parquet").write_bytes(b"PAR1")
CALLS = {
    "tfidf": lambda: bcls.TfidfScorer().fit(["a dog"]),
    "sentence": lambda: bcls.SentenceScorer().encode(["a dog"]),
    "parquet": lambda: bcls.RelevanceTable(folder / "table.parquet"),
    "calibration": lambda: importlib.import_module("bcls.relevance").Calibration.fit(
        np.array([0.0, 1.0]), np.array([0.0, 1.0]), {}),
    "audit": lambda: importlib.import_module("bcls.relevance.audit").require_plotting(folder / "a.png"),
    "eccv": lambda: importlib.import_module("bcls.evaluation.judged.eccv_package").eccv_package(),
    "milvus": lambda: importlib.import_module("bcls.search").open_index("milvus://localhost:1/x"),
    "hub": lambda: bcls.RetrievalModel.from_pretrained("owner/name"),
    "sentence tower": lambda: importlib.import_module("bcls.models").SentenceEncoderTower(dim=4).fit(["a"]),
    "pretrained": lambda: importlib.import_module("bcls.models.pretrained.loading").transformers(),
    "compiled": lambda: importlib.import_module("bcls.losses.engine").choose_engine(torch.zeros(2, 2), "compiled"),
    "quantize": lambda: importlib.import_module("bcls.models.exported").quantize_towers(folder),
    "train": lambda: importlib.import_module("bcls.training").train,
    "cli train": lambda: importlib.import_module("bcls.cli.train").run([]),
    "cli demo": lambda: importlib.import_module("bcls.cli.demo").run([]),
    "cli study": lambda: importlib.import_module("bcls.cli.study").run([]),
    "cli serve": lambda: importlib.import_module("bcls.cli.serve").run(["--demo"]),
}
for name, call in CALLS.items():
    note(name, call)
print(json.dumps(found))
'''


def probe(hidden):
    """What fails while these packages are absent: name of the module or the call -> message, package asked for last."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(sorted(hidden))],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def without_all():
    return probe(MODULES)


def test_every_failure_names_an_extra_that_brings_what_is_missing(without_all):
    for name, (message, module) in without_all.items():
        named = re.fullmatch(r".+ needs an extra: pip install 'bcls\[([\w-]+)\]'", message)
        assert named, (name, message)
        assert named[1] in EXTRAS, (name, message)
        packages = {re.split(r"[\[><=; ]", package)[0] for package in EXTRAS[named[1]]}
        assert packages & {MODULES[module], BROUGHT.get(module, "")}, (name, message, module)


def test_each_optional_package_is_missed_where_it_is_needed(without_all):
    failed = {name: message.split("[")[1][:-2] for name, (message, _) in without_all.items()}
    assert {
        "bcls.integrations.datasets": "datasets",
        "bcls.integrations.lightning": "train",
        "bcls.integrations.pytorch_metric_learning": "metric-learning",
        "bcls.integrations.sentence_transformers": "sentence-transformers",
        "bcls.integrations.torchmetrics": "metrics",
        "bcls.losses.triton_pairs": "triton",
        "bcls.server": "server",
        "bcls.training.run": "train",
        "bcls.study": "train",
        "tfidf": "text",
        "sentence": "text",
        "parquet": "parquet",
        "calibration": "text",
        "audit": "plot",
        "eccv": "eccv",
        "bcls.search.lance": "search",
        "milvus": "milvus",
        "hub": "hf",
        "sentence tower": "text",
        "pretrained": "hf",
        "compiled": "fast",
        "quantize": "onnx",
        "train": "train",
        "cli train": "train",
        "cli demo": "train",
        "cli study": "train",
        "cli serve": "server",
    }.items() <= failed.items(), failed


def test_the_core_needs_none_of_them(without_all):
    rooms = {name.split(".")[1] for name in without_all if name.startswith("bcls.")}
    assert rooms <= {"demo", "integrations", "losses", "search", "server", "study", "training"}, rooms
    free = {"bcls.training", "bcls.assessment.comparing", "bcls.assessment.evaluating", "bcls.cli.evaluate"}
    assert not free & {*without_all}


def test_every_import_of_an_optional_package_is_one_that_this_test_knows():
    """A new optional dependency must be added to the list above."""
    packages = [one for name, extra in EXTRAS.items() if name not in {"dev", "docs", "milvus-server"} for one in extra]
    declared = {re.split(r"[\[><=; ]", package)[0] for package in packages} - {"bcls"}
    assert declared <= {*MODULES.values(), "sentencepiece", "onnx", "uvloop"}
