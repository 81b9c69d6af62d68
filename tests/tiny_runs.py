"""A data set that a model can learn in a second, and the words of a run on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bcls.data import Caption, ImageRecord, RetrievalDataset, write_dataset, write_features

NOUNS = ["dog", "cat", "horse", "boat", "house", "tree"]
PLACES = ["beach", "street", "field", "river", "garden", "forest"]


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory) -> Path:
    """72 images (48 to train on) of a noun at a place, two captions each; features say which, with noise."""
    folder = tmp_path_factory.mktemp("tiny") / "data"
    random = np.random.default_rng(0)
    images, features = [], []
    for number in range(72):
        noun, place = number % len(NOUNS), number // len(NOUNS) % len(PLACES)
        texts = [f"a {NOUNS[noun]} at the {PLACES[place]}", f"the {PLACES[place]} with one {NOUNS[noun]}"]
        captions = tuple(Caption(f"{number}#{row}", text) for row, text in enumerate(texts))
        images.append(ImageRecord(str(number), None, "train" if number < 48 else "val", captions))
        features.append(np.concatenate([np.eye(6)[noun], np.eye(6)[place]]) + random.normal(scale=0.1, size=12))
    write_dataset(folder, RetrievalDataset("tiny", images, None, {}))
    write_features(folder / "features" / "vectors", [image.id for image in images], [np.array(features)])
    return folder


@pytest.fixture
def words(tiny_data: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """`words("--seed", "1")`: a run's command-line words; later words win."""

    def make(*more: str, output: str = "run") -> list[str]:
        return [
            *("--data.path", str(tiny_data), "--data.features", "vectors"),
            *("--model.image_tower", "PooledFeatureTower", "--model.image_tower.dim", "16"),
            *("--model.caption_tower", "BagOfWordsTower", "--model.caption_tower.dim", "16"),
            *("--model.caption_tower.minimum_count", "1"),
            *("--labels.scorer", "TfidfScorer"),
            *("--loss", "BCLSLoss"),
            *("--optimization.epochs", "3", "--optimization.batch_size", "16"),
            *("--optimization.learning_rate", "0.01", "--optimization.accelerator", "cpu"),
            *("--output", str(tmp_path / output)),
            *more,
        ]

    return make
