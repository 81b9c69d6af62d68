"""`bcls(...)` as a person calls it."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from bcls.cli import main
from bcls.data import Caption, ImageRecord, RetrievalDataset, write_dataset, write_features
from bcls.evaluation import RetrievalTruth, evaluate


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def bcls() -> Callable[..., Said]:
    """`bcls("train", "--help")` in this process: exit code and both streams."""

    def call(*words: str | Path) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main([str(word) for word in words])
            except SystemExit as stop:
                code = int(stop.code or 0)
        return Said(code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def metrics_of() -> Callable[..., dict[str, float]]:
    """`metrics_of(encoder, split, images)`: the metrics of what an encoder makes of a split, in one block."""

    def measured(encoder, split, images) -> dict[str, float]:
        with torch.inference_mode():
            vectors = encoder.encode_image(images.gather(np.arange(len(images))))
            texts = encoder.encode_text(split.caption_texts)
        truth = RetrievalTruth(split.caption_image, len(split.images))
        return evaluate(vectors.numpy(), texts.numpy(), truth)

    return measured


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset folder of 24 images (16 to train on), two captions each, with features."""
    path = tmp_path / "data"
    images = [
        ImageRecord(
            str(number),
            None,
            "train" if number < 16 else "val",
            (
                Caption(f"{number}#0", f"a {word} dog runs on grass {number}"),
                Caption(f"{number}#1", f"one {word} dog is there"),
            ),
        )
        for number, word in enumerate(["small", "large", "brown", "black"] * 6)
    ]
    write_dataset(path, RetrievalDataset("tiny", images, None, {}))
    features = np.random.default_rng(0).normal(size=(24, 8))
    write_features(path / "features" / "vectors", [image.id for image in images], [features])
    return path


@pytest.fixture
def config(folder: Path, tmp_path: Path) -> Path:
    """The YAML file of a run of one epoch on it."""
    file = tmp_path / "run.yaml"
    content = {
        "output": str(tmp_path / "run"),
        "data": {"path": str(folder), "features": "vectors"},
        "labels": {"scorer": "TfidfScorer"},
        "model": {"image_tower": {"class_path": "PooledFeatureTower"}, "caption_tower": "BagOfWordsTower"},
        "loss": {"class_path": "BCLSLoss", "init_args": {"window": 8}},
        "optimization": {"epochs": 1, "batch_size": 8, "accelerator": "cpu"},
    }
    file.write_text(yaml.safe_dump(content))
    return file
