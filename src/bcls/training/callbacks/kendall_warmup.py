"""The weight of the Kendall term rises from zero."""

from __future__ import annotations

from typing import Any

import lightning as L

from bcls.losses import BCLSLoss
from bcls.training.module import RetrievalModule


class KendallWarmup(L.Callback):
    """Raises a BCLS loss's `kendall_weight` in a straight line, from the first step or from a later one.

    A large weight from the first step can pull all embeddings together before the triplet term has spread them.
    The weight at a step depends on the step alone, so that a resumed run equals an unbroken one.

    Args:
        weight: the weight at the end of the rise.
        steps: how many steps the rise takes; 0 = the full weight at once.
        start: the step at which it begins; the weight is 0 before.
    """

    def __init__(self, weight: float, steps: int, start: int = 0) -> None:
        self.weight = weight
        self.steps = steps
        self.start = start

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the weight of this step."""
        assert isinstance(pl_module, RetrievalModule)
        assert isinstance(pl_module.loss, BCLSLoss)
        done = trainer.global_step - self.start
        risen = float(done >= 0) if self.steps == 0 else min(1.0, max(0.0, done / self.steps))
        pl_module.loss.kendall_weight = self.weight * risen
