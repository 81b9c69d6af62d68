"""Prepared pictures equal those of the model's own processor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.data.images import PictureImages
from bcls.errors import InputError
from bcls.models.pretrained.pictures import PictureProcessor
from tiny_folders import tiny_model

KINDS = ["clip", "siglip", "vit", "dinov2"]


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_then_numbers_equal_the_models_own_processor(kind, pictures):
    from transformers import AutoImageProcessor

    theirs = AutoImageProcessor.from_pretrained(tiny_model(kind), backend="pil")
    expected = theirs([picture.convert("RGB") for picture in pictures], return_tensors="pt")["pixel_values"]
    ours = PictureProcessor.load(str(tiny_model(kind)))
    prepared = ours.prepare(pictures)
    assert prepared.dtype == torch.uint8
    assert tuple(prepared.shape[1:]) == ours.shape == (3, 16, 16)
    torch.testing.assert_close(ours.normalize(prepared), expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("workers", [1, 4])
def test_files_read_by_several_workers_are_the_same(workers, pictures, tmp_path):
    processor = PictureProcessor.load(str(tiny_model("clip")))
    paths = [tmp_path / f"{number}.png" for number in range(20)]
    for number, path in enumerate(paths):
        pictures[number % len(pictures)].convert("RGB").save(path)
    rows = np.random.default_rng(0).permutation(20)
    gathered = PictureImages(paths, processor.prepare, cache_bytes=0, threads=workers).gather(rows)
    assert torch.equal(gathered, torch.stack([processor.prepare([Image.open(paths[row])])[0] for row in rows]))


@pytest.mark.parametrize("kind", KINDS)
def test_settings_make_the_same_processor_again(kind, pictures):
    ours = PictureProcessor.load(str(tiny_model(kind)))
    again = PictureProcessor.from_settings(ours.settings())
    assert again.settings() == ours.settings()
    assert torch.equal(again.normalize(again.prepare(pictures)), ours.normalize(ours.prepare(pictures)))


def test_a_processor_that_does_more_is_refused():
    from transformers import EfficientNetImageProcessorPil

    with pytest.raises(InputError, match="EfficientNetImageProcessorPil does more than resize, crop"):
        PictureProcessor(EfficientNetImageProcessorPil(rescale_offset=True, rescale_factor=1 / 127.5))


def test_a_processor_whose_pictures_differ_in_size_is_refused():
    from transformers import CLIPImageProcessorPil

    with pytest.raises(InputError, match=r"pictures of several sizes, here \(3, 16, 16\) and \(3, 22, 16\); one size"):
        PictureProcessor(CLIPImageProcessorPil(size={"shortest_edge": 16}, do_center_crop=False))


@pytest.mark.parametrize(
    "settings", [None, {}, {"image_processor_type": "os.system"}, {"image_processor_type": "AutoModel"}]
)
def test_settings_of_something_else_are_refused(settings):
    with pytest.raises(InputError, match="no Pillow image processor"):
        PictureProcessor.from_settings(settings)


def test_unusable_settings_are_refused():
    with pytest.raises(InputError, match="image processor CLIPImageProcessor"):
        PictureProcessor.from_settings({"image_processor_type": "CLIPImageProcessor", "size": {"edge": "long"}})


def test_a_folder_without_a_processor_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"the image processor of .* cannot be loaded"):
        PictureProcessor.load(str(tmp_path))
