"""Pictures of many kinds, and fitted pretrained towers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.models import PretrainedCaptionTower, PretrainedImageTower
from tiny_folders import tiny_model


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Wide, high, tiny, of the right size; of several colour modes."""
    random = np.random.default_rng(0)
    sizes = [(20, 30), (33, 17), (16, 16), (5, 3), (64, 64)]
    made = [Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]
    return [picture.convert(mode) for picture, mode in zip(made, ["RGB", "L", "RGB", "RGBA", "P"], strict=True)]


@pytest.fixture
def image_tower(pictures) -> Callable[..., PretrainedImageTower]:
    """`image_tower("clip", pooling="mean")`: fitted, in evaluation mode."""

    def make(kind: str, **settings) -> PretrainedImageTower:
        torch.manual_seed(0)
        tower = PretrainedImageTower(model=str(tiny_model(kind)), **settings)
        tower.fit(pictures)
        return tower.eval()

    return make


@pytest.fixture
def caption_tower() -> Callable[..., PretrainedCaptionTower]:
    """`caption_tower("bert", dim=6)`: fitted, in evaluation mode."""

    def make(kind: str, **settings) -> PretrainedCaptionTower:
        torch.manual_seed(0)
        tower = PretrainedCaptionTower(model=str(tiny_model(kind)), **settings)
        tower.fit(["a dog"])
        return tower.eval()

    return make
