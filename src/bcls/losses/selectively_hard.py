"""Triplet-SelHN: the hardest negative, but not where its gradient would cancel the positive's."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.losses.base import RetrievalLoss
from bcls.losses.matrices import both_directions, check_positives, check_similarity
from bcls.losses.mean_hinge import mean_hinges, positive_slots
from bcls.losses.means import mean_where
from bcls.losses.settings import require_at_least


def selectively_hard_loss(
    similarity: Tensor,
    positives: Tensor | None = None,
    *,
    margin: float = 0.2,
    tolerance: float = 0.01,
    validate: bool = True,
) -> Tensor:
    """Functional form of `SelectivelyHardLoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8, 0.1], [0.2, 0.4, 0.4], [0.0, 0.1, 0.5]])
        >>> selectively_hard_loss(similarity, margin=0.2, tolerance=0.01)
        tensor(0.1500)
    """
    require_at_least(0, margin=margin, tolerance=tolerance)
    similarity = check_similarity(similarity, validate=validate)
    positives = check_positives(similarity, positives, validate=validate)
    return both_directions(
        partial(_one_direction, margin=margin, tolerance=tolerance, validate=validate), similarity, positives
    )


def _one_direction(similarity: Tensor, positives: Tensor, *, margin: float, tolerance: float, validate: bool) -> Tensor:
    slots = positive_slots(positives, slots=None if validate else similarity.shape[1])
    own = similarity.gather(1, slots.columns)
    hardest = similarity.masked_fill(positives, -torch.inf).amax(dim=1, keepdim=True)
    close = (own - hardest).detach().abs() < tolerance
    hinges = torch.where(close, mean_hinges(similarity, own - margin, ~positives), F.relu(margin + hardest - own))
    return mean_where(hinges, slots.there)


class SelectivelyHardLoss(RetrievalLoss):
    """The hinge against the hardest negative, or against all where the hardest is as similar as the positive.

    For a positive pair (i, p) with the negatives n of query i, h the most similar of them:

        max(0, m + s_ih - s_ip)                         if |s_ip - s_ih| is at least the tolerance,
        mean over n of max(0, m + s_in - s_ip)          else,

    the mean over the positive pairs, averaged over the two directions. When a positive and its hardest negative
    coincide in the embedding, the gradients of the two nearly cancel and training with hardest negatives alone can
    stand still; the mean over all negatives moves it on. A positive is never a negative; a query without a positive
    gives no term, one without a negative gives 0.

    Args:
        margin: m, at least 0.
        tolerance: how close is too close, at least 0; 0 is the triplet loss with the hardest negative.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: one sort of each query's candidates, O(images x captions) memory.

    Source: arXiv 2303.00181.

    Example:
        >>> loss = SelectivelyHardLoss(margin=0.2, tolerance=0.01)
        >>> loss(torch.tensor([[0.9, 0.8, 0.1], [0.2, 0.4, 0.4], [0.0, 0.1, 0.5]]))
        tensor(0.1500)
    """

    uses_relevance: ClassVar[bool] = False

    def __init__(self, *, margin: float = 0.2, tolerance: float = 0.01, validate: bool = True) -> None:
        super().__init__(validate=validate)
        require_at_least(0, margin=margin, tolerance=tolerance)
        self.margin = margin
        self.tolerance = tolerance

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"selectively_hard": loss}`."""
        value = selectively_hard_loss(
            similarity, positives, margin=self.margin, tolerance=self.tolerance, validate=self.validate
        )
        return {"selectively_hard": value}
