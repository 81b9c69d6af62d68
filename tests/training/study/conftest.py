"""A study of a data set that a model can learn in a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bcls.training.study import StudyConfig, parse_study, study_parser


@pytest.fixture
def base(tiny_data: Path, tmp_path: Path) -> Path:
    """The YAML file of the run that a study's runs have in common."""
    file = tmp_path / "base.yaml"
    content = {
        "output": "unused",
        "data": {"path": str(tiny_data), "features": "vectors"},
        "labels": {"scorer": "TfidfScorer"},
        "model": {
            "image_tower": {"class_path": "PooledFeatureTower", "init_args": {"dim": 16}},
            "caption_tower": {"class_path": "BagOfWordsTower", "init_args": {"dim": 16, "minimum_count": 1}},
        },
        "loss": "BCLSLoss",
        "optimization": {"epochs": 2, "batch_size": 16, "learning_rate": 0.01, "accelerator": "cpu"},
        "validation": {"scorer": "CiderScorer"},
    }
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.fixture
def study_file(base: Path, tmp_path: Path) -> Callable[..., Path]:
    """`study_file(seeds=[0])`: the YAML file of a study of two losses; further fields replace its own."""

    def make(**fields: Any) -> Path:
        content = {
            "base": [str(base)],
            "output": str(tmp_path / "study"),
            "seeds": [0, 1],
            "baseline": "triplet",
            "variants": {
                "triplet": {"title": "Triplet-SN", "set": {"loss": "TripletLoss"}},
                "bcls": {"title": "BCLS", "set": {"loss.gap": 0.1}},
            },
        }
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump({**content, **fields}, sort_keys=False))
        return file

    return make


@pytest.fixture
def study(study_file: Callable[..., Path]) -> Callable[..., StudyConfig]:
    """`study(seeds=[0])`: the same, read."""

    def make(**fields: Any) -> StudyConfig:
        return parse_study(study_parser("bcls study", ""), ["--config", str(study_file(**fields))])[0]

    return make
