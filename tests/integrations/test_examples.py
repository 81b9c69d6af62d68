"""The examples run with the real libraries, and learn."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Runs an example in a folder of its own; what it printed."""

    def example(name, *words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return example


def numbers(pattern, text):
    return [float(found) for found in re.findall(pattern, text)]


def test_sentence_transformers_trains_and_judges_clip(run, tiny_clip, scenes):
    for library in ("sentence_transformers", "accelerate", "datasets"):
        pytest.importorskip(library, reason="needs the extra `sentence-transformers`")
    printed = run("sentence_transformers_clip.py", tiny_clip, scenes)
    assert numbers(r"val_rsum +([\d.]+)", printed)[0] > 0
    assert 0 < numbers(r"val_ndcg@10 +([\d.]+)", printed)[0] <= 1


def test_metric_learning_learns(run, scenes):
    pytest.importorskip("pytorch_metric_learning", reason="needs the extra `metric-learning`")
    losses = numbers(r"mean loss ([\d.]+)", run("metric_learning_loop.py", scenes))
    assert losses[-1] < losses[0]


@pytest.mark.filterwarnings("ignore")
def test_lightning_and_torchmetrics_agree(run, scenes):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    found = numbers(r"ndcg@10 ([\d.]+)", run("lightning_validation.py", scenes))
    assert len(found) == 2
    assert found[0] == found[1]


@pytest.mark.filterwarnings("ignore")
def test_a_tiny_model_is_pretrained_and_fine_tuned(run, monkeypatch):
    for library in ("transformers", "sentencepiece", "lightning"):
        pytest.importorskip(library, reason="needs the extras `hf` and `train`")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    printed = run("finetune_on_scenes.py", "siglip", "--train", 140, "--pretraining", 3, "--optimization.epochs", 1)
    losses = numbers(r"loss ([\d.]+)", printed)
    assert losses[-1] < losses[0]
    assert {name for name, rsum in re.findall(r"(\w+) +[\d.]+ +[\d.]+ +([\d.]+)", printed) if float(rsum) > 0} == {
        "infonce",
        "bcls",
    }
