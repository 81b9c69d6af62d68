"""Hardest negatives wait until the model tells images apart."""

from __future__ import annotations

from typing import Any

import lightning as L

from bcls.losses import TripletLoss
from bcls.training.module import RetrievalModule


class HardNegativesStart(L.Callback):
    """Lets a triplet loss of `hard` negatives sum over `all` of them before a step.

    The hardest negative alone, seen from random weights, can pull all embeddings together: the loss then stays at
    twice its margin. A sum over all negatives does not. The negatives at a step depend on the step alone, so that a
    resumed run equals an unbroken one.

    Args:
        start: the first step with the hardest negatives alone.

    Source: the warm-up of VSE-infinity's published training code, one epoch long.
    """

    def __init__(self, start: int) -> None:
        self.start = start

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Choose the negatives of this step."""
        assert isinstance(pl_module, RetrievalModule)
        assert isinstance(pl_module.loss, TripletLoss)
        pl_module.loss.negatives = "all" if trainer.global_step < self.start else "hard"
