"""Graded validation in anybody's LightningModule. Needs the extra `train`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcls.errors import InputError, MissingExtraError
from bcls.evaluation import RetrievalTruth

try:  # before the metric, whose own extra would not bring Lightning
    import lightning as L

    from bcls.integrations.torchmetrics import RetrievalMetrics
except ImportError:
    raise MissingExtraError("the Lightning callback", "train") from None

NEEDED = ("image_embeddings", "caption_embeddings", "caption_rows")


class GradedValidation(L.Callback):
    """Judges each validation epoch as a whole task and logs all metrics; checkpoints and early stopping see them.

    The module's `validation_step` returns a dict with `image_embeddings` and `caption_embeddings` (one row each),
    `caption_rows` (the row of each caption in the truth) and, where image i is not that of caption i, `image_rows`.
    Other entries are left alone. Embeddings are gathered over processes. The sanity check before training sees a part
    of the data only and is not judged.

    Args:
        truth: the image of every caption of the validation data.
        relevance: as for `evaluate`: matrix (images, captions), or an object with `matrix(images, captions)`; None for
            no graded metric.
        protocol: a name of the evaluation's `PROTOCOLS`.
        prefix: before the metrics' names in the log.
        dataloader: which of several validation loaders is judged.

    Example:
        >>> validation = GradedValidation(RetrievalTruth.from_counts([5] * 100), prefix="val/")
        >>> trainer = L.Trainer(callbacks=[validation], logger=False, enable_checkpointing=False, accelerator="cpu")
    """

    def __init__(
        self,
        truth: RetrievalTruth,
        *,
        relevance: Any = None,
        protocol: str = "whole",
        prefix: str = "validation/",
        dataloader: int = 0,
    ) -> None:
        self.metrics = RetrievalMetrics(truth, relevance=relevance, protocol=protocol)
        self.prefix = prefix
        self.dataloader = dataloader

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin anew."""
        self.metrics.reset()
        self.metrics.to(pl_module.device)

    def on_validation_batch_end(  # noqa: PLR0917 - as Lightning calls it
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Take in what the module returned.

        Raises:
            InputError: it returned no dict with what is needed, or rows that the truth does not have.
        """
        if trainer.sanity_checking or dataloader_idx != self.dataloader:
            return
        missing = [name for name in NEEDED if not isinstance(outputs, Mapping) or name not in outputs]
        if missing:
            raise InputError(
                f"{type(pl_module).__name__}.validation_step must return a dict with {', '.join(NEEDED)}; missing: "
                f"{', '.join(missing)}"
            )
        images, captions, rows = (outputs[name] for name in NEEDED)
        self.metrics.update(images, captions, rows, outputs.get("image_rows"))

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Judge and log.

        Raises:
            InputError: an image or a caption of the truth was in no batch.
        """
        if trainer.sanity_checking:
            return
        pl_module.log_dict({f"{self.prefix}{name}": value for name, value in self.metrics.compute().items()})
        self.metrics.reset()
