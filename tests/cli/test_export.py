"""`bcls export`, as a person calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from bcls.assessment.inputs import image_source
from bcls.cli.models import model_place
from bcls.data import read_dataset
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel
from bcls.models.exported import OnnxTowers


@pytest.fixture
def model() -> RetrievalModel:
    """A fitted model of features and bags of words."""
    tiny = RetrievalModel(PooledFeatureTower(dim=4), BagOfWordsTower(dim=4, minimum_count=1))
    tiny.image_tower.fit(np.random.default_rng(0).normal(size=(5, 6)))
    tiny.caption_tower.fit(["a dog"])
    return tiny


def test_a_run_is_exported_checked_and_judged(bcls, config, folder, metrics_of, tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    assert bcls("train", "--config", config).code == 0
    said = bcls("export", tmp_path / "run", tmp_path / "onnx", "--int8", "true", "--split", "val")
    assert said.code == 0, said.err
    assert f"exported to {tmp_path / 'onnx'}; largest difference from torch: image " in said.out
    told = json.loads((tmp_path / "onnx" / "export.json").read_text())
    assert max(told["difference"].values()) < 1e-6
    assert set(told["metrics"]) == {"torch", "onnx", "int8"}
    model = RetrievalModel.from_pretrained(model_place(tmp_path / "run"))
    part = read_dataset(folder).split("val")
    images = image_source(part, "vectors", model)
    for name, encoder in (("torch", model), ("onnx", OnnxTowers(tmp_path / "onnx", model.caption_tower))):
        assert told["metrics"][name] == pytest.approx(metrics_of(encoder, part, images), abs=1e-9), name


def test_towers_that_give_no_numbers_are_refused(bcls, model, tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    with torch.no_grad():
        model.image_tower.projection[1].weight.fill_(torch.nan)
    model.save_pretrained(tmp_path / "model")
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "export.json").write_text("of another")
    said = bcls("export", tmp_path / "model", tmp_path / "onnx", "--overwrite", "true")
    assert (said.code, said.out) == (1, "")
    assert "the exported towers differ from torch by {'image': nan" in said.err
    assert not (tmp_path / "onnx" / "export.json").exists()


def test_refusals_are_one_line(bcls, tmp_path):
    said = bcls("export", tmp_path / "none", tmp_path / "onnx")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "none: no such model folder" in said.err


def test_a_split_that_there_is_not_is_refused_before_the_export(bcls, config, tmp_path):
    bcls("train", "--config", config)
    said = bcls("export", tmp_path / "run", tmp_path / "onnx", "--split", "tset")
    assert (said.code, "no split 'tset'" in said.err) == (2, True)
    assert not (tmp_path / "onnx").exists()
