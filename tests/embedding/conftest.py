"""A picture model, a feature model, and collections for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.data import Caption, ImageRecord, RetrievalDataset, write_dataset, write_features
from bcls.models import BagOfWordsTower, ConvTower, PooledFeatureTower, RetrievalModel

WORDS = ["red", "green", "blue", "yellow", "black"]


@pytest.fixture(scope="session")
def picture_model(tmp_path_factory) -> Path:
    """A saved model of pictures."""
    torch.manual_seed(0)
    model = RetrievalModel(ConvTower(dim=8, channels=(8,), image_size=16), BagOfWordsTower(dim=8, minimum_count=1))
    model.image_tower.fit([Image.new("RGB", (20, 20), word) for word in WORDS])
    model.caption_tower.fit(WORDS)
    folder = tmp_path_factory.mktemp("models") / "pictures"
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def feature_model(tmp_path_factory) -> Path:
    """A saved model of features."""
    torch.manual_seed(0)
    model = RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=8, minimum_count=1))
    model.image_tower.fit(np.random.default_rng(0).normal(size=(20, 6)))
    model.caption_tower.fit(WORDS)
    folder = tmp_path_factory.mktemp("models") / "features"
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Ten pictures with two captions each, and features of them."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    images = []
    for number in range(10):
        word = WORDS[number % 5]
        Image.new("RGB", (20 + number, 20), word).save(folder / "images" / f"p{number}.png")
        captions = (Caption(f"p{number}#0", f"a {word} picture"), Caption(f"p{number}#1", f"all {word}"))
        images.append(ImageRecord(f"p{number}", f"p{number}.png", "val" if number < 4 else "train", captions))
    write_dataset(folder, RetrievalDataset("ten", images))
    features = np.random.default_rng(1).normal(size=(10, 6))
    write_features(folder / "features" / "vectors", [image.id for image in images], [features])
    return folder
