"""Training: joins data, models, losses and evaluation on Lightning. Needs the extra `train`."""

from __future__ import annotations

from bcls.training.config import (
    DataConfig,
    LabelConfig,
    ModelConfig,
    OptimizationConfig,
    RunConfig,
    ValidationConfig,
    load_config,
)
from bcls.training.parser import config_parser, parse_config
from bcls.training.run import TrainingResult, train

__all__ = [
    "DataConfig",
    "LabelConfig",
    "ModelConfig",
    "OptimizationConfig",
    "RunConfig",
    "TrainingResult",
    "ValidationConfig",
    "config_parser",
    "load_config",
    "parse_config",
    "train",
]
