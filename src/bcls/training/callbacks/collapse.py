"""Says when training collapses, and what to change."""

from __future__ import annotations

import logging
import math
from typing import Any

import lightning as L

from bcls.losses import BCLSLoss, RetrievalLoss
from bcls.training.chance import Chance
from bcls.training.config import has_hard_negatives
from bcls.training.module import RetrievalModule

logger = logging.getLogger("bcls")

DEVIATIONS = 3
LOST = 0.5


def advice(loss: RetrievalLoss) -> str:
    """What to change in a run of this loss that collapsed."""
    if isinstance(loss, BCLSLoss):
        return "try a smaller kendall_weight, a longer optimization.kendall_warmup or a smaller learning rate"
    if has_hard_negatives(loss):
        return "try soft negatives, a later optimization.hard_negatives_start (0.2, say) or a smaller learning rate"
    return "try a smaller learning rate"


class CollapseWatch(L.Callback):
    """Watches `rsum` on the validation split and warns, once each, of two ways to fail.

    Let c be the expected `rsum` of a random ranking of the split, and d the standard deviation of that `rsum`.

    - *Never started*: in two epochs in a row, from the second epoch on, `rsum` is below c + 3 d: the model ranks no
      better than at random. Hardest negatives from random weights do this: every similarity becomes the same.
    - *Fell*: `rsum` is more than 3 d below its best so far, and what it exceeds c by is less than half of what it was
      at best. A Kendall weight or a learning rate that is too large does this.

    An epoch whose `rsum` is not finite counts as one at chance. Both rules are about `rsum`, whatever metric chooses
    the best epoch, since only its chance level is known. A resumed run goes on with the best so far.

    Args:
        chance: of a random ranking of the validation split.
        loss: what is trained by; the advice is about it.
    """

    def __init__(self, chance: Chance, loss: RetrievalLoss) -> None:
        self.chance = chance
        self.advice = advice(loss)
        self.best = -math.inf
        self.epochs_at_chance = 0
        self.warned: list[str] = []

    def hear(self, trainer: L.Trainer, module: RetrievalModule, metrics: dict[str, float]) -> None:
        """Compare an epoch's `rsum` with chance and with the best so far."""
        epoch, mean, noise = trainer.current_epoch + 1, self.chance.mean, DEVIATIONS * self.chance.deviation
        rsum = metrics["rsum"] if math.isfinite(metrics["rsum"]) else mean
        self.epochs_at_chance = self.epochs_at_chance + 1 if epoch > 1 and rsum < mean + noise else 0
        fell = self.best - rsum > noise and rsum - mean < LOST * (self.best - mean)
        if fell:
            self._warn("fell", f"epoch {epoch}: rsum fell from {self.best:.1f} to {rsum:.1f} (chance {mean:.1f})")
        elif self.epochs_at_chance == 2 and not self.warned:
            self._warn("started", f"epoch {epoch}: rsum {rsum:.1f} is that of a random ranking ({mean:.1f})")
        self.best = max(self.best, rsum)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"best": self.best, "epochs_at_chance": self.epochs_at_chance, "warned": list(self.warned)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state of `state_dict`."""
        self.best, self.epochs_at_chance = state_dict["best"], state_dict["epochs_at_chance"]
        self.warned = list(state_dict["warned"])

    def _warn(self, kind: str, message: str) -> None:
        if kind not in self.warned:
            self.warned.append(kind)
            logger.warning("%s: training has collapsed; %s", message, self.advice)
