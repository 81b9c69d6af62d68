"""Says when training collapses, and what to change."""

from __future__ import annotations

import logging
import math

import lightning as L

from bcls.losses import BCLSLoss, RetrievalLoss
from bcls.training.config import has_hard_negatives
from bcls.training.module import RetrievalModule

logger = logging.getLogger("bcls")


def advice(loss: RetrievalLoss) -> str:
    """What to change in a run of this loss that collapsed."""
    if isinstance(loss, BCLSLoss):
        return "try a smaller kendall_weight, a longer optimization.kendall_warmup or a smaller learning rate"
    if has_hard_negatives(loss):
        return "try soft negatives, a later optimization.hard_negatives_start (0.2, say) or a smaller learning rate"
    return "try a smaller learning rate"


class CollapseWatch:
    """Watches the chosen validation metric and warns, once each, of two ways to fail.

    - *Never started*: after the second epoch, `rsum` is below three times that of a random ranking (hardest
      negatives from random weights do this: every similarity becomes the same).
    - *Fell*: the metric is below 60% of its best so far (a Kendall weight that is too large does this).

    Args:
        monitor: the metric, as the evaluation names it.
        chance_rsum: the `rsum` of a random ranking of the validation split.
        loss: what is trained by; the advice is about it.
    """

    def __init__(self, monitor: str, chance_rsum: float, loss: RetrievalLoss) -> None:
        self.monitor = monitor
        self.chance_rsum = chance_rsum
        self.advice = advice(loss)
        self.best = -math.inf
        self.warned: list[str] = []

    def hear(self, trainer: L.Trainer, module: RetrievalModule, metrics: dict[str, float]) -> None:
        """Compare an epoch's metrics with the best so far."""
        epoch = trainer.current_epoch
        value = metrics[self.monitor]
        if epoch >= 1 and metrics["rsum"] < 3 * self.chance_rsum:
            self._warn(
                "started",
                f"epoch {epoch + 1}: rsum {metrics['rsum']:.1f} is near chance ({self.chance_rsum:.1f}): "
                f"training has collapsed; {self.advice}",
            )
        elif value < 0.6 * self.best:
            self._warn(
                "fell",
                f"epoch {epoch + 1}: {self.monitor} fell from {self.best:.4g} to {value:.4g}: "
                f"training has collapsed; {self.advice}",
            )
        self.best = max(self.best, value)

    def _warn(self, kind: str, message: str) -> None:
        if kind not in self.warned:
            self.warned.append(kind)
            logger.warning(message)
