"""What happens around the steps of a training run, one concern a file."""

from __future__ import annotations

from bcls.errors import MissingExtraError

try:
    import lightning  # noqa: F401
except ImportError:
    raise MissingExtraError("training", "train") from None

from bcls.training.callbacks.best_model import BestModel, require_metric
from bcls.training.callbacks.collapse import CollapseWatch
from bcls.training.callbacks.hard_negatives_start import HardNegativesStart
from bcls.training.callbacks.history import History
from bcls.training.callbacks.judge import Judge
from bcls.training.callbacks.kendall_warmup import KendallWarmup
from bcls.training.callbacks.loader_place import LoaderPlace
from bcls.training.callbacks.progress_bar import EpochBar

__all__ = [
    "BestModel",
    "CollapseWatch",
    "EpochBar",
    "HardNegativesStart",
    "History",
    "Judge",
    "KendallWarmup",
    "LoaderPlace",
    "require_metric",
]
