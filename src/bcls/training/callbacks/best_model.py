"""Keeps the model of the best epoch, and stops when none has been better for long."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import lightning as L

from bcls.errors import InputError
from bcls.training.module import RetrievalModule


def require_metric(monitor: str, metrics: Collection[str]) -> None:
    """Refuse a name that the evaluation does not give, before an epoch is spent.

    Raises:
        InputError: no such metric; tells those there are.
    """
    if monitor not in metrics:
        raise InputError(f"validation.monitor: no metric {monitor!r}; there are {', '.join(sorted(metrics))}")


class BestModel(L.Callback):
    """Saves the model whenever the monitored metric is better than ever before.

    Args:
        folder: where the model is saved, as `RetrievalModel.save_pretrained` does.
        monitor: the metric, as the evaluation names it; higher is better.
        patience: epochs without a better value after which training stops; 0 = never.
    """

    def __init__(self, folder: Path, monitor: str, patience: int = 0) -> None:
        self.folder = folder
        self.monitor = monitor
        self.patience = patience
        self.best = -math.inf
        self.best_epoch = -1
        self.stopped = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop at once, where patience had run out before the run was resumed."""
        trainer.should_stop = self.stopped

    def hear(self, trainer: L.Trainer, module: RetrievalModule, metrics: dict[str, float]) -> None:
        """Save, if this epoch is the best; stop, if patience has run out."""
        if metrics[self.monitor] > self.best:
            self.best, self.best_epoch = metrics[self.monitor], trainer.current_epoch
            module.model.save_pretrained(self.folder)
        elif 0 < self.patience <= trainer.current_epoch - self.best_epoch:
            trainer.should_stop = self.stopped = True

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"best": self.best, "best_epoch": self.best_epoch, "stopped": self.stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state of `state_dict`."""
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]
        self.stopped = state_dict.get("stopped", False)
