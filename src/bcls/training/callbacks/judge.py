"""Judges the model after each epoch and tells those who listen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import lightning as L

from bcls.models import RetrievalModel
from bcls.training.module import RetrievalModule


class Listener(Protocol):
    """Somebody who wants an epoch's metrics."""

    def hear(self, trainer: L.Trainer, module: RetrievalModule, metrics: dict[str, float]) -> None:
        """Take the metrics of the epoch that has just ended."""
        ...


class Judge(L.Callback):
    """Computes validation metrics at the end of each epoch, logs them, and passes them to listeners in order.

    Args:
        judge: metrics of a model on the validation split.
        listeners: who hears them; on the first process only.
    """

    def __init__(self, judge: Callable[[RetrievalModel], dict[str, float]], listeners: Sequence[Listener]) -> None:
        self.judge = judge
        self.listeners = list(listeners)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Judge, log, tell."""
        assert isinstance(pl_module, RetrievalModule)
        metrics = self.judge(pl_module.model)
        pl_module.log_dict({f"validation/{name}": value for name, value in metrics.items()}, rank_zero_only=True)
        if trainer.is_global_zero:
            for listener in self.listeners:
                listener.hear(trainer, pl_module, metrics)
