"""Training: joins data, models, losses and evaluation on Lightning. `train` needs the extra `train`.

Lightning is imported when `train` is asked for: configs can be read and checked for their fields without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    if name in {"TrainingResult", "train"}:
        from bcls.training import run  # noqa: PLC0415

        return getattr(run, name)
    raise AttributeError(f"module 'bcls.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
