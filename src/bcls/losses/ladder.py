"""Ladder loss: relevance cut into levels, and each level must beat all that lies below it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.errors import InputError
from bcls.losses.base import RetrievalLoss
from bcls.losses.matrices import both_directions, check_relevance, check_similarity, require_relevance
from bcls.losses.means import mean_where
from bcls.losses.settings import require_at_least
from bcls.losses.triplet import Negatives, TripletLoss


def ladder_loss(
    similarity: Tensor, relevance: Tensor, *, threshold: float = 0.4, margin: float = 0.01, validate: bool = True
) -> Tensor:
    """One rung of `LadderLoss`, the term of one threshold; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.3, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.5, 0.1]])
        >>> ladder_loss(similarity, relevance, threshold=0.4, margin=0.1)
        tensor(0.1000)
    """
    _check_rung(threshold, margin)
    similarity = check_similarity(similarity, validate=validate)
    relevance = check_relevance(similarity, relevance, validate=validate)
    return both_directions(partial(_one_direction, threshold=threshold, margin=margin), similarity, relevance)


def _check_rung(threshold: float, margin: float) -> None:
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold is {threshold}; it must lie in [0, 1]")
    require_at_least(0, margin=margin)


def _one_direction(similarity: Tensor, relevance: Tensor, *, threshold: float, margin: float) -> Tensor:
    near, far = relevance >= threshold, relevance < threshold
    least_near = similarity.masked_fill(~near, torch.inf).amin(dim=1)
    most_far = similarity.masked_fill(~far, -torch.inf).amax(dim=1)
    return mean_where(F.relu(margin - least_near + most_far), near.any(dim=1) & far.any(dim=1))


class LadderLoss(RetrievalLoss):
    """A triplet loss for what matches, and one rung more for each threshold of relevance.

    The rung of a threshold h with margin a: for each query, over its near candidates (relevance at least h) and its far
    ones (below h),

        max(0, a + max of s over far - min of s over near),

    the mean over the queries that have both, averaged over the two directions. The loss is the triplet term plus the
    weighted rungs. Unknown relevance (NaN) is neither near nor far. Without a query that has both, a rung is 0 with a
    zero gradient.

    Args:
        thresholds: of relevance, falling, each in [0, 1]; one rung each.
        margins: of the rungs, at least 0, as many.
        weights: of the rungs, at least 0, as many.
        margin: of the triplet term.
        negatives: of the triplet term; the published one is `hard`.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range, or settings of different lengths.

    Cost: O(images x captions) time and memory, for each rung.

    Source: arXiv 1911.07528, with hard contrastive sampling. There the terms are summed over the batch; here they are
    means, so that the learning rate does not hang on the batch size. In the published code candidates outside a set
    enter its extreme as the numbers 0 and 1; here they do not enter.

    Example:
        >>> loss = LadderLoss(thresholds=(0.4,), margins=(0.1,), weights=(0.5,))
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.5], [0.2, 1.0]])
        >>> {name: round(term.item(), 4) for name, term in loss.terms(similarity, relevance).items()}
        {'triplet': 0.175, 'level_2': 0.0}
        >>> loss(similarity, relevance)
        tensor(0.1750)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(
        self,
        *,
        thresholds: Sequence[float] = (0.4,),
        margins: Sequence[float] = (0.01,),
        weights: Sequence[float] = (0.25,),
        margin: float = 0.2,
        negatives: Negatives = "hard",
        validate: bool = True,
    ) -> None:
        super().__init__(validate=validate)
        self.thresholds, self.margins, self.weights = tuple(thresholds), tuple(margins), tuple(weights)
        if not len(self.thresholds) == len(self.margins) == len(self.weights):
            raise InputError(
                f"thresholds, margins and weights must have one value a rung, not {len(self.thresholds)}, "
                f"{len(self.margins)} and {len(self.weights)}"
            )
        falling = all(first > second for first, second in zip(self.thresholds, self.thresholds[1:], strict=False))
        if not falling:
            raise InputError(f"thresholds are {self.thresholds}; they must fall")
        for threshold, rung, weight in zip(self.thresholds, self.margins, self.weights, strict=True):
            _check_rung(threshold, rung)
            require_at_least(0, weight=weight)
        self.triplet = TripletLoss(margin=margin, negatives=negatives, validate=validate)

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"triplet": ..., "level_2": ..., ...}`, the rungs without their weights."""
        relevance = require_relevance(relevance)
        terms = self.triplet.terms(similarity, positives=positives)
        for level, (threshold, margin) in enumerate(zip(self.thresholds, self.margins, strict=True), start=2):
            terms[f"level_{level}"] = ladder_loss(
                similarity, relevance, threshold=threshold, margin=margin, validate=self.validate
            )
        return terms

    def combine(self, terms: dict[str, Tensor]) -> Tensor:
        """The triplet term plus the weighted rungs."""
        loss = terms["triplet"]
        for level, weight in enumerate(self.weights, start=2):
            loss = loss + weight * terms[f"level_{level}"]
        return loss
