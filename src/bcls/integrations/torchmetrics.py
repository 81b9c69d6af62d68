"""The evaluation as a torchmetrics `Metric`: gathered over batches and processes, judged once. Needs `metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from bcls.arrays import to_rows
from bcls.errors import InputError, MissingExtraError
from bcls.evaluation import RetrievalTruth, evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

try:
    from torchmetrics import Metric
    from torchmetrics.utilities import dim_zero_cat
    from torchmetrics.utilities.distributed import gather_all_tensors
except ImportError:
    raise MissingExtraError("the torchmetrics metric", "metrics") from None


class RetrievalMetrics(Metric):
    """All retrieval metrics of one task: recall, ranks, and with relevance NDCG and tau-b, as `evaluate` has them.

    Batches come in any order and on any process; each embedding is put to its row, so that what a distributed sampler
    repeats counts once. Call `update` on each batch and `compute` at the end of the task: a part of it has other
    metrics than the whole, so `forward`, which judges a single batch, is of no use here.

    Args:
        truth: the image of every caption.
        relevance: as for `evaluate`: matrix (images, captions), or an object with `matrix(images, captions)`; None for
            no graded metric.
        protocol: a name of the evaluation's `PROTOCOLS`.
        ndcg_at: K of NDCG@K.
        tau_at: K of tau-b on the K best scored candidates.

    Cost: the embeddings of all batches are held, and of all processes while computing.

    Example:
        >>> metrics = RetrievalMetrics(RetrievalTruth.from_counts([1, 1, 1]))
        >>> metrics.update(torch.eye(3)[[2, 0]], torch.eye(3)[[2, 0]], caption_rows=[2, 0])
        >>> metrics.update(torch.eye(3)[[1]], torch.eye(3)[[1]], caption_rows=[1])
        >>> metrics.compute()["text_to_image/recall@1"]
        tensor(100.)
    """

    is_differentiable = False
    full_state_update = False

    image_embeddings: list[Tensor]
    image_rows: list[Tensor]
    caption_embeddings: list[Tensor]
    caption_rows: list[Tensor]

    def __init__(
        self,
        truth: RetrievalTruth,
        *,
        relevance: Any = None,
        protocol: str = "whole",
        ndcg_at: int = 10,
        tau_at: int = 100,
    ) -> None:
        super().__init__()
        self._truth = truth
        self._relevance = relevance
        self._protocol = protocol
        self._ndcg_at = ndcg_at
        self._tau_at = tau_at
        for name in ("image_embeddings", "image_rows", "caption_embeddings", "caption_rows"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(
        self, image_embeddings: Tensor, caption_embeddings: Tensor, caption_rows: Any, image_rows: Any = None
    ) -> None:
        """Take in a batch.

        Args:
            image_embeddings: (images, dimensions).
            caption_embeddings: (captions, dimensions).
            caption_rows: (captions,) the row of each caption in the truth.
            image_rows: (images,) the row of each image; None = image i is that of caption i.

        Raises:
            InputError: embeddings that are no matrix or differ in size from earlier ones, a row that the truth does not
                have, or another number of rows than of embeddings.
        """
        captions = _rows(caption_rows, self._truth.captions, len(caption_embeddings), "caption")
        if image_rows is None:
            image_rows = self._truth.caption_image[captions]
        images = _rows(image_rows, self._truth.images, len(image_embeddings), "image")
        size = self.image_embeddings[0].shape[1] if len(self.image_embeddings) else image_embeddings.shape[-1]
        for what, given in (("image", image_embeddings), ("caption", caption_embeddings)):
            if given.ndim != 2 or given.shape[1] != size:
                raise InputError(f"{what} embeddings are {tuple(given.shape)}; they must be ({what}s, {size})")
        self.image_embeddings.append(image_embeddings.detach().float())
        self.image_rows.append(torch.from_numpy(images).to(image_embeddings.device))
        self.caption_embeddings.append(caption_embeddings.detach().float())
        self.caption_rows.append(torch.from_numpy(captions).to(caption_embeddings.device))

    def _sync_dist(self, dist_sync_fn: Any = gather_all_tensors, process_group: Any = None) -> None:
        """Gather what all processes hold; one that saw no batch takes part with no rows, of the others' size."""
        own = self.image_embeddings[0].shape[1] if len(self.image_embeddings) else 0
        sizes = dist_sync_fn(torch.tensor([own], device=self.device), group=process_group or self.process_group)
        if not len(self.image_embeddings):
            for embeddings in (self.image_embeddings, self.caption_embeddings):
                embeddings.append(torch.zeros(0, int(max(sizes)), device=self.device))
            for rows in (self.image_rows, self.caption_rows):
                rows.append(torch.zeros(0, dtype=torch.int64, device=self.device))
        super()._sync_dist(dist_sync_fn, process_group=process_group)

    def compute(self) -> dict[str, Tensor]:
        """The metrics of the whole task by name.

        Raises:
            InputError: an image or a caption of the truth was in no batch.
        """
        metrics = evaluate(
            _in_order(self.image_embeddings, self.image_rows, self._truth.images, "images"),
            _in_order(self.caption_embeddings, self.caption_rows, self._truth.captions, "captions"),
            self._truth,
            protocol=self._protocol,
            relevance=self._relevance,
            ndcg_at=self._ndcg_at,
            tau_at=self._tau_at,
        )
        return {name: torch.tensor(value, device=self.device) for name, value in metrics.items()}


def _rows(given: Any, count: int, embeddings: int, what: str) -> NDArray[np.int64]:
    rows = to_rows(given, f"{what}_rows")
    if rows.shape != (embeddings,):
        raise InputError(f"{embeddings} {what} embeddings, but {what}_rows is {rows.shape} of {rows.dtype}")
    outside = rows[(rows < 0) | (rows >= count)]
    if outside.size:
        raise InputError(f"{what} row {outside[0]}: the truth has {count} {what}s, counted from 0")
    return rows.copy()


def _in_order(embeddings: list[Tensor], rows: list[Tensor], count: int, what: str) -> NDArray[np.float32]:
    """Embeddings by row; what came twice is held once."""
    places = dim_zero_cat(rows).cpu().numpy() if len(rows) else np.zeros(0, np.int64)
    missing = np.setdiff1d(np.arange(count), places)
    if missing.size:
        raise InputError(
            f"{missing.size} of {count} {what} were in no batch, the first is row {missing[0]}: a part of a task has "
            "other metrics than the whole; compute after the last batch, and leave out no batch"
        )
    values = dim_zero_cat(embeddings).cpu().numpy()
    ordered = np.empty((count, values.shape[1]), np.float32)
    ordered[places] = values
    return ordered
