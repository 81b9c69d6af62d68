"""Exported towers as onnxruntime runs them, beside torch's."""

from __future__ import annotations

import shutil
import sys

import pytest
import torch

from bcls.errors import InputError, MissingExtraError
from bcls.models import BagOfWordsTower
from bcls.models.exported import OnnxTowers

CAPTIONS = ["a dog runs", "", "zyzzyva", "The brown dog is running , running fast , away from two men", "hats"]


def test_towers_equal_torchs(exported):
    model, folder, images = exported
    towers = OnnxTowers(folder, model.caption_tower)
    assert max(towers.difference(model, images, CAPTIONS).values()) < 1e-5
    with torch.no_grad():
        torch.testing.assert_close(towers.encode_image(images.half()), model.encode_image(images.half()))
        torch.testing.assert_close(towers.encode_text(CAPTIONS), model.encode_text(CAPTIONS))
        torch.testing.assert_close(towers.encode_text(CAPTIONS[:1]), model.encode_text(CAPTIONS[:1]))


def test_quantized_towers_come_near(exported):
    model, folder, images = exported
    whole, short = (OnnxTowers(folder, model.caption_tower, int8=int8) for int8 in (False, True))
    difference = short.difference(model, images, CAPTIONS)
    assert max(difference.values()) < 0.05
    assert not torch.equal(short.encode_image(images), whole.encode_image(images))
    assert (folder / "image.int8.onnx").exists()


def test_the_difference_is_the_largest_of_any_component(exported):
    model, folder, images = exported
    towers = OnnxTowers(folder, model.caption_tower, int8=True)
    with torch.no_grad():
        pairs = {
            "image": (towers.encode_image(images), model.encode_image(images)),
            "caption": (towers.encode_text(CAPTIONS), model.encode_text(CAPTIONS)),
        }
    found = towers.difference(model, images, CAPTIONS)
    assert list(found) == ["image", "caption"]
    for side, (ours, theirs) in pairs.items():
        largest = max(
            abs(a - b)
            for row, other in zip(ours.tolist(), theirs.tolist(), strict=True)
            for a, b in zip(row, other, strict=True)
        )
        assert found[side] == pytest.approx(largest) != 0


def test_rows_have_length_one(exported):
    model, folder, images = exported
    towers = OnnxTowers(folder, model.caption_tower)
    for vectors in (towers.encode_image(images), towers.encode_text(CAPTIONS)):
        assert vectors.dtype == torch.float32
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)))


def test_nothing_has_no_rows(exported):
    model, folder, images = exported
    towers = OnnxTowers(folder, model.caption_tower)
    with torch.no_grad():
        assert towers.encode_image(images[:0]).shape == model.encode_image(images[:0]).shape == (0, 6)
        assert towers.encode_text([]).shape == model.encode_text([]).shape == (0, 6)


def test_damaged_files_are_refused(exported, tmp_path):
    (tmp_path / "image.onnx").write_bytes(b"no graph")
    (tmp_path / "caption.onnx").write_bytes(b"")
    with pytest.raises(InputError, match="not a readable exported model"):
        OnnxTowers(tmp_path, exported[0].caption_tower)


def test_a_file_that_is_not_there_is_refused(exported, tmp_path):
    model, folder, _ = exported
    shutil.copy(folder / "image.onnx", tmp_path)
    shutil.copy(folder / "caption.onnx", tmp_path)
    OnnxTowers(tmp_path, model.caption_tower)
    with pytest.raises(InputError, match=r"not a readable exported model \(.*int8"):
        OnnxTowers(tmp_path, model.caption_tower, int8=True)
    (tmp_path / "caption.onnx").unlink()
    with pytest.raises(InputError, match=r"not a readable exported model \(.*caption\.onnx"):
        OnnxTowers(tmp_path, model.caption_tower)


def test_without_onnxruntime_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"^running ONNX files needs an extra: pip install 'bcls\[onnx\]'$"):
        OnnxTowers(tmp_path, BagOfWordsTower())
