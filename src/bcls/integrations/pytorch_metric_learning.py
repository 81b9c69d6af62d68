"""Losses of this package among those of pytorch-metric-learning. Needs the extra `metric-learning`."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor

from bcls.errors import InputError, MissingExtraError
from bcls.losses import BCLSLoss, RetrievalLoss
from bcls.losses.matrices import TOLERANCE
from bcls.precision import at_least_single, without_autocast

try:
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.losses import BaseMetricLossFunction
except ImportError:
    raise MissingExtraError("the loss for pytorch-metric-learning", "metric-learning") from None


class GradedPairLoss(BaseMetricLossFunction):  # type: ignore[misc]
    """Any loss of this package with the distance, the regularizer and the call of pytorch-metric-learning.

    In place of class labels stands relevance, an (images, captions) matrix; `ref_emb` are the captions. Pairs with a
    relevance of 1 are the positives. A distance that is no similarity counts with its sign turned. Reducers have
    nothing to reduce: the loss is a mean over ordered pairs, not over elements.

    Args:
        loss: what is computed from the matrices; None = `BCLSLoss()`.
        distance: any of the library's, between two sets of embeddings; None = its `CosineSimilarity()`.
        embedding_regularizer: any of the library's; None = none.
        embedding_reg_weight: of the regularizer.

    Example:
        >>> import torch
        >>> loss = GradedPairLoss()
        >>> images, captions = torch.eye(2), torch.tensor([[0.9, 0.1], [0.8, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.3], [0.2, 1.0]])
        >>> round(loss(images, relevance, ref_emb=captions).item(), 4)
        0.2452
    """

    def __init__(
        self,
        loss: RetrievalLoss | None = None,
        *,
        distance: Any = None,
        embedding_regularizer: Any = None,
        embedding_reg_weight: float = 1.0,
    ) -> None:
        super().__init__(
            distance=distance, embedding_regularizer=embedding_regularizer, embedding_reg_weight=embedding_reg_weight
        )
        self.loss = BCLSLoss() if loss is None else loss

    def get_default_distance(self) -> Any:
        """The library asks for it: cosine."""
        return CosineSimilarity()

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        indices_tuple: None = None,
        ref_emb: Tensor | None = None,
        ref_labels: None = None,
    ) -> Tensor:
        """The loss of a batch.

        Args:
            embeddings: (images, dimensions).
            labels: relevance, (images, captions) in [0, 1], NaN = unknown; 1 = positive.
            indices_tuple: of a miner; None, since the loss itself chooses its pairs.
            ref_emb: (captions, dimensions).
            ref_labels: None, since relevance is of both sides.

        Raises:
            InputError: no captions, relevance of another shape or without a positive, or what must be None.
        """
        if ref_emb is None or indices_tuple is not None or ref_labels is not None:
            raise InputError(
                "call the loss as loss(images, relevance, ref_emb=captions): it compares two sets, chooses its own "
                "pairs (no indices_tuple) and has no class labels (no ref_labels)"
            )
        if labels.shape != (len(embeddings), len(ref_emb)):
            raise InputError(
                f"relevance is {tuple(labels.shape)}, but there are {len(embeddings)} embeddings and {len(ref_emb)} in "
                "ref_emb"
            )
        self.reset_stats()
        losses = self.compute_loss(embeddings, labels.to(embeddings.device), None, ref_emb, None)
        self.add_embedding_regularization_to_loss_dict(losses, embeddings)
        return cast(Tensor, self.reducer(losses, embeddings, labels))

    def compute_loss(
        self, embeddings: Tensor, labels: Tensor, indices_tuple: None, ref_emb: Tensor, ref_labels: None
    ) -> dict[str, Any]:
        """The library's inner step: the loss, already reduced."""
        with without_autocast(embeddings.device):
            similarity = self.distance(at_least_single(embeddings), at_least_single(ref_emb))
        if not self.distance.is_inverted:
            similarity = -similarity
        total = self.loss.combine(self.loss.terms(similarity, labels, labels >= 1 - TOLERANCE))
        return {"loss": {"losses": total, "indices": None, "reduction_type": "already_reduced"}}
