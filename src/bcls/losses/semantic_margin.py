"""Semantic adaptive margin: a triplet loss whose margin is the difference of relevance."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.losses.base import RetrievalLoss
from bcls.losses.matrices import both_directions, check_positives, check_relevance, check_similarity, require_relevance
from bcls.losses.mean_hinge import mean_hinges, positive_slots
from bcls.losses.means import mean_where
from bcls.losses.settings import require_at_least, require_one_of
from bcls.losses.triplet import Negatives, TripletLoss

Sampling = Literal["all", "hard", "random"]


def semantic_margin_loss(
    similarity: Tensor,
    relevance: Tensor,
    positives: Tensor | None = None,
    *,
    divisor: float = 4.0,
    sampling: Sampling = "all",
    validate: bool = True,
) -> Tensor:
    """The graded term of `SemanticMarginLoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.6], [0.2, 1.0]])
        >>> semantic_margin_loss(similarity, relevance, divisor=4.0)
        tensor(0.1250)
    """
    _check_settings(divisor, sampling)
    similarity = check_similarity(similarity, validate=validate)
    relevance = check_relevance(similarity, relevance, validate=validate)
    positives = check_positives(similarity, positives, validate=validate)
    one = partial(_one_direction, divisor=divisor, sampling=sampling, validate=validate)
    return both_directions(one, similarity, relevance, positives)


def _check_settings(divisor: float, sampling: str) -> None:
    require_at_least(1, divisor=divisor)
    require_one_of(get_args(Sampling), sampling=sampling)


def _one_direction(
    similarity: Tensor, relevance: Tensor, positives: Tensor, *, divisor: float, sampling: Sampling, validate: bool
) -> Tensor:
    """The margin moves into the scores: s_n - s_p + (r_p - r_n) / T is a hinge without margin of s - r / T."""
    known = ~relevance.isnan()
    shifted = similarity - (relevance.nan_to_num(0.0) / divisor).to(similarity.dtype)
    negatives = known & ~positives
    slots = positive_slots(positives & known, slots=None if validate else similarity.shape[1])
    own = shifted.gather(1, slots.columns)
    if sampling == "all":
        hinges = mean_hinges(shifted, own, negatives)
    else:
        preferred = similarity.detach() if sampling == "hard" else torch.rand_like(similarity)
        chosen = preferred.masked_fill(~negatives, -torch.inf).argmax(dim=1, keepdim=True)
        hinges = F.relu(shifted.gather(1, chosen) - own) * negatives.any(dim=1, keepdim=True)
    return mean_where(hinges, slots.there)


class SemanticMarginLoss(RetrievalLoss):
    """Triplet + weight x a triplet term with the margin (r_ip - r_in) / T (SAM).

    For a positive pair (i, p) and a negative n of query i: max(0, s_in - s_ip + (r_ip - r_in) / T). A negative that is
    nearly as relevant as the positive may stay nearly as similar. The mean over the positive pairs of known relevance,
    averaged over the two directions. Unknown relevance (NaN) gives no margin: such candidates are neither positives
    nor negatives of this term. A query without a positive gives no term, one without a negative gives 0.

    Args:
        divisor: T, at least 1; relevance that differs by 1 asks for a margin of 1 / T.
        weight: of the graded term, at least 0.
        sampling: which negatives a positive meets: the mean over `all`, which is what random draws tend to; the most
            similar one (`hard`); one drawn anew in each call (`random`).
        margin: of the triplet term.
        negatives: of the triplet term; the published one is `hard`.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: O(images x captions) memory; `all` sorts each query's candidates.

    Source: arXiv 2110.02623. There relevance is CIDEr-D, not bounded by 1, and a margin is cut at 1, which with
    relevance in [0, 1] and T of at least 1 never happens; terms are summed over the batch, here they are means. The
    published code gives one direction's margin to the other, and its hard negative is the least similar one; here the
    formula is followed.

    Example:
        >>> loss = SemanticMarginLoss(divisor=4.0, weight=2.0)
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.6], [0.2, 1.0]])
        >>> {name: round(term.item(), 4) for name, term in loss.terms(similarity, relevance).items()}
        {'triplet': 0.175, 'semantic_margin': 0.125}
        >>> loss(similarity, relevance)
        tensor(0.4250)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(
        self,
        *,
        divisor: float = 4.0,
        weight: float = 5.0,
        sampling: Sampling = "all",
        margin: float = 0.2,
        negatives: Negatives = "hard",
        validate: bool = True,
    ) -> None:
        super().__init__(validate=validate)
        _check_settings(divisor, sampling)
        require_at_least(0, weight=weight)
        self.divisor = divisor
        self.weight = weight
        self.sampling: Sampling = sampling
        self.triplet = TripletLoss(margin=margin, negatives=negatives, validate=validate)

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"triplet": ..., "semantic_margin": ...}`, the graded term without its weight."""
        relevance = require_relevance(relevance)
        graded = semantic_margin_loss(
            similarity, relevance, positives, divisor=self.divisor, sampling=self.sampling, validate=self.validate
        )
        return {**self.triplet.terms(similarity, positives=positives), "semantic_margin": graded}

    def combine(self, terms: dict[str, Tensor]) -> Tensor:
        """The triplet term plus the weighted graded term."""
        return terms["triplet"] + self.weight * terms["semantic_margin"]
