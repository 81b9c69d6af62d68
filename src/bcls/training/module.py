"""Any model x any loss as a Lightning module."""

from __future__ import annotations

from typing import Any

import torch

from bcls.data.batches import Batch
from bcls.errors import MissingExtraError
from bcls.losses import RetrievalLoss
from bcls.models import RetrievalModel
from bcls.training.config import OptimizationConfig
from bcls.training.optimizer import adamw, warmup_cosine

try:
    import lightning as L
except ImportError:
    raise MissingExtraError("training", "train") from None


class RetrievalModule(L.LightningModule):
    """Trains a model with a loss.

    Args:
        model: gives the similarity matrix of a batch.
        loss: gives terms of the similarity matrix and the labels, and their combination.
        optimization: how to learn.
        steps: of the whole run, for the schedule. (Lightning's own estimate would set up the loader before a
            checkpoint has restored its place.)
        seed: dropout at a step depends on this and on the step alone, so that a resumed run equals an unbroken one.
    """

    def __init__(
        self,
        model: RetrievalModel,
        loss: RetrievalLoss,
        optimization: OptimizationConfig,
        *,
        steps: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.optimization = optimization
        self.steps = steps
        self.seed = seed

    def training_step(self, batch: Batch, batch_index: int) -> torch.Tensor:
        """The loss of one batch; its terms are logged."""
        torch.manual_seed(self.seed * 1_000_003 + self.global_step)
        similarity = self.model(batch.images, batch.captions)
        terms = self.loss.terms(similarity, batch.relevance, batch.positives)
        total = self.loss.combine(terms)
        logged = {"loss": total.detach(), **{name: term.detach() for name, term in terms.items()}}
        self.log_dict(
            {f"train/{name}": value for name, value in logged.items()},
            on_step=True,
            on_epoch=True,
            batch_size=len(batch),
        )
        return total

    def configure_optimizers(self) -> Any:
        """AdamW with a warm-up and a cosine, stepped each batch."""
        settings = self.optimization
        optimizer = adamw(
            (self.model, self.loss),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            pretrained=[
                *self.model.image_tower.pretrained_parameters(),
                *self.model.caption_tower.pretrained_parameters(),
            ],
            pretrained_learning_rate=settings.pretrained_learning_rate,
            rate_scales={**self.model.image_tower.rate_scales(), **self.model.caption_tower.rate_scales()},
            fused=not settings.precision.endswith("mixed"),
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: warmup_cosine(step, steps=self.steps, warmup=settings.warmup)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
