"""The bar of an epoch on a terminal."""

from __future__ import annotations

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import TQDMProgressBar


class EpochBar(TQDMProgressBar):
    """Lightning's bar, with epochs counted from 1; the bar of a finished epoch is removed."""

    def __init__(self) -> None:
        super().__init__(leave=False)

    def on_train_epoch_start(self, trainer: L.Trainer, *arguments: Any) -> None:
        """Begin the bar of an epoch."""
        self.train_progress_bar.reset(total=int(self.total_train_batches))
        self.train_progress_bar.set_description(f"Epoch {trainer.current_epoch + 1}")
