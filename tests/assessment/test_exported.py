"""An exported model evaluated beside the one that it was made from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.assessment import exported
from bcls.assessment.exported import evaluate_exported
from bcls.assessment.inputs import image_source
from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.data import read_dataset
from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, evaluate
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel
from bcls.models.exported import OnnxTowers, export_towers, quantize_towers


@pytest.fixture(scope="module")
def part(tiny_data):
    return read_dataset(tiny_data).split("val")


@pytest.fixture(scope="module")
def made(part, tmp_path_factory) -> tuple:
    """A model of the tiny data, and the folder of its exported files, quantized ones too."""
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    model = RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=8, minimum_count=1))
    features = part.features["vectors"].gather(np.sort(part.feature_rows("vectors")))
    model.image_tower.fit(features)
    model.caption_tower.fit(part.caption_texts)
    folder = tmp_path_factory.mktemp("exported")
    export_towers(model, folder, torch.from_numpy(np.asarray(features[:2], np.float32)))
    quantize_towers(folder)
    return model.eval(), folder


def by_hand(towers: OnnxTowers, part, size: int) -> dict[str, float]:
    """Metrics of embeddings that were made so many images and captions at a time."""
    features = part.features["vectors"]
    vectors = np.stack([features.gather(part.feature_rows("vectors")[[row]])[0] for row in range(len(part.images))])
    images = [towers.encode_image(torch.from_numpy(vectors[row : row + size])) for row in range(0, len(vectors), size)]
    texts = part.caption_texts
    captions = [towers.encode_text(texts[row : row + size]) for row in range(0, len(texts), size)]
    truth = RetrievalTruth(part.caption_image, len(part.images))
    return evaluate(torch.cat(images).numpy(), torch.cat(captions).numpy(), truth)


@pytest.mark.parametrize("block", [5, 256])
@pytest.mark.parametrize("int8", [False, True])
def test_each_files_metrics_are_those_of_its_own_embeddings(int8, block, made, part, tiny_data, monkeypatch):
    """Quantized files scale by the block at hand, so that theirs are made in the same blocks; others one by one."""
    monkeypatch.setattr(exported, "BLOCK", block)
    model, folder = made
    metrics = evaluate_exported(model, folder, str(tiny_data), "val", "vectors", int8=int8)
    assert list(metrics) == ["torch", "onnx", *["int8"] * int8]
    assert metrics["torch"] == SplitEvaluator(part, image_source(part, "vectors", model), model)(model)
    assert metrics["onnx"] == pytest.approx(by_hand(OnnxTowers(folder, model.caption_tower), part, 1))
    if int8:
        assert metrics["int8"] == by_hand(OnnxTowers(folder, model.caption_tower, int8=True), part, block)
        assert metrics["int8"] != metrics["onnx"]


def test_the_exported_embeddings_are_torchs(made, part):
    """Where these agree to the last bits of float32, metrics differ by ties at most."""
    model, folder = made
    towers = OnnxTowers(folder, model.caption_tower)
    vectors = image_source(part, "vectors", model).gather(np.arange(len(part.images)))
    with torch.inference_mode():
        torch.testing.assert_close(towers.encode_image(vectors), model.encode_image(vectors), atol=1e-6, rtol=0)
        texts = part.caption_texts
        torch.testing.assert_close(towers.encode_text(texts), model.encode_text(texts), atol=1e-6, rtol=0)


def test_quantized_files_are_judged_as_they_are(made, tiny_data, tmp_path):
    """Of a model whose whole files are another's, the quantized ones tell their own metrics."""
    model, folder = made
    for name in ("image", "caption"):
        (tmp_path / f"{name}.onnx").write_bytes((folder / f"{name}.int8.onnx").read_bytes())
    quantized = evaluate_exported(model, folder, str(tiny_data), "val", "vectors", int8=True)["int8"]
    assert evaluate_exported(model, tmp_path, str(tiny_data), "val", "vectors", int8=False)["onnx"] == quantized


@pytest.mark.parametrize(
    ("split", "features", "message"),
    [
        ("test", "vectors", "no split 'test'"),
        ("val", "regions", "no features 'regions'; there are: vectors"),
        ("val", None, "."),
    ],
)
def test_what_does_not_fit_is_refused(split, features, message, made, tiny_data):
    model, folder = made
    with pytest.raises(InputError, match=message):
        evaluate_exported(model, folder, str(tiny_data), split, features, int8=False)


def test_files_that_are_not_there_are_refused(made, tiny_data, tmp_path):
    with pytest.raises(InputError, match="not a readable exported model"):
        evaluate_exported(made[0], tmp_path, str(tiny_data), "val", "vectors", int8=False)
