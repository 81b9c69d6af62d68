"""Exported towers equal torch's; quantized ones come near; what cannot be exported says so."""

from __future__ import annotations

import json
import sys

import pytest
import torch
from PIL import Image

from bcls.errors import InputError, MissingExtraError
from bcls.models import (
    PretrainedCaptionTower,
    PretrainedImageTower,
    RetrievalModel,
)
from bcls.models.exported import OnnxTowers, caption_inputs, export_towers, quantize_towers
from bcls.text import UnicodeWords, tokenizer_from
from tiny_folders import tiny_model

CAPTIONS = ["a dog runs", "", "zyzzyva", "The brown dog is running , running fast , away from two men", "hats"]


def pretrained(kinds: tuple[str, str], **settings) -> RetrievalModel:
    torch.manual_seed(0)
    folders = [str(tiny_model(kind)) for kind in kinds]
    model = RetrievalModel(
        PretrainedImageTower(model=folders[0], **settings), PretrainedCaptionTower(model=folders[1], **settings)
    )
    model.image_tower.fit([Image.new("RGB", (9, 9))])
    model.caption_tower.fit(["a dog"])
    return model.eval()


def test_the_vocabulary_lies_beside(exported):
    model, folder, _ = exported
    beside = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    vocabulary = beside["vocabulary"]
    assert tokenizer_from(beside["tokenizer"], "vocabulary.json") == UnicodeWords()
    ids = caption_inputs(model.caption_tower, ["zyzzyva dog"])["ids"]
    assert ids.tolist() == [[1, vocabulary.index("dog") + 2]]


@pytest.mark.parametrize("kind", ["region-gpo", "region-mean"])
def test_the_number_of_regions_is_not_that_of_the_export(kind, make_model, tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    model, images = make_model(kind)
    export_towers(model, tmp_path, images[:2])
    towers = OnnxTowers(tmp_path, model.caption_tower)
    for count, regions in ((3, 36), (1, 1), (5, images.shape[1])):
        sets = torch.randn(count, regions, images.shape[2])
        assert towers.difference(model, sets, CAPTIONS)["image"] < 1e-5
    assert towers.encode_image(images[:0]).shape == (0, model.image_tower.dim)


def test_quantized_files_of_another_export_go(make_model, tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    model, images = make_model()
    export_towers(model, tmp_path, images[:2])
    quantize_towers(tmp_path)
    export_towers(model, tmp_path, images[:2])
    assert {file.name for file in tmp_path.iterdir()} == {"image.onnx", "caption.onnx", "vocabulary.json"}


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_what_lies_beside_prepares_what_the_graphs_take(kind, make_pictures, tmp_path):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    from transformers import AutoImageProcessor, AutoTokenizer

    torch.manual_seed(0)
    image_tower = PretrainedImageTower(model=str(tiny_model(kind)))
    model = RetrievalModel(image_tower, PretrainedCaptionTower(model=str(tiny_model(kind)), longest=9))
    model.image_tower.fit(make_pictures(1))
    model.caption_tower.fit(["a dog"])
    export_towers(model.eval(), tmp_path, model.image_tower.prepare(make_pictures(2)))
    pictures = make_pictures(3)
    pixels = AutoImageProcessor.from_pretrained(tmp_path, backend="pil")(pictures, return_tensors="np")["pixel_values"]
    padding = {"padding": "max_length" if kind == "siglip" else True, "return_attention_mask": True}
    tokens = AutoTokenizer.from_pretrained(tmp_path)(CAPTIONS, truncation=True, return_tensors="np", **padding)
    assert tokens["input_ids"].shape[1] == 9
    given = {"image": {"images": pixels}, "caption": {"ids": tokens["input_ids"], "mask": tokens["attention_mask"]}}
    with torch.no_grad():
        expected = {"image": model.encode_image(pictures), "caption": model.encode_text(CAPTIONS)}
    for side, inputs in given.items():
        session = onnxruntime.InferenceSession(tmp_path / f"{side}.onnx")
        known = {one.name for one in session.get_inputs()}
        found = session.run(None, {name: one for name, one in inputs.items() if name in known})[0]
        torch.testing.assert_close(torch.from_numpy(found), expected[side], atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_generalized_pooling_and_a_sum_with_a_bigru_equal_torchs(make_model, tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    check_export(*make_model("region-gpo", "sum"), tmp_path)
    assert {file.name for file in tmp_path.glob("*.json")} == {"vocabulary_0.json", "vocabulary_1.json"}


@pytest.mark.slow
@pytest.mark.parametrize("side", ["image", "caption"])
def test_every_kind_of_tower_equals_torchs(side, kinds, make_model, tmp_path):
    images, captions = kinds
    for kind in images if side == "image" else captions:
        model, eight = make_model(*((kind, "bag-of-words") if side == "image" else ("pooled", kind)))
        check_export(model, eight, tmp_path / kind)


def check_export(model, images, folder):
    """Parity of several and of one row, whole and in int8."""
    export_towers(model, folder, images[:2])
    towers = OnnxTowers(folder, model.caption_tower)
    assert max(towers.difference(model, images, CAPTIONS).values()) < 1e-5
    assert max(towers.difference(model, images[:1], CAPTIONS[:1]).values()) < 1e-5
    quantize_towers(folder)
    assert max(OnnxTowers(folder, model.caption_tower, int8=True).difference(model, images, CAPTIONS).values()) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kinds", "settings"),
    [
        (("clip", "clip"), {}),
        (("siglip", "siglip"), {}),
        (("vit", "bert"), {"dim": 6, "trained": "nothing"}),
        (("dinov2", "bert"), {"dim": 6, "trained": "lora"}),
    ],
)
def test_pretrained_towers_equal_torchs(kinds, settings, make_pictures, tmp_path):
    pytest.importorskip("onnxscript")
    model = pretrained(kinds, **settings)
    images = model.image_tower.prepare(make_pictures(5))
    export_towers(model, tmp_path, images[:2])
    towers = OnnxTowers(tmp_path, model.caption_tower)
    assert max(towers.difference(model, images, CAPTIONS).values()) < 1e-5
    with torch.no_grad():
        torch.testing.assert_close(towers.encode_text(CAPTIONS), model.encode_text(CAPTIONS), atol=1e-5, rtol=1e-4)
    assert (tmp_path / "preprocessor_config.json").exists()
    quantize_towers(tmp_path)
    assert max(OnnxTowers(tmp_path, model.caption_tower, int8=True).difference(model, images, CAPTIONS).values()) < 0.1


def test_caption_towers_of_other_kinds_are_refused(make_model, other_tower, tmp_path):
    model, images = make_model()
    other = RetrievalModel(model.image_tower, other_tower)
    with pytest.raises(InputError, match="OtherTower cannot be exported; caption towers that can: BagOfWordsTower"):
        export_towers(other, tmp_path, images)


def test_says_which_extra_is_missing(make_model, tmp_path, monkeypatch):
    model, images = make_model()
    for library in ("onnxscript", "onnxruntime", "onnxruntime.quantization"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r"bcls\[onnx\]"):
        export_towers(model, tmp_path, images)
    with pytest.raises(MissingExtraError, match=r"bcls\[onnx\]"):
        quantize_towers(tmp_path)
